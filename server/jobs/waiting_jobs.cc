#include "jobs/waiting_jobs.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "base/backoff.h"
#include "base/errors.h"
#include "base/limits.h"
#include "jobs/outcome.h"
#include "jobs/waiting_request.h"

namespace gateway::jobs {

WaitingJobs::Counts& WaitingJobs::Counts::operator+=(const Counts& more) {
  waiting += more.waiting;
  places += more.places;
  bytes += more.bytes;
  tried += more.tried;
  return *this;
}

WaitingJobs::Counts& WaitingJobs::Counts::operator-=(const Counts& less) {
  waiting -= less.waiting;
  places -= less.places;
  bytes -= less.bytes;
  tried -= less.tried;
  return *this;
}

WaitingJobs::WaitingJobs(const Shards& shards, Spending& spending, Ledger& ledger,
                         Submissions& submissions, Hub& hub, const Clock& clock, Timers& timers)
    : shards_(shards),
      spending_(spending),
      ledger_(ledger),
      submissions_(submissions),
      hub_(hub),
      clock_(clock),
      timers_(timers) {}

WaitingJobs::~WaitingJobs() { Stop(); }

absl::Status WaitingJobs::TakePlace(const JobKey& request, std::size_t bytes, double credits) {
  const std::string& tenant = request.tenant;
  {
    MutexLock lock(mutex_);
    const Counts own = CountsOf(tenant);
    if (all_.places >= limits::kWaitingJobsMax || all_.bytes + bytes > limits::kWaitingBytesMax) {
      return errors::TooMany("jobs that wait for others", limits::kWaitingJobsMax,
                             limits::kWaitingRetryMax);
    }
    if (own.places >= limits::kWaitingJobsOfTenantMax ||
        own.bytes + bytes > limits::kWaitingBytesOfTenantMax) {
      return errors::TooMany("jobs of this tenant that wait for others",
                             limits::kWaitingJobsOfTenantMax, limits::kWaitingRetryMax);
    }
    Count(tenant, {.places = 1, .bytes = bytes});
    placed_.insert(request);
  }
  absl::Status reserved = spending_.Reserve(tenant, credits);
  if (!reserved.ok()) {
    MutexLock lock(mutex_);
    placed_.erase(request);
    Uncount(tenant, {.places = 1, .bytes = bytes});
  }
  return reserved;
}

void WaitingJobs::GiveBack(const JobKey& request, std::size_t bytes, double credits) {
  spending_.Release(request.tenant, credits);
  MutexLock lock(mutex_);
  placed_.erase(request);
  Uncount(request.tenant, {.places = 1, .bytes = bytes});
}

void WaitingJobs::Count(const std::string& tenant, const Counts& more) {
  tenants_[tenant] += more;
  all_ += more;
}

void WaitingJobs::Uncount(const std::string& tenant, const Counts& less) {
  const auto found = tenants_.find(tenant);
  if ((found->second -= less) == Counts{}) tenants_.erase(found);
  all_ -= less;
}

WaitingJobs::Counts WaitingJobs::CountsOf(const std::string& tenant) const {
  const auto found = tenants_.find(tenant);
  return found == tenants_.end() ? Counts{} : found->second;
}

void WaitingJobs::OnChange(const JobRecord& record, const SnapshotPtr& seen) {
  const JobKey key{record.job.tenant, record.job.job_id};
  if (seen != nullptr && record.job.state == v1::JOB_STATE_WAITING) {
    const JobKey request{key.tenant, record.job.request_id};
    bool placed = false;
    {
      MutexLock lock(mutex_);
      placed = placed_.erase(request) > 0;  // it has just begun to wait
    }
    if (!placed) return;
    if (shards_.Has(record.job.shard) && Add(record, /*placed=*/true)) return Look(key);
    // Another process looks after it, or the store's feed was quicker and brought it in.
    GiveBack(request, record.waiting_request.size(), record.credits_reserved);
    return;
  }
  Drop(key, /*sent=*/record.sent_at != WallTime{});
  if (seen != nullptr && !IsFinal(record.job.state)) return;
  std::vector<JobKey> waiting;
  {
    MutexLock lock(mutex_);
    const auto found = waiting_for_.find(key);
    if (found == waiting_for_.end()) return;
    waiting.assign(found->second.begin(), found->second.end());
  }
  for (const JobKey& one : waiting) Look(one);
}

void WaitingJobs::FollowRecovered(const JobRecord& record) {
  if (record.submission != SubmissionState::kWaiting || !shards_.Has(record.job.shard)) return;
  (void)spending_.Reserve(record.job.tenant, record.credits_reserved, /*known=*/true);
  if (!Add(record, /*placed=*/false)) {
    return spending_.Release(record.job.tenant, record.credits_reserved);
  }
  Look({record.job.tenant, record.job.job_id});  // before Start it does nothing
}

void WaitingJobs::LookAgain() {
  std::vector<JobKey> unseen;
  {
    MutexLock lock(mutex_);
    for (const auto& [key, entry] : entries_) {
      if (entry.stage != Stage::kWaits || !entry.other.has_value()) continue;
      if (hub_.Find(entry.other->tenant, entry.other->id) == nullptr) unseen.push_back(key);
    }
  }
  for (const JobKey& key : unseen) Look(key);
}

void WaitingJobs::DropLost() {
  std::vector<JobKey> lost;
  {
    MutexLock lock(mutex_);
    for (const auto& [key, entry] : entries_) {
      // One that is being sent is told of by the ledger.
      if (!shards_.Has(entry.shard) && entry.stage != Stage::kTried) lost.push_back(key);
    }
  }
  for (const JobKey& key : lost) Drop(key, /*sent=*/false);
}

void WaitingJobs::Start() {
  std::vector<JobKey> found;
  {
    MutexLock lock(mutex_);
    stopped_ = false;
    for (const auto& [key, entry] : entries_) found.push_back(key);
  }
  std::sort(found.begin(), found.end());  // the oldest of each tenant first
  for (const JobKey& key : found) Look(key);
}

void WaitingJobs::Stop() {
  MutexLock lock(mutex_);
  stopped_ = true;
  for (auto& [key, entry] : entries_) {
    if (entry.timer != Timers::kNone) timers_.Cancel(std::exchange(entry.timer, Timers::kNone));
  }
}

std::optional<std::string> WaitingJobs::FindEqual(const std::string& tenant,
                                                  const std::string& fingerprint) const {
  MutexLock lock(mutex_);
  const auto found = equal_.find(JobKey{tenant, fingerprint});
  if (found == equal_.end()) return std::nullopt;
  return entries_.at(*found->second.begin()).request_id;
}

std::size_t WaitingJobs::waiting() const {
  MutexLock lock(mutex_);
  return all_.waiting;
}

std::size_t WaitingJobs::waiting_of(const std::string& tenant) const {
  MutexLock lock(mutex_);
  return CountsOf(tenant).waiting;
}

std::size_t WaitingJobs::waiting_at(const std::string& account) const {
  MutexLock lock(mutex_);
  const auto found = of_account_.find(account);
  return found == of_account_.end() ? 0 : found->second;
}

bool WaitingJobs::Add(const JobRecord& record, bool placed) {
  const JobKey key{record.job.tenant, record.job.job_id};
  Entry entry{.shard = record.job.shard,
              .account = record.job.account,
              .request_id = record.job.request_id,
              .fingerprint = record.fingerprint,
              .waits_for = NameOfOther(record),
              .bytes = record.waiting_request.size(),
              .credits = record.credits_reserved};
  MutexLock lock(mutex_);
  if (!entries_.try_emplace(key, std::move(entry)).second) return false;
  equal_[JobKey{key.tenant, record.fingerprint}].insert(key);
  const std::size_t place = placed ? 0 : 1;
  Count(key.tenant,
        {.waiting = 1, .places = place, .bytes = place * record.waiting_request.size()});
  ++of_account_[record.job.account];
  return true;
}

// The job does not wait any more. What is reserved for it was used if it was sent, unless another
// process has sent it.
void WaitingJobs::Drop(const JobKey& key, bool sent) {
  double credits = 0;
  bool used = false;
  {
    MutexLock lock(mutex_);
    const auto found = entries_.find(key);
    if (found == entries_.end()) return;
    Entry& entry = found->second;
    used = sent && entry.stage == Stage::kTried;
    if (entry.timer != Timers::kNone) timers_.Cancel(entry.timer);
    WaitForNobody(key, entry);
    const auto equal = equal_.find(JobKey{key.tenant, entry.fingerprint});
    equal->second.erase(key);
    if (equal->second.empty()) equal_.erase(equal);
    const auto of_account = of_account_.find(entry.account);
    if (--of_account->second == 0) of_account_.erase(of_account);
    credits = entry.credits;
    Uncount(key.tenant, {.waiting = 1, .places = 1, .bytes = entry.bytes});
    entries_.erase(found);
  }
  if (!used) spending_.Release(key.tenant, credits);
}

void WaitingJobs::WaitForNobody(const JobKey& key, Entry& entry) {
  if (!entry.other.has_value()) return;
  const auto others = waiting_for_.find(*entry.other);
  others->second.erase(key);
  if (others->second.empty()) waiting_for_.erase(others);
  entry.other.reset();
}

void WaitingJobs::Look(const JobKey& key) {
  std::string name;
  {
    MutexLock lock(mutex_);
    const auto found = entries_.find(key);
    if (found == entries_.end() || stopped_ || found->second.stage != Stage::kWaits) return;
    name = found->second.waits_for;
  }
  hub_.Load(key.tenant, name,
            [this, key](const absl::StatusOr<SnapshotPtr>& other) { OnFound(key, other); });
}

void WaitingJobs::OnFound(const JobKey& key, const absl::StatusOr<SnapshotPtr>& other) {
  // Whatever is wrong with it, the submitter says what that makes of the job.
  if (!other.ok() || (*other)->final()) return PutInLine(key);
  const JobKey other_key{key.tenant, std::string((*other)->job_id())};
  {
    MutexLock lock(mutex_);
    const auto found = entries_.find(key);
    if (found == entries_.end()) return;
    WaitForNobody(key, found->second);
    found->second.other = other_key;
    waiting_for_[other_key].insert(key);
  }
  // It may have ended before it was known that somebody waits for it, or another job may have taken
  // it over, which only a new look finds.
  const SnapshotPtr now = hub_.Find(other_key.tenant, other_key.id);
  if (now == nullptr) return Look(key);
  if (now->final()) PutInLine(key);
}

void WaitingJobs::PutInLine(const JobKey& key) {
  {
    MutexLock lock(mutex_);
    const auto found = entries_.find(key);
    if (found == entries_.end() || stopped_ || found->second.stage != Stage::kWaits) return;
    found->second.stage = Stage::kInLine;
    line_.push_back(key);
  }
  TryNext();
}

void WaitingJobs::TryNext() {
  while (true) {
    JobKey key;
    std::string request_id;
    double credits = 0;
    {
      MutexLock lock(mutex_);
      if (stopped_ || all_.tried >= limits::kWaitingTriedMax) return;
      const auto next =
          std::find_if(line_.begin(), line_.end(), [this](const JobKey& one) REQUIRES(mutex_) {
            return CountsOf(one.tenant).tried < limits::kWaitingTriedOfTenantMax;
          });
      if (next == line_.end()) return;
      key = std::move(*next);
      line_.erase(next);
      const auto found = entries_.find(key);
      if (found == entries_.end() || found->second.stage != Stage::kInLine) continue;
      found->second.stage = Stage::kTried;
      request_id = found->second.request_id;
      credits = found->second.credits;
      Count(key.tenant, {.tried = 1});
    }
    Try(key, request_id, credits);
  }
}

void WaitingJobs::Try(const JobKey& key, const std::string& request_id, double credits) {
  submissions_.FindRequest(
      key.tenant, request_id, [this, key, credits](absl::StatusOr<std::optional<JobRecord>> found) {
        if (!found.ok()) return OnTried(key, found.status());
        const bool waits = found->has_value() && (*found)->submission == SubmissionState::kWaiting;
        if (!waits) {  // somebody else with this store has ended the wait
          Drop(key, /*sent=*/false);
          return OnTried(key, absl::OkStatus());
        }
        send_(**std::move(found), credits,
              [this, key](const absl::Status& why) { OnTried(key, why); });
      });
}

void WaitingJobs::OnTried(const JobKey& key, const absl::Status& why) {
  std::string request_id, reason;
  bool lost = false;
  {
    MutexLock lock(mutex_);
    Uncount(key.tenant, {.tried = 1});
    const auto found = entries_.find(key);
    // Its shard went while it was tried, so another process looks after it.
    lost = found != entries_.end() && !why.ok() && !shards_.Has(found->second.shard);
    if (found != entries_.end() && !why.ok() && !lost) {
      Entry& entry = found->second;
      entry.stage = Stage::kWaits;
      const Duration delay =
          std::max(Doubled(limits::kWaitingRetryFirst, entry.failures++, limits::kWaitingRetryMax),
                   std::min<Duration>(errors::RetryDelay(why), limits::kWaitingRetryMax));
      if (!stopped_) entry.timer = timers_.At(clock_.Now() + delay, [this, key] { Look(key); });
      request_id = entry.request_id;
      if (errors::Reason(why) != entry.told) reason = entry.told = errors::Reason(why);
    }
  }
  if (lost) Drop(key, /*sent=*/false);
  if (!reason.empty()) TellWhy(key, request_id, reason);
  TryNext();
}

// Tells callers what keeps the job, once for each reason. If that cannot be stored, it is not told.
void WaitingJobs::TellWhy(const JobKey& key, const std::string& request_id,
                          const std::string& reason) {
  submissions_.FindRequest(
      key.tenant, request_id, [this, reason](absl::StatusOr<std::optional<JobRecord>> found) {
        const bool waits =
            found.ok() && found->has_value() && (*found)->submission == SubmissionState::kWaiting;
        if (!waits) return;
        JobRecord record = **std::move(found);
        record.job.message = "Cannot be sent yet (" + reason + "), and is tried again";
        record.job.update_time = clock_.WallNow();
        ++record.job.revision;
        ledger_.Update({.record = std::move(record)}, [](const Ledger::Outcome&) {});
      });
}

}  // namespace gateway::jobs
