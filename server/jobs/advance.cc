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

void Fail(Job& job, std::string code, std::string message, WallTime now) {
  job.error_code = std::move(code);
  job.error_message = std::move(message);
  Finish(job, v1::JOB_STATE_FAILED, now);
}

void Expire(Job& job, std::string code, std::string message, WallTime now) {
  job.error_code = std::move(code);
  job.error_message = std::move(message);
  Finish(job, v1::JOB_STATE_EXPIRED, now);
}

// Pictory knows the job: what earlier doubts there were are gone.
void ClearDoubts(JobRecord& record) {
  record.not_found_since.reset();
  record.not_found_count = 0;
  record.job.upstream_missing = false;
}

void NoteProgress(Job& job, const pictory::JobReply& reply) {
  if (Rank(job.state) < Rank(v1::JOB_STATE_RUNNING)) job.state = v1::JOB_STATE_RUNNING;
  if (reply.progress_percent.has_value()) {
    const double told = std::clamp(*reply.progress_percent, 0.0, 100.0);
    job.progress_percent = std::max(job.progress_percent.value_or(0), told);
    if (IsOff(Guard::kProgressOnlyRises)) job.progress_percent = told;
  }
  if (!reply.message.empty()) job.message = reply.message;
  if (reply.credits_used.has_value()) job.credits_used = reply.credits_used;
}

void Succeed(JobRecord& record, const pictory::JobReply& reply, WallTime now) {
  Job& job = record.job;
  NoteProgress(job, reply);
  if (job.kind == v1::JOB_KIND_UNSPECIFIED) job.kind = reply.shown_kind;
  job.progress_percent = 100;
  job.message.clear();
  if (reply.result != nullptr) job.result_wire = reply.result->basic_wire;
  Finish(job, v1::JOB_STATE_SUCCEEDED, now);
}

void NoteMissing(JobRecord& record, WallTime now) {
  // Right after acceptance Pictory may not have got round to the job yet.
  if (now - record.accepted_at < limits::kNotFoundGrace) return;
  if (!record.not_found_since.has_value()) record.not_found_since = now;
  ++record.not_found_count;
  const auto missing_for = now - *record.not_found_since;
  if (record.not_found_count >= limits::kNotFoundMissingAfter &&
      missing_for >= limits::kNotFoundMissingSpan) {
    record.job.upstream_missing = true;
  }
  if (record.job.upstream_missing && missing_for >= limits::kMissingExpiresAfter) {
    Expire(record.job, "UPSTREAM_MISSING", "Pictory does not know this job any more", now);
  }
}

void NoteIncomplete(JobRecord& record, const pictory::JobReply& reply, WallTime now) {
  NoteProgress(record.job, reply);
  if (!record.incomplete_since.has_value()) record.incomplete_since = now;
  if (now - *record.incomplete_since >= limits::kResultIncompleteAfter) {
    Fail(record.job, "RESULT_INCOMPLETE", reply.error_message, now);
  }
}

void NoteFailure(JobRecord& record, const pictory::JobReply& reply, WallTime now) {
  // One failed reply may be a hiccup; a second one is the truth.
  if (!record.failure_seen && !IsOff(Guard::kConfirmFailure)) {
    record.failure_seen = true;
    return;
  }
  Fail(record.job, reply.error_code.empty() ? "UNKNOWN" : reply.error_code, reply.error_message, now);
}

// It waits for an operator, as long as that takes: Pictory has done the work.
void NoteTooLarge(JobRecord& record, const pictory::JobReply& reply) {
  NoteProgress(record.job, reply);
  record.result_too_large = true;
}

// What Pictory says now replaces what was said of a result that could not be read.
void ForgetTooLarge(JobRecord& record) {
  if (!record.result_too_large) return;
  record.result_too_large = false;
  record.job.message.clear();
}

bool NoNews(Kind kind) {
  return kind == Kind::kRateLimited || kind == Kind::kCredentials || kind == Kind::kUnavailable ||
         kind == Kind::kUnchanged || kind == Kind::kLarge || kind == Kind::kNotFound;
}

void Apply(JobRecord& record, const pictory::JobReply& reply, WallTime now) {
  if (!NoNews(reply.kind) && reply.kind != Kind::kTooLarge) ForgetTooLarge(record);
  const bool known = reply.kind != Kind::kNotFound;
  switch (reply.kind) {
    case Kind::kRateLimited:
    case Kind::kCredentials:
    case Kind::kUnavailable:
    case Kind::kUnchanged:
    case Kind::kLarge:
      return;
    case Kind::kNotFound:
      NoteMissing(record, now);
      break;
    case Kind::kUnclear:
      break;
    case Kind::kRunning:
      record.failure_seen = false;
      NoteProgress(record.job, reply);
      break;
    case Kind::kIncomplete:
      NoteIncomplete(record, reply, now);
      break;
    case Kind::kFailed:
      NoteFailure(record, reply, now);
      break;
    case Kind::kSucceeded:
      Succeed(record, reply, now);
      break;
    case Kind::kCleaned:
      Finish(record.job, v1::JOB_STATE_CLEANED, now);
      break;
    case Kind::kTooLarge:
      NoteTooLarge(record, reply);
      break;
  }
  if (known) ClearDoubts(record);
}

// What the passing of time alone does.
void Age(JobRecord& record, WallTime now) {
  if (IsFinal(record.job.state)) return;
  const auto age = now - record.accepted_at;
  if (age >= limits::kStaleAfter) record.job.stale = true;
  if (age >= limits::kExpiresAfter && !record.result_too_large) {
    Expire(record.job, "EXPIRED", "No end was seen within 7 days; the gateway stopped asking", now);
  }
}

bool ToldAnotherEnd(JobState state, Kind kind) {
  return (state == v1::JOB_STATE_SUCCEEDED && kind == Kind::kFailed) ||
         (state == v1::JOB_STATE_FAILED && kind == Kind::kSucceeded);
}

}  // namespace

Advanced Advance(const JobRecord& record, const pictory::JobReply& reply, WallTime now) {
  Advanced out{.record = record};
  if (IsFinal(record.job.state)) {
    out.contradiction = ToldAnotherEnd(record.job.state, reply.kind);
    return out;
  }
  Apply(out.record, reply, now);
  Age(out.record, now);
  out.visible = !(out.record.job == record.job);
  out.store = out.visible || !(out.record == record);
  if (out.visible) {
    out.record.job.revision = record.job.revision + 1;
    out.record.job.update_time = now;
  }
  return out;
}

}  // namespace gateway::jobs
