#include "simulation/sim_database.h"

#include <algorithm>
#include <cstdlib>
#include <optional>

#include "base/limits.h"
#include "jobs/restart.h"

namespace gateway::simulation {
namespace {

using jobs::JobRecord;
using jobs::SubmissionState;
using namespace std::chrono_literals;

constexpr std::size_t kFeedKept = 20'000;
constexpr Duration kLost = 2s;  // by a standby that is behind, though it must not be

}  // namespace

std::optional<JobRecord> SimDatabase::FindRequest(const std::string& tenant,
                                                  const std::string& id) {
  std::optional<JobRecord> record;
  rows_.FindRequest(tenant, id, [&record](const auto& found) { record = *found; });
  return record;
}

bool SimDatabase::reachable(int gateway) const {
  const auto member = members_.find(gateway);
  return clock_.Now() >= away_until_ &&
         (member == members_.end() || clock_.Now() >= member->second.cut_until);
}

void SimDatabase::BeAway(Duration how_long) {
  back_since_ = away_until_ = std::max(away_until_, clock_.Now() + how_long);
}

void SimDatabase::Cut(int gateway, Duration how_long) {
  MonoTime& until = members_[gateway].cut_until;
  until = std::max(until, clock_.Now() + how_long);
}

void SimDatabase::FailOver(Duration away) {
  BeAway(away);
  if (bugs_.loses_told_commits) LoseLastCommits();
}

void SimDatabase::ForgetFeed() {
  feed_begin_ += feed_.size();
  feed_.clear();
}

void SimDatabase::ClearUp() {
  away_until_ = std::min(away_until_, clock_.Now());
  for (auto& [gateway, member] : members_) {
    member.cut_until = std::min(member.cut_until, clock_.Now());
  }
}

// Leases.

bool SimDatabase::AllHeld() const {
  return std::all_of(shards_.begin(), shards_.end(), [this](const Shard& shard) {
    return shard.owner != kNobody && Lives(members_.at(shard.owner));
  });
}

void SimDatabase::GiveUp(int gateway, MonoTime when, Duration slack) {
  for (std::int32_t place = 0; place < kShards; ++place) {
    Shard& shard = shards_[static_cast<std::size_t>(place)];
    if (shard.owner != gateway) continue;
    shard.owner = kNobody;
    umpire_.OnLost(place, gateway, when, slack);
  }
}

void SimDatabase::DeclareGone(int gateway) {
  for (auto& [other, member] : members_) {
    if (other == gateway || member.gone) continue;
    const bool late = member.lease_until + limits::kStoreLeaseGrace < clock_.Now();
    if (late) member.gone = true;
  }
}

jobs::Holding SimDatabase::Renew(int gateway, BootTime asked, bool leaves) {
  const MonoTime now = clock_.Now();
  Member& own = members_[gateway];
  if (!Lives(own)) GiveUp(gateway, own.lease_until, Duration(0));
  own.lease_until = now + limits::kStoreLease;
  own.gone = false;
  own.shares = true;
  own.leaves = leaves;
  // After an outage nobody is to blame for being late.
  if (now - std::max({own.here_since, own.cut_until, back_since_}) > limits::kStoreLeaseGrace) {
    DeclareGone(gateway);
  }
  jobs::Holding holding;
  holding.processes =
      static_cast<int>(std::count_if(members_.begin(), members_.end(), [this](const auto& member) {
        return member.second.shares && Lives(member.second);
      }));
  const auto sharers =
      static_cast<int>(std::count_if(members_.begin(), members_.end(), [this](const auto& member) {
        return member.second.shares && !member.second.leaves && Lives(member.second);
      }));
  const int part = sharers == 0 ? kShards : (kShards + sharers - 1) / sharers;
  const int share = leaves && sharers > 0 ? 0 : part;
  auto held = static_cast<int>(std::count_if(
      shards_.begin(), shards_.end(), [&](const Shard& shard) { return shard.owner == gateway; }));
  for (std::int32_t place = 0; place < kShards; ++place) {
    Shard& shard = shards_[static_cast<std::size_t>(place)];
    if (held > share && shard.owner == gateway) {
      shard.owner = kNobody;
      --held;
      // It is told so by this answer, which may be lost.
      umpire_.OnLost(place, gateway, now, limits::kStoreLease);
    } else if (held < share && shard.owner != gateway) {
      const bool free = shard.owner == kNobody || !Lives(members_[shard.owner]);
      if (!free || (shard.owner != kNobody && bugs_.keeps_shards)) continue;
      if (shard.owner != kNobody) {
        umpire_.OnLost(place, shard.owner, members_[shard.owner].lease_until, Duration(0));
      }
      shard = {gateway, shard.epoch + 1};
      ++held;
      umpire_.OnGained(place, gateway);
    }
  }
  const BootTime until =
      asked +
      (bugs_.endless_leases ? Duration(1h) : limits::kStoreLease - limits::kStoreLeaseMargin);
  for (std::int32_t place = 0; place < kShards; ++place) {
    const Shard& shard = shards_[static_cast<std::size_t>(place)];
    if (shard.owner == gateway || bugs_.grants_twice) {
      holding.leases.push_back({.shard = place, .epoch = shard.epoch, .until = until});
    }
  }
  EndLeft(gateway, /*all=*/false, clock_.WallNow());
  if (bugs_.counts_one) holding.processes = 1;
  return holding;
}

void SimDatabase::Leave(int gateway) {
  Member& member = members_[gateway];
  member.lease_until = clock_.Now();
  member.shares = false;
  GiveUp(gateway, clock_.Now(), Duration(0));
}

// Who follows the feed hears of it as of a change.
void SimDatabase::SetStopped(int gateway, bool stopped) {
  if (std::exchange(members_[gateway].stops, stopped) == stopped) return;
  for (const auto& [listener, news] : listeners_) news();
}

void SimDatabase::Join(int gateway) {
  Member& own = members_[gateway];
  if (!own.gone) return;
  own.gone = false;
  own.here_since = clock_.Now();
  own.lease_until = clock_.Now() + limits::kStoreLease;
}

// What a start finds.

void SimDatabase::EndLeft(int gateway, bool all, WallTime now) {
  if (bugs_.leaves_attempts) return;
  const std::set<jobs::JobKey> under_way = under_way_;
  for (const jobs::JobKey& request : under_way) {
    const std::optional<JobRecord> record = FindRequest(request.tenant, request.id);
    if (!record.has_value()) continue;
    const auto is_there = [&](const auto& one) {
      const auto& [number, member] = one;
      if (member.gone || member.epoch != record->owner_epoch) return false;
      return number == gateway || !bugs_.ends_living;
    };
    if (std::any_of(members_.begin(), members_.end(), is_there)) continue;
    const Shard& shard = shards_[static_cast<std::size_t>(Place(record->job.shard))];
    if (!all && shard.owner != gateway) continue;
    std::optional<JobRecord> ended = jobs::Interrupted(*record, now);
    if (!ended.has_value()) continue;
    umpire_.OnEnded(*ended);
    if (!Update(*std::move(ended), {}).ok()) std::abort();
  }
}

jobs::Recovered SimDatabase::Recover(int gateway, WallTime now) {
  Member& own = members_[gateway];
  GiveUp(gateway, std::min(own.lease_until, clock_.Now()), Duration(0));
  own = {.epoch = ++last_epoch_,
         .lease_until = clock_.Now() + limits::kStoreLease,
         .gone = false,
         .cut_until = own.cut_until,
         .here_since = clock_.Now()};
  EndLeft(gateway, /*all=*/true, now);
  jobs::Recovered recovered;
  recovered.epoch = own.epoch;
  recovered.asked = asked_;
  std::map<std::pair<std::string, std::string>, jobs::Unfinished> unfinished;
  for (const jobs::JobKey& request : requests_) {
    const std::optional<JobRecord> record = FindRequest(request.tenant, request.id);
    if (!record.has_value()) continue;
    const jobs::Job& job = record->job;
    if (record->submission != SubmissionState::kUnknown || bugs_.own_hints) continue;
    rows_.FindHints({job.tenant, job.job_id}, [&](const auto& hints) {
      for (const std::string& id : *hints) {
        recovered.hints.push_back({{job.tenant, job.job_id}, id});
      }
    });
  }
  const absl::Status read = rows_.ReadUnfinished([&unfinished](const JobRecord& record) {
    const jobs::Job& job = record.job;
    jobs::Unfinished& some = unfinished[{job.account, job.tenant}];
    some.account = job.account;
    some.tenant = job.tenant;
    ++some.jobs;
    if (jobs::IsPollable(record)) ++some.pollable;
  });
  if (!read.ok()) std::abort();
  for (auto& [of, some] : unfinished) recovered.unfinished.push_back(std::move(some));
  return recovered;
}

// Changes.

absl::Status SimDatabase::CheckLimits(const JobRecord& record,
                                      const jobs::SubmitLimitsOf& limits_of) {
  if (!limits_of || bugs_.ignores_limits) return absl::OkStatus();
  return counted_.MayBe(record, limits_of(record.job.tenant), clock_.WallNow());
}

absl::StatusOr<jobs::BeginResult> SimDatabase::Begin(int gateway, JobRecord record,
                                                     const jobs::SubmitLimitsOf& limits_of) {
  record.job.shard = Place(record.job.shard);
  if (bugs_.own_request_ids) {
    const auto known = FindRequest(record.job.tenant, record.job.request_id);
    if (known.has_value() && known->owner_epoch != members_[gateway].epoch) {
      record.job.request_id += "~" + std::to_string(gateway);
    }
  }
  const auto known = FindRequest(record.job.tenant, record.job.request_id);
  if (!known.has_value() || known->submission == SubmissionState::kNotSent) {
    if (absl::Status may = CheckLimits(record, limits_of); !may.ok()) return may;
  }
  requests_.insert({record.job.tenant, record.job.request_id});
  Remember(record);
  absl::StatusOr<jobs::BeginResult> result = absl::UnknownError("");
  rows_.Begin(std::move(record), [&result](auto begun) { result = std::move(begun); });
  if (result.ok() && result->begun) Committed(result->record);
  return result;
}

absl::Status SimDatabase::Update(JobRecord record, std::vector<pictory::JobResult::Part> parts,
                                 const jobs::SubmitLimitsOf& limits_of) {
  record.job.shard = Place(record.job.shard);
  if (jobs::IsSentAfterWaiting(record)) {
    if (absl::Status may = CheckLimits(record, limits_of); !may.ok()) return may;
  }
  Remember(record);
  GiveUpVersion(record);
  absl::Status result;
  JobRecord stored = record;
  rows_.Update(std::move(record), std::move(parts),
               [&result](absl::Status status) { result = std::move(status); });
  ++stored.version;
  if (result.ok()) Committed(stored);
  return result;
}

absl::Status SimDatabase::Adopt(JobRecord record) {
  record.job.shard = Place(record.job.shard);
  absl::Status result;
  rows_.Adopt(record, [&result](absl::Status status) { result = std::move(status); });
  record.version = 1;
  if (result.ok()) Committed(record);
  return result;
}

absl::StatusOr<std::string> SimDatabase::TakeOver(JobRecord record, std::int64_t adopted_version) {
  record.job.shard = Place(record.job.shard);
  Remember(record);
  GiveUpVersion(record);
  absl::StatusOr<std::string> result = absl::UnknownError("");
  JobRecord stored = record;
  rows_.TakeOver(std::move(record), adopted_version,
                 [&result](auto adopted) { result = std::move(adopted); });
  ++stored.version;
  if (!result.ok()) return result;
  if (!result->empty()) {
    umpire_.OnGone({stored.job.tenant, *result});
    counted_.Forget({stored.job.tenant, *result});
  }
  Committed(stored);
  return result;
}

absl::Status SimDatabase::Delete(JobRecord record) {
  record.job.shard = Place(record.job.shard);
  GiveUpVersion(record);
  absl::Status result;
  JobRecord stored = record;
  rows_.Delete(std::move(record), [&result](absl::Status status) { result = std::move(status); });
  ++stored.version;
  if (result.ok()) Committed(stored);
  return result;
}

std::vector<jobs::JobKey> SimDatabase::Prune(const jobs::PruneQuery& query) {
  std::vector<jobs::JobKey> names;
  rows_.Prune(query, [&names](const auto& pruned) { names = *pruned; });
  for (const jobs::JobKey& name : names) umpire_.OnGone(name);
  Tell();
  return names;
}

void SimDatabase::GiveUpVersion(JobRecord& record) {
  if (!bugs_.ignores_versions) return;
  const auto present = FindRequest(record.job.tenant, record.job.request_id);
  if (present.has_value()) record.version = present->version;
}

void SimDatabase::Committed(const JobRecord& record) {
  const jobs::JobKey request{record.job.tenant, record.job.request_id};
  if (!jobs::IsInFlight(record.submission)) {
    under_way_.erase(request);
  } else if (!request.id.empty()) {
    under_way_.insert(request);
  }
  counted_.Count(record, clock_.WallNow());
  umpire_.OnCommit(record);
  Tell();
}

// A record that is not there yet is remembered as one that nobody finds.
void SimDatabase::Remember(const JobRecord& record) {
  if (!bugs_.loses_told_commits || record.job.request_id.empty()) return;
  std::optional<JobRecord> before = FindRequest(record.job.tenant, record.job.request_id);
  if (!before.has_value()) {
    before = record;
    before->submission = SubmissionState::kNotSent;
    before->job.request_id.clear();
    before->job.pictory_job_id.clear();
  }
  before_.push_back({clock_.Now(), {record.job.tenant, record.job.request_id}, *std::move(before)});
  while (clock_.Now() - before_.front().when > kLost) before_.pop_front();
}

void SimDatabase::LoseLastCommits() {
  std::deque<Before> before;
  before.swap(before_);
  for (auto it = before.rbegin(); it != before.rend(); ++it) {
    if (clock_.Now() - it->when > kLost) break;
    const auto present = FindRequest(it->request.tenant, it->request.id);
    if (!present.has_value()) continue;
    it->record.version = present->version;
    Update(std::move(it->record), {}).IgnoreError();
  }
}

// The feed.

void SimDatabase::Hint(const jobs::JobKey& job) {
  if (!bugs_.own_hints) Publish({.job = job, .hint = true});
  Tell();
}

void SimDatabase::Publish(jobs::FeedEntry entry) {
  if (bugs_.feed_forgets && random_() % 3 == 0) return;
  feed_.push_back(std::move(entry));
  if (feed_.size() <= kFeedKept) return;
  feed_.pop_front();
  ++feed_begin_;
}

void SimDatabase::Tell() {
  rows_.ReadFeed(rows_position_, 1'000, [this](const absl::StatusOr<jobs::FeedPage>& page) {
    if (!page.ok()) std::abort();
    for (const jobs::FeedEntry& entry : page->entries) Publish(entry);
    rows_position_ = page->position;
  });
  for (const auto& [gateway, news] : listeners_) news();
}

bool SimDatabase::HasNews(const std::string& position) const {
  return std::strtoull(position.c_str(), nullptr, 10) != feed_begin_ + feed_.size();
}

absl::StatusOr<jobs::FeedPage> SimDatabase::ReadFeed(const std::string& position, int limit) {
  std::size_t at = std::strtoull(position.c_str(), nullptr, 10);
  if (at < feed_begin_) {
    if (!bugs_.gaps_untold) return jobs::FeedForgotten();
    at = feed_begin_;
  }
  jobs::FeedPage page;
  const std::size_t end =
      std::min(feed_begin_ + feed_.size(), at + static_cast<std::size_t>(limit));
  for (; at < end; ++at) page.entries.push_back(feed_[at - feed_begin_]);
  page.position = std::to_string(at);
  for (const auto& [gateway, member] : members_) {
    if (member.stops) page.stopped_by = "gateway " + std::to_string(gateway);
  }
  return page;
}

}  // namespace gateway::simulation
