//! What an error of a call says beyond its code.

use std::time::Duration;

use tonic::{Code, Status};
use tonic_types::{FieldViolation, StatusExt};

const FIRST_DELAY: Duration = Duration::from_millis(200);
const MAX_DELAY: Duration = Duration::from_secs(5);
/// Of the ErrorInfo of all that the gateway itself says.
const DOMAIN: &str = "pictory-gateway";
/// Where `call` notes what became of all its attempts.
const TAKEN: &str = "pictory-may-have-been-taken";

/// The gateway's word for what went wrong, such as JOB_NOT_FOUND; empty if the gateway did not say it.
pub fn reason(error: &Status) -> String {
    let info = error.get_details_error_info().filter(|info| info.domain == DOMAIN);
    info.map(|info| info.reason).unwrap_or_default()
}

/// The fields of the request that are wrong, by their paths, and what to do.
pub fn field_violations(error: &Status) -> Vec<FieldViolation> {
    error.get_details_bad_request().map(|bad| bad.field_violations).unwrap_or_default()
}

/// Whether a submit that failed so may have become a job all the same, as when the connection broke under way. Then repeat
/// it with the same request_id only: with another one it may be paid for twice. Of an error of `call` it counts all
/// attempts.
pub fn may_have_been_taken(error: &Status) -> bool {
    if let Some(told) = error.metadata().get(TAKEN) {
        return told == "true";
    }
    let open = matches!(
        error.code(),
        Code::Unavailable | Code::Internal | Code::Unknown | Code::Cancelled | Code::DeadlineExceeded
    );
    let reason = reason(error);
    let nothing_done = !reason.is_empty() && error.get_details_retry_info().is_some_and(|it| it.retry_delay.is_some());
    open && !nothing_done && reason != "DEADLINE_TOO_SHORT" && reason != "STORE_FAILED"
}

pub(crate) fn marked(mut error: Status, taken: bool) -> Status {
    let told = if taken { "true" } else { "false" };
    error.metadata_mut().insert(TAKEN, tonic::metadata::MetadataValue::from_static(told));
    error
}

/// When an equal call may succeed, after so many failures in a row; None if it never does. A submit that is repeated
/// must have a request_id. Where the way to the gateway broke, tonic or a proxy says so, by any of five codes: a
/// gateway that was killed is UNKNOWN here.
pub fn retry_after(error: &Status, failures: u32) -> Option<Duration> {
    if let Some(told) = error.get_details_retry_info().and_then(|retry| retry.retry_delay) {
        return Some(told + told.mul_f64(0.2 * rand::random::<f64>()).min(Duration::from_secs(1)));
    }
    match error.code() {
        Code::Unavailable => {}
        Code::Internal | Code::Unknown | Code::Cancelled | Code::DeadlineExceeded if reason(error).is_empty() => {}
        _ => return None,
    }
    let ceiling = MAX_DELAY.min(FIRST_DELAY * 2u32.pow(failures.min(9) + 1));
    Some(FIRST_DELAY + (ceiling - FIRST_DELAY).mul_f64(rand::random()))
}
