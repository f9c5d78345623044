//! The resuming watch of many jobs.

use tokio_stream::Stream;
use tonic::Status;

use crate::limits::{ended_early, heard, Patience};
use crate::v1::{watch_jobs_response::Event, WatchJobsRequest, WatchJobsResponse};
use crate::{Jobs, Service};

/// Yields the events of all jobs that fit the request, without heartbeats: first a list, then each change; or one error in
/// the end. It goes on over broken connections and restarts of the gateway, for as long as the limit on patience without
/// a word, until it is dropped; `lost` hears of them. Jobs may come again then; their `revision` tells. To go on where
/// another process stopped, put the `resume_token` of the last event that it has dealt with into the request.
pub fn watch_jobs<S: Service>(
    mut jobs: Jobs<S>,
    mut request: WatchJobsRequest,
    lost: impl Fn(&Status),
) -> impl Stream<Item = Result<WatchJobsResponse, Status>> {
    async_stream::try_stream! {
        let mut patience = Patience::default();
        loop {
            let error = match heard(jobs.watch_jobs(request.clone())).await.map(|answer| answer.into_inner()) {
                Err(error) => error,
                Ok(mut stream) => loop {
                    match heard(stream.message()).await {
                        Err(error) => break error,
                        Ok(None) => break ended_early(), // the gateway ends no such stream well, but a proxy may
                        Ok(Some(message)) => {
                            patience.heard();
                            request.resume_token = message.resume_token.clone();
                            if !matches!(message.event, Some(Event::Heartbeat(_))) {
                                yield message;
                            }
                        }
                    }
                },
            };
            patience.pause_after(error, u32::MAX, &lost).await?;
        }
    }
}
