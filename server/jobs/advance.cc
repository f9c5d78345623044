#include "jobs/advance.h"

#include <algorithm>

#include "base/limits.h"
#include "jobs/guards.h"

namespace gateway::jobs {
namespace {

using Kind = pictory::JobReply::Kind;

void Finish(Job& job, JobState state, WallTime now) {
  job.state = state;
  job.finish_time = now;
}

void Expire(Job& job, std::string code, std::string message, WallTime now) {
  job.error_code = std::move(code);
  job.error_message = std::move(message);
  Finish(job, v1::JOB_STATE_EXPIRED, now);
}

// Clears what was noted while Pictory did not know the job: Pictory knows it.
void ClearDoubts(JobRecord& record) {
  record.not_found_since.reset();
  record.not_found_count = 0;
  record.job.upstream_missing = false;
}

void Tell(JobRecord& record, Notice notice, const std::string& message) {
  record.notice = notice;
  record.job.message = message;
}

// Removes the gateway's own message: what Pictory says now is understood.
void ForgetNotice(JobRecord& record) {
  if (record.notice == Notice::kNone) return;
  Tell(record, Notice::kNone, "");
}

void ForgetIncomplete(JobRecord& record) {
  record.incomplete_since.reset();
  record.incomplete_count = 0;
}

void NoteProgress(Job& job, const pictory::JobReply& reply) {
  if (Rank(job.state) < Rank(v1::JOB_STATE_RUNNING)) job.state = v1::JOB_STATE_RUNNING;
  if (reply.progress_percent.has_value()) {
    const double told = std::clamp(*reply.progress_percent, 0.0, 100.0);
    job.progress_percent = std::max(job.progress_percent.value_or(0), told);
    if (IsOff(Guard::kProgressOnlyRises)) job.progress_percent = told;
  }
  if (reply.credits_used.has_value()) job.credits_used = reply.credits_used;
}

void KeepResult(Job& job, const pictory::JobReply& reply) {
  if (reply.result != nullptr) job.result_wire = reply.result->basic_wire;
}

void NoteRunning(JobRecord& record, const pictory::JobReply& reply) {
  record.failure_seen = false;
  ForgetIncomplete(record);
  NoteProgress(record.job, reply);
  if (!reply.message.empty()) record.job.message = reply.message;
}

void Succeed(JobRecord& record, const pictory::JobReply& reply, WallTime now) {
  Job& job = record.job;
  ForgetNotice(record);
  NoteProgress(job, reply);
  if (job.kind == v1::JOB_KIND_UNSPECIFIED) job.kind = reply.shown_kind;
  job.progress_percent = 100;
  job.message.clear();
  KeepResult(job, reply);
  Finish(job, v1::JOB_STATE_SUCCEEDED, now);
}

void NoteMissing(JobRecord& record, WallTime now, const Asked& asked) {
  // Right after Pictory has accepted a job, it may not know the job yet.
  if (record.accepted_at <= now && now - record.accepted_at < limits::kNotFoundGrace) return;
  if (!record.not_found_since.has_value()) record.not_found_since = now;
  ++record.not_found_count;
  const Duration missing_for = AgeSince(*record.not_found_since, asked, now);
  if (record.not_found_count >= limits::kNotFoundMissingAfter &&
      missing_for >= limits::kNotFoundMissingSpan) {
    record.job.upstream_missing = true;
  }
  if (record.job.upstream_missing && missing_for >= limits::kMissingExpiresAfter) {
    ForgetNotice(record);
    Expire(record.job, "UPSTREAM_MISSING", "Pictory does not know this job any more", now);
  }
}

// Notes that the job is completed and has no usable result. The result mostly follows soon. If it
// does not, and the reply has something in its place, that becomes the result, because nothing
// better is expected. If the reply has nothing, the job is polled on, because it was paid for.
void NoteIncomplete(JobRecord& record, const pictory::JobReply& reply, WallTime now,
                    const Asked& asked) {
  record.failure_seen = false;
  NoteProgress(record.job, reply);
  if (!record.incomplete_since.has_value()) record.incomplete_since = now;
  record.incomplete_count = std::min(record.incomplete_count + 1, limits::kResultIncompleteAnswers);
  const bool stays =
      record.incomplete_count >= limits::kResultIncompleteAnswers &&
      AgeSince(*record.incomplete_since, asked, now) >= limits::kResultIncompleteAfter;
  if (stays && reply.stands_in) return Succeed(record, reply, now);
  Tell(record, Notice::kIncomplete, reply.message);
}

void NoteFailure(JobRecord& record, const pictory::JobReply& reply, WallTime now) {
  // One failed reply may be a passing fault; a second one is believed.
  if (!record.failure_seen && !IsOff(Guard::kConfirmFailure)) {
    record.failure_seen = true;
    ForgetIncomplete(record);
    return;
  }
  Job& job = record.job;
  job.error_code = reply.error_code.empty() ? "UNKNOWN" : reply.error_code;
  job.error_message = reply.error_message;
  KeepResult(job, reply);
  Finish(job, v1::JOB_STATE_FAILED, now);
}

// Notes that the result is too large to be read. The job waits for an operator, as long as that
// takes, because Pictory has done the work.
void NoteTooLarge(JobRecord& record, const pictory::JobReply& reply) {
  record.failure_seen = false;
  NoteProgress(record.job, reply);
  Tell(record, Notice::kTooLarge, reply.message);
}

void Apply(JobRecord& record, const pictory::JobReply& reply, WallTime now, const Asked& asked) {
  switch (reply.kind) {
    case Kind::kRateLimited:
    case Kind::kCredentials:
    case Kind::kUnavailable:
    case Kind::kUnchanged:
    case Kind::kLarge:
      return;
    case Kind::kUnreadable:
      // The answer may have nothing to do with the job, so nothing that is known of the job is
      // taken back.
      if (record.notice != Notice::kTooLarge) Tell(record, Notice::kNotUnderstood, reply.message);
      return;
    case Kind::kNotFound:
      return NoteMissing(record, now, asked);
    case Kind::kUnclear:
      Tell(record, Notice::kNotUnderstood, reply.message);
      break;
    case Kind::kRunning:
      ForgetNotice(record);
      NoteRunning(record, reply);
      break;
    case Kind::kIncomplete:
      NoteIncomplete(record, reply, now, asked);
      break;
    case Kind::kFailed:
      ForgetNotice(record);
      NoteFailure(record, reply, now);
      break;
    case Kind::kSucceeded:
      Succeed(record, reply, now);
      break;
    case Kind::kCleaned:
      ForgetNotice(record);
      Finish(record.job, v1::JOB_STATE_CLEANED, now);
      break;
    case Kind::kTooLarge:
      NoteTooLarge(record, reply);
      break;
  }
  ClearDoubts(record);
}

// Makes the job stale once it is old enough, whatever Pictory says.
void Age(JobRecord& record, WallTime now, const Asked& asked) {
  if (IsFinal(record.job.state)) return;
  if (AgeSince(record.accepted_at, asked, now) >= limits::kStaleAfter) record.job.stale = true;
}

void GiveUpOld(JobRecord& record, const pictory::JobReply& reply, WallTime now,
               const Asked& asked) {
  if (IsFinal(record.job.state) || record.notice == Notice::kTooLarge) return;
  if (AgeSince(record.accepted_at, asked, now) < limits::kExpiresAfter) return;
  if (record.notice == Notice::kIncomplete) {
    Expire(record.job, "RESULT_INCOMPLETE",
           "Pictory says completed, and gave no result within 7 days; the gateway stopped asking",
           now);
    KeepResult(record.job, reply);
  } else {
    Expire(record.job, "EXPIRED", "No end was seen within 7 days; the gateway stopped asking", now);
  }
  ForgetNotice(record);
}

bool ToldAnotherEnd(JobState state, Kind kind) {
  return (state == v1::JOB_STATE_SUCCEEDED && kind == Kind::kFailed) ||
         (state == v1::JOB_STATE_FAILED && kind == Kind::kSucceeded);
}

}  // namespace

Advanced Advance(const JobRecord& record, const pictory::JobReply& reply, WallTime now,
                 const Asked& asked) {
  Advanced out{.record = record};
  if (IsFinal(record.job.state)) {
    out.contradiction = ToldAnotherEnd(record.job.state, reply.kind);
    return out;
  }
  Apply(out.record, reply, now, asked);
  Age(out.record, now, asked);
  // A job whose result was too large a moment ago has ended, whatever this one reply says, so it is
  // not given up.
  if (record.notice != Notice::kTooLarge) GiveUpOld(out.record, reply, now, asked);
  out.visible = !(out.record.job == record.job);
  out.store = out.visible || !(out.record == record);
  if (out.visible) {
    out.record.job.revision = record.job.revision + 1;
    out.record.job.update_time = now;
  }
  return out;
}

std::vector<pictory::JobResult::Part> PartsToStore(const JobRecord& advanced,
                                                   const pictory::JobReply& reply) {
  if (!IsFinal(advanced.job.state) || reply.result == nullptr) return {};
  return reply.result->parts;
}

}  // namespace gateway::jobs
