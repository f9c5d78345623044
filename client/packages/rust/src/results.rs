//! What a finished job has left, into files that are there once they are complete.

use std::fmt;
use std::path::{Path, PathBuf};

use tokio::fs::{rename, File};
use tokio::io::AsyncWriteExt;
use tonic::Status;

use crate::limits::{ended_early, heard, limits, Patience, ATTEMPTS, CONNECT};
use crate::v1::{Job, JobState, ReadJobResultRequest, ReadJobResultResponse, ResultPart};
use crate::{Jobs, Service};

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

/// Whether a job stays in this state. One that a newer gateway has, and this crate does not know, is not final.
pub fn is_final(state: JobState) -> bool {
    use JobState::*;
    matches!(state, Succeeded | Failed | Expired | Cleaned | OutcomeUnknown | Cancelled)
}

/// A file that is there once it is complete. Until then it has a name that nobody else writes to, and goes with this.
struct Partial {
    file: File,
    name: PathBuf,
}

impl Partial {
    // It is opened at once: an open in the background goes on when its caller is dropped meanwhile, and leaves the file.
    fn create(path: &Path) -> std::io::Result<Self> {
        let mut name = path.as_os_str().to_owned();
        name.push(format!(".{:016x}.part", rand::random::<u64>()));
        let name = PathBuf::from(name);
        let file = std::fs::File::options().write(true).create_new(true).open(&name)?;
        Ok(Self { file: File::from_std(file), name })
    }

    async fn complete(mut self, path: &Path) -> std::io::Result<()> {
        self.file.flush().await?;
        rename(&self.name, path).await
    }
}

impl Drop for Partial {
    fn drop(&mut self) {
        std::fs::remove_file(&self.name).ok(); // is not there any more once it is complete
    }
}

/// The length of the whole, if the piece belongs at `offset`.
fn total_of(chunk: &ReadJobResultResponse, offset: i32, total: Option<i32>) -> Result<i32, Status> {
    let fits = chunk.offset == offset && i64::from(offset) + chunk.data.len() as i64 <= i64::from(chunk.total_bytes);
    if !fits || total.is_some_and(|total| total != chunk.total_bytes) {
        return Err(Status::data_loss("the pieces of the result do not fit together"));
    }
    Ok(chunk.total_bytes)
}

/// Streams one part of a finished job's result into a file, and goes on where a connection broke.
pub async fn read_part<S: Service>(
    mut jobs: Jobs<S>,
    job_id: &str,
    part: ResultPart,
    path: &Path,
) -> Result<(), Status> {
    let mut partial = Partial::create(path)?;
    let mut request = ReadJobResultRequest { job_id: job_id.into(), part: part.into(), offset: 0 };
    let mut patience = Patience::default();
    let mut total = None;
    loop {
        let error = match heard(jobs.read_job_result(request.clone())).await.map(|answer| answer.into_inner()) {
            Err(error) => error,
            Ok(mut stream) => loop {
                match heard(stream.message()).await {
                    Ok(Some(chunk)) => {
                        total = Some(total_of(&chunk, request.offset, total)?);
                        partial.file.write_all(&chunk.data).await?;
                        request.offset += chunk.data.len() as i32;
                        if !chunk.data.is_empty() {
                            patience.heard();
                        }
                        if total == Some(request.offset) {
                            return Ok(partial.complete(path).await?);
                        }
                    }
                    Ok(None) if total.is_none() => return Ok(partial.complete(path).await?), // the part is empty
                    Ok(None) => break ended_early(),
                    Err(error) => break error,
                }
            },
        };
        patience.pause_after(error, ATTEMPTS, |_| ()).await?;
    }
}

/// Brings a video, which is plain HTTP, into a file. It comes in one answer or not at all: the rest of a second one
/// could be another video's.
pub async fn download(url: &str, path: &Path) -> Result<(), Box<dyn std::error::Error>> {
    let client = reqwest::Client::builder().connect_timeout(CONNECT).read_timeout(limits().silence).build()?;
    let mut answer = client.get(url).send().await?.error_for_status()?;
    let mut partial = Partial::create(path)?;
    while let Some(piece) = answer.chunk().await? {
        partial.file.write_all(&piece).await?;
    }
    Ok(partial.complete(path).await?)
}
