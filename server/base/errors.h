// This file has every error the gateway can give a caller, one function each.
//
// An error is an absl::Status whose payloads are the standard details of the gRPC error model,
// keyed by their type URL: rpc/ copies them to the wire as they are. The message alone must be
// enough for a human, because shells print details as base64.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "base/clock.h"

namespace gateway::errors {

inline constexpr char kDomain[] = "pictory-gateway";
// The reason of UpstreamCredentials.
inline constexpr char kUpstreamCredentials[] = "UPSTREAM_CREDENTIALS";
// The reason of StoreFailed.
inline constexpr char kStoreFailed[] = "STORE_FAILED";
// The reason of UpstreamUnknown.
inline constexpr char kUpstreamUnknown[] = "UPSTREAM_UNKNOWN";
// The reason of PictoryKeyNeeded and PictoryKeyNotShown.
inline constexpr char kPictoryKeyNeeded[] = "PICTORY_KEY_NEEDED";
// The reason of JobNotFinished.
inline constexpr char kJobNotFinished[] = "JOB_NOT_FINISHED";
// The reason of UpstreamRateLimited.
inline constexpr char kUpstreamRateLimited[] = "UPSTREAM_RATE_LIMITED";

// A Violation is one wrong field of a request: a path such as `storyboard.scenes[2].story`, and
// what to do.
struct Violation {
  std::string field;
  std::string description;
};

// Requests.
absl::Status Invalid(std::vector<Violation> violations);
absl::Status Invalid(std::string field, std::string description);
absl::Status Unparsable(std::string_view message_type);
absl::Status RequestCompressed();
absl::Status RequestTooLarge(std::size_t bytes, std::size_t max_bytes);
absl::Status MetadataTooLarge(std::size_t bytes, std::size_t max_bytes);
absl::Status RequestIdReused(std::string_view request_id, std::string_view job_id);

// Requests over HTTP.
absl::Status NoSuchPath(std::string_view path);
absl::Status MethodNotAllowed(std::string_view method, std::string_view allowed);
absl::Status HeadTooLarge(std::size_t max_bytes);
absl::Status NotImplemented(std::string_view why);
absl::Status NotJson(std::string_view content_type);
absl::Status NotAcceptable(std::string_view accept, std::string_view forms);
absl::Status RangeNotThere(std::int64_t bytes);
absl::Status HostUnknown(std::string_view host);
absl::Status PageNotAllowed(std::string_view origin);

// Who calls.
absl::Status CallerUnknown(std::string_view why);
absl::Status RoleRequired(std::string_view role, std::string_view method, std::string_view tenant,
                          std::string_view caller);
// `limit` is the name of one of the tenant's limits, and `what` what there is too much of.
absl::Status TenantLimit(std::string_view tenant, std::string_view limit, std::int64_t max,
                         std::string_view what, Duration retry_after);

// Callers' own Pictory keys. A call needs one that shows none.
absl::Status PictoryKeyNeeded();
// Nobody has shown the key of a job's account since this process began, or for long.
absl::Status PictoryKeyNotShown(std::string_view account);
// The job that is decided over is of another key than the call shows.
absl::Status PictoryKeyOfAnother(std::string_view job_id);
// A call shows one that does not count; `why` ends the sentence.
absl::Status PictoryKeyNotTaken(std::string_view why);

// Jobs.
absl::Status JobNotFound(std::string_view name);
// `waits`, if not empty, is the field by which the refused request would wait for the job.
absl::Status JobNotFinished(std::string_view job_id, std::string_view state,
                            std::string_view waits = "");
absl::Status JobNotUsable(std::string_view job_id, std::string_view why);
absl::Status JobNotDeletable(std::string_view job_id, std::string_view why);
absl::Status JobNotWaiting(std::string_view job_id, std::string_view why);
absl::Status JobNotUnconfirmed(std::string_view job_id, std::string_view state);
// Another decision on the same job is under way.
absl::Status JobBeingResolved(std::string_view job_id, Duration retry_after);
absl::Status PictoryJobTaken(std::string_view pictory_job_id);
absl::Status PictoryJobNotFound(std::string_view pictory_job_id);
absl::Status PartNotFound(std::string_view job_id, std::string_view part);
// Nobody is told of the job in its present state.
absl::Status NoNotification(std::string_view job_id);
// `file`: its name in the archive; empty: the job's mp4 or picture.
absl::Status FileNotFound(std::string_view job_id, std::string_view file);
absl::Status FileNotArchived(std::string_view job_id, std::string_view file, bool given_up,
                             std::string_view problem);

// Pictory's answers. The purpose of a call decides what its caller must know. The error of a submit
// says that nothing was submitted. The error of any other call, which costs nothing, does not speak
// of submits, because the job that it is about may well have been submitted.
enum class Call { kSubmit, kFree };
absl::Status UpstreamRefused(absl::StatusCode code, std::string_view reason,
                             std::string_view message, std::string_view pictory_code,
                             int http_status, std::vector<Violation> violations);
absl::Status UpstreamCredentials(std::string_view detail);
// A job is of an account that the settings do not have.
absl::Status AccountNotConfigured(std::string_view account);
absl::Status UpstreamRateLimited(Duration retry_after, Call call);
absl::Status UpstreamUnreachable(std::string_view detail, Duration retry_after, Call call);
// What must not be done twice may have been done; the method `shown_by` tells.
absl::Status UpstreamUnknown(std::string_view detail, std::string_view shown_by);

// Our own limits and states.
absl::Status BudgetExhausted(Duration retry_after, Call call);
// `who` is, for example, `this gateway` or `tenant acme`.
absl::Status SpendingLimit(std::string_view who, std::int64_t limit, std::string_view window,
                           Duration retry_after);
// `used` credits are counted in the last 24 hours, and the submit may use `credits` more.
absl::Status CreditsLimit(std::string_view who, std::int64_t limit, double used, double credits,
                          Duration retry_after);
// A tenant has as many jobs that have not ended as it may.
absl::Status TooManyActive(std::string_view who, std::int64_t limit, Duration retry_after);
absl::Status SubmitsStopped(Duration retry_after);
absl::Status TooMany(std::string_view what, std::int64_t limit, Duration retry_after);
// The same for the limit of one peer, such as a client's address.
absl::Status TooManyOfPeer(std::string_view what, std::int64_t limit, Duration retry_after);
// The same for one tenant of several, of `max` places for all.
absl::Status TooManyOfTenant(std::string_view what, std::int64_t max, Duration retry_after);
// Pictory answers so slowly that there is no place for one more request to it.
absl::Status TooManyUnderWay(Call call);
// For a request that did not arrive as a whole within `limit`.
absl::Status RequestLate(Duration limit);
// For a stream on which nothing was asked for `limit`.
absl::Status StreamIdle(Duration limit);
absl::Status MemoryShort(Duration retry_after);
// `what` is shed while the process is under pressure (base/shedding.h).
absl::Status Overloaded(std::string_view what, Duration retry_after);
absl::Status Draining(Duration retry_after);
absl::Status StoreFailed(std::string_view detail);
// The store is on another machine, and cannot be reached at present.
absl::Status StoreAway(Duration retry_after);
absl::Status DeadlineTooShort(Duration left, Duration needed);
absl::Status DeadlineExceeded(std::string_view what);
absl::Status Cancelled();
absl::Status Internal(std::string_view what);

// What a program reads from an error: the ErrorInfo reason ("" if none), RetryInfo (zero if none)
// and the violations.
std::string Reason(const absl::Status& status);
Duration RetryDelay(const absl::Status& status);
std::vector<Violation> Violations(const absl::Status& status);

// At most limits::kUpstreamTextMaxBytes of `text` without control characters or broken UTF-8, for
// use inside a message.
std::string Clean(std::string_view text);

}  // namespace gateway::errors
