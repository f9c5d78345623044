// SharedStore is one process's way to a store that several processes share. The jobs are in one
// MemoryJobStore, the leases go by a clock of the test's, and submits are counted by it as
// jobs/shared_spending.h says: SharedDisk has all three.
//
// A test can have a process lose the store (Away), and can stop its callbacks (a process that is
// gone does not hear of anything).
#pragma once

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/errors.h"
#include "base/limits.h"
#include "jobs/restart.h"
#include "store/memory_job_store.h"
#include "support/counted_submits.h"
#include "support/fake_clock.h"

namespace gateway::test {

struct SharedDisk {
  struct Process {
    std::int64_t epoch = 0;
    MonoTime until{};
    bool leaves = false;
  };
  struct Shard {
    std::string owner;
    std::int64_t epoch = 0;
  };

  explicit SharedDisk(const FakeClock& c) : clock(c) {}

  const FakeClock& clock;
  store::MemoryJobStore jobs;
  std::map<std::string, Process> processes;
  std::vector<Shard> shards = std::vector<Shard>(limits::kShards);
  std::int64_t last_epoch = 0;
  std::map<std::string, bool> stopped_by;  // each process as it said last

  CountedSubmits counted;
};

class SharedStore final : public jobs::Store, public jobs::Sharing {
 public:
  SharedStore(SharedDisk& disk, std::string name) : disk_(disk), name_(std::move(name)) {}

  // While it is away each call gets UNAVAILABLE.
  void SetAway(bool away) { away_ = away; }
  // Only who asks for hints gets it.
  void RefuseHints(bool refuses) { refuses_hints_ = refuses; }

  // How often it was asked to.
  int prunes() const { return prunes_; }

  jobs::Sharing& sharing() override { return *this; }
  bool shared() const override { return true; }

  void LimitWith(jobs::SubmitLimitsOf limits_of) override { limits_of_ = std::move(limits_of); }
  void Begin(jobs::JobRecord record, Callback<jobs::BeginResult> done) override {
    if (Refuse(done)) return;
    bool known = false;
    disk_.jobs.FindRequest(record.job.tenant, record.job.request_id, [&](const auto& found) {
      known = found.ok() && found->has_value() &&
              (*found)->submission != jobs::SubmissionState::kNotSent;
    });
    if (!known && Limits(record, done)) return;
    disk_.jobs.Begin(std::move(record), [this, done](absl::StatusOr<jobs::BeginResult> begun) {
      if (begun.ok() && begun->begun) Count(begun->record);
      done(std::move(begun));
    });
  }
  void Update(jobs::JobRecord record, std::vector<pictory::JobResult::Part> parts,
              Done done) override {
    if (Refuse(done)) return;
    if (jobs::IsSentAfterWaiting(record) && Limits(record, done)) return;
    done = Counting(record, std::move(done));
    if (hold_update_ != nullptr) {
      std::function<void()>* const answer = std::exchange(hold_update_, nullptr);
      done = [answer, done = std::move(done)](const absl::Status& stored) {
        *answer = [done, stored] { done(stored); };
      };
    }
    disk_.jobs.Update(std::move(record), std::move(parts), std::move(done));
  }
  void Adopt(jobs::JobRecord record, Done done) override {
    if (!Refuse(done)) disk_.jobs.Adopt(record, Counting(record, std::move(done)));
  }
  void TakeOver(jobs::JobRecord record, std::int64_t adopted_version,
                Callback<std::string> done) override {
    if (Refuse(done)) return;
    disk_.jobs.TakeOver(record, adopted_version,
                        [this, record, done](absl::StatusOr<std::string> adopted) {
                          if (adopted.ok()) {
                            Count(record);
                            disk_.counted.Forget({record.job.tenant, *adopted});
                          }
                          done(std::move(adopted));
                        });
  }
  void FindSpent(std::optional<std::string> tenant,
                 Callback<std::vector<jobs::SpentTotal>> done) override {
    if (Refuse(done)) return;
    done(disk_.counted.Totals(tenant, disk_.clock.WallNow()));
  }
  void FindRequest(std::string tenant, std::string request_id,
                   Callback<std::optional<jobs::JobRecord>> done) override {
    if (!Refuse(done)) {
      disk_.jobs.FindRequest(std::move(tenant), std::move(request_id), std::move(done));
    }
  }
  void FindToken(std::string token, Callback<std::optional<jobs::JobRecord>> done) override {
    if (!Refuse(done)) disk_.jobs.FindToken(std::move(token), std::move(done));
  }
  void FindWithoutRequestId(std::string tenant, std::string fingerprint,
                            jobs::RetryEvidence evidence, WallTime since,
                            Callback<std::optional<jobs::JobRecord>> done) override {
    if (!Refuse(done)) {
      disk_.jobs.FindWithoutRequestId(std::move(tenant), std::move(fingerprint),
                                      std::move(evidence), since, std::move(done));
    }
  }
  void FindEqual(jobs::EqualQuery query, Callback<std::vector<jobs::JobRecord>> done) override {
    if (Refuse(done)) return;
    if (hold_find_equal_ == nullptr) {
      return disk_.jobs.FindEqual(std::move(query), std::move(done));
    }
    disk_.jobs.FindEqual(std::move(query), Later<std::vector<jobs::JobRecord>>(
                                               std::exchange(hold_find_equal_, nullptr), done));
  }
  void KeepHints(jobs::JobKey job, std::vector<std::string> pictory_job_ids, Done done) override {
    if (Refuse(done)) return;
    hinted_.push_back(job);
    disk_.jobs.KeepHints(std::move(job), std::move(pictory_job_ids), std::move(done));
  }
  void FindHints(jobs::JobKey job, Callback<std::vector<std::string>> done) override {
    if (away_ || refuses_hints_) return done(errors::StoreAway(limits::kStoreRetryAfter));
    disk_.jobs.FindHints(std::move(job), std::move(done));
  }
  void Nudge(jobs::JobKey job, Done done) override {
    if (Refuse(done)) return;
    hinted_.push_back(std::move(job));
    done(absl::OkStatus());
  }
  absl::StatusOr<std::string> ShareSecret(const std::string&, std::string made) override {
    return made;  // it keeps none
  }
  void SetStopped(bool stopped, Done done) override {
    if (Refuse(done)) return;
    disk_.stopped_by[name_] = stopped;
    done(absl::OkStatus());
  }
  void Claim(jobs::OwedAnswers::Claim claim, Callback<bool> done) override {
    if (!Refuse(done)) disk_.jobs.Claim(std::move(claim), std::move(done));
  }
  void Find(std::string tenant, std::string name,
            Callback<std::optional<jobs::JobRecord>> done) override {
    if (Refuse(done)) return;
    if (hold_find_ == nullptr) {
      return disk_.jobs.Find(std::move(tenant), std::move(name), std::move(done));
    }
    disk_.jobs.Find(
        std::move(tenant), std::move(name),
        Later<std::optional<jobs::JobRecord>>(std::exchange(hold_find_, nullptr), done));
  }
  void FindMany(std::vector<jobs::JobKey> keys,
                Callback<std::vector<jobs::JobRecord>> done) override {
    if (std::exchange(goes_away_, false)) away_ = true;
    if (Refuse(done)) return;
    if (hold_find_many_ == nullptr) return disk_.jobs.FindMany(std::move(keys), std::move(done));
    disk_.jobs.FindMany(std::move(keys), Later<std::vector<jobs::JobRecord>>(
                                             std::exchange(hold_find_many_, nullptr), done));
  }
  void FindOwner(std::string account, std::string pictory_job_id,
                 Callback<std::optional<std::string>> done) override {
    if (!Refuse(done)) {
      disk_.jobs.FindOwner(std::move(account), std::move(pictory_job_id), std::move(done));
    }
  }
  void List(std::string tenant, jobs::ListQuery query,
            Callback<std::vector<jobs::JobRecord>> done) override {
    if (!Refuse(done)) disk_.jobs.List(std::move(tenant), std::move(query), std::move(done));
  }
  void ReadPart(std::string tenant, std::string job_id, jobs::v1::ResultPart part,
                std::int64_t offset, std::int64_t max_bytes,
                Callback<jobs::PartChunk> done) override {
    if (!Refuse(done)) {
      disk_.jobs.ReadPart(std::move(tenant), std::move(job_id), part, offset, max_bytes,
                          std::move(done));
    }
  }
  void Delete(jobs::JobRecord record, Done done) override {
    if (!Refuse(done)) disk_.jobs.Delete(record, Counting(record, std::move(done)));
  }
  void Prune(jobs::PruneQuery query, Callback<std::vector<jobs::JobKey>> done) override {
    ++prunes_;
    if (!Refuse(done)) disk_.jobs.Prune(query, std::move(done));
  }
  void NoteAsked(std::string account, jobs::Asked asked, Done done) override {
    if (!Refuse(done)) disk_.jobs.NoteAsked(std::move(account), asked, std::move(done));
  }
  void FindFeedEnd(Callback<std::string> done) override {
    if (!Refuse(done)) disk_.jobs.FindFeedEnd(std::move(done));
  }
  void ReadFeed(std::string position, int limit, Callback<jobs::FeedPage> done) override {
    if (Refuse(done)) return;
    if (forgotten_ == position) return done(jobs::FeedForgotten());
    position_ = position;
    disk_.jobs.ReadFeed(std::move(position), limit,
                        [this, done = std::move(done)](absl::StatusOr<jobs::FeedPage> page) {
                          if (page.ok()) page->sharers = Sharers();
                          for (const auto& [process, stops] : disk_.stopped_by) {
                            if (page.ok() && stops) page->stopped_by = process;
                          }
                          done(std::move(page));
                        });
  }
  void EndEpoch(std::vector<jobs::OwedJob>, Done done) override { done(absl::OkStatus()); }

  void Renew(Callback<jobs::Holding> done) override {
    if (Refuse(done)) return;
    const MonoTime now = disk_.clock.Now();
    disk_.processes[name_] = {epoch_, now + limits::kStoreLease, leaves_};
    const auto lives = [&](const std::string& name) {
      const auto found = disk_.processes.find(name);
      return found != disk_.processes.end() && found->second.until > now;
    };
    jobs::Holding holding;
    holding.processes = static_cast<int>(
        std::count_if(disk_.processes.begin(), disk_.processes.end(),
                      [&](const auto& process) { return process.second.until > now; }));
    const int sharing = Sharers();
    const int part = sharing == 0 ? limits::kShards : (limits::kShards + sharing - 1) / sharing;
    const auto share = static_cast<std::size_t>(leaves_ && sharing > 0 ? 0 : part);
    const auto own = [this](const SharedDisk::Shard& shard) { return shard.owner == name_; };
    auto held =
        static_cast<std::size_t>(std::count_if(disk_.shards.begin(), disk_.shards.end(), own));
    for (SharedDisk::Shard& shard : disk_.shards) {
      if (held > share && own(shard)) {
        shard.owner.clear();
        --held;
      } else if (held < share && !lives(shard.owner)) {
        shard = {name_, shard.epoch + 1};
        ++held;
      }
    }
    for (std::int32_t place = 0; place < limits::kShards; ++place) {
      const SharedDisk::Shard& shard = disk_.shards[static_cast<std::size_t>(place)];
      if (own(shard)) {
        holding.leases.push_back({.shard = place,
                                  .epoch = shard.epoch,
                                  .until = disk_.clock.BootNow() + limits::kStoreLease});
      }
    }
    done(std::move(holding));
  }

  void Leave() override { leaves_ = true; }

  void ReadShards(std::vector<std::int32_t> shards, std::function<void(jobs::JobRecord)> take,
                  Done done) override {
    if (!Refuse(done)) disk_.jobs.ReadShards(std::move(shards), std::move(take), std::move(done));
  }

  void ReadNotifying(std::vector<std::int32_t> shards, TakeName take, Done done) override {
    if (!Refuse(done)) {
      disk_.jobs.ReadNotifying(std::move(shards), std::move(take), std::move(done));
    }
  }
  void ReadArchiving(std::vector<std::int32_t> shards, TakeName take, Done done) override {
    if (!Refuse(done)) {
      disk_.jobs.ReadArchiving(std::move(shards), std::move(take), std::move(done));
    }
  }

  // Nothing of others is ended by it.
  absl::StatusOr<jobs::Recovered> Recover(WallTime) override {
    jobs::Recovered recovered;
    recovered.epoch = epoch_ = ++disk_.last_epoch;
    return recovered;
  }
  absl::Status ReadUnfinished(const std::function<void(jobs::JobRecord)>& take) override {
    return disk_.jobs.ReadUnfinished(take);
  }
  // Gives the leases back.
  void Close() override { disk_.processes.erase(name_); }

  // What changed since the last reading of the feed is forgotten, for this process.
  void ForgetFeed() { forgotten_ = position_; }
  // The next FindMany gets UNAVAILABLE, as do all calls until SetAway(false).
  void GoAwayInFindMany() { goes_away_ = true; }
  // The next answer is what the store says when it is asked, and comes when `*answer` is called.
  void HoldFind(std::function<void()>* answer) { hold_find_ = answer; }
  void HoldFindMany(std::function<void()>* answer) { hold_find_many_ = answer; }
  void HoldFindEqual(std::function<void()>* answer) { hold_find_equal_ = answer; }
  // The next update is stored, and its answer comes when `*answer` is called.
  void HoldUpdate(std::function<void()>* answer) { hold_update_ = answer; }

  // The jobs that KeepHints and Nudge have told of.
  const std::vector<jobs::JobKey>& hinted() const { return hinted_; }

 private:
  int Sharers() const {
    return static_cast<int>(
        std::count_if(disk_.processes.begin(), disk_.processes.end(), [this](const auto& process) {
          return process.second.until > disk_.clock.Now() && !process.second.leaves;
        }));
  }
  bool Refuse(const auto& done) const {
    if (away_) done(errors::StoreAway(limits::kStoreRetryAfter));
    return away_;
  }

  // Whether the submit passes a limit; then that is its answer.
  bool Limits(const jobs::JobRecord& record, const auto& done) const {
    if (!limits_of_) return false;
    absl::Status may =
        disk_.counted.MayBe(record, limits_of_(record.job.tenant), disk_.clock.WallNow());
    if (!may.ok()) done(may);
    return !may.ok();
  }
  void Count(const jobs::JobRecord& record) { disk_.counted.Count(record, disk_.clock.WallNow()); }
  Done Counting(jobs::JobRecord record, Done done) {
    return [this, record = std::move(record), done = std::move(done)](absl::Status stored) {
      if (stored.ok()) Count(record);
      done(std::move(stored));
    };
  }

  template <class T>
  static Callback<T> Later(std::function<void()>* answer, Callback<T> done) {
    return [answer, done = std::move(done)](const absl::StatusOr<T>& found) {
      *answer = [done, found] { done(found); };
    };
  }

  SharedDisk& disk_;
  jobs::SubmitLimitsOf limits_of_;
  std::function<void()>* hold_find_ = nullptr;
  std::function<void()>* hold_find_many_ = nullptr;
  std::function<void()>* hold_find_equal_ = nullptr;
  std::function<void()>* hold_update_ = nullptr;
  const std::string name_;
  std::int64_t epoch_ = 0;
  bool away_ = false;
  bool refuses_hints_ = false;
  int prunes_ = 0;
  bool leaves_ = false;
  bool goes_away_ = false;
  std::string position_;   // in the feed, that was read from last
  std::string forgotten_;  // from which it cannot be read any more
  std::vector<jobs::JobKey> hinted_;
};

}  // namespace gateway::test
