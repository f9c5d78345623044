#include "store/memory_job_store.h"

#include <algorithm>
#include <tuple>

#include "base/errors.h"
#include "base/limits.h"
#include "jobs/archive_plan.h"
#include "jobs/equal_submits.h"
#include "jobs/notification.h"
#include "jobs/restart.h"
#include "jobs/spending.h"
#include "store/feed_position.h"
#include "store/grant_all.h"

namespace gateway::store {
namespace {

using jobs::BeginResult;
using jobs::JobRecord;
using jobs::ListQuery;
using jobs::SubmissionState;
namespace v1 = jobs::v1;

template <class T>
bool OneOf(const std::vector<T>& values, T value) {
  return values.empty() || std::find(values.begin(), values.end(), value) != values.end();
}

bool Matches(const JobRecord& record, const ListQuery& query) {
  const jobs::Job& job = record.job;
  const auto has = [&job](const auto& label) {
    const auto found = job.labels.find(label.first);
    return found != job.labels.end() && found->second == label.second;
  };
  return jobs::IsVisible(record) && OneOf(query.states, job.state) &&
         OneOf(query.kinds, job.kind) &&
         (query.notification == v1::NOTIFICATION_STATE_UNSPECIFIED ||
          jobs::NotifyingOf(record) == query.notification) &&
         (!query.created_from.has_value() || job.create_time >= *query.created_from) &&
         (!query.created_until.has_value() || job.create_time < *query.created_until) &&
         std::all_of(query.labels.begin(), query.labels.end(), has);
}

bool IsUnfinished(const JobRecord& record) {
  return jobs::IsVisible(record) && !jobs::IsFinal(record.job.state);
}

}  // namespace

template <class T, class Step>
absl::StatusOr<T> MemoryJobStore::Locked(Step step) {
  MutexLock lock(mutex_);
  if (closed_) return errors::Draining(limits::kStoreRetryAfter);
  return step();
}

absl::Status MemoryJobStore::CheckNames(const JobRecord& record, const Key* self) const {
  const jobs::Job& job = record.job;
  const auto taken = [self](const auto& names, const auto& name) {
    const auto found = names.find(name);
    return found != names.end() && (self == nullptr || found->second != *self);
  };
  if (self == nullptr && records_.contains(Key(job.tenant, job.job_id))) {
    return absl::AlreadyExistsError("A job with this id is known already");
  }
  if (!job.request_id.empty() && taken(by_request_, jobs::JobKey{job.tenant, job.request_id})) {
    return absl::AlreadyExistsError("A job with this request id is known already");
  }
  if (!job.pictory_job_id.empty() &&
      taken(by_pictory_id_, PictoryKey(job.pictory_job_id, record.job.account))) {
    return absl::AlreadyExistsError("A job with this Pictory job id is known already");
  }
  return absl::OkStatus();
}

void MemoryJobStore::Index(const JobRecord& record) {
  const jobs::Job& job = record.job;
  const Key key(job.tenant, job.job_id);
  if (!job.request_id.empty()) by_request_[{job.tenant, job.request_id}] = key;
  if (!job.pictory_job_id.empty()) by_pictory_id_[{job.pictory_job_id, record.job.account}] = key;
}

void MemoryJobStore::Unindex(const JobRecord& record) {
  const jobs::Job& job = record.job;
  by_request_.erase({job.tenant, job.request_id});
  by_pictory_id_.erase({job.pictory_job_id, record.job.account});
}

void MemoryJobStore::Put(JobRecord record) {
  Index(record);
  Key key(record.job.tenant, record.job.job_id);
  Note(key, record.job.shard, record.version, false);
  records_.insert_or_assign(std::move(key), std::move(record));
}

absl::Status MemoryJobStore::Replace(JobRecord record) {
  const auto found = records_.find(Key(record.job.tenant, record.job.job_id));
  if (found == records_.end()) return errors::JobNotFound(record.job.job_id);
  if (found->second.version != record.version) return jobs::ChangedMeanwhile();
  if (absl::Status free = CheckNames(record, &found->first); !free.ok()) return free;
  Unindex(found->second);
  Index(record);
  // `delivery` is never taken back, except for a record that was never sent, which begins anew.
  if (record.delivery != jobs::Delivery::kArrived &&
      found->second.submission != SubmissionState::kNotSent) {
    record.delivery = found->second.delivery;
  }
  found->second = std::move(record);
  ++found->second.version;
  Note(found->first, found->second.job.shard, found->second.version,
       found->second.submission == SubmissionState::kDeleted);
  return absl::OkStatus();
}

std::vector<jobs::JobKey> MemoryJobStore::Drop(const Key& key) {
  std::vector<jobs::JobKey> names;
  const auto found = records_.find(key);
  if (found == records_.end()) return names;
  names.push_back({key.first, key.second});
  Unindex(found->second);
  Note(key, found->second.job.shard, 0, true);
  tombstones_.push_back(change_);
  changes_.erase(key);
  records_.erase(found);
  parts_.erase(key);
  std::erase_if(aliases_, [&](const auto& alias) {
    const bool is_its = alias.first.first == key.first && alias.second == key.second;
    if (is_its) names.push_back({key.first, alias.first.second});
    return is_its;
  });
  return names;
}

void MemoryJobStore::Note(const Key& key, std::int32_t shard, std::int64_t version, bool gone) {
  std::int64_t& last = changes_[key];
  feed_.erase(last);
  last = ++change_;
  feed_[last] = {.job = {key.first, key.second}, .shard = shard, .version = version, .gone = gone};
}

const JobRecord* MemoryJobStore::OfPictory(const std::string& account,
                                           const std::string& pictory_job_id) const {
  const auto found = by_pictory_id_.find({pictory_job_id, account});
  return found == by_pictory_id_.end() ? nullptr : &records_.at(found->second);
}

absl::StatusOr<BeginResult> MemoryJobStore::BeginLocked(JobRecord record) {
  const auto request = by_request_.find({record.job.tenant, record.job.request_id});
  if (request == by_request_.end()) {
    if (absl::Status free = CheckNames(record, nullptr); !free.ok()) return free;
    record.version = 1;
  } else {
    const JobRecord& known = records_.at(request->second);
    std::optional<JobRecord> again = jobs::BeginAgain(known, std::move(record));
    if (!again.has_value()) return BeginResult{.begun = false, .record = known};
    if (absl::Status replaced = Replace(*again); !replaced.ok()) return replaced;
    ++again->version;
    return BeginResult{.begun = true, .record = *std::move(again)};
  }
  Put(record);
  return BeginResult{.begun = true, .record = std::move(record)};
}

void MemoryJobStore::Begin(JobRecord record, Callback<BeginResult> done) {
  done(Locked<BeginResult>([&]() REQUIRES(mutex_) { return BeginLocked(std::move(record)); }));
}

void MemoryJobStore::Update(JobRecord record, std::vector<pictory::JobResult::Part> parts,
                            Done done) {
  done(Locked<bool>([&]() REQUIRES(mutex_) -> absl::StatusOr<bool> {
         const Key key(record.job.tenant, record.job.job_id);
         if (absl::Status replaced = Replace(std::move(record)); !replaced.ok()) return replaced;
         for (auto& part : parts) parts_[key][part.part] = std::string_view(part.bytes);
         return true;
       }).status());
}

void MemoryJobStore::Adopt(JobRecord record, Done done) {
  done(Locked<bool>([&]() REQUIRES(mutex_) -> absl::StatusOr<bool> {
         if (absl::Status free = CheckNames(record, nullptr); !free.ok()) return free;
         record.version = 1;
         Put(std::move(record));
         return true;
       }).status());
}

void MemoryJobStore::TakeOver(JobRecord record, std::int64_t adopted_version,
                              Callback<std::string> done) {
  done(Locked<std::string>([&]() REQUIRES(mutex_) -> absl::StatusOr<std::string> {
    const jobs::Job& job = record.job;
    const Key self(job.tenant, job.job_id);
    const auto found = records_.find(self);
    if (found == records_.end()) return errors::JobNotFound(job.job_id);
    if (found->second.version != record.version) return jobs::ChangedMeanwhile();
    const JobRecord* held = OfPictory(record.job.account, job.pictory_job_id);
    std::string adopted;
    const bool takes = held != nullptr && held != &found->second &&
                       held->job.tenant == job.tenant && jobs::WasAdopted(*held);
    if ((takes ? held->version : 0) != adopted_version) return jobs::ChangedMeanwhile();
    if (takes) {
      adopted = held->job.job_id;
      for (auto& [alias, job_id] : aliases_) {
        if (alias.first == job.tenant && job_id == adopted) job_id = job.job_id;
      }
      if (const auto parts = parts_.find(Key(job.tenant, adopted)); parts != parts_.end()) {
        parts_[self] = std::move(parts->second);
      }
      Drop(Key(job.tenant, adopted));
      aliases_[Key(job.tenant, adopted)] = job.job_id;
    }
    if (absl::Status replaced = Replace(std::move(record)); !replaced.ok()) return replaced;
    return adopted;
  }));
}

void MemoryJobStore::Find(std::string tenant, std::string name,
                          Callback<std::optional<JobRecord>> done) {
  using Found = std::optional<JobRecord>;
  done(Locked<Found>([&]() REQUIRES(mutex_) -> Found {
    const auto by_id = records_.find(Key(tenant, name));
    if (by_id != records_.end() && jobs::IsVisible(by_id->second)) return by_id->second;
    Found newest;
    for (auto at = by_pictory_id_.lower_bound({name, ""});
         at != by_pictory_id_.end() && at->first.first == name; ++at) {
      const JobRecord& record = records_.at(at->second);
      if (record.job.tenant != tenant || !jobs::IsVisible(record)) continue;
      if (!newest.has_value() || newest->job.create_time < record.job.create_time) newest = record;
    }
    if (newest.has_value()) return newest;
    const auto alias = aliases_.find(Key(tenant, name));
    if (alias == aliases_.end()) return std::nullopt;
    const JobRecord& record = records_.at(Key(tenant, alias->second));
    return jobs::IsVisible(record) ? Found(record) : std::nullopt;
  }));
}

void MemoryJobStore::FindMany(std::vector<jobs::JobKey> keys,
                              Callback<std::vector<JobRecord>> done) {
  done(Locked<std::vector<JobRecord>>([&]() REQUIRES(mutex_) {
    std::vector<JobRecord> records;
    std::size_t bytes = 0;
    for (const jobs::JobKey& key : keys) {
      const auto found = records_.find(Key(key.tenant, key.id));
      if (found == records_.end() || !jobs::IsVisible(found->second)) continue;
      records.push_back(found->second);
      bytes += jobs::LargeBytes(records.back());
      if (bytes >= limits::kListReadMaxBytes) break;
    }
    return records;
  }));
}

void MemoryJobStore::FindRequest(std::string tenant, std::string request_id,
                                 Callback<std::optional<JobRecord>> done) {
  using Found = std::optional<JobRecord>;
  done(Locked<Found>([&]() REQUIRES(mutex_) -> Found {
    const auto found = by_request_.find({tenant, request_id});
    return found == by_request_.end() ? std::nullopt : Found(records_.at(found->second));
  }));
}

void MemoryJobStore::FindOwner(std::string account, std::string pictory_job_id,
                               Callback<std::optional<std::string>> done) {
  using Found = std::optional<std::string>;
  done(Locked<Found>([&]() REQUIRES(mutex_) -> Found {
    const JobRecord* found = OfPictory(account, pictory_job_id);
    return found == nullptr ? std::nullopt : Found(found->job.tenant);
  }));
}

void MemoryJobStore::FindToken(std::string token, Callback<std::optional<JobRecord>> done) {
  using Found = std::optional<JobRecord>;
  done(Locked<Found>([&]() REQUIRES(mutex_) -> Found {
    for (const auto& [key, record] : records_) {
      if (record.job.finish_time.has_value() || record.correlation_token.empty()) continue;
      if (record.correlation_token == token) return record;
    }
    return std::nullopt;
  }));
}

void MemoryJobStore::FindWithoutRequestId(std::string tenant, std::string fingerprint,
                                          jobs::RetryEvidence evidence, WallTime since,
                                          Callback<std::optional<JobRecord>> done) {
  using Found = std::optional<JobRecord>;
  done(Locked<Found>([&]() REQUIRES(mutex_) -> Found {
    Found best;
    const auto rank = [&evidence](const JobRecord& record) {
      return std::pair(evidence.IsCertain(record.mesh_request_id), record.job.create_time);
    };
    for (const auto& [key, record] : records_) {
      if (key.first != tenant || !record.minted_request_id) continue;
      if (record.fingerprint != fingerprint || record.job.create_time < since) continue;
      if (!evidence.Allows(record.mesh_request_id)) continue;
      if (!best.has_value() || rank(*best) < rank(record)) best = record;
    }
    return best;
  }));
}

void MemoryJobStore::FindEqual(jobs::EqualQuery query, Callback<std::vector<JobRecord>> done) {
  done(Locked<std::vector<JobRecord>>([&]() REQUIRES(mutex_) {
    std::vector<JobRecord> found;
    for (const auto& [key, record] : records_) {
      if (key.first != query.tenant || !record.minted_request_id) continue;
      if (record.fingerprint != query.fingerprint || !jobs::MayBeRepeated(record)) continue;
      const bool runs = jobs::IsInFlight(record.submission) ||
                        record.submission == jobs::SubmissionState::kWaiting;
      const bool in_time =
          record.owner_epoch != query.but_of &&
          (runs || record.job.create_time >= query.since || record.sent_at >= query.since);
      const bool waits =
          record.job.state == jobs::v1::JOB_STATE_WAITING && query.waits_in == record.job.shard;
      if (in_time || waits) found.push_back(record);
    }
    return found;
  }));
}

void MemoryJobStore::KeepHints(jobs::JobKey job, std::vector<std::string> pictory_job_ids,
                               Done done) {
  done(Locked<bool>([&]() REQUIRES(mutex_) -> absl::StatusOr<bool> {
         for (std::string& id : pictory_job_ids) {
           const auto of_job =
               std::count_if(hints_.begin(), hints_.end(),
                             [&](const jobs::Hint& hint) { return hint.job == job; });
           jobs::Hint hint{job, std::move(id)};
           const bool known = std::find(hints_.begin(), hints_.end(), hint) != hints_.end();
           if (known || static_cast<std::size_t>(of_job) >= limits::kHintsMax) continue;
           hints_.push_back(std::move(hint));
         }
         return true;
       }).status());
}

void MemoryJobStore::FindHints(jobs::JobKey job, Callback<std::vector<std::string>> done) {
  done(Locked<std::vector<std::string>>([&]() REQUIRES(mutex_) {
    std::vector<std::string> found;
    for (const jobs::Hint& hint : hints_) {
      if (hint.job == job) found.push_back(hint.pictory_job_id);
    }
    return found;
  }));
}

void MemoryJobStore::Claim(jobs::OwedAnswers::Claim claim, Callback<bool> done) {
  done(Locked<bool>([&]() REQUIRES(mutex_) -> absl::StatusOr<bool> {
    const Key key(claim.job.tenant, claim.job.id);
    const auto found = records_.find(key);
    if (found == records_.end() || found->second.delivery == jobs::Delivery::kArrived) return false;
    if (!jobs::CanBeOwed(found->second.submission) || claims_[key] != claim.claims) return false;
    ++claims_[key];
    return true;
  }));
}

void MemoryJobStore::EndEpoch(std::vector<jobs::OwedJob> owed, Done done) {
  done(Locked<bool>([&]() REQUIRES(mutex_) -> absl::StatusOr<bool> {
         for (const jobs::OwedJob& job : owed) {
           const auto found = records_.find(Key(job.tenant, job.job_id));
           if (found != records_.end()) found->second.delivery = job.delivery;
         }
         clean_epoch_ = epoch_;
         return true;
       }).status());
}

void MemoryJobStore::NoteAsked(std::string account, jobs::Asked asked, Done done) {
  done(Locked<bool>([&]() REQUIRES(mutex_) -> absl::StatusOr<bool> {
         asked_[account] = asked;
         return true;
       }).status());
}

void MemoryJobStore::List(std::string tenant, ListQuery query,
                          Callback<std::vector<JobRecord>> done) {
  done(Locked<std::vector<JobRecord>>([&]() REQUIRES(mutex_) {
    std::vector<JobRecord> page;
    // Keys sort by tenant, then job_id; newest first is backwards from the end of the tenant's.
    auto at = query.before_job_id.empty() ? records_.lower_bound(Key(tenant + '\0', ""))
                                          : records_.lower_bound(Key(tenant, query.before_job_id));
    const int limit = std::max(query.limit, 0);
    while (at != records_.begin() && page.size() < static_cast<std::size_t>(limit)) {
      --at;
      if (at->first.first != tenant) break;
      if (Matches(at->second, query)) page.push_back(at->second);
    }
    return page;
  }));
}

void MemoryJobStore::ReadPart(std::string tenant, std::string job_id, v1::ResultPart part,
                              std::int64_t offset, std::int64_t max_bytes,
                              Callback<jobs::PartChunk> done) {
  done(Locked<jobs::PartChunk>([&]() REQUIRES(mutex_) -> absl::StatusOr<jobs::PartChunk> {
    const auto of_job = parts_.find(Key(tenant, job_id));
    const auto missing = [&] { return errors::PartNotFound(job_id, v1::ResultPart_Name(part)); };
    if (of_job == parts_.end()) return missing();
    const auto found = of_job->second.find(part);
    if (found == of_job->second.end()) return missing();
    const std::string& bytes = found->second;
    const auto total = static_cast<std::int64_t>(bytes.size());
    offset = std::clamp<std::int64_t>(offset, 0, total);
    const std::int64_t count = std::clamp<std::int64_t>(max_bytes, 0, total - offset);
    return jobs::PartChunk{.data = bytes.substr(offset, count), .total_bytes = total};
  }));
}

void MemoryJobStore::Delete(JobRecord record, Done done) {
  done(Locked<bool>([&]() REQUIRES(mutex_) -> absl::StatusOr<bool> {
         const Key key(record.job.tenant, record.job.job_id);
         if (absl::Status replaced = Replace(std::move(record)); !replaced.ok()) return replaced;
         parts_.erase(key);
         return true;
       }).status());
}

void MemoryJobStore::Prune(jobs::PruneQuery query, Callback<std::vector<jobs::JobKey>> done) {
  done(Locked<std::vector<jobs::JobKey>>([&]() REQUIRES(mutex_) {
    const auto too_old = [&query](const JobRecord& record) {
      if (jobs::IsVisible(record)) {
        return record.job.finish_time.has_value() &&
               *record.job.finish_time < query.finished_before;
      }
      return !jobs::IsInFlight(record.submission) && record.job.update_time < query.untouched_since;
    };
    std::vector<std::pair<WallTime, Key>> old;  // visible ones first, each kind by age
    for (const bool visible : {true, false}) {
      std::vector<std::pair<WallTime, Key>> found;
      for (const auto& [key, record] : records_) {
        if (jobs::IsVisible(record) != visible || !too_old(record)) continue;
        found.emplace_back(visible ? *record.job.finish_time : record.job.update_time, key);
      }
      std::sort(found.begin(), found.end());
      old.insert(old.end(), found.begin(), found.end());
    }
    std::vector<jobs::JobKey> pruned;
    old.resize(std::min(old.size(), static_cast<std::size_t>(std::max(query.limit, 0))));
    for (const auto& [time, key] : old) {
      const std::vector<jobs::JobKey> names = Drop(key);
      pruned.insert(pruned.end(), names.begin(), names.end());
    }
    while (tombstones_.size() > static_cast<std::size_t>(tombstones_max_)) {
      feed_begin_ = tombstones_.front();
      feed_.erase(feed_begin_);
      tombstones_.pop_front();
    }
    return pruned;
  }));
}

std::vector<jobs::OwedJob> MemoryJobStore::Owed(WallTime now) {
  const WallTime since = now - limits::kOwedAcrossRestart - limits::kClockSlack;
  std::vector<const JobRecord*> found, waiting;
  for (const auto& [key, record] : records_) {
    const bool unsaid = record.delivery == jobs::Delivery::kUnsaid;
    if (!record.minted_request_id || record.delivery == jobs::Delivery::kArrived) continue;
    if (unsaid && record.owner_epoch <= clean_epoch_) continue;
    const bool waits = record.submission == SubmissionState::kWaiting;
    if (!jobs::CanBeOwed(record.submission) || (!waits && record.sent_at < since)) continue;
    (waits ? waiting : found).push_back(&record);
  }
  std::stable_sort(found.begin(), found.end(),
                   [](const JobRecord* a, const JobRecord* b) { return a->sent_at < b->sent_at; });
  std::vector<jobs::OwedJob> owed;
  const auto add = [&](const JobRecord* record) REQUIRES(mutex_) {
    const jobs::Job& job = record->job;
    owed.push_back({job.tenant, record->fingerprint, job.request_id, job.job_id,
                    claims_[Key(job.tenant, job.job_id)], record->delivery});
  };
  for (const JobRecord* record : found) {
    if (std::min(now, found.back()->sent_at) - record->sent_at > limits::kOwedWindow) continue;
    add(record);
  }
  for (const JobRecord* record : waiting) add(record);  // not sent yet, and may be soon
  return owed;
}

void MemoryJobStore::Renew(Callback<jobs::Holding> done) {
  done(Locked<jobs::Holding>([&]() REQUIRES(mutex_) { return GrantAll(epoch_); }));
}

void MemoryJobStore::ReadShards(std::vector<std::int32_t> shards,
                                std::function<void(JobRecord)> take, Done done) {
  using Records = std::vector<JobRecord>;
  absl::StatusOr<Records> found = Locked<Records>([&]() REQUIRES(mutex_) {
    Records records;
    for (const auto& [key, record] : records_) {
      if (!shards.empty() && IsUnfinished(record) && OneOf(shards, record.job.shard)) {
        records.push_back(record);
      }
    }
    return records;
  });
  if (!found.ok()) return done(found.status());
  for (JobRecord& record : *found) take(std::move(record));
  done(absl::OkStatus());
}

void MemoryJobStore::FindFeedEnd(Callback<std::string> done) {
  done(Locked<std::string>([&]() REQUIRES(mutex_) { return FeedPosition(feed_id_, change_); }));
}

void MemoryJobStore::ReadFeed(std::string position, int limit, Callback<jobs::FeedPage> done) {
  done(Locked<jobs::FeedPage>([&]() REQUIRES(mutex_) -> absl::StatusOr<jobs::FeedPage> {
    const std::optional<std::int64_t> begin = ReadFeedPosition(feed_id_, position);
    if (!begin.has_value() || *begin > change_ || *begin < feed_begin_) {
      return jobs::FeedForgotten();
    }
    std::int64_t after = *begin;
    jobs::FeedPage page;
    for (auto at = feed_.upper_bound(after);
         at != feed_.end() && page.entries.size() < static_cast<std::size_t>(std::max(limit, 0));
         ++at) {
      page.entries.push_back(at->second);
      after = at->first;
    }
    page.position = FeedPosition(feed_id_, after);
    return page;
  }));
}

absl::StatusOr<jobs::Recovered> MemoryJobStore::Recover(WallTime now) {
  return Locked<jobs::Recovered>([&]() REQUIRES(mutex_) {
    jobs::Recovered recovered;
    std::map<std::pair<std::string, std::string>, jobs::Unfinished> unfinished;
    const WallTime started = jobs::StartTime(jobs::Latest(asked_), now);
    for (auto& [key, record] : records_) {
      if (jobs::CountsAsSpent(record.submission) &&
          record.sent_at >= started - limits::kSpendingWindow &&
          record.sent_at <= started + limits::kClockSlack) {
        recovered.spent.push_back(jobs::SpentOf(record));
      }
      if (std::optional<JobRecord> ended = jobs::Interrupted(record, now)) {
        record = *std::move(ended);
        ++record.version;
        Note(key, record.job.shard, record.version, false);
      }
      if (!IsUnfinished(record)) continue;
      jobs::Unfinished& some = unfinished[{record.job.account, key.first}];
      some.account = record.job.account;
      some.tenant = key.first;
      ++some.jobs;
      if (jobs::IsPollable(record)) ++some.pollable;
    }
    for (auto& [of, some] : unfinished) recovered.unfinished.push_back(std::move(some));
    std::erase_if(hints_, [&](const jobs::Hint& hint) REQUIRES(mutex_) {
      const auto found = records_.find(Key(hint.job.tenant, hint.job.id));
      return found == records_.end() || found->second.submission != SubmissionState::kUnknown;
    });
    recovered.hints = hints_;
    recovered.owed = Owed(now);
    recovered.epoch = ++epoch_;
    recovered.asked = asked_;
    for (const jobs::OwedJob& job : recovered.owed) {
      JobRecord& record = records_.at(Key(job.tenant, job.job_id));
      record.delivery = jobs::Delivery::kUnsaid;
      record.owner_epoch = epoch_;
    }
    return recovered;
  });
}

absl::Status MemoryJobStore::ReadUnfinished(const std::function<void(JobRecord)>& take) {
  auto unfinished = Locked<std::vector<JobRecord>>([&]() REQUIRES(mutex_) {
    std::vector<JobRecord> found;
    for (const auto& [key, record] : records_) {
      if (IsUnfinished(record)) found.push_back(record);
    }
    return found;
  });
  if (!unfinished.ok()) return unfinished.status();
  // The sort is stable: jobs due at the same time stay in the order of their keys.
  std::stable_sort(
      unfinished->begin(), unfinished->end(),
      [](const JobRecord& a, const JobRecord& b) { return a.next_poll_at < b.next_poll_at; });
  for (JobRecord& record : *unfinished) take(std::move(record));
  return absl::OkStatus();
}

void MemoryJobStore::ReadArchiving(std::vector<std::int32_t> shards, TakeName take, Done done) {
  ReadNames(shards, jobs::IsArchiving, take, done);
}

void MemoryJobStore::ReadNotifying(std::vector<std::int32_t> shards, TakeName take, Done done) {
  const auto notifying = [](const JobRecord& record) {
    return jobs::NotifyingOf(record) == v1::NOTIFICATION_STATE_PENDING;
  };
  ReadNames(shards, notifying, take, done);
}

void MemoryJobStore::ReadNames(const std::vector<std::int32_t>& shards,
                               const std::function<bool(const JobRecord&)>& wanted,
                               const TakeName& take, const Done& done) {
  using Ended = std::pair<std::optional<WallTime>, jobs::ShardJob>;
  auto names = Locked<std::vector<Ended>>([&]() REQUIRES(mutex_) {
    std::vector<Ended> found;
    for (const auto& [key, record] : records_) {
      if (shards.empty() || !OneOf(shards, record.job.shard) || !wanted(record)) continue;
      found.emplace_back(record.job.finish_time,
                         jobs::ShardJob{{key.first, key.second}, record.job.shard});
    }
    return found;
  });
  if (!names.ok()) return done(names.status());
  std::stable_sort(names->begin(), names->end(),
                   [](const Ended& a, const Ended& b) { return a.first < b.first; });
  for (Ended& ended : *names) take(std::move(ended.second));
  done(absl::OkStatus());
}

void MemoryJobStore::Close() {
  MutexLock lock(mutex_);
  closed_ = true;
}

}  // namespace gateway::store
