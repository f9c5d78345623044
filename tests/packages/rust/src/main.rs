//! Prints the version of the crate, and why a call failed.
use pictory_jobs::{connect, reason, v1::WatchJobRequest, watch, VERSION};
use tokio_stream::StreamExt;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let jobs = connect(&std::env::args().nth(1).ok_or("no address")?)?;
    let request = WatchJobRequest { job_id: "no-such-job".into(), ..Default::default() };
    let mut states = std::pin::pin!(watch(jobs, request, |_| ()));
    while let Some(job) = states.next().await {
        match job {
            Ok(job) => println!("{}", job.state().as_str_name()),
            Err(error) => println!("{VERSION} {}", reason(&error)),
        }
    }
    Ok(())
}
