// RandomRecords makes records with every field filled at random, extremes included.
#pragma once

#include <limits>
#include <random>
#include <string>

#include "jobs/job.h"

namespace gateway::store {

class RandomRecords {
 public:
  explicit RandomRecords(unsigned seed) : engine_(seed) {}

  // Keys are `job_id` and what is derived from it; everything else is random.
  jobs::JobRecord Next(const std::string& tenant, const std::string& job_id) {
    jobs::JobRecord record;
    // Every field is named here: a field added to a record does not compile until it is filled, and
    // then every backend must keep it.
    auto& [job, version, submission, fingerprint, attempt, owner_epoch, correlation_token, refusal,
           sent_at, credits_reserved, minted_request_id, mesh_request_id, waiting_request, delivery,
           accepted_at, next_poll_at, not_found_since, not_found_count, incomplete_since,
           incomplete_count, failure_seen, notice, notify_wire] = record;
    version = 0;  // the store's own
    submission = static_cast<jobs::SubmissionState>(1 + Below(9));
    fingerprint = Bytes(32);
    attempt = Int32();
    owner_epoch = Int64();
    correlation_token = Text();
    refusal = Bytes(Below(3) * 20);
    sent_at = Time();
    credits_reserved = Real();
    minted_request_id = Coin();
    mesh_request_id = Text();
    waiting_request = Bytes(Below(3) * 40);
    delivery = static_cast<jobs::Delivery>(Below(4));
    accepted_at = Time();
    next_poll_at = Time();
    if (Coin()) not_found_since = Time();
    not_found_count = Int32();
    if (Coin()) incomplete_since = Time();
    incomplete_count = Int32();
    failure_seen = Coin();
    notice = static_cast<jobs::Notice>(Below(4));
    notify_wire = Bytes(Below(3) * 40);
    Fill(job, tenant, job_id);
    return record;
  }

 private:
  void Fill(jobs::Job& job, const std::string& job_tenant, const std::string& id) {
    auto& [tenant, account, job_id, pictory_job_id, request_id, kind, state, revision,
           progress_percent, message, create_time, update_time, finish_time, labels, name,
           credits_used, error_code, error_message, stale, upstream_missing, sandbox, shard, trace,
           result_wire, archive_wire] = job;
    tenant = job_tenant;
    account = Text();
    shard = Int32();
    job_id = id;
    if (Coin()) pictory_job_id = "pictory/" + id + "?#%";
    request_id = "request-" + id;
    kind = static_cast<jobs::JobKind>(Below(jobs::v1::JobKind_MAX + 1));
    state = static_cast<jobs::JobState>(Below(jobs::v1::JobState_MAX + 1));
    revision = Int32();
    if (Coin()) progress_percent = Real();
    message = Text();
    create_time = Time();
    update_time = Time();
    if (Coin()) finish_time = Time();
    for (unsigned i = Below(4); i > 0; --i) labels[Text()] = Text();
    if (Coin()) name = Text();
    if (Coin()) credits_used = Real();
    error_code = Text();
    error_message = Text();
    stale = Coin();
    upstream_missing = Coin();
    sandbox = Coin();
    trace = Text();
    result_wire = Bytes(Below(4) * 3000);
    archive_wire = Bytes(Below(3) * 40);
  }

  unsigned Below(unsigned bound) { return static_cast<unsigned>(engine_() % bound); }
  bool Coin() { return Below(2) == 0; }
  std::int64_t Int64() {
    const std::int64_t choices[] = {0,
                                    1,
                                    -1,
                                    std::numeric_limits<std::int64_t>::max(),
                                    std::numeric_limits<std::int64_t>::min(),
                                    static_cast<std::int64_t>(engine_())};
    return choices[Below(6)];
  }
  std::int32_t Int32() {
    const std::int32_t choices[] = {0,
                                    1,
                                    -1,
                                    std::numeric_limits<std::int32_t>::max(),
                                    std::numeric_limits<std::int32_t>::min(),
                                    static_cast<std::int32_t>(engine_())};
    return choices[Below(6)];
  }
  double Real() {
    const double choices[] = {0.0,
                              100.0,
                              0.1,
                              1.0 / 3,
                              std::numeric_limits<double>::max(),
                              std::numeric_limits<double>::denorm_min()};
    return choices[Below(6)];
  }
  WallTime Time() { return WallTime(std::chrono::microseconds(Int64())); }
  std::string Text() {
    const std::string choices[] = {"",
                                   "plain",
                                   "Grüße, 世界 🎬",
                                   std::string("nul\0inside", 10),
                                   "'; DROP TABLE jobs; --",
                                   "line\nbreak\t\"quoted\"",
                                   std::string(2000, 'x')};
    return choices[Below(7)];
  }
  std::string Bytes(unsigned count) {
    std::string bytes;
    while (bytes.size() < count) bytes += static_cast<char>(engine_());
    return bytes;
  }

  std::mt19937_64 engine_;
};

}  // namespace gateway::store
