// An Archiver has the files of finished jobs kept, one job at a time in each of its places, in the
// background, until all of them are archived or given up.
//
// What is to be kept stands in the job's record (jobs/archive_plan.h), so a restart takes it up
// again. Nothing that happens here changes a job but its `archive`. Of each job only the name is in
// memory while it waits, and new links if Pictory had to be asked for them: that is done once for a
// job, when a link of its result is refused for the first time.
//
// Of the processes that share a store the one that has a job's shard (jobs/shards.h) archives it.
//
// Thread-safe; no call blocks. What is passed to the constructor must outlive it and, after Stop(),
// the calls in flight.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "archive/disk.h"
#include "base/clock.h"
#include "base/limits.h"
#include "base/mutex.h"
#include "base/next_call.h"
#include "base/random.h"
#include "jobs/fresh_links.h"
#include "jobs/ledger.h"
#include "jobs/shards.h"
#include "jobs/store.h"

namespace gateway::archive {

// What an Archiver has done by others. `keep`, `drop`, `move` and `remove` block.
struct ArchiverHands {
  // See Keeper.
  std::function<absl::StatusOr<WholeFile>(const jobs::JobKey& job, const std::string& name,
                                          const std::string& url, const std::atomic<bool>& stop)>
      keep;
  std::function<void(const jobs::JobKey& job, const std::string& name)> drop;
  // See Disk::Move.
  std::function<absl::Status(const jobs::JobKey& from, const jobs::JobKey& to)> move;
  // See Disk::Remove.
  std::function<absl::Status(const jobs::JobKey& job)> remove;
  // See jobs::AskForLinks.
  std::function<void(const jobs::Job& job, std::function<void(jobs::FreshLinks)> done)> ask;
  // Runs the work on the thread of this place, 0 to `places`; the last is for removals.
  std::function<void(int place, std::function<void()> work)> run;
};

// For logs; each may be empty.
struct ArchiverEvents {
  // All files of the job are archived or given up.
  std::function<void(const jobs::Job& job, const jobs::v1::Archive& archive)> ended{};
  // Something new went wrong with a file.
  std::function<void(const jobs::Job& job, const jobs::v1::ArchivedFile& file,
                     const absl::Status& why)>
      troubled{};
};

struct ArchiverOptions {
  int places = limits::kArchiveTransfers;  // jobs whose files are fetched at once
};

class Archiver {
 public:
  Archiver(ArchiverOptions options, ArchiverHands hands, const jobs::Shards& shards,
           jobs::Ledger& ledger, jobs::Jobs& jobs, const Clock& clock, Timers& timers,
           Random& random, ArchiverEvents events);
  Archiver(const Archiver&) = delete;
  Archiver& operator=(const Archiver&) = delete;

  // Begins; until then nothing is done but to remove.
  void Start();
  // Takes up a job that was archiving when a process ended, or lost its shard.
  void Follow(const jobs::ShardJob& job);
  // Fetches no more for jobs whose shard has gone.
  void DropLost();
  // An observer of the ledger, for what any process changes.
  void OnChange(const jobs::JobRecord& record);
  // Fetches nothing any more for a job that another has taken over, with its files.
  void Dismiss(const jobs::JobKey& job);
  // Removes the files of a job, and fetches none any more. `done` may be empty.
  void Remove(const jobs::JobKey& job, std::function<void(absl::Status)> done);
  // Removes what is kept of jobs that nobody knows any more: those of `found` that the store does
  // not have and that were created before `before`. Younger ones stay, because the store may be the
  // wrong one.
  void Sweep(std::vector<jobs::JobKey> found, WallTime before);
  // Begins nothing after this, and ends what is under way soon.
  void Stop();

  std::size_t waiting() const;  // jobs that are archiving
  struct Counts {
    std::atomic<std::uint64_t> archived{0};  // files
    std::atomic<std::uint64_t> bytes{0};     // of them
    std::atomic<std::uint64_t> failed{0};    // files given up
    std::atomic<std::uint64_t> retried{0};   // attempts that will be repeated
  };
  const Counts& counts() const { return counts_; }

 private:
  struct Entry {
    std::int32_t shard = 0;
    MonoTime due{};
    int failures = 0;                           // in a row
    bool busy = false;                          // in a place; then it is not in `due_`
    std::string links{};                        // see Turn
    std::shared_ptr<std::atomic<bool>> stop{};  // of a busy one
    bool dismissed = false;                     // and a busy one ends with this turn
    bool lost = false;                          // the same, with its shard
    bool removed = false;                       // and files of a busy one go when it ends
    std::map<std::string, MonoTime> failed{};   // see Turn
    std::vector<std::function<void(absl::Status)>> removals{};
  };
  // A job in a place.
  struct Turn {
    jobs::JobKey key;
    int place = 0;
    std::shared_ptr<std::atomic<bool>> stop;
    // The result as Pictory has given it anew (Job::result_wire), because a link of the record's
    // was refused; empty: it has not.
    std::string links{};
    // When the last attempt of a file, by its field, failed, unless our own disk was to blame.
    std::map<std::string, MonoTime> failed{};
    // What is known of files that were tried.
    std::vector<jobs::v1::ArchivedFile> news{};
    // The jobs that were taken over whose files stand under this one's name now.
    std::set<std::string> brought{};
  };
  using TurnPtr = std::shared_ptr<Turn>;

  // A file whose link was refused.
  struct Refused {
    jobs::v1::ArchivedFile file;
    absl::Status why;
  };

  void Pump();
  void Begin(const TurnPtr& turn);
  void Work(const TurnPtr& turn, const jobs::JobRecord& record);
  bool Bring(Turn& turn, const jobs::v1::Archive& archive);
  void Ask(const TurnPtr& turn, const jobs::JobRecord& record, std::vector<Refused> refused);
  void WorkAgain(const TurnPtr& turn, const jobs::JobRecord& record,
                 const std::vector<Refused>& refused, jobs::FreshLinks fresh);
  static std::string LinkOf(const Turn& turn, const jobs::Job& job,
                            const jobs::v1::ArchivedFile& file);
  absl::StatusOr<WholeFile> Keep(const Turn& turn, const jobs::Job& job,
                                 const jobs::v1::ArchivedFile& file);
  void NoteFailure(Turn& turn, jobs::v1::ArchivedFile& file, const absl::Status& why);
  void NoteKept(Turn& turn, const jobs::Job& job, jobs::v1::ArchivedFile file,
                const absl::StatusOr<WholeFile>& kept);
  void Store(const TurnPtr& turn, jobs::JobRecord record);
  void End(const TurnPtr& turn, bool again);
  void RemoveNow(const jobs::JobKey& job, std::vector<std::function<void(absl::Status)>> done);
  void SweepNext(const std::shared_ptr<std::vector<jobs::JobKey>>& left);

  const ArchiverOptions options_;
  const ArchiverHands hands_;
  const jobs::Shards& shards_;
  jobs::Ledger& ledger_;
  jobs::Jobs& jobs_;
  const Clock& clock_;
  Random& random_;
  const ArchiverEvents events_;
  Counts counts_;

  mutable Mutex mutex_;
  std::map<jobs::JobKey, Entry> entries_ GUARDED_BY(mutex_);
  std::set<std::pair<MonoTime, jobs::JobKey>> due_ GUARDED_BY(mutex_);
  std::vector<int> idle_ GUARDED_BY(mutex_);
  bool started_ GUARDED_BY(mutex_) = false;
  bool stopped_ GUARDED_BY(mutex_) = false;
  NextCall next_;
};

}  // namespace gateway::archive
