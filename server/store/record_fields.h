// These templates list the fields of a JobRecord once, in the order in which both stores keep them
// in columns. A store brings the names of its columns, how a value is written, and how it is read.
//
// `To` has Text (of names and words), Blob, Int, Bool, Real and Time; `From` has Bytes, Int, Int32,
// Bool, Real, Time and MaybeTime; each goes one column further. `delivery` is the last one.
#pragma once

#include <cstdint>
#include <string>

#include "jobs/job.h"
#include "store/label_bytes.h"

namespace gateway::store {

// `labels` is EncodeGiven of the record's job; `version` the one that the row gets.
template <class To>
void WriteFields(const jobs::JobRecord& record, const std::string& labels, std::int64_t version,
                 To& to) {
  const jobs::Job& job = record.job;
  to.Text(job.tenant);
  to.Text(job.job_id);
  to.Text(job.pictory_job_id);
  to.Text(job.request_id);
  to.Int(job.kind);
  to.Int(job.state);
  to.Int(job.revision);
  to.Real(job.progress_percent);
  to.Text(job.message);
  to.Time(job.create_time);
  to.Time(job.update_time);
  to.Time(job.finish_time);
  to.Blob(labels);
  to.Real(job.credits_used);
  to.Text(job.error_code);
  to.Text(job.error_message);
  to.Bool(job.stale);
  to.Bool(job.upstream_missing);
  to.Bool(job.sandbox);
  to.Int(static_cast<std::int64_t>(record.submission));
  to.Blob(record.fingerprint);
  to.Int(record.attempt);
  to.Int(record.owner_epoch);
  to.Text(record.correlation_token);
  to.Blob(record.refusal);
  to.Time(record.accepted_at);
  to.Time(record.next_poll_at);
  to.Time(record.not_found_since);
  to.Int(record.not_found_count);
  to.Time(record.incomplete_since);
  to.Int(record.incomplete_count);
  to.Bool(record.failure_seen);
  to.Int(static_cast<std::int64_t>(record.notice));
  to.Blob(job.result_wire);
  to.Time(record.sent_at);
  to.Bool(record.minted_request_id);
  to.Text(record.mesh_request_id);
  to.Text(job.account);
  to.Int(job.shard);
  to.Real(record.credits_reserved);
  to.Blob(record.waiting_request);
  to.Blob(job.archive_wire);
  to.Text(job.trace);
  to.Blob(record.notify_wire);
  to.Int(version);
  to.Int(static_cast<std::int64_t>(record.delivery));
}

template <class From>
jobs::JobRecord ReadFields(From& from) {
  jobs::JobRecord record;
  jobs::Job& job = record.job;
  job.tenant = from.Bytes();
  job.job_id = from.Bytes();
  job.pictory_job_id = from.Bytes();
  job.request_id = from.Bytes();
  job.kind = static_cast<jobs::JobKind>(from.Int32());
  job.state = static_cast<jobs::JobState>(from.Int32());
  job.revision = from.Int32();
  job.progress_percent = from.Real();
  job.message = from.Bytes();
  job.create_time = from.Time();
  job.update_time = from.Time();
  job.finish_time = from.MaybeTime();
  DecodeGiven(from.Bytes(), job);
  job.credits_used = from.Real();
  job.error_code = from.Bytes();
  job.error_message = from.Bytes();
  job.stale = from.Bool();
  job.upstream_missing = from.Bool();
  job.sandbox = from.Bool();
  record.submission = static_cast<jobs::SubmissionState>(from.Int32());
  record.fingerprint = from.Bytes();
  record.attempt = from.Int32();
  record.owner_epoch = from.Int();
  record.correlation_token = from.Bytes();
  record.refusal = from.Bytes();
  record.accepted_at = from.Time();
  record.next_poll_at = from.Time();
  record.not_found_since = from.MaybeTime();
  record.not_found_count = from.Int32();
  record.incomplete_since = from.MaybeTime();
  record.incomplete_count = from.Int32();
  record.failure_seen = from.Bool();
  record.notice = static_cast<jobs::Notice>(from.Int32());
  job.result_wire = from.Bytes();
  record.sent_at = from.Time();
  record.minted_request_id = from.Bool();
  record.mesh_request_id = from.Bytes();
  job.account = from.Bytes();
  job.shard = from.Int32();
  record.credits_reserved = from.Real().value_or(0);
  record.waiting_request = from.Bytes();
  job.archive_wire = from.Bytes();
  job.trace = from.Bytes();
  record.notify_wire = from.Bytes();
  record.version = from.Int();
  record.delivery = static_cast<jobs::Delivery>(from.Int32());
  return record;
}

}  // namespace gateway::store
