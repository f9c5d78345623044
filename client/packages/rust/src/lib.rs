//! What a client of the Pictory jobs gateway needs beyond the generated code: a watch that outlives broken connections,
//! calls that are repeated where that is safe, downloads, and what an error says. Errors are tonic's.

pub mod calls;
pub mod errors;
pub mod limits;
pub mod results;
pub mod watch;
pub mod watch_jobs;

use tonic::body::Body;
use tonic::client::GrpcService;
use tonic::codegen::{Body as HttpBody, Bytes, StdError};

/// That of this crate.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The generated code.
pub mod v1 {
    #![allow(clippy::all)]
    tonic::include_proto!("pictory.jobs.v1");
}

pub use calls::{call, client, connect, endpoint, Repeats, Unary};
pub use errors::{field_violations, may_have_been_taken, reason, retry_after};
pub use limits::{set_limits, Limits};
pub use results::{download, is_final, must_succeed, read_part, JobFailed};
pub use v1::pictory_jobs_client::PictoryJobsClient;
pub use watch::watch;
pub use watch_jobs::watch_jobs;

/// A client, over a channel or what stands before one.
pub type Jobs<S = tonic::transport::Channel> = PictoryJobsClient<S>;

/// What a client can be over: a channel, and a channel with an interceptor.
pub trait Service:
    GrpcService<Body, ResponseBody: HttpBody<Data = Bytes, Error: Into<StdError> + Send> + Send + 'static, Future: Send>
    + Clone
    + Send
    + 'static
{
}

impl<S> Service for S where
    S: GrpcService<Body, ResponseBody: HttpBody<Data = Bytes, Error: Into<StdError> + Send> + Send + 'static, Future: Send>
        + Clone
        + Send
        + 'static
{
}
