//! The resuming watch.

use std::time::Duration;

use tokio_stream::Stream;
use tonic::Status;

use crate::v1::{watch_job_response::Event, Job, WatchJobRequest};
use crate::{retry_after, Jobs};

/// How long a stream may say nothing. The gateway sends a heartbeat every 25 s.
const SILENCE: Duration = Duration::from_secs(75);

/// Yields the present state of a job and each newer one, the final one last, or else one error. It goes on over broken
/// connections and restarts of the gateway until it is dropped; `lost` hears of them. `after_revision` of the request is
/// the revision seen last.
pub fn watch(mut jobs: Jobs, mut request: WatchJobRequest, lost: impl Fn(&Status)) -> impl Stream<Item = Result<Job, Status>> {
    async_stream::try_stream! {
        let mut failures = 0;
        loop {
            let silent = || Status::unavailable("the stream said nothing for too long");
            let error = match jobs.watch_job(request.clone()).await.map(|answer| answer.into_inner()) {
                Err(error) => error,
                Ok(mut stream) => loop {
                    match tokio::time::timeout(SILENCE, stream.message()).await.unwrap_or_else(|_| Err(silent())) {
                        Err(error) => break error,
                        Ok(None) => return, // the gateway ends a stream so only after the final state
                        Ok(Some(message)) => if let Some(Event::Job(job)) = message.event { // else a heartbeat
                            (request.after_revision, failures) = (job.revision, 0);
                            yield job;
                        },
                    }
                },
            };
            let pause = retry_after(&error, failures).ok_or_else(|| error.clone())?;
            failures += 1;
            lost(&error);
            tokio::time::sleep(pause).await;
        }
    }
}
