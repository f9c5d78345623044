// A JobStore in memory, for tests and benches: gone with the process. Callbacks run inside the
// call, after the lock is released. Thread-safe. After Close every call gets UNAVAILABLE.
#pragma once

#include "base/mutex.h"  // before Abseil, which defines macros of the same names

#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "jobs/store.h"

namespace gateway::store {

class MemoryJobStore : public jobs::JobStore {
 public:
  void Begin(jobs::JobRecord record, Callback<jobs::BeginResult> done) override;
  void Update(jobs::JobRecord record, std::vector<pictory::JobResult::Part> parts,
              Done done) override;
  void Adopt(jobs::JobRecord record, Done done) override;
  void Find(std::string tenant, std::string name,
            Callback<std::optional<jobs::JobRecord>> done) override;
  void FindRequest(std::string tenant, std::string request_id,
                   Callback<std::optional<jobs::JobRecord>> done) override;
  void FindOwner(std::string pictory_job_id, Callback<std::optional<std::string>> done) override;
  void FindToken(std::string token, Callback<std::optional<jobs::JobRecord>> done) override;
  void FindUnkeyed(std::string tenant, std::string fingerprint, jobs::RetryEvidence evidence,
                   WallTime since, Callback<std::optional<jobs::JobRecord>> done) override;
  void List(std::string tenant, jobs::ListQuery query,
            Callback<std::vector<jobs::JobRecord>> done) override;
  void ReadPart(std::string tenant, std::string job_id, jobs::v1::ResultPart part,
                std::int64_t offset, std::int64_t max_bytes,
                Callback<jobs::PartChunk> done) override;
  void KeepHints(jobs::JobKey job, std::vector<std::string> pictory_job_ids, Done done) override;
  void Claim(jobs::OwedAnswers::Claim claim, Callback<bool> done) override;
  void EndEpoch(std::vector<jobs::OwedJob> owed, Done done) override;
  void NoteAsked(jobs::Asked asked, Done done) override;
  void Bury(jobs::JobRecord record, Done done) override;
  void Prune(jobs::PruneQuery query, Callback<std::vector<jobs::JobKey>> done) override;
  absl::StatusOr<Recovered> Recover(WallTime now) override;
  absl::Status ReadUnfinished(const std::function<void(jobs::JobRecord)>& take) override;
  void Close() override;

 private:
  using Key = std::pair<std::string, std::string>;  // tenant and a name
  using Parts = std::map<jobs::v1::ResultPart, std::string>;

  // Runs `step` under the lock unless the store is closed.
  template <class T, class Step>
  absl::StatusOr<T> Locked(Step step) EXCLUDES(mutex_);

  // ALREADY_EXISTS if another job than `self` has one of the record's names.
  absl::Status CheckNames(const jobs::JobRecord& record, const Key* self) const REQUIRES(mutex_);
  void Put(jobs::JobRecord record) REQUIRES(mutex_);
  // NOT_FOUND if there is none to replace.
  absl::Status Replace(jobs::JobRecord record) REQUIRES(mutex_);
  void Drop(const Key& key) REQUIRES(mutex_);
  void Index(const jobs::Job& job) REQUIRES(mutex_);
  void Unindex(const jobs::Job& job) REQUIRES(mutex_);
  std::vector<jobs::OwedJob> Owed(WallTime now) REQUIRES(mutex_);
  absl::StatusOr<jobs::BeginResult> BeginLocked(jobs::JobRecord record) REQUIRES(mutex_);

  Mutex mutex_;
  std::map<Key, jobs::JobRecord> records_ GUARDED_BY(mutex_);  // by job_id
  std::unordered_map<jobs::JobKey, Key> by_request_ GUARDED_BY(mutex_);
  std::unordered_map<std::string, Key> by_pictory_id_ GUARDED_BY(mutex_);
  std::map<Key, Parts> parts_ GUARDED_BY(mutex_);
  std::map<Key, std::int32_t> claims_ GUARDED_BY(mutex_);
  std::vector<jobs::Hint> hints_ GUARDED_BY(mutex_);
  std::int64_t epoch_ GUARDED_BY(mutex_) = 0;
  std::int64_t clean_epoch_ GUARDED_BY(mutex_) = 0;
  jobs::Asked asked_ GUARDED_BY(mutex_);
  bool closed_ GUARDED_BY(mutex_) = false;
};

}  // namespace gateway::store
