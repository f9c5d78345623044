//! A connection, and calls that are repeated only where that is safe.

use std::future::Future;
use std::time::Instant;

use tonic::transport::Endpoint;
use tonic::{Request, Response, Status};

use crate::errors::{marked, may_have_been_taken, retry_after};
use crate::limits::{ATTEMPTS, CALL, CONNECT, KEEPALIVE, KEEPALIVE_ANSWER};
use crate::{v1::*, Jobs, PictoryJobsClient, Service};

/// What reaches `host:port`, with pings that show whether a connection is still there; with the feature `tls` also
/// `https://host:port`, by the system's authorities. For other ones, or a certificate of one's own, change it and give
/// `client` its channel.
pub fn endpoint(address: &str) -> Result<Endpoint, tonic::transport::Error> {
    let plain = !address.contains("://");
    let endpoint = Endpoint::from_shared(if plain { format!("http://{address}") } else { address.into() })?
        .connect_timeout(CONNECT)
        .http2_keep_alive_interval(KEEPALIVE)
        .keep_alive_timeout(KEEPALIVE_ANSWER);
    #[cfg(feature = "tls")]
    if address.starts_with("https://") {
        return endpoint.tls_config(tonic::transport::ClientTlsConfig::new().with_native_roots());
    }
    Ok(endpoint)
}

/// A client of that address, which connects with the first call. tonic reads no service config.
pub fn connect(address: &str) -> Result<Jobs, tonic::transport::Error> {
    Ok(client(endpoint(address)?.connect_lazy()))
}

/// A client over a service of one's own, such as a channel with an interceptor that shows who calls:
/// `client(InterceptedService::new(channel, interceptor))`.
pub fn client<S: Service>(service: S) -> Jobs<S> {
    PictoryJobsClient::new(service).max_decoding_message_size(64 << 20)
}

/// How often `call` may send a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Repeats {
    /// A submit, which its request_id makes harmless to repeat.
    Submit,
    /// What only reads, and no list of Pictory's.
    Read,
    /// Once.
    Never,
}

/// A request with one answer.
pub trait Unary: Clone + Send {
    type Answer: Send;
    const REPEATS: Repeats;
    /// Empty where it has none.
    fn request_id(&self) -> &str {
        ""
    }
    fn send<S: Service>(
        request: Request<Self>,
        jobs: Jobs<S>,
    ) -> impl Future<Output = Result<Response<Self::Answer>, Status>> + Send;
}

macro_rules! unary {
    ($($repeats:ident $method:ident($request:ident) -> $answer:ident $(by $id:ident)?;)*) => {$(
        impl Unary for $request {
            type Answer = $answer;
            const REPEATS: Repeats = Repeats::$repeats;
            $(fn request_id(&self) -> &str {
                &self.$id
            })?
            async fn send<S: Service>(
                request: Request<Self>,
                mut jobs: Jobs<S>,
            ) -> Result<Response<$answer>, Status> {
                jobs.$method(request).await
            }
        }
    )*};
}

// The submits, by build.rs.
include!(concat!(env!("OUT_DIR"), "/submits.rs"));

unary! {
    Read get_job(GetJobRequest) -> GetJobResponse;
    Read batch_get_jobs(BatchGetJobsRequest) -> BatchGetJobsResponse;
    Read list_jobs(ListJobsRequest) -> ListJobsResponse;
    Read get_usage(GetUsageRequest) -> GetUsageResponse;
    Read get_server_info(GetServerInfoRequest) -> GetServerInfoResponse;
    Read list_notifications(ListNotificationsRequest) -> ListNotificationsResponse;
    Never replay_notification(ReplayNotificationRequest) -> ReplayNotificationResponse;
    Never resolve_job(ResolveJobRequest) -> ResolveJobResponse;
    Never delete_job(DeleteJobRequest) -> DeleteJobResponse;
    Never create_upload(CreateUploadRequest) -> CreateUploadResponse;
    Never update_preview(UpdatePreviewRequest) -> UpdatePreviewResponse;
    Never list_projects(ListProjectsRequest) -> ListProjectsResponse;
    Never get_project(GetProjectRequest) -> GetProjectResponse;
    Never get_account(GetAccountRequest) -> GetAccountResponse;
    Never list_templates(ListTemplatesRequest) -> ListTemplatesResponse;
    Never get_template(GetTemplateRequest) -> GetTemplateResponse;
    Never create_template(CreateTemplateRequest) -> CreateTemplateResponse;
    Never update_template(UpdateTemplateRequest) -> UpdateTemplateResponse;
    Never delete_template(DeleteTemplateRequest) -> DeleteTemplateResponse;
}

/// One answer to a request, by the method that takes it, within 60 s. A submit must carry a request_id: then a
/// repetition never becomes a second job. Of an error, `may_have_been_taken` counts all attempts.
pub async fn call<S: Service, R: Unary>(jobs: &Jobs<S>, request: R) -> Result<R::Answer, Status> {
    if R::REPEATS == Repeats::Submit && request.request_id().is_empty() {
        let why = "a submit that may be repeated needs a request_id, or it may be paid for twice";
        return Err(Status::invalid_argument(why));
    }
    let attempts = if R::REPEATS == Repeats::Never { 1 } else { ATTEMPTS };
    let begun = Instant::now();
    let mut taken = false; // or it may have been
    for failures in 0.. {
        let mut again = Request::new(request.clone());
        again.set_timeout(CALL.saturating_sub(begun.elapsed()));
        let answer = tokio::time::timeout(CALL.saturating_sub(begun.elapsed()), R::send(again, jobs.clone())).await;
        let error = match answer {
            Ok(Ok(answer)) => return Ok(answer.into_inner()),
            Ok(Err(error)) => error,
            Err(_) => Status::deadline_exceeded("no answer came in time"),
        };
        taken = taken || may_have_been_taken(&error);
        match retry_after(&error, failures) {
            Some(pause) if failures + 1 < attempts && begun.elapsed() + pause < CALL => tokio::time::sleep(pause).await,
            _ => return Err(marked(error, taken)),
        }
    }
    unreachable!()
}
