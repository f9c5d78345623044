//! The resuming watch.

use tokio_stream::Stream;
use tonic::Status;

use crate::limits::{heard, Patience};
use crate::v1::{watch_job_response::Event, Job, WatchJobRequest};
use crate::Jobs;

/// Yields the present state of a job and each newer one, the final one last, or else one error. It goes on over broken
/// connections and restarts of the gateway, for as long as the limit on patience without a word, until it is dropped;
/// `lost` hears of them. `after_revision` of the request is the revision seen last.
pub fn watch(
    mut jobs: Jobs,
    mut request: WatchJobRequest,
    lost: impl Fn(&Status),
) -> impl Stream<Item = Result<Job, Status>> {
    async_stream::try_stream! {
        let mut patience = Patience::default();
        loop {
            let error = match heard(jobs.watch_job(request.clone())).await.map(|answer| answer.into_inner()) {
                Err(error) => error,
                Ok(mut stream) => loop {
                    match heard(stream.message()).await {
                        Err(error) => break error,
                        Ok(None) => return, // the gateway ends a stream so only after the final state
                        Ok(Some(message)) => {
                            patience.heard();
                            let Some(Event::Job(job)) = message.event else { continue }; // a heartbeat
                            request.after_revision = job.revision;
                            yield job;
                        }
                    }
                },
            };
            patience.pause_after(error, u32::MAX, &lost).await?;
        }
    }
}
