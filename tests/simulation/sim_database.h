// A database that several gateways share, as PostgreSQL is: the jobs, the gateways' leases by the
// database's own clock, shards with epochs, and the feed. It can be away, be taken over by its
// standby, be cut off from one gateway, and forget old changes. Single-threaded.
//
// It has fewer shards than the real one, so that a renewal costs little.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "simulation/sim_clock.h"
#include "simulation/umpire.h"
#include "store/memory_job_store.h"
#include "support/counted_submits.h"

namespace gateway::simulation {

// Promises of a shared database, and of the gateways' ways to it, that can be broken on purpose.
struct DatabaseBugs {
  bool grants_twice = false;          // who renews gets the shards of others as well
  bool endless_leases = false;        // a gateway is told that its lease ends in an hour
  bool keeps_shards = false;          // the shards of a gateway that is gone stay its own
  bool ends_living = false;           // attempts are ended of a gateway whose lease is just over
  bool leaves_attempts = false;       // attempts of gateways that are gone are never ended
  bool ignores_versions = false;      // of two who change a record, the last one wins
  bool own_request_ids = false;       // two gateways may have the same request_id each
  bool loses_told_commits = false;    // a standby that takes over lacks what was told last
  bool guesses_lost_answers = false;  // a commit whose answer is lost is told as failed
  bool feed_forgets = false;          // some changes are not in the feed
  bool gaps_untold = false;           // who asks for forgotten changes gets those after them
  bool own_hints = false;             // a hint is for the gateway that got it
  bool counts_one = false;            // a gateway is told that it is alone
  bool ignores_limits = false;        // submits begin whatever the limits are
};

class SimDatabase {
 public:
  SimDatabase(SimClock& clock, std::mt19937_64& random, DatabaseBugs bugs, Umpire& umpire)
      : clock_(clock), random_(random), bugs_(bugs), umpire_(umpire) {
    rows_.FindFeedEnd([this](const auto& end) { rows_position_ = *end; });
  }

  // How many of the shards there are.
  static constexpr std::int32_t kShards = 32;

  // For the gateways' ways to it.
  bool reachable(int gateway) const;
  const DatabaseBugs& bugs() const { return bugs_; }
  store::MemoryJobStore& rows() { return rows_; }
  jobs::Recovered Recover(int gateway, WallTime now);
  // `asked`: when the gateway has asked. `leaves`: see jobs::Sharing::Leave.
  jobs::Holding Renew(int gateway, BootTime asked, bool leaves);
  void Leave(int gateway);
  void SetStopped(int gateway, bool stopped);
  // To be called before a gateway writes. One that was declared gone has lost its session, and is
  // there again before it writes anything.
  void Join(int gateway);
  void NoteAsked(const std::string& account, jobs::Asked asked) { asked_[account] = asked; }
  // `limits_of` may be null: nothing is limited.
  absl::StatusOr<jobs::BeginResult> Begin(int gateway, jobs::JobRecord record,
                                          const jobs::SubmitLimitsOf& limits_of);
  absl::Status Update(jobs::JobRecord record, std::vector<pictory::JobResult::Part> parts,
                      const jobs::SubmitLimitsOf& limits_of = nullptr);
  std::vector<jobs::SpentTotal> FindSpent(const std::optional<std::string>& tenant) const {
    return counted_.Totals(tenant, clock_.WallNow());
  }
  absl::Status Adopt(jobs::JobRecord record);
  absl::StatusOr<std::string> TakeOver(jobs::JobRecord record, std::int64_t adopted_version);
  absl::Status Delete(jobs::JobRecord record);
  std::vector<jobs::JobKey> Prune(const jobs::PruneQuery& query);
  void Hint(const jobs::JobKey& job);
  std::string FeedEnd() const { return std::to_string(feed_begin_ + feed_.size()); }
  // Whether there is anything after the position, or it is none.
  bool HasNews(const std::string& position) const;
  absl::StatusOr<jobs::FeedPage> ReadFeed(const std::string& position, int limit);
  // Has `news` called after each change.
  void Listen(int gateway, std::function<void()> news) { listeners_[gateway] = std::move(news); }

  // For the world.
  void BeAway(Duration how_long);
  void Cut(int gateway, Duration how_long);
  // Its standby takes over.
  void FailOver(Duration away);
  void ForgetFeed();
  // No trouble from now on.
  void ClearUp();
  // Whether each shard is that of a gateway whose lease holds.
  bool AllHeld() const;
  std::int64_t epoch_of(int gateway) { return members_[gateway].epoch; }
  std::optional<jobs::JobRecord> FindRequest(const std::string& tenant, const std::string& id);

 private:
  struct Member {
    std::int64_t epoch = 0;  // of its attempts
    MonoTime lease_until{};
    bool gone = true;     // for so long that its attempts are ended
    bool shares = false;  // it takes shards
    bool leaves = false;  // it takes none while others do
    bool stops = false;   // the submits of all
    MonoTime cut_until{};
    MonoTime here_since{};
  };
  struct Shard {
    int owner = kNobody;
    std::int64_t epoch = 0;
  };
  static constexpr int kNobody = -1;

  static std::int32_t Place(std::int32_t shard) { return shard % kShards; }
  bool Lives(const Member& member) const { return member.lease_until > clock_.Now(); }
  void GiveUp(int gateway, MonoTime when, Duration slack);
  void DeclareGone(int gateway);
  // Ends the attempts of processes that are gone, in the shards of this gateway or in all.
  void EndLeft(int gateway, bool all, WallTime now);
  void Remember(const jobs::JobRecord& record);
  absl::Status CheckLimits(const jobs::JobRecord& record, const jobs::SubmitLimitsOf& limits_of);
  // Has versions count for nothing, if that is broken.
  void GiveUpVersion(jobs::JobRecord& record);
  // A record is stored as it is here.
  void Committed(const jobs::JobRecord& record);
  void Publish(jobs::FeedEntry entry);
  void Tell();
  void LoseLastCommits();

  SimClock& clock_;
  std::mt19937_64& random_;
  const DatabaseBugs bugs_;
  Umpire& umpire_;
  store::MemoryJobStore rows_;
  std::string rows_position_;  // in their own feed
  std::map<int, Member> members_;
  std::vector<Shard> shards_ = std::vector<Shard>(kShards);
  std::int64_t last_epoch_ = 0;
  std::set<jobs::JobKey> requests_;   // by request_id: all that there ever were
  std::set<jobs::JobKey> under_way_;  // of them, those with an attempt
  jobs::AskedOfAccounts asked_;
  test::CountedSubmits counted_;
  std::deque<jobs::FeedEntry> feed_;
  std::size_t feed_begin_ = 0;  // so many changes are forgotten
  std::map<int, std::function<void()>> listeners_;
  MonoTime away_until_{};
  MonoTime back_since_{};
  // How the records of the last commits were before, for loses_told_commits.
  struct Before {
    MonoTime when;
    jobs::JobKey request;
    jobs::JobRecord record;
  };
  std::deque<Before> before_;
};

}  // namespace gateway::simulation
