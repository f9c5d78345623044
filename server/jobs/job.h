// A job as the domain keeps it: Job is what callers see, and JobRecord adds what only the gateway
// needs to submit the job once and to poll it well. Both are plain values.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "pictory/jobs/v1/job.pb.h"
#include "tenants/tenants.h"

namespace gateway::jobs {

using ::pictory::jobs::v1::JobKind;
using ::pictory::jobs::v1::JobState;
namespace v1 = ::pictory::jobs::v1;

// The message of an UNCONFIRMED job.
inline constexpr char kUnconfirmedMessage[] =
    "Sent to Pictory, but no complete answer came back; it is not sent again. Do not resubmit; "
    "ResolveJob resolves it.";

using tenants::kDefaultAccount;

struct Job {
  std::string tenant;
  // The account that made the job, for ever: Pictory's id of the job is unique within it.
  std::string account = kDefaultAccount;
  std::string job_id;
  std::string pictory_job_id;  // empty until known
  std::string request_id;
  JobKind kind = v1::JOB_KIND_UNSPECIFIED;
  JobState state = v1::JOB_STATE_UNSPECIFIED;
  std::int32_t revision = 0;
  std::optional<double> progress_percent;
  std::string message;
  WallTime create_time{};
  WallTime update_time{};
  std::optional<WallTime> finish_time;
  std::map<std::string, std::string> labels;
  std::string name;  // what callers called it (pictory/job_name.h); empty: nothing
  std::optional<double> credits_used;
  std::string error_code;
  std::string error_message;
  bool stale = false;
  bool upstream_missing = false;
  bool sandbox = false;
  // The process that holds this shard (jobs/shards.h) looks after the job. Below limits::kShards.
  // Callers do not see it.
  std::int32_t shard = 0;
  // Where in which trace its submit was (base/trace_context.h, StoredTrace); empty: in none.
  // Callers do not see it: it is for the log and for spans.
  std::string trace;
  // Wire bytes of a v1.Job with the BASIC result and omitted_parts; of a job that did not succeed
  // omitted_parts alone, if Pictory gave anything. Empty until the end.
  std::string result_wire;
  // Wire bytes of a v1.Archive (jobs/archive_plan.h). Empty: nothing of the job is archived.
  std::string archive_wire;

  bool operator==(const Job&) const = default;
};

// SubmissionState says how far the submit of a job got. Callers do not see it.
enum class SubmissionState : std::uint8_t {
  kIntent = 1,     // recorded, nothing sent but what a 401 refused
  kSending = 2,    // recorded as sent before the first byte
  kAccepted = 3,   // Pictory gave a job id; or a job that callers knew has ended without one
  kRejected = 4,   // Pictory refused, nothing was billed; `refusal` is what a retry gets again
  kNotSent = 5,    // certainly nothing sent; a retry runs
  kUnknown = 6,    // sent, outcome unknown; never sent again
  kAbandoned = 7,  // unknown, and a person gave up on it
  kDeleted = 8,    // ended and deleted by its owner; kept so that its request_id is not paid twice
  kWaiting = 9     // recorded, and held until the job that it is made of has ended; nothing sent
};
inline constexpr std::array kSubmissionStates = {
    SubmissionState::kIntent,    SubmissionState::kSending, SubmissionState::kAccepted,
    SubmissionState::kRejected,  SubmissionState::kNotSent, SubmissionState::kUnknown,
    SubmissionState::kAbandoned, SubmissionState::kDeleted, SubmissionState::kWaiting};

// Delivery says what became of the answer to a submit without a request_id: whether an equal submit
// is owed it (jobs/owed_answers.h). It comes to the disk late or never. It is also all that another
// gateway with the same store could be told of the answer.
enum class Delivery : std::uint8_t {
  kUnsaid = 0,       // the process that answered has not said yet, or ended badly
  kArrived = 1,      // as far as can be known
  kLost = 2,         // it did not, when the process ended in order
  kSeemsArrived = 3  // it seemed to have arrived a moment before the process ended in order
};

// Notice says why `Job::message` is the gateway's own and not Pictory's. Such a message goes when
// Pictory next says something that is understood. The numbers are on the disk.
enum class Notice : std::uint8_t {
  kNone = 0,
  kTooLarge = 1,       // finished at Pictory, and longer than the setting lets us read
  kNotUnderstood = 2,  // Pictory answered, and the answer cannot be read or has no known meaning
  kIncomplete = 3      // Pictory says completed, and gives no result that can be used
};

struct JobRecord {
  Job job;

  // How often the record was written. A write names the version that it changes, so that when two
  // have read the same version only the first write is stored.
  std::int64_t version = 0;

  SubmissionState submission = SubmissionState::kIntent;
  std::string fingerprint;  // jobs/fingerprint.h
  std::int32_t attempt = 1;
  std::int64_t owner_epoch = 0;   // of the process that owns the attempt
  std::string correlation_token;  // random; names the submission in its webhook's URL
  std::string refusal;            // of kRejected: serialised internal.v1.Status
  // When the last attempt was recorded as sent: from then on it may have cost money.
  WallTime sent_at{};
  // The AI credits that it may cost, at most as far as the request shows (jobs/spending.h).
  double credits_reserved = 0;
  // The caller gave no request_id, so that only the content can tell a repetition from a new
  // request; `mesh_request_id` is the x-request-id that the submit came with, if any.
  bool minted_request_id = false;
  std::string mesh_request_id;
  // The request of a job in state WAITING, as serialised bytes; empty from the answer to it on.
  std::string waiting_request;
  Delivery delivery = Delivery::kUnsaid;

  // What polling needs. These are wall times, because they outlive the process.
  WallTime accepted_at{};
  WallTime next_poll_at{};
  std::optional<WallTime> not_found_since;
  std::int32_t not_found_count = 0;
  std::optional<WallTime> incomplete_since;
  std::int32_t incomplete_count = 0;  // in a row, counted up to limits::kResultIncompleteAnswers
  bool failure_seen = false;          // Pictory said failed once; one more poll confirms it
  Notice notice = Notice::kNone;

  // Wire bytes of a v1.Notification (jobs/notification.h). Empty: nobody is told of the job.
  std::string notify_wire;

  bool operator==(const JobRecord&) const = default;
};

// Whether a state is one of the last six. Nothing changes after them.
constexpr bool IsFinal(JobState state) {
  switch (state) {
    case v1::JOB_STATE_SUCCEEDED:
    case v1::JOB_STATE_FAILED:
    case v1::JOB_STATE_EXPIRED:
    case v1::JOB_STATE_CLEANED:
    case v1::JOB_STATE_OUTCOME_UNKNOWN:
    case v1::JOB_STATE_CANCELLED:
      return true;
    default:
      return false;
  }
}

// The position of a state in the only order in which states may move: a lower rank never follows a
// higher one.
int Rank(JobState state);

// Whether callers can see a record whose submission got so far: Pictory accepted the job, or may
// have, or it waits.
constexpr bool IsVisible(SubmissionState state) {
  return state == SubmissionState::kAccepted || state == SubmissionState::kUnknown ||
         state == SubmissionState::kAbandoned || state == SubmissionState::kWaiting;
}
// A job that has waited stays visible while it is sent.
inline bool IsVisible(const JobRecord& record) {
  return IsVisible(record.submission) || (record.submission == SubmissionState::kSending &&
                                          record.job.state == v1::JOB_STATE_WAITING);
}

// Whether a record can be polled: it is visible, not final, and has a Pictory id to ask for.
bool IsPollable(const JobRecord& record);

// How many bytes of the record are in fields that may be large.
std::size_t LargeBytes(const JobRecord& record);

// Whether an attempt is under way, or was when its process ended.
constexpr bool IsInFlight(SubmissionState state) {
  return state == SubmissionState::kIntent || state == SubmissionState::kSending;
}

// Whether the job was not submitted here but adopted (jobs/adopter.h).
bool WasAdopted(const JobRecord& record);

// Whether the submit was sent at least once, so that it counts as paid whatever became of it.
constexpr bool CountsAsSpent(SubmissionState state) {
  return state == SubmissionState::kSending || state == SubmissionState::kAccepted ||
         state == SubmissionState::kUnknown || state == SubmissionState::kAbandoned ||
         state == SubmissionState::kDeleted;
}

// Whether the answer to the submit may be owed to an equal one: there is a job, or may be one.
constexpr bool CanBeOwed(SubmissionState state) {
  return state == SubmissionState::kSending || state == SubmissionState::kAccepted ||
         state == SubmissionState::kUnknown || state == SubmissionState::kWaiting;
}

// The words of the API without their prefix: `RUNNING`, `PREVIEW`, `TRANSCRIPT_JSON`.
std::string StateName(JobState state);
std::string KindName(JobKind kind);
std::string PartName(v1::ResultPart part);

}  // namespace gateway::jobs
