//! Prints each change of all jobs with a label, over breaks of the connection and restarts of either side.
//!
//!     watch_jobs batch=monday [TOKEN_FILE]     the token file lets another run go on

use std::{collections::HashMap, env, fs};

use pictory_jobs::v1::{watch_jobs_response::Event, WatchJobsRequest};
use pictory_jobs::{connect, watch_jobs};
use tokio_stream::StreamExt;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let args: Vec<String> = env::args().collect();
    let (key, value) = args[1].split_once('=').ok_or("a label, please: KEY=VALUE")?;
    let labels = [(key.to_string(), value.to_string())].into();
    let resume_token = args.get(2).and_then(|file| fs::read_to_string(file).ok()).unwrap_or_default();
    let request = WatchJobsRequest { labels, resume_token, ..Default::default() };
    let lost = |error: &tonic::Status| eprintln!("connection lost ({error}); trying again");
    let mut events = std::pin::pin!(watch_jobs(connect(&env::var("PICTORY_GATEWAY")?)?, request, lost));
    let mut revisions = HashMap::new();
    while let Some(message) = events.next().await {
        let message = message?;
        match message.event {
            Some(Event::GoneJobId(job_id)) => drop(revisions.remove(&job_id)),
            Some(Event::Job(job)) if revisions.get(&job.job_id).is_none_or(|seen| *seen < job.revision) => {
                println!("{} {} {}", job.job_id, job.revision, job.state().as_str_name());
                revisions.insert(job.job_id, job.revision);
            }
            _ => {}
        }
        if let Some(file) = args.get(2) {
            fs::write(file, message.resume_token)?; // what came before it is dealt with
        }
    }
    Ok(())
}
