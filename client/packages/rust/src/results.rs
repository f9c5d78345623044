//! What a finished job has left, into files that are there once they are complete.

use std::fmt;
use std::path::{Path, PathBuf};

use tokio::fs::{rename, File};
use tokio::io::AsyncWriteExt;
use tonic::Status;

use crate::limits::{heard, limits, Patience, ATTEMPTS, CONNECT};
use crate::v1::{Job, JobState, ReadJobResultRequest, ResultPart};
use crate::Jobs;

/// A job that has ended, and not with SUCCEEDED. Pictory's reason is its text.
pub struct JobFailed(pub Box<Job>);

impl fmt::Display for JobFailed {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} {}", self.0.job_id, self.0.state().as_str_name().trim_start_matches("JOB_STATE_"))?;
        self.0.error.iter().try_for_each(|why| write!(out, " {} {}", why.code, why.message))
    }
}

// What a `main` prints of it.
impl fmt::Debug for JobFailed {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, out)
    }
}

impl std::error::Error for JobFailed {}

/// The job, which has its result; an error if it has none.
pub fn must_succeed(job: Job) -> Result<Job, JobFailed> {
    if job.state() == JobState::Succeeded {
        Ok(job)
    } else {
        Err(JobFailed(job.into()))
    }
}

fn partial(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".part");
    name.into()
}

/// Streams one part of a finished job's result into a file, and goes on where a connection broke.
pub async fn read_part(mut jobs: Jobs, job_id: &str, part: ResultPart, path: &Path) -> Result<(), Status> {
    let mut file = File::create(partial(path)).await?;
    let mut request = ReadJobResultRequest { job_id: job_id.into(), part: part.into(), offset: 0 };
    let mut patience = Patience::default();
    'again: loop {
        let error = match heard(jobs.read_job_result(request.clone())).await.map(|answer| answer.into_inner()) {
            Err(error) => error,
            Ok(mut stream) => loop {
                match heard(stream.message()).await {
                    Ok(Some(chunk)) => {
                        file.write_all(&chunk.data).await?;
                        request.offset += chunk.data.len() as i32;
                        patience.heard();
                    }
                    Ok(None) => break 'again,
                    Err(error) => break error,
                }
            },
        };
        patience.pause_after(error, ATTEMPTS, |_| ()).await?;
    }
    file.flush().await?;
    Ok(rename(partial(path), path).await?)
}

/// Brings a video, which is plain HTTP, into a file. It comes in one answer or not at all: the rest of a second one
/// could be another video's.
pub async fn download(url: &str, path: &Path) -> Result<(), Box<dyn std::error::Error>> {
    let client = reqwest::Client::builder().connect_timeout(CONNECT).read_timeout(limits().silence).build()?;
    let mut answer = client.get(url).send().await?.error_for_status()?;
    let mut file = File::create(partial(path)).await?;
    while let Some(piece) = answer.chunk().await? {
        file.write_all(&piece).await?;
    }
    file.flush().await?;
    Ok(rename(partial(path), path).await?)
}
