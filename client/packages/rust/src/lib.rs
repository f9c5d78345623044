//! What a client of the Pictory jobs gateway needs beyond the generated code: a watch that outlives broken connections,
//! calls that are repeated where that is safe, downloads, and what an error says. Errors are tonic's.

pub mod errors;
pub mod results;
pub mod watch;

/// That of this crate.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The generated code.
pub mod v1 {
    #![allow(clippy::all)]
    tonic::include_proto!("pictory.jobs.v1");
}

pub use errors::{field_violations, reason, repeat, retry_after};
pub use results::{download, read_part};
pub use v1::pictory_jobs_client::PictoryJobsClient;
pub use watch::watch;

pub type Jobs = PictoryJobsClient<tonic::transport::Channel>;

/// A client of `host:port`, which connects with the first call. tonic reads no service config.
pub fn connect(address: &str) -> Result<Jobs, tonic::transport::Error> {
    let endpoint = tonic::transport::Endpoint::from_shared(format!("http://{address}"))?;
    Ok(PictoryJobsClient::new(endpoint.connect_lazy()).max_decoding_message_size(64 << 20))
}
