//! The resuming watch.

use tokio_stream::Stream;
use tonic::Status;

use crate::limits::{ended_early, heard, Patience};
use crate::results::is_final;
use crate::v1::{watch_job_response::Event, Job, WatchJobRequest};
use crate::{Jobs, Service};

/// Yields the present state of a job and each newer one, the final one last, or else one error. It goes on over broken
/// connections and restarts of the gateway, for as long as the limit on patience without a word, until it is dropped;
/// `lost` hears of them. `after_revision` of the request is the revision seen last; nothing comes if that is the final
/// one.
pub fn watch<S: Service>(
    mut jobs: Jobs<S>,
    mut request: WatchJobRequest,
    lost: impl Fn(&Status),
) -> impl Stream<Item = Result<Job, Status>> {
    async_stream::try_stream! {
        let mut patience = Patience::default();
        let mut known = request.after_revision > 0; // and nothing came yet
        loop {
            let error = match heard(jobs.watch_job(request.clone())).await.map(|answer| answer.into_inner()) {
                Err(error) => error,
                Ok(mut stream) => loop {
                    match heard(stream.message()).await {
                        Err(error) => break error,
                        Ok(None) if known => return, // that one was final
                        Ok(None) => break ended_early(),
                        Ok(Some(message)) => {
                            patience.heard();
                            known = false;
                            let Some(Event::Job(job)) = message.event else { continue }; // a heartbeat
                            request.after_revision = job.revision;
                            let last = is_final(job.state());
                            yield job;
                            if last { return }
                        }
                    }
                },
            };
            patience.pause_after(error, u32::MAX, &lost).await?;
        }
    }
}
