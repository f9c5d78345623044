//! What a finished job has left, into files that are there once they are complete.

use std::path::{Path, PathBuf};

use tokio::fs::{rename, File};
use tokio::io::AsyncWriteExt;
use tonic::Status;

use crate::v1::{ReadJobResultRequest, ResultPart};
use crate::{retry_after, Jobs};

const ATTEMPTS: u32 = 5;

fn partial(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".part");
    name.into()
}

/// Streams one part of a finished job's result into a file, and goes on where a connection broke.
pub async fn read_part(mut jobs: Jobs, job_id: &str, part: ResultPart, path: &Path) -> Result<(), Status> {
    let mut file = File::create(partial(path)).await?;
    let mut request = ReadJobResultRequest { job_id: job_id.into(), part: part.into(), offset: 0 };
    let mut failures = 0;
    'again: loop {
        let error = match jobs.read_job_result(request.clone()).await.map(|answer| answer.into_inner()) {
            Err(error) => error,
            Ok(mut stream) => loop {
                match stream.message().await {
                    Ok(Some(chunk)) => {
                        file.write_all(&chunk.data).await?;
                        request.offset += chunk.data.len() as i32;
                        failures = 0;
                    }
                    Ok(None) => break 'again,
                    Err(error) => break error,
                }
            },
        };
        failures += 1;
        match retry_after(&error, failures - 1) {
            Some(pause) if failures < ATTEMPTS => tokio::time::sleep(pause).await,
            _ => return Err(error),
        }
    }
    file.flush().await?;
    Ok(rename(partial(path), path).await?)
}

/// Brings a video, which is plain HTTP, into a file.
pub async fn download(url: &str, path: &Path) -> Result<(), Box<dyn std::error::Error>> {
    let mut answer = reqwest::get(url).await?.error_for_status()?;
    let mut file = File::create(partial(path)).await?;
    while let Some(piece) = answer.chunk().await? {
        file.write_all(&piece).await?;
    }
    file.flush().await?;
    Ok(rename(partial(path), path).await?)
}
