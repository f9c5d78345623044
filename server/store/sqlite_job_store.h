// SqliteJobStore is the default store: one SQLite file, jobs.db, in a state directory that one
// process holds.
//
// Writes go through one thread that commits them in groups; each commit is flushed to disk before
// its callbacks run on that thread. Reads have three lanes (store/read_thread.h), for finds, lists
// and parts, so that a large read holds up only others of its kind; all reads see every write whose
// callback ran. Callbacks get the errors of jobs/store.h; RESOURCE_EXHAUSTED when a queue is full;
// INTERNAL STORE_FAILED when the file fails; and UNAVAILABLE after Close, then inside the call.
// Thread-safe.
#pragma once

#include "base/mutex.h"  // before Abseil, which defines macros of the same names

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "SQLiteCpp/Database.h"
#include "base/clock.h"
#include "base/limits.h"
#include "jobs/store.h"
#include "store/copyable.h"
#include "store/group_committer.h"
#include "store/open_mark.h"
#include "store/read_thread.h"
#include "store/state_lock.h"
#include "store/store_files.h"

namespace gateway::store {

struct SqliteOptions {
  std::string directory;  // created if missing, readable by this user only
  // Whether the jobs are the sandbox's. A store of one kind is never opened as the other.
  bool sandbox = false;
  // For a copy and not for a gateway: the store's mark (copy_mark.h) does not keep it out.
  bool copying = false;

  // Called once, on the writer's thread, when a commit failed or the files were found lost
  // (store_files.h): no later write is accepted, in the second case nothing is read either, and the
  // program should end. Must not call Close itself.
  std::function<void(absl::Status)> on_fatal;

  std::size_t write_queue_max = limits::kStoreQueueMax;
  std::size_t read_queue_max = limits::kStoreQueueMax;  // of each lane
  std::size_t group_max = limits::kStoreGroupMax;
  std::int64_t max_pages = 0;  // of 4 KiB in jobs.db; 0: unlimited
  std::int64_t tombstones_max = limits::kTombstonesMax;
  // How often the writer looks after its files while it has nothing to write.
  Duration look_every = std::chrono::seconds(1);

  // For tests: runs on the writer's thread before each commit, with the number of its writes. An
  // error makes the commit fail.
  std::function<absl::Status(std::size_t)> before_commit;
};

class SqliteJobStore final : public jobs::Store, public Copyable {
 public:
  // Blocks until the file is open and of the present schema. Errors name the file and a way out:
  // FAILED_PRECONDITION (held by another process, made by a newer program, made for the other of
  // sandbox and real, not a job store, not all that a killed one had stored), PERMISSION_DENIED,
  // RESOURCE_EXHAUSTED (disk full), DATA_LOSS (not readable as a database), INTERNAL.
  static absl::StatusOr<std::unique_ptr<SqliteJobStore>> Open(SqliteOptions options);

  ~SqliteJobStore() override;

  jobs::Sharing& sharing() override { return not_shared_; }
  void Begin(jobs::JobRecord record, Callback<jobs::BeginResult> done) override;
  void Update(jobs::JobRecord record, std::vector<pictory::JobResult::Part> parts,
              Done done) override;
  void Adopt(jobs::JobRecord record, Done done) override;
  void TakeOver(jobs::JobRecord record, std::int64_t adopted_version,
                Callback<std::string> done) override;
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
  void KeepHints(jobs::JobKey job, std::vector<std::string> pictory_job_ids, Done done) override;
  void Claim(jobs::OwedAnswers::Claim claim, Callback<bool> done) override;
  void EndEpoch(std::vector<jobs::OwedJob> owed, Done done) override;
  void NoteAsked(std::string account, jobs::Asked asked, Done done) override;
  void Delete(jobs::JobRecord record, Done done) override;
  void Prune(jobs::PruneQuery query, Callback<std::vector<jobs::JobKey>> done) override;
  void Renew(Callback<jobs::Holding> done) override;
  void ReadShards(std::vector<std::int32_t> shards, std::function<void(jobs::JobRecord)> take,
                  Done done) override;
  void FindFeedEnd(Callback<std::string> done) override;
  void ReadFeed(std::string position, int limit, Callback<jobs::FeedPage> done) override;
  absl::StatusOr<jobs::Recovered> Recover(WallTime now) override;
  absl::Status ReadUnfinished(const std::function<void(jobs::JobRecord)>& take) override;
  void ReadNotifying(std::vector<std::int32_t> shards, TakeName take, Done done) override;
  void ReadArchiving(std::vector<std::int32_t> shards, TakeName take, Done done) override;

  absl::StatusOr<std::string> ReadStoreId() override;
  absl::StatusOr<CopyCounts> Count() override;
  absl::StatusOr<CopiedRest> ReadRest() override;
  absl::StatusOr<std::vector<CopiedJob>> ReadJobs(const jobs::JobKey& after) override;
  absl::StatusOr<std::vector<CopiedSlice>> ReadSlices(const jobs::JobKey& job, int part,
                                                      std::int64_t after_slice) override;
  absl::StatusOr<std::vector<jobs::JobKey>> FindSlices(const jobs::JobKey& after,
                                                       const jobs::JobKey& last) override;
  absl::StatusOr<std::optional<CopyMark>> ReadMark() override;
  absl::Status SetMark(const std::optional<CopyMark>& mark) override;
  absl::Status Clear(const std::optional<CopyMark>& mark) override;
  absl::Status WriteSlices(std::vector<CopiedSlice> slices) override;
  absl::Status WriteJobs(std::vector<CopiedJob> jobs) override;
  absl::Status WriteRest(CopiedRest rest) override;

  // Closes as Store says; it also folds the write-ahead log into jobs.db and gives up the
  // directory. If the store has failed or its files are lost, everything is left as a kill would
  // leave it. Close may be called twice, but not from a callback.
  void Close() override;

  // Whether there was no store in the directory before.
  bool created() const { return created_; }

  struct Stats {
    std::uint64_t commits = 0;
    Duration commit_time{};  // of all of them together
    std::size_t writes_queued = 0;
  };
  Stats stats() const;

 private:
  // What Open has taken hold of, in this order.
  struct Opened {
    std::unique_ptr<StateLock> lock;
    std::unique_ptr<StoreFiles> files;
    std::unique_ptr<SQLite::Database> writing;
    std::unique_ptr<SQLite::Database> finds;
    std::unique_ptr<SQLite::Database> lists;
    std::unique_ptr<SQLite::Database> parts;
    OpenMark mark;
    bool created = false;
  };
  static absl::StatusOr<Opened> OpenFiles(const SqliteOptions& options);
  SqliteJobStore(Opened opened, SqliteOptions options);
  // Reads on the caller's thread.
  absl::Status ReadOnce(const std::function<void(JobReads&)>& read);
  void NoteLoss();
  bool FoldAtEnd() REQUIRES(close_mutex_);

  struct LargeUpdate;
  // Posts the next slices of its parts, or at the end its record; the rest follows from there.
  void Continue(std::shared_ptr<LargeUpdate> update);

  // Of a copy: runs `query` on a connection of its own, and `apply` as a write.
  template <class T, class Query>
  absl::StatusOr<T> ReadToCopy(Query query);
  absl::Status WriteToCopy(std::function<void(SQLite::Database&)> apply);

  template <class T, class Query>
  void Read(ReadThread& lane, Query query, Callback<T> done);
  std::array<ReadThread*, 3> Lanes() { return {&finds_, &lists_, &parts_}; }

  jobs::NotShared not_shared_;
  const std::string directory_;
  const bool created_;
  const OpenMark mark_;
  std::atomic<std::int64_t> epoch_{0};  // of Recover
  Mutex close_mutex_;
  std::unique_ptr<StateLock> lock_ GUARDED_BY(close_mutex_);  // null once closed
  std::unique_ptr<StoreFiles> files_;                         // the writer's until it is closed
  std::unique_ptr<SQLite::Database> db_;                      // as well; null once closed
  std::unique_ptr<SQLite::Database> copying_;                 // null until a copy reads
  ReadThread finds_;
  ReadThread lists_;
  ReadThread parts_;
  GroupCommitter writer_;  // last: its thread uses the others
};

}  // namespace gateway::store
