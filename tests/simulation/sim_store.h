// A store that survives the gateway's crashes: a disk, and a writer that commits in groups some
// time after it was asked.
//
// What was acknowledged is on the disk. Of what was not, a crash keeps some, in order, and loses
// the rest: like a process killed around its commit. Reads see what is committed. Single-threaded.
#pragma once

#include <deque>
#include <functional>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "simulation/sim_clock.h"
#include "store/memory_job_store.h"

namespace gateway::simulation {

// Promises of a store that can be broken on purpose.
struct StoreBugs {
  bool loses_last_commits = false;      // acknowledged, and gone after a crash
  bool acknowledges_early = false;      // an update, before it is committed
  bool forgets_what_was_sent = false;   // a restart takes SENDING for NOT_SENT
  bool deletes_the_request_id = false;  // a deleted job leaves nothing behind
  bool forgets_what_is_owed = false;    // a restart takes every answer for one that has arrived
  bool forgets_hints = false;           // what a webhook call said is gone after a crash
  bool keeps_adopted_apart = false;     // an adopted job is never taken over
  bool ignores_versions = false;        // of two who change a record, the last one wins
  bool calls_busy_failed = false;       // what is refused for a moment is refused for ever
  bool forgets_silence = false;  // a restart believes that Pictory could be asked all the time
};

class SimStore final : public jobs::Store {
 public:
  SimStore(ProcessClock& clock, std::mt19937_64& random, StoreBugs bugs)
      : clock_(clock), random_(random), bugs_(bugs) {}

  // The process is gone: what was not committed may or may not be on the disk.
  void Crash();
  // Called once, when the next write is handed in: the moment to be killed in.
  void OnNextWrite(std::function<void()> then) { next_write_ = std::move(then); }
  // From now on every commit fails, as on a full disk; `fatal` is told once.
  void FailCommits(std::function<void()> fatal) { fatal_ = std::move(fatal); }
  // For so long it refuses most writes, as one whose queue is full.
  void BeBusy(Duration how_long) { busy_until_ = clock_.Now() + how_long; }
  bool is_busy() const { return clock_.Now() < busy_until_; }
  // What the disk holds, for the checks.
  jobs::Store& disk() { return disk_; }

  void Begin(jobs::JobRecord record, Callback<jobs::BeginResult> done) override;
  void Update(jobs::JobRecord record, std::vector<pictory::JobResult::Part> parts,
              Done done) override;
  void Adopt(jobs::JobRecord record, Done done) override;
  void TakeOver(jobs::JobRecord record, std::int64_t adopted_version,
                Callback<std::string> done) override;
  void KeepHints(jobs::JobKey job, std::vector<std::string> pictory_job_ids, Done done) override;
  void Claim(jobs::OwedAnswers::Claim claim, Callback<bool> done) override;
  void EndEpoch(std::vector<jobs::OwedJob> owed, Done done) override;
  void NoteAsked(std::string account, jobs::Asked asked, Done done) override;
  void Delete(jobs::JobRecord record, Done done) override;
  void Prune(jobs::PruneQuery query, Callback<std::vector<jobs::JobKey>> done) override;
  void Find(std::string tenant, std::string name,
            Callback<std::optional<jobs::JobRecord>> done) override;
  void FindMany(std::vector<jobs::JobKey> keys,
                Callback<std::vector<jobs::JobRecord>> done) override;
  void FindRequest(std::string tenant, std::string request_id,
                   Callback<std::optional<jobs::JobRecord>> done) override;
  void FindOwner(std::string account, std::string pictory_job_id,
                 Callback<std::optional<std::string>> done) override;
  void FindToken(std::string token, Callback<std::optional<jobs::JobRecord>> done) override;
  void FindWithoutRequestId(std::string tenant, std::string fingerprint,
                            jobs::RetryEvidence evidence, WallTime since,
                            Callback<std::optional<jobs::JobRecord>> done) override;
  void List(std::string tenant, jobs::ListQuery query,
            Callback<std::vector<jobs::JobRecord>> done) override;
  void ReadPart(std::string tenant, std::string job_id, jobs::v1::ResultPart part,
                std::int64_t offset, std::int64_t max_bytes,
                Callback<jobs::PartChunk> done) override;
  void Renew(Callback<jobs::Holding> done) override;
  void ReadShards(std::vector<std::int32_t> shards, std::function<void(jobs::JobRecord)> take,
                  Done done) override;
  void FindFeedEnd(Callback<std::string> done) override;
  void ReadFeed(std::string position, int limit, Callback<jobs::FeedPage> done) override;
  absl::StatusOr<jobs::Recovered> Recover(WallTime now) override;
  absl::Status ReadUnfinished(const std::function<void(jobs::JobRecord)>& take) override;
  void ReadNotifying(std::vector<std::int32_t> shards, TakeName take, Done done) override;
  void ReadArchiving(std::vector<std::int32_t> shards, TakeName take, Done done) override;
  void Close() override {}
  jobs::Sharing& sharing() override { return not_shared_; }

 private:
  // Applies itself to the disk when called, and gives back what tells the caller.
  using Write = std::function<std::function<void()>()>;
  using Refuse = std::function<void(const absl::Status&)>;

  void Post(Write write, Refuse refuse);
  void CommitGroup();
  template <class T, class Ask>
  void Read(Ask ask, Callback<T> done);
  Duration Between(Duration least, Duration most);

  struct Pending {
    Write write;  // null: it is refused, in its turn
    Refuse refuse;
  };

  jobs::NotShared not_shared_;
  ProcessClock& clock_;
  std::mt19937_64& random_;
  const StoreBugs bugs_;
  store::MemoryJobStore disk_;
  std::deque<Pending> queue_;
  bool committing_ = false;
  MonoTime busy_until_ = MonoTime::min();
  std::set<std::pair<std::string, std::string>> begun_;  // tenants and request ids ever seen
  std::function<void()> fatal_;
  std::function<void()> next_write_;
  // How the records of the last commits were before, for loses_last_commits.
  std::vector<std::pair<MonoTime, jobs::JobRecord>> before_;

  void Remember(const jobs::JobRecord& record);
  void LoseLastCommits();
};

}  // namespace gateway::simulation
