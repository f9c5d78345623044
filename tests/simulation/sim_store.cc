#include "simulation/sim_store.h"

#include <utility>

#include "base/errors.h"

namespace gateway::simulation {
namespace {

using jobs::JobRecord;
using jobs::SubmissionState;
using namespace std::chrono_literals;

}  // namespace

Duration SimStore::Between(Duration least, Duration most) {
  const auto spread = static_cast<std::uint64_t>((most - least).count());
  return least + Duration(static_cast<Duration::rep>(random_() % (spread + 1)));
}

void SimStore::Post(Write write, Refuse refuse) {
  if (auto then = std::exchange(next_write_, nullptr)) then();
  const bool full = is_busy() && random_() % 4 != 0;
  queue_.push_back({full ? nullptr : std::move(write), std::move(refuse)});
  if (committing_) return;
  committing_ = true;
  // A flush now and then takes long.
  const Duration flush = random_() % 100 == 0 ? Between(20ms, 500ms) : Between(200us, 3ms);
  clock_.In(flush, [this] { CommitGroup(); });
}

void SimStore::CommitGroup() {
  committing_ = false;
  std::deque<Pending> group;
  group.swap(queue_);
  if (fatal_) {
    for (Pending& pending : group) pending.refuse(errors::StoreFailed("disk full"));
    if (auto fatal = std::exchange(fatal_, nullptr)) {
      fatal_ = [] {};  // still failing, and said once
      fatal();
    }
    return;
  }
  std::vector<std::function<void()>> answers;
  for (Pending& pending : group) {
    answers.push_back(pending.write != nullptr ? pending.write() : [this, refuse = pending.refuse] {
      refuse(bugs_.calls_busy_failed ? errors::StoreFailed("the queue is full")
                                     : errors::TooMany("writes that wait", 1, 1s));
    });
  }
  clock_.In(Between(1us, 50us), [answers = std::move(answers)] {
    for (const auto& answer : answers) answer();
  });
}

void SimStore::Crash() {
  if (!fatal_ && !queue_.empty()) {
    const std::size_t kept = random_() % (queue_.size() + 1);
    for (std::size_t i = 0; i < kept; ++i) {
      if (queue_[i].write != nullptr) queue_[i].write();
    }
  }
  queue_.clear();
  committing_ = false;
  fatal_ = nullptr;
  busy_until_ = MonoTime::min();
  if (bugs_.loses_last_commits) LoseLastCommits();
}

// As it is on the disk now; a record that is not there yet is remembered as one that nobody finds.
void SimStore::Remember(const JobRecord& record) {
  if (!bugs_.loses_last_commits) return;
  JobRecord before = record;
  before.submission = SubmissionState::kNotSent;
  before.job.request_id.clear();
  before.job.pictory_job_id.clear();
  disk_.FindRequest(record.job.tenant, record.job.request_id, [&before](const auto& found) {
    if (found.ok() && found->has_value()) before = **found;
  });
  before_.emplace_back(clock_.Now(), std::move(before));
}

void SimStore::LoseLastCommits() {
  for (auto it = before_.rbegin(); it != before_.rend(); ++it) {
    if (clock_.Now() - it->first > 1s) break;
    JobRecord& lost = it->second;
    disk_.FindRequest(lost.job.tenant, lost.job.request_id, [&lost](const auto& found) {
      if (found.ok() && found->has_value()) lost.version = (*found)->version;
    });
    disk_.Update(lost, {}, [](const absl::Status&) {});
  }
  before_.clear();
}

void SimStore::Begin(JobRecord record, Callback<jobs::BeginResult> done) {
  begun_.emplace(record.job.tenant, record.job.request_id);
  auto apply = [this, record = std::move(record), done]() mutable {
    Remember(record);
    absl::StatusOr<jobs::BeginResult> result = absl::UnknownError("");
    disk_.Begin(std::move(record), [&result](auto begun) { result = std::move(begun); });
    return std::function<void()>(
        [done, result = std::move(result)]() mutable { done(std::move(result)); });
  };
  Post(std::move(apply), [done](const absl::Status& why) { done(why); });
}

void SimStore::Update(JobRecord record, std::vector<pictory::JobResult::Part> parts, Done done) {
  if (bugs_.acknowledges_early) {
    clock_.In(1us, [done] { done(absl::OkStatus()); });
    done = [](const absl::Status&) {};
  }
  auto apply = [this, record = std::move(record), parts = std::move(parts), done]() mutable {
    Remember(record);
    if (bugs_.ignores_versions) {
      disk_.FindRequest(record.job.tenant, record.job.request_id, [&record](const auto& found) {
        if (found.ok() && found->has_value()) record.version = (*found)->version;
      });
    }
    absl::Status result;
    disk_.Update(std::move(record), std::move(parts),
                 [&result](absl::Status status) { result = std::move(status); });
    return std::function<void()>([done, result] { done(result); });
  };
  Post(std::move(apply), [done](const absl::Status& why) { done(why); });
}

void SimStore::Adopt(JobRecord record, Done done) {
  auto apply = [this, record = std::move(record), done] {
    absl::Status result;
    disk_.Adopt(record, [&result](absl::Status status) { result = std::move(status); });
    return std::function<void()>([done, result] { done(result); });
  };
  Post(std::move(apply), [done](const absl::Status& why) { done(why); });
}

void SimStore::TakeOver(JobRecord record, std::int64_t adopted_version,
                        Callback<std::string> done) {
  auto apply = [this, record = std::move(record), adopted_version, done] {
    absl::StatusOr<std::string> result = absl::UnknownError("");
    if (bugs_.keeps_adopted_apart) {
      result = absl::AlreadyExistsError("kept apart");
    } else {
      disk_.TakeOver(record, adopted_version,
                     [&result](auto adopted) { result = std::move(adopted); });
    }
    return std::function<void()>([done, result = std::move(result)] { done(result); });
  };
  Post(std::move(apply), [done](const absl::Status& why) { done(why); });
}

void SimStore::Delete(JobRecord record, Done done) {
  auto apply = [this, record = std::move(record), done] {
    absl::Status result;
    if (bugs_.deletes_the_request_id) {
      JobRecord nameless = record;
      nameless.job.request_id.clear();
      disk_.Delete(nameless, [&result](absl::Status status) { result = std::move(status); });
    } else {
      disk_.Delete(record, [&result](absl::Status status) { result = std::move(status); });
    }
    return std::function<void()>([done, result] { done(result); });
  };
  Post(std::move(apply), [done](const absl::Status& why) { done(why); });
}

void SimStore::KeepHints(jobs::JobKey job, std::vector<std::string> pictory_job_ids, Done done) {
  auto apply = [this, job = std::move(job), ids = std::move(pictory_job_ids), done] {
    absl::Status result;
    if (!bugs_.forgets_hints) {
      disk_.KeepHints(job, ids, [&result](absl::Status status) { result = std::move(status); });
    }
    return std::function<void()>([done, result] { done(result); });
  };
  Post(std::move(apply), [done](const absl::Status& why) { done(why); });
}

void SimStore::Claim(jobs::OwedAnswers::Claim claim, Callback<bool> done) {
  auto apply = [this, claim, done] {
    absl::StatusOr<bool> result = absl::UnknownError("");
    disk_.Claim(claim, [&result](auto claimed) { result = std::move(claimed); });
    return std::function<void()>([done, result = std::move(result)] { done(result); });
  };
  Post(std::move(apply), [done](const absl::Status& why) { done(why); });
}

void SimStore::EndEpoch(std::vector<jobs::OwedJob> owed, Done done) {
  disk_.EndEpoch(std::move(owed), done);
}

void SimStore::NoteAsked(std::string account, jobs::Asked asked, Done done) {
  auto apply = [this, account = std::move(account), asked, done] {
    disk_.NoteAsked(account, asked, [](const absl::Status&) {});
    return std::function<void()>([done] { done(absl::OkStatus()); });
  };
  Post(std::move(apply), [done](const absl::Status& why) { done(why); });
}

void SimStore::Prune(jobs::PruneQuery query, Callback<std::vector<jobs::JobKey>> done) {
  auto apply = [this, query, done] {
    absl::StatusOr<std::vector<jobs::JobKey>> result = absl::UnknownError("");
    disk_.Prune(query, [&result](auto pruned) { result = std::move(pruned); });
    return std::function<void()>([done, result = std::move(result)] { done(result); });
  };
  Post(std::move(apply), [done](const absl::Status& why) { done(why); });
}

template <class T, class Ask>
void SimStore::Read(Ask ask, Callback<T> done) {
  clock_.In(Between(50us, 2ms), [this, ask = std::move(ask), done = std::move(done)] {
    absl::StatusOr<T> result = absl::UnknownError("");
    ask(disk_, [&result](absl::StatusOr<T> found) { result = std::move(found); });
    done(std::move(result));
  });
}

void SimStore::Find(std::string tenant, std::string name, Callback<std::optional<JobRecord>> done) {
  Read<std::optional<JobRecord>>(
      [tenant, name](jobs::Store& disk, auto found) { disk.Find(tenant, name, found); },
      std::move(done));
}

void SimStore::FindMany(std::vector<jobs::JobKey> keys, Callback<std::vector<JobRecord>> done) {
  Read<std::vector<JobRecord>>(
      [keys](jobs::Store& disk, auto found) { disk.FindMany(keys, found); }, std::move(done));
}

void SimStore::FindRequest(std::string tenant, std::string request_id,
                           Callback<std::optional<JobRecord>> done) {
  Read<std::optional<JobRecord>>(
      [tenant, request_id](jobs::Store& disk, auto found) {
        disk.FindRequest(tenant, request_id, found);
      },
      std::move(done));
}

void SimStore::FindOwner(std::string account, std::string pictory_job_id,
                         Callback<std::optional<std::string>> done) {
  Read<std::optional<std::string>>(
      [account, pictory_job_id](jobs::Store& disk, auto found) {
        disk.FindOwner(account, pictory_job_id, found);
      },
      std::move(done));
}

void SimStore::FindToken(std::string token, Callback<std::optional<JobRecord>> done) {
  Read<std::optional<JobRecord>>(
      [token](jobs::Store& disk, auto found) { disk.FindToken(token, found); }, std::move(done));
}

void SimStore::FindWithoutRequestId(std::string tenant, std::string fingerprint,
                                    jobs::RetryEvidence evidence, WallTime since,
                                    Callback<std::optional<JobRecord>> done) {
  Read<std::optional<JobRecord>>(
      [tenant, fingerprint, evidence, since](jobs::Store& disk, auto found) {
        disk.FindWithoutRequestId(tenant, fingerprint, evidence, since, found);
      },
      std::move(done));
}

void SimStore::List(std::string tenant, jobs::ListQuery query,
                    Callback<std::vector<JobRecord>> done) {
  Read<std::vector<JobRecord>>(
      [tenant, query](jobs::Store& disk, auto found) { disk.List(tenant, query, found); },
      std::move(done));
}

void SimStore::ReadPart(std::string tenant, std::string job_id, jobs::v1::ResultPart part,
                        std::int64_t offset, std::int64_t max_bytes,
                        Callback<jobs::PartChunk> done) {
  Read<jobs::PartChunk>(
      [tenant, job_id, part, offset, max_bytes](jobs::Store& disk, auto found) {
        disk.ReadPart(tenant, job_id, part, offset, max_bytes, found);
      },
      std::move(done));
}

void SimStore::Renew(Callback<jobs::Holding> done) {
  Read<jobs::Holding>([](jobs::Store& disk, auto held) { disk.Renew(held); }, std::move(done));
}

void SimStore::ReadShards(std::vector<std::int32_t> shards, std::function<void(JobRecord)> take,
                          Done done) {
  Read<bool>(
      [shards, take](jobs::Store& disk, auto read) {
        disk.ReadShards(shards, take, [&read](const absl::Status& status) {
          status.ok() ? read(true) : read(status);
        });
      },
      [done](const absl::StatusOr<bool>& read) { done(read.status()); });
}

void SimStore::FindFeedEnd(Callback<std::string> done) {
  Read<std::string>([](jobs::Store& disk, auto found) { disk.FindFeedEnd(found); },
                    std::move(done));
}

void SimStore::ReadFeed(std::string position, int limit, Callback<jobs::FeedPage> done) {
  Read<jobs::FeedPage>(
      [position, limit](jobs::Store& disk, auto read) { disk.ReadFeed(position, limit, read); },
      std::move(done));
}

absl::StatusOr<jobs::Recovered> SimStore::Recover(WallTime now) {
  if (bugs_.forgets_what_was_sent) {
    for (const auto& [tenant, request_id] : begun_) {
      disk_.FindRequest(tenant, request_id, [this](const auto& found) {
        if (!found.ok() || !found->has_value()) return;
        JobRecord record = **found;
        if (record.submission != SubmissionState::kSending) return;
        record.submission = SubmissionState::kNotSent;
        disk_.Update(std::move(record), {}, [](const absl::Status&) {});
      });
    }
  }
  absl::StatusOr<jobs::Recovered> recovered = disk_.Recover(now);
  if (bugs_.forgets_what_is_owed && recovered.ok()) recovered->owed.clear();
  if (bugs_.forgets_silence && recovered.ok()) {
    for (auto& [account, asked] : recovered->asked) asked.answered = now;
  }
  return recovered;
}

absl::Status SimStore::ReadUnfinished(const std::function<void(JobRecord)>& take) {
  return disk_.ReadUnfinished(take);
}

void SimStore::ReadNotifying(std::vector<std::int32_t> shards, TakeName take, Done done) {
  disk_.ReadNotifying(std::move(shards), std::move(take), std::move(done));
}

void SimStore::ReadArchiving(std::vector<std::int32_t> shards, TakeName take, Done done) {
  disk_.ReadArchiving(std::move(shards), std::move(take), std::move(done));
}

}  // namespace gateway::simulation
