// MemoryJobStore is a store in memory, for tests and benches: its jobs are gone with the process.
// Callbacks run inside the call, after the lock is released. Thread-safe. After Close every call
// gets UNAVAILABLE.
#pragma once

#include "base/mutex.h"  // before Abseil, which defines macros of the same names

#include <deque>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/limits.h"
#include "base/random.h"
#include "jobs/store.h"

namespace gateway::store {

class MemoryJobStore : public jobs::Store {
 public:
  explicit MemoryJobStore(std::int64_t tombstones_max = limits::kTombstonesMax)
      : tombstones_max_(tombstones_max) {}

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
  void Close() override;

  jobs::Sharing& sharing() override { return not_shared_; }
  // As Sharing says, for tests whose stores share one of this.
  void FindEqual(jobs::EqualQuery query, Callback<std::vector<jobs::JobRecord>> done);
  void FindHints(jobs::JobKey job, Callback<std::vector<std::string>> done);

 private:
  using Key = std::pair<std::string, std::string>;         // tenant and a name
  using PictoryKey = std::pair<std::string, std::string>;  // Pictory's id and the account
  using Parts = std::map<jobs::v1::ResultPart, std::string>;

  // Runs `step` under the lock unless the store is closed.
  template <class T, class Step>
  absl::StatusOr<T> Locked(Step step) EXCLUDES(mutex_);

  void ReadNames(const std::vector<std::int32_t>& shards,
                 const std::function<bool(const jobs::JobRecord&)>& wanted, const TakeName& take,
                 const Done& done) EXCLUDES(mutex_);
  // ALREADY_EXISTS if another job than `self` has one of the record's names.
  absl::Status CheckNames(const jobs::JobRecord& record, const Key* self) const REQUIRES(mutex_);
  void Put(jobs::JobRecord record) REQUIRES(mutex_);
  // The record of this account's job; null if there is none.
  const jobs::JobRecord* OfPictory(const std::string& account,
                                   const std::string& pictory_job_id) const REQUIRES(mutex_);
  // NOT_FOUND if there is none to replace.
  absl::Status Replace(jobs::JobRecord record) REQUIRES(mutex_);
  // Returns the names of the job: its own, then its other ones.
  std::vector<jobs::JobKey> Drop(const Key& key) REQUIRES(mutex_);
  void Index(const jobs::JobRecord& record) REQUIRES(mutex_);
  void Unindex(const jobs::JobRecord& record) REQUIRES(mutex_);
  // Notes the record's last change in the feed.
  void Note(const Key& key, std::int32_t shard, std::int64_t version, bool gone) REQUIRES(mutex_);
  std::vector<jobs::OwedJob> Owed(WallTime now) REQUIRES(mutex_);
  absl::StatusOr<jobs::BeginResult> BeginLocked(jobs::JobRecord record) REQUIRES(mutex_);

  jobs::NotShared not_shared_;
  const std::int64_t tombstones_max_;
  Mutex mutex_;
  std::map<Key, jobs::JobRecord> records_ GUARDED_BY(mutex_);  // by job_id
  std::unordered_map<jobs::JobKey, Key> by_request_ GUARDED_BY(mutex_);
  std::map<PictoryKey, Key> by_pictory_id_ GUARDED_BY(mutex_);
  std::map<Key, std::string> aliases_ GUARDED_BY(mutex_);  // to job ids
  // The last change of each job, by its number, and the last changes of records that are gone.
  std::map<std::int64_t, jobs::FeedEntry> feed_ GUARDED_BY(mutex_);
  std::map<Key, std::int64_t> changes_ GUARDED_BY(mutex_);
  std::deque<std::int64_t> tombstones_ GUARDED_BY(mutex_);
  const std::string feed_id_ = RandomHex(8);
  std::int64_t change_ GUARDED_BY(mutex_) = 0;
  std::int64_t feed_begin_ GUARDED_BY(mutex_) = 0;  // deleted jobs up to here are forgotten
  std::map<Key, Parts> parts_ GUARDED_BY(mutex_);
  std::map<Key, std::int32_t> claims_ GUARDED_BY(mutex_);
  std::vector<jobs::Hint> hints_ GUARDED_BY(mutex_);
  std::int64_t epoch_ GUARDED_BY(mutex_) = 0;
  std::int64_t clean_epoch_ GUARDED_BY(mutex_) = 0;
  jobs::AskedOfAccounts asked_ GUARDED_BY(mutex_);
  bool closed_ GUARDED_BY(mutex_) = false;
};

}  // namespace gateway::store
