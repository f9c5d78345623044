// A job as the domain keeps it: what callers see (Job), and beside it what only the gateway needs
// to submit it once and poll it well (JobRecord). Plain values.
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

namespace gateway::jobs {

using ::pictory::jobs::v1::JobKind;
using ::pictory::jobs::v1::JobState;
namespace v1 = ::pictory::jobs::v1;

// What an UNCONFIRMED job says of itself.
inline constexpr char kUnconfirmedMessage[] =
    "Sent to Pictory, but no complete answer came back; it is not sent again. Do not resubmit; "
    "ResolveJob settles it.";

struct Job {
  std::string tenant;
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
  std::optional<double> credits_used;
  std::string error_code;
  std::string error_message;
  bool stale = false;
  bool upstream_missing = false;
  bool sandbox = false;
  // Wire bytes of a v1.Job with the BASIC result and omitted_parts; empty until SUCCEEDED.
  std::string result_wire;

  bool operator==(const Job&) const = default;
};

// How far the paid submission of a job got.
enum class SubmissionState : std::uint8_t {
  kIntent = 1,   // recorded, nothing sent but what a 401 turned away
  kSending = 2,  // recorded as sent before the first byte
  kAccepted =
      3,  // Pictory gave a job id; or refused when callers knew the job as UNCONFIRMED already
  kRejected = 4,   // Pictory refused, nothing was billed; `refusal` is what a retry gets again
  kNotSent = 5,    // certainly nothing sent; a retry runs
  kUnknown = 6,    // sent, outcome unknown; never sent again
  kAbandoned = 7,  // unknown, and a person gave up on it
  kDeleted =
      8  // sent, ended, and removed by its owner; kept so that its request_id is not paid twice
};
inline constexpr std::array kSubmissionStates = {
    SubmissionState::kIntent,    SubmissionState::kSending, SubmissionState::kAccepted,
    SubmissionState::kRejected,  SubmissionState::kNotSent, SubmissionState::kUnknown,
    SubmissionState::kAbandoned, SubmissionState::kDeleted};

// What became of the answer to a submit without a request_id: whether an equal one is owed it
// (jobs/owed_answers.h). On the disk it is known late or never. This is also all that another
// gateway with the same store could be told of the answer.
enum class Delivery : std::uint8_t {
  kUnsaid = 0,       // the process that answered has not said yet, or ended badly
  kArrived = 1,      // as far as can be known
  kLost = 2,         // it did not, when the process ended in order
  kSeemsArrived = 3  // it seemed to have arrived a moment before the process ended in order
};

// Why `Job::message` is the gateway's own and not Pictory's. Such words go when Pictory next says
// something that is understood. The numbers are on the disk.
enum class Notice : std::uint8_t {
  kNone = 0,
  kTooLarge = 1,       // finished at Pictory, and longer than the setting lets us read
  kNotUnderstood = 2,  // Pictory answered, and the answer cannot be read or has no known meaning
  kIncomplete = 3      // Pictory says completed, and gives no result that can be used
};

// The Pictory account of those that have no other.
inline constexpr char kDefaultAccount[] = "default";

struct JobRecord {
  Job job;

  // The Pictory account that made the job: its Pictory id is one of that account's.
  std::string account = kDefaultAccount;
  // Who polls it: the process that holds this shard (jobs::Leases). Below limits::kShards.
  std::int32_t shard = 0;

  // How often the record was written. A write names the version that it changes, so that of two who
  // have read the same one only the first is stored.
  std::int64_t version = 0;

  SubmissionState submission = SubmissionState::kIntent;
  std::string fingerprint;  // jobs/fingerprint.h
  std::int32_t attempt = 1;
  std::int64_t owner_epoch = 0;   // start of the process that owns the attempt
  std::string correlation_token;  // names the submission in the URL Pictory calls back; random
  std::string refusal;            // of kRejected: serialised internal.v1.Status
  // When the last attempt was recorded as sent: from then on it may have cost money.
  WallTime sent_at{};
  // The caller gave no request_id, so that only its content can tell a repetition from a new
  // request; and the x-request-id it came with, if any.
  bool minted_request_id = false;
  std::string mesh_request_id;
  Delivery delivery = Delivery::kUnsaid;

  // Polling. Wall times, because they outlive the process.
  WallTime accepted_at{};
  WallTime next_poll_at{};
  std::optional<WallTime> not_found_since;
  std::int32_t not_found_count = 0;
  std::optional<WallTime> incomplete_since;
  std::int32_t incomplete_count = 0;  // in a row, counted up to limits::kResultIncompleteAnswers
  bool failure_seen = false;          // Pictory said failed once; one more poll confirms it
  Notice notice = Notice::kNone;

  bool operator==(const JobRecord&) const = default;
};

// The last five states: nothing changes after them.
constexpr bool IsFinal(JobState state) {
  switch (state) {
    case v1::JOB_STATE_SUCCEEDED:
    case v1::JOB_STATE_FAILED:
    case v1::JOB_STATE_EXPIRED:
    case v1::JOB_STATE_CLEANED:
    case v1::JOB_STATE_OUTCOME_UNKNOWN:
      return true;
    default:
      return false;
  }
}

// Position in the only order states may move: a lower rank never follows a higher one.
int Rank(JobState state);

// Callers can see a record that got so far: Pictory took the job, or may have taken it.
constexpr bool IsVisible(SubmissionState state) {
  return state == SubmissionState::kAccepted || state == SubmissionState::kUnknown ||
         state == SubmissionState::kAbandoned;
}
inline bool IsVisible(const JobRecord& record) { return IsVisible(record.submission); }

// Visible, not final, and with a Pictory id to ask for.
bool IsPollable(const JobRecord& record);

// An attempt is under way, or was when its process ended.
constexpr bool IsInFlight(SubmissionState state) {
  return state == SubmissionState::kIntent || state == SubmissionState::kSending;
}

// It was not submitted here: somebody has named its Pictory id (jobs/adopter.h).
bool WasAdopted(const JobRecord& record);

// Sent at least once, so that it counts as paid whatever became of it.
constexpr bool CountsAsSpent(SubmissionState state) {
  return state == SubmissionState::kSending || state == SubmissionState::kDeleted ||
         IsVisible(state);
}

// Its answer may be owed to an equal submit: there is a job, or may be one.
constexpr bool CanBeOwed(SubmissionState state) {
  return state == SubmissionState::kSending || state == SubmissionState::kAccepted ||
         state == SubmissionState::kUnknown;
}

// `RUNNING`, `PREVIEW`, `TRANSCRIPT_JSON`: the words of the API without their prefix.
std::string StateName(JobState state);
std::string KindName(JobKind kind);
std::string PartName(v1::ResultPart part);

}  // namespace gateway::jobs
