//! How long the crate waits.

use std::future::Future;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use tonic::Status;

use crate::retry_after;

pub(crate) const KEEPALIVE: Duration = Duration::from_secs(30);
pub(crate) const KEEPALIVE_ANSWER: Duration = Duration::from_secs(10);
pub(crate) const CONNECT: Duration = Duration::from_secs(20);
pub(crate) const CALL: Duration = Duration::from_secs(60);
pub(crate) const ATTEMPTS: u32 = 5;

#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// How long a stream or a download may bring nothing. The gateway sends a watch a heartbeat every 25 s.
    pub silence: Duration,
    /// How long a watch looks for a gateway that has gone.
    pub patience: Duration,
}

static LIMITS: OnceLock<Limits> = OnceLock::new();

/// Sets the limits of this program, before its first call; false if there are some already.
pub fn set_limits(limits: Limits) -> bool {
    LIMITS.set(limits).is_ok()
}

pub(crate) fn limits() -> Limits {
    *LIMITS.get_or_init(|| Limits { silence: Duration::from_secs(75), patience: Duration::from_secs(600) })
}

/// What comes of it, unless that takes too long.
pub(crate) async fn heard<T>(message: impl Future<Output = Result<T, Status>>) -> Result<T, Status> {
    let silence = limits().silence;
    let silent = |_| Err(Status::unavailable(format!("the stream said nothing for {silence:?}")));
    tokio::time::timeout(silence, message).await.unwrap_or_else(silent)
}

pub(crate) fn ended_early() -> Status {
    Status::unavailable("the stream ended before all was said")
}

/// Counts the failures since the gateway was heard last, and ends when they are too many or last too long.
#[derive(Default)]
pub(crate) struct Patience {
    failures: u32,
    broke: Option<Instant>,
}

impl Patience {
    pub fn heard(&mut self) {
        *self = Patience::default();
    }

    /// Waits until it is time to try again. Returns the error instead where that does not help, or not any more.
    pub async fn pause_after(&mut self, error: Status, attempts: u32, tell: impl Fn(&Status)) -> Result<(), Status> {
        let Some(pause) = retry_after(&error, self.failures) else { return Err(error) };
        let broke = *self.broke.get_or_insert_with(Instant::now);
        self.failures += 1;
        if self.failures >= attempts || broke.elapsed() + pause > limits().patience {
            return Err(error);
        }
        tell(&error);
        tokio::time::sleep(pause).await;
        Ok(())
    }
}
