//! What a client of the Pictory jobs gateway needs beyond the generated code: a watch that outlives broken connections,
//! calls that are repeated where that is safe, downloads, and what an error says. Errors are tonic's.

pub mod calls;
pub mod errors;
pub mod limits;
pub mod results;
pub mod watch;

/// That of this crate.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The generated code.
pub mod v1 {
    #![allow(clippy::all)]
    tonic::include_proto!("pictory.jobs.v1");
}

pub use calls::{call, connect, Repeatable};
pub use errors::{field_violations, reason, retry_after};
pub use limits::{set_limits, Limits};
pub use results::{download, must_succeed, read_part, JobFailed};
pub use v1::pictory_jobs_client::PictoryJobsClient;
pub use watch::watch;

pub type Jobs = PictoryJobsClient<tonic::transport::Channel>;
