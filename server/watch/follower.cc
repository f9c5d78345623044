#include "watch/follower.h"

#include <algorithm>
#include <deque>
#include <iterator>
#include <map>
#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/errors.h"
#include "base/limits.h"
#include "base/mutex.h"
#include "jobs/job_key.h"
#include "watch/reader_index.h"

namespace gateway::watch {
// Timers, the store and the broadcaster may still hold the core when the follower goes; they then
// find it stopped.
struct Follower::Core : std::enable_shared_from_this<Core> {
  Core(jobs::Feed& f, jobs::Hub& h, const Clock& c, Timers& t, WorkThread& b)
      : feed(f), hub(h), clock(c), timers(t), broadcaster(b) {}

  using Readers = ReaderIndex::Readers;

  // An Item is something that readers of one tenant have to be told: a change, a position or, if it
  // has neither, that they are lost.
  struct Item {
    JobChangePtr change{};
    FeedPositionPtr position{};
    std::optional<std::map<std::string, std::string>> labels{};  // of its job; none: not known
    jobs::JobKind kind = jobs::v1::JOB_KIND_UNSPECIFIED;
    jobs::JobState state = jobs::v1::JOB_STATE_UNSPECIFIED;
    std::uint64_t reading = 0;  // that found the position, or the last one before the change
    bool to_all = false;        // the position
    bool matched = false;       // `readers` are those to be told
    Readers readers{};
    std::size_t told = 0;  // of them

    bool IsLoss() const { return change == nullptr && position == nullptr; }
  };
  using Line = std::deque<Item>;
  struct Telling {
    std::shared_ptr<FeedReader> reader;
    JobChangePtr change;
    FeedPositionPtr position;
  };

  jobs::Feed& feed;
  jobs::Hub& hub;
  const Clock& clock;
  Timers& timers;
  WorkThread& broadcaster;

  Mutex mutex;
  ReaderIndex readers GUARDED_BY(mutex);
  std::uint64_t last_id GUARDED_BY(mutex) = 0;
  std::unordered_map<std::string, Line> lines GUARDED_BY(mutex);  // by tenants; none is empty
  std::deque<std::string> turns GUARDED_BY(mutex);                // of those tenants
  std::size_t waiting GUARDED_BY(mutex) = 0;                      // items in all lines
  bool telling GUARDED_BY(mutex) = false;
  bool stopped GUARDED_BY(mutex) = false;

  // Up to here the feed was read; empty: it is not followed.
  std::string position GUARDED_BY(mutex);
  // Of those who wait for a first position.
  std::vector<std::function<void(absl::Status)>> begins GUARDED_BY(mutex);
  bool finding_end GUARDED_BY(mutex) = false;
  // Tenants of whose jobs changes are pushed that may be behind the last position, and the last
  // reading that had begun by then.
  std::map<std::string, std::uint64_t> changed GUARDED_BY(mutex);
  MonoTime next_to_all GUARDED_BY(mutex){};  // when all are told of a position
  // The versions of changes of this process that the feed has not brought yet.
  std::unordered_map<jobs::JobKey, std::int64_t> known GUARDED_BY(mutex);
  Timers::Id timer GUARDED_BY(mutex) = Timers::kNone;
  // Readings are numbered. One under way counts only if nobody has begun to follow anew since.
  std::uint64_t reading GUARDED_BY(mutex) = 0;
  std::uint64_t followed GUARDED_BY(mutex) = 0;
  bool busy GUARDED_BY(mutex) = false;
  // The page that was read, and the jobs of it that the store is asked for.
  bool page_open GUARDED_BY(mutex) = false;
  std::string page_position GUARDED_BY(mutex);
  bool page_full GUARDED_BY(mutex) = false;
  bool page_failed GUARDED_BY(mutex) = false;
  std::vector<jobs::JobKey> looks GUARDED_BY(mutex);
  std::size_t next_look GUARDED_BY(mutex) = 0;
  std::size_t looking GUARDED_BY(mutex) = 0;
  bool in_looks GUARDED_BY(mutex) = false;

  std::uint64_t Add(JobFilterPtr filter, std::weak_ptr<FeedReader> reader,
                    std::function<void(absl::Status)> begun) {
    std::uint64_t id = 0;
    bool find = false, known_place = false;
    {
      MutexLock lock(mutex);
      if (!stopped) {
        id = ++last_id;
        readers.Add({.id = id,
                     .filter = std::move(filter),
                     .reader = std::move(reader),
                     .since = reading + 1});
        known_place = !position.empty();
        if (!known_place) begins.push_back(begun);
        find = !known_place && !std::exchange(finding_end, true);
      }
    }
    if (id == 0) begun(errors::Draining(limits::kStoreRetryAfter));
    if (known_place) begun(absl::OkStatus());
    if (find) {
      feed.FindFeedEnd([self = shared_from_this()](absl::StatusOr<std::string> end) {
        self->OnEnd(std::move(end));
      });
    }
    return id;
  }

  void Remove(std::uint64_t id) {
    MutexLock lock(mutex);
    readers.Remove(id);
    if (readers.size() == 0) Rest();
  }

  // Forgets where it was; who follows next begins anew.
  void Rest() REQUIRES(mutex) {
    position.clear();
    known.clear();
    changed.clear();
    ++followed;
    busy = page_open = false;
    looks.clear();
    next_look = 0;
    if (timer != Timers::kNone) timers.Cancel(std::exchange(timer, Timers::kNone));
  }

  void OnEnd(absl::StatusOr<std::string> end) {
    std::vector<std::function<void(absl::Status)>> waited;
    {
      MutexLock lock(mutex);
      finding_end = false;
      waited.swap(begins);
      if (end.ok() && readers.size() > 0 && !stopped) {
        position = *end;
        Arm();
      }
    }
    for (const auto& begun : waited) begun(end.status());
  }

  void Arm() REQUIRES(mutex) {
    if (stopped || busy || position.empty() || timer != Timers::kNone) return;
    timer = timers.At(clock.Now() + limits::kFeedInterval,
                      [self = shared_from_this()] { self->OnTimer(); });
  }

  void OnTimer() {
    {
      MutexLock lock(mutex);
      timer = Timers::kNone;
      if (stopped || busy || position.empty()) return;
      busy = true;
    }
    Read();
  }

  void Read() {
    std::string from;
    std::uint64_t of = 0;
    {
      MutexLock lock(mutex);
      if (stopped || !busy) return;
      ++reading;
      from = position;
      of = followed;
    }
    feed.ReadFeed(std::move(from), limits::kFeedPage,
                  [self = shared_from_this(), of](absl::StatusOr<jobs::FeedPage> page) {
                    self->OnPage(of, std::move(page));
                  });
  }

  void OnPage(std::uint64_t of, absl::StatusOr<jobs::FeedPage> page) {
    {
      MutexLock lock(mutex);
      if (stopped || of != followed) return;
      if (!page.ok()) {
        busy = false;
        absl::IsOutOfRange(page.status()) ? LoseAll() : Arm();
      } else {
        page_position = std::move(page->position);
        page_full = page->entries.size() >= static_cast<std::size_t>(limits::kFeedPage);
        page_failed = false;
        page_open = true;
        looks.clear();
        next_look = 0;
        for (jobs::FeedEntry& entry : page->entries) Take(std::move(entry));
      }
    }
    Tell();
    Look();
    FinishPage();
  }

  void Take(jobs::FeedEntry entry) REQUIRES(mutex) {
    const auto told = known.find(entry.job);
    if (told != known.end() && told->second > entry.version && !entry.gone) return;
    const bool same = told != known.end() && told->second == entry.version && !entry.gone;
    if (told != known.end()) known.erase(told);
    if (same || !readers.HasTenant(entry.job.tenant)) return;
    if (!entry.gone) {
      looks.push_back(std::move(entry.job));
      return;
    }
    PushChange(entry.job.tenant, {.change = std::make_shared<const JobChange>(
                                      JobChange{.job_id = std::move(entry.job.id), .gone = true})});
  }

  // Asks the store for some jobs at a time. What it answers inside the call makes no deeper call.
  void Look() {
    {
      MutexLock lock(mutex);
      if (std::exchange(in_looks, true)) return;
    }
    for (;;) {
      jobs::JobKey key;
      std::uint64_t of = 0;
      {
        MutexLock lock(mutex);
        if (stopped || next_look >= looks.size() || looking >= limits::kFeedLooksMax) {
          in_looks = false;
          return;
        }
        key = looks[next_look++];
        ++looking;
        of = followed;
      }
      hub.Refresh(key, [self = shared_from_this(),
                        of](const absl::StatusOr<std::optional<jobs::JobRecord>>& found) {
        self->OnFound(of, found);
      });
    }
  }

  // Of a job that is not there any more the feed says that it is gone.
  void OnFound(std::uint64_t of, const absl::StatusOr<std::optional<jobs::JobRecord>>& found) {
    {
      MutexLock lock(mutex);
      if (stopped) return;
      --looking;
      if (of == followed) {
        if (found.ok() && found->has_value()) PushChange((*found)->job);
        if (!found.ok()) page_failed = true;
      }
    }
    Tell();
    Look();
    FinishPage();
  }

  // Goes on behind the page, once all of it was looked at.
  void FinishPage() {
    bool more = false;
    {
      MutexLock lock(mutex);
      if (stopped || !page_open || next_look < looks.size() || looking > 0) return;
      page_open = false;
      if (!page_failed) {
        const bool moved = position != page_position;
        position = page_position;
        more = page_full;
        if (!more && moved) PushPosition();
      }
      if (!more) {
        busy = false;
        Arm();
      }
    }
    Tell();
    if (more) Read();
  }

  void PushChange(const jobs::Job& job) REQUIRES(mutex) {
    PushChange(job.tenant,
               {.change = std::make_shared<const JobChange>(JobChange{.job_id = job.job_id}),
                .labels = job.labels,
                .kind = job.kind,
                .state = job.state});
  }

  void PushChange(const std::string& tenant, Item item) REQUIRES(mutex) {
    changed[tenant] = item.reading = reading;
    Push(tenant, std::move(item));
  }

  void PushPosition() REQUIRES(mutex) {
    const MonoTime now = clock.Now();
    const bool to_all = now >= next_to_all;
    if (to_all) next_to_all = now + limits::kFeedPositionInterval;
    const auto told = std::make_shared<const std::string>(position);
    std::vector<std::string> tenants;
    if (to_all) tenants = readers.Tenants();
    for (auto at = changed.begin(); at != changed.end();) {
      if (!to_all) tenants.push_back(at->first);
      at = at->second < reading ? changed.erase(at) : std::next(at);
    }
    for (const std::string& tenant : tenants) {
      Push(tenant, {.position = told, .reading = reading, .to_all = to_all});
    }
  }

  void Push(const std::string& tenant, Item item) REQUIRES(mutex) {
    if (waiting >= limits::kFeedBacklogMax) Lose(Longest());
    const auto found = lines.find(tenant);
    if (found != lines.end() && found->second.size() >= limits::kFeedBacklogOfTenantMax) {
      return Lose(tenant);
    }
    if (!readers.HasTenant(tenant)) return;
    LineOf(tenant).push_back(std::move(item));
    ++waiting;
  }

  // The line of a tenant, to which something is going to be added.
  Line& LineOf(const std::string& tenant) REQUIRES(mutex) {
    const auto [at, fresh] = lines.try_emplace(tenant);
    if (fresh) turns.push_back(tenant);
    return at->second;
  }

  std::string Longest() const REQUIRES(mutex) {
    return std::max_element(
               lines.begin(), lines.end(),
               [](const auto& a, const auto& b) { return a.second.size() < b.second.size(); })
        ->first;
  }

  void LoseAll() REQUIRES(mutex) {
    for (const std::string& tenant : readers.Tenants()) Lose(tenant);
  }

  // Drops what the readers of a tenant would be told: they are told that they are lost.
  void Lose(const std::string& tenant) REQUIRES(mutex) {
    Line& line = LineOf(tenant);
    Readers lost = readers.Clear(tenant);
    for (const Item& item : line) {  // those who are not told yet that they were lost before
      if (!item.IsLoss()) continue;
      lost.insert(lost.end(), item.readers.begin() + static_cast<std::ptrdiff_t>(item.told),
                  item.readers.end());
    }
    waiting -= line.size();
    line.clear();
    line.push_back({.matched = true, .readers = std::move(lost)});
    ++waiting;
    changed.erase(tenant);
    if (readers.size() == 0) Rest();
  }

  void Tell() {
    {
      MutexLock lock(mutex);
      if (telling || turns.empty()) return;
      telling = true;
    }
    broadcaster.Post([self = shared_from_this()] { return self->TellSome(); });
  }

  void Match(const std::string& tenant, Item& item) REQUIRES(mutex) {
    item.matched = true;
    item.readers = item.change == nullptr
                       ? readers.Since(tenant, item.reading, item.to_all)
                       : readers.Find({.tenant = tenant,
                                       .job_id = item.change->job_id,
                                       .labels = item.labels ? &*item.labels : nullptr,
                                       .kind = item.kind,
                                       .state = item.state,
                                       .reading = item.reading});
  }

  // One tenant's turn: takes the next few of its line; returns how many were looked at.
  std::size_t TakeTurn(const std::string& tenant, Line& line, std::vector<Telling>& now)
      REQUIRES(mutex) {
    std::size_t looked = 0;
    while (!line.empty() && looked < limits::kWatchersTurnMax) {
      Item& item = line.front();
      if (!item.matched) Match(tenant, item);
      for (; item.told < item.readers.size() && looked < limits::kWatchersTurnMax; ++item.told) {
        ++looked;
        if (auto reader = item.readers[item.told].lock()) {
          now.push_back({std::move(reader), item.change, item.position});
        }
      }
      if (item.told < item.readers.size()) break;
      line.pop_front();
      --waiting;
      ++looked;
    }
    return looked;
  }

  // Tells the next few readers; returns whether some are left.
  bool TellSome() {
    std::vector<Telling> now;
    bool more = true;
    {
      MutexLock lock(mutex);
      for (std::size_t looked = 0; !turns.empty() && looked < limits::kWatchersSliceMax;) {
        const std::string tenant = std::move(turns.front());
        turns.pop_front();
        const auto line = lines.find(tenant);
        looked += TakeTurn(tenant, line->second, now);
        if (line->second.empty()) {
          lines.erase(line);
        } else {
          turns.push_back(tenant);
        }
      }
      more = telling = !turns.empty();
    }
    for (const Telling& one : now) {
      if (one.change != nullptr) {
        one.reader->OnChange(one.change);
      } else if (one.position != nullptr) {
        one.reader->OnPosition(one.position);
      } else {
        one.reader->OnLost();
      }
    }
    return more;
  }

  // Notes a version of this process's own. They are few between two readings of the feed.
  void Note(const jobs::JobRecord& record) REQUIRES(mutex) {
    if (known.size() >= limits::kFeedBacklogMax) known.clear();
    std::int64_t& version = known[{record.job.tenant, record.job.job_id}];
    version = std::max(version, record.version);
  }
};

Follower::Following& Follower::Following::operator=(Following&& other) noexcept {
  if (this != &other) {
    Reset();
    core_ = std::exchange(other.core_, {});
    id_ = std::exchange(other.id_, 0);
  }
  return *this;
}

void Follower::Following::Reset() {
  if (const auto core = std::exchange(core_, {}).lock()) core->Remove(id_);
}

Follower::Follower(jobs::Feed& feed, jobs::Hub& hub, const Clock& clock, Timers& timers,
                   WorkThread& broadcaster)
    : core_(std::make_shared<Core>(feed, hub, clock, timers, broadcaster)) {}

Follower::~Follower() { Stop(); }

void Follower::Stop() {
  MutexLock lock(core_->mutex);
  core_->stopped = true;
  core_->Rest();
}

void Follower::OnChange(const jobs::JobRecord& record, const jobs::SnapshotPtr& seen) {
  if (seen == nullptr) return;  // the feed says so
  {
    MutexLock lock(core_->mutex);
    if (!core_->readers.HasTenant(record.job.tenant)) return;
    // Both under one lock: who finds the version known must find the change in front of the
    // position that is told then.
    core_->Note(record);
    core_->PushChange(record.job);
  }
  core_->Tell();
}

void Follower::OnHiddenChange(const jobs::JobRecord& record) {
  MutexLock lock(core_->mutex);
  if (core_->readers.HasTenant(record.job.tenant)) core_->Note(record);
}

Follower::Following Follower::Follow(JobFilterPtr filter, std::weak_ptr<FeedReader> reader,
                                     std::function<void(absl::Status)> begun) {
  Following following;
  following.id_ = core_->Add(std::move(filter), std::move(reader), std::move(begun));
  following.core_ = core_;
  return following;
}

std::size_t Follower::readers() const {
  MutexLock lock(core_->mutex);
  return core_->readers.size();
}

}  // namespace gateway::watch
