#include "simulation/umpire.h"

#include <algorithm>

namespace gateway::simulation {
namespace {

using jobs::SubmissionState;
namespace v1 = jobs::v1;

std::string Words(SubmissionState submission) {
  return std::to_string(static_cast<int>(submission));
}

}  // namespace

void Umpire::OnCommit(const jobs::JobRecord& record) {
  const jobs::Job& job = record.job;
  const std::string from = job.job_id + ": the database has ";
  Known& known = known_[{job.tenant, job.job_id}];
  const bool deleted = record.submission == SubmissionState::kDeleted;
  if (record.version <= known.version) return fail_(from + "a version again");
  if (job.revision < known.revision) {
    return fail_(from + "revision " + std::to_string(job.revision) + " after " +
                 std::to_string(known.revision));
  }
  if (jobs::IsFinal(known.state) && job.state != known.state && !deleted) {
    return fail_(from + jobs::StateName(job.state) + " after the end " +
                 jobs::StateName(known.state));
  }
  if (jobs::Rank(job.state) < jobs::Rank(known.state)) {
    return fail_(from + jobs::StateName(job.state) + " after " + jobs::StateName(known.state));
  }
  if (known.visible && !jobs::IsVisible(record) && !deleted) {
    return fail_(from + "hidden what callers see, in submission " + Words(record.submission));
  }
  known = {record.version, job.revision, job.state, jobs::IsVisible(record),
           known.unconfirmed || job.state == v1::JOB_STATE_UNCONFIRMED};
}

void Umpire::OnEnded(const jobs::JobRecord& record) {
  ended_.insert({record.job.tenant, record.job.job_id});
}

void Umpire::OnGained(std::int32_t shard, int gateway) {
  held_[shard].push_back({.gateway = gateway, .from = clock_.Now()});
}

void Umpire::OnLost(std::int32_t shard, int gateway, MonoTime when, Duration slack) {
  std::vector<Held>& held = held_[shard];
  for (auto it = held.rbegin(); it != held.rend(); ++it) {
    if (it->gateway != gateway || it->over) continue;
    it->until = when + slack;
    it->over = true;
    return;
  }
}

void Umpire::OnPolled(int gateway, const jobs::Snapshot& job, std::int32_t shard, MonoTime asked) {
  const std::vector<Held>& held = held_[shard];
  const bool may = std::any_of(held.rbegin(), held.rend(), [&](const Held& one) {
    return one.gateway == gateway && one.from <= asked && asked <= one.until;
  });
  if (may) return;
  fail_(std::string(job.job_id()) + ": gateway " + std::to_string(gateway) +
        " has polled it, although shard " + std::to_string(shard) +
        " is not its own, or not any more");
}

void Umpire::OnPaid(const std::string& name, const std::optional<jobs::JobRecord>& record,
                    std::int64_t epoch) {
  if (!record.has_value()) return fail_(name + ": is sent, and the database has no record of it");
  const bool ended = WasEnded(*record);
  switch (record->submission) {
    case SubmissionState::kSending:
      if (record->owner_epoch == epoch) return;
      return fail_(name + ": is sent by one gateway while another says that it sends it");
    case SubmissionState::kUnknown:
      // Its own gateway may have told that it is unconfirmed, just before, or one that was asked
      // for the same; of an attempt that was ended as left behind, nothing is sent.
      if (!ended) return;
      return fail_(name + ": is sent after another gateway has called it UNCONFIRMED");
    default:
      return fail_(name + ": is sent although its submission is " + Words(record->submission));
  }
}

}  // namespace gateway::simulation
