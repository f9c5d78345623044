//! A connection, and calls that are repeated only where that is safe.

use std::future::Future;
use std::time::Instant;

use tonic::{Request, Response, Status};

use crate::limits::{ATTEMPTS, CALL, CONNECT, KEEPALIVE, KEEPALIVE_ANSWER};
use crate::{retry_after, v1::*, Jobs, PictoryJobsClient};

/// A client of `host:port`, which connects with the first call. tonic reads no service config.
pub fn connect(address: &str) -> Result<Jobs, tonic::transport::Error> {
    let endpoint = tonic::transport::Endpoint::from_shared(format!("http://{address}"))?
        .connect_timeout(CONNECT)
        .http2_keep_alive_interval(KEEPALIVE) // pings show whether a connection is still there
        .keep_alive_timeout(KEEPALIVE_ANSWER);
    Ok(PictoryJobsClient::new(endpoint.connect_lazy()).max_decoding_message_size(64 << 20))
}

/// A request that `call` may send more than once: a submit, if it has a request_id, and what only reads.
pub trait Repeatable: Clone {
    type Answer;
    /// None: it only reads.
    fn request_id(&self) -> Option<&str>;
    fn send(request: Request<Self>, jobs: Jobs) -> impl Future<Output = Result<Response<Self::Answer>, Status>> + Send;
}

macro_rules! repeatable {
    ($($method:ident($request:ident) -> $answer:ident: |$self:ident| $id:expr;)*) => {$(
        impl Repeatable for $request {
            type Answer = $answer;
            fn request_id(&self) -> Option<&str> {
                let $self = self;
                $id
            }
            async fn send(request: Request<Self>, mut jobs: Jobs) -> Result<Response<$answer>, Status> {
                jobs.$method(request).await
            }
        }
    )*};
}

repeatable! {
    create_preview(CreatePreviewRequest) -> CreatePreviewResponse: |submit| Some(&submit.request_id);
    render(RenderRequest) -> RenderResponse: |submit| Some(&submit.request_id);
    transcribe(TranscribeRequest) -> TranscribeResponse: |submit| Some(&submit.request_id);
    summarize(SummarizeRequest) -> SummarizeResponse: |submit| Some(&submit.request_id);
    generate_image(GenerateImageRequest) -> GenerateImageResponse: |submit| Some(&submit.request_id);
    generate_video(GenerateVideoRequest) -> GenerateVideoResponse: |submit| Some(&submit.request_id);
    get_job(GetJobRequest) -> GetJobResponse: |_read| None;
    batch_get_jobs(BatchGetJobsRequest) -> BatchGetJobsResponse: |_read| None;
    list_jobs(ListJobsRequest) -> ListJobsResponse: |_read| None;
    get_usage(GetUsageRequest) -> GetUsageResponse: |_read| None;
    get_server_info(GetServerInfoRequest) -> GetServerInfoResponse: |_read| None;
}

/// One answer to a request, by the method that takes it, within 60 s. A submit must carry a request_id: then a
/// repetition never becomes a second job.
pub async fn call<R: Repeatable>(jobs: &Jobs, request: R) -> Result<R::Answer, Status> {
    if request.request_id() == Some("") {
        let why = "a submit that may be repeated needs a request_id, or it may be paid for twice";
        return Err(Status::invalid_argument(why));
    }
    let begun = Instant::now();
    for failures in 0.. {
        let mut again = Request::new(request.clone());
        again.set_timeout(CALL.saturating_sub(begun.elapsed()));
        let answer = tokio::time::timeout(CALL.saturating_sub(begun.elapsed()), R::send(again, jobs.clone())).await;
        let error = match answer {
            Ok(Ok(answer)) => return Ok(answer.into_inner()),
            Ok(Err(error)) => error,
            Err(_) => Status::deadline_exceeded("no answer came in time"),
        };
        match retry_after(&error, failures) {
            Some(pause) if failures + 1 < ATTEMPTS && begun.elapsed() + pause < CALL => tokio::time::sleep(pause).await,
            _ => return Err(error),
        }
    }
    unreachable!()
}
