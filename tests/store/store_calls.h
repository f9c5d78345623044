// StoreCalls calls a store and waits for its answers, with a deadline. Beside it are functions that
// make records to fill the store with.
#pragma once

#include "base/mutex.h"  // before Abseil, which defines macros of the same names

#include <gtest/gtest.h>

#include <chrono>
#include <future>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "jobs/store.h"

namespace gateway::store {

inline constexpr std::chrono::seconds kPatience{180};

// An Answer hands out a callback, then waits for what that gets. It is used once.
template <class T>
class Answer {
 public:
  auto Callback() {
    return [promise = promise_](T value) { promise->set_value(std::move(value)); };
  }
  T Wait() {
    std::future<T> future = promise_->get_future();
    if (future.wait_for(kPatience) != std::future_status::ready) {
      ADD_FAILURE() << "the store never answered";
      std::abort();  // the callback may still come, into memory that is gone
    }
    return future.get();
  }

 private:
  std::shared_ptr<std::promise<T>> promise_ = std::make_shared<std::promise<T>>();
};

// StoreCalls gives records back without their version, so that a test reads what it wrote.
class StoreCalls {
 public:
  using Record = jobs::JobRecord;
  using MaybeRecord = absl::StatusOr<std::optional<Record>>;

  explicit StoreCalls(jobs::Store& store) : store_(store) {}

  // The version of the record with these names now; 0 if there is none.
  std::int64_t VersionOf(const Record& record) {
    Answer<MaybeRecord> answer;
    store_.FindRequest(record.job.tenant, record.job.request_id, answer.Callback());
    const MaybeRecord found = answer.Wait();
    return found.ok() && found->has_value() ? (*found)->version : 0;
  }

  std::vector<Record> ReadUnfinished() {
    std::vector<Record> records;
    const absl::Status read = store_.ReadUnfinished(
        [&](Record record) { records.push_back(Unversioned(std::move(record))); });
    EXPECT_TRUE(read.ok()) << read;
    return records;
  }
  absl::StatusOr<jobs::BeginResult> Begin(Record record) {
    Answer<absl::StatusOr<jobs::BeginResult>> answer;
    store_.Begin(std::move(record), answer.Callback());
    absl::StatusOr<jobs::BeginResult> begun = answer.Wait();
    if (begun.ok()) begun->record.version = 0;
    return begun;
  }
  // Updates the record, whatever its version is now.
  absl::Status Update(Record record, std::vector<pictory::JobResult::Part> parts = {}) {
    record.version = VersionOf(record);
    return UpdateVersion(std::move(record), std::move(parts));
  }
  // Updates the record if it has record.version.
  absl::Status UpdateVersion(Record record, std::vector<pictory::JobResult::Part> parts = {}) {
    Answer<absl::Status> answer;
    store_.Update(std::move(record), std::move(parts), answer.Callback());
    return answer.Wait();
  }
  absl::Status Adopt(Record record) {
    Answer<absl::Status> answer;
    store_.Adopt(std::move(record), answer.Callback());
    return answer.Wait();
  }
  absl::StatusOr<std::string> TakeOver(Record record) {
    record.version = VersionOf(record);
    Answer<MaybeRecord> answer;
    store_.Find(record.job.tenant, record.job.pictory_job_id, answer.Callback());
    const std::optional<Record> held = answer.Wait().value();
    const bool adopted = held.has_value() && held->job.account == record.job.account &&
                         held->job.job_id != record.job.job_id && jobs::WasAdopted(*held);
    return TakeOverVersion(std::move(record), adopted ? held->version : 0);
  }
  absl::StatusOr<std::string> TakeOverVersion(Record record, std::int64_t adopted_version) {
    Answer<absl::StatusOr<std::string>> answer;
    store_.TakeOver(std::move(record), adopted_version, answer.Callback());
    return answer.Wait();
  }
  absl::StatusOr<jobs::Holding> Renew() {
    Answer<absl::StatusOr<jobs::Holding>> answer;
    store_.Renew(answer.Callback());
    return answer.Wait();
  }
  absl::StatusOr<std::vector<Record>> ReadShards(std::vector<std::int32_t> shards) {
    std::vector<Record> records;
    Answer<absl::Status> answer;
    store_.ReadShards(
        std::move(shards),
        [&](Record record) { records.push_back(Unversioned(std::move(record))); },
        answer.Callback());
    const absl::Status read = answer.Wait();
    if (!read.ok()) return read;
    return records;
  }
  using Names = std::vector<jobs::ShardJob>;
  absl::StatusOr<Names> ReadNotifying(std::vector<std::int32_t> shards) {
    Names names;
    Answer<absl::Status> answer;
    store_.ReadNotifying(
        std::move(shards), [&](jobs::ShardJob job) { names.push_back(std::move(job)); },
        answer.Callback());
    const absl::Status read = answer.Wait();
    if (!read.ok()) return read;
    return names;
  }
  absl::StatusOr<Names> ReadArchiving(std::vector<std::int32_t> shards) {
    Names names;
    Answer<absl::Status> answer;
    store_.ReadArchiving(
        std::move(shards), [&](jobs::ShardJob job) { names.push_back(std::move(job)); },
        answer.Callback());
    const absl::Status read = answer.Wait();
    if (!read.ok()) return read;
    return names;
  }
  absl::StatusOr<std::vector<Record>> FindMany(std::vector<jobs::JobKey> keys) {
    Answer<absl::StatusOr<std::vector<Record>>> answer;
    store_.FindMany(std::move(keys), answer.Callback());
    return Unversioned(answer.Wait());
  }
  absl::StatusOr<std::string> FindFeedEnd() {
    Answer<absl::StatusOr<std::string>> answer;
    store_.FindFeedEnd(answer.Callback());
    return answer.Wait();
  }
  absl::StatusOr<jobs::FeedPage> ReadFeed(std::string position, int limit) {
    Answer<absl::StatusOr<jobs::FeedPage>> answer;
    store_.ReadFeed(std::move(position), limit, answer.Callback());
    return answer.Wait();
  }
  absl::Status Delete(Record record) {
    record.version = VersionOf(record);
    return DeleteVersion(std::move(record));
  }
  absl::Status DeleteVersion(Record record) {
    Answer<absl::Status> answer;
    store_.Delete(std::move(record), answer.Callback());
    return answer.Wait();
  }
  absl::StatusOr<std::vector<jobs::JobKey>> Prune(jobs::PruneQuery query) {
    Answer<absl::StatusOr<std::vector<jobs::JobKey>>> answer;
    store_.Prune(query, answer.Callback());
    return answer.Wait();
  }
  MaybeRecord FindToken(std::string token) {
    Answer<MaybeRecord> answer;
    store_.FindToken(std::move(token), answer.Callback());
    return Unversioned(answer.Wait());
  }
  MaybeRecord FindWithoutRequestId(std::string tenant, std::string fingerprint,
                                   jobs::RetryEvidence evidence, WallTime since) {
    Answer<MaybeRecord> answer;
    store_.FindWithoutRequestId(std::move(tenant), std::move(fingerprint), std::move(evidence),
                                since, answer.Callback());
    return Unversioned(answer.Wait());
  }
  absl::StatusOr<bool> Claim(const std::string& tenant, const std::string& job_id,
                             std::int32_t claims) {
    Answer<absl::StatusOr<bool>> answer;
    store_.Claim({{tenant, job_id}, claims}, answer.Callback());
    return answer.Wait();
  }
  absl::Status NoteAsked(jobs::Asked asked, const std::string& account = jobs::kDefaultAccount) {
    Answer<absl::Status> answer;
    store_.NoteAsked(account, asked, answer.Callback());
    return answer.Wait();
  }
  absl::Status KeepHints(const std::string& tenant, const std::string& job_id,
                         std::vector<std::string> pictory_job_ids) {
    Answer<absl::Status> answer;
    store_.KeepHints({tenant, job_id}, std::move(pictory_job_ids), answer.Callback());
    return answer.Wait();
  }
  absl::Status EndEpoch(std::vector<jobs::OwedJob> owed) {
    Answer<absl::Status> answer;
    store_.EndEpoch(std::move(owed), answer.Callback());
    return answer.Wait();
  }
  MaybeRecord Find(std::string tenant, std::string name) {
    Answer<MaybeRecord> answer;
    store_.Find(std::move(tenant), std::move(name), answer.Callback());
    return Unversioned(answer.Wait());
  }
  MaybeRecord FindRequest(std::string tenant, std::string request_id) {
    Answer<MaybeRecord> answer;
    store_.FindRequest(std::move(tenant), std::move(request_id), answer.Callback());
    return Unversioned(answer.Wait());
  }
  absl::StatusOr<std::optional<std::string>> FindOwner(std::string account,
                                                       std::string pictory_job_id) {
    Answer<absl::StatusOr<std::optional<std::string>>> answer;
    store_.FindOwner(std::move(account), std::move(pictory_job_id), answer.Callback());
    return answer.Wait();
  }
  absl::StatusOr<std::vector<Record>> List(std::string tenant, jobs::ListQuery query) {
    Answer<absl::StatusOr<std::vector<Record>>> answer;
    store_.List(std::move(tenant), std::move(query), answer.Callback());
    return Unversioned(answer.Wait());
  }
  absl::StatusOr<jobs::PartChunk> ReadPart(std::string tenant, std::string job_id,
                                           jobs::v1::ResultPart part, std::int64_t offset,
                                           std::int64_t max_bytes) {
    Answer<absl::StatusOr<jobs::PartChunk>> answer;
    store_.ReadPart(std::move(tenant), std::move(job_id), part, offset, max_bytes,
                    answer.Callback());
    return answer.Wait();
  }

 private:
  static Record Unversioned(Record record) {
    record.version = 0;
    return record;
  }
  static absl::StatusOr<std::vector<Record>> Unversioned(
      absl::StatusOr<std::vector<Record>> found) {
    if (found.ok()) {
      for (Record& record : *found) record.version = 0;
    }
    return found;
  }
  static MaybeRecord Unversioned(MaybeRecord found) {
    if (found.ok() && found->has_value()) (*found)->version = 0;
    return found;
  }

  jobs::Store& store_;
};

inline WallTime At(std::int64_t seconds) { return WallTime(std::chrono::seconds(seconds)); }

// A begun submission: invisible, in state QUEUED.
inline jobs::JobRecord Begun(const std::string& job_id, const std::string& request_id,
                             const std::string& tenant = "acme") {
  jobs::JobRecord record;
  record.job.tenant = tenant;
  record.job.job_id = job_id;
  record.job.request_id = request_id;
  record.job.kind = jobs::v1::JOB_KIND_PREVIEW;
  record.job.state = jobs::v1::JOB_STATE_QUEUED;
  record.job.create_time = At(1000);
  record.fingerprint = std::string(32, 'f');
  return record;
}

// A job that Pictory accepted.
inline jobs::JobRecord Accepted(const std::string& job_id, const std::string& pictory_job_id,
                                const std::string& tenant = "acme") {
  jobs::JobRecord record = Begun(job_id, "request-of-" + job_id, tenant);
  record.submission = jobs::SubmissionState::kAccepted;
  record.job.pictory_job_id = pictory_job_id;
  record.job.revision = 1;
  return record;
}

// A job that somebody has named by Pictory's id.
inline jobs::JobRecord Adopted(const std::string& job_id, const std::string& pictory_job_id,
                               const std::string& tenant = "acme") {
  jobs::JobRecord record = Accepted(job_id, pictory_job_id, tenant);
  record.job.request_id.clear();
  return record;
}

// An accepted job as it is read after it was first written.
inline jobs::JobRecord Stored(const std::string& job_id, const std::string& pictory_job_id) {
  jobs::JobRecord record = Accepted(job_id, pictory_job_id);
  record.version = 1;
  return record;
}

// The same job after its owner deleted it.
inline jobs::JobRecord Deleted(jobs::JobRecord record) {
  record.submission = jobs::SubmissionState::kDeleted;
  record.job.labels.clear();
  return record;
}

inline std::vector<std::string> Ids(const std::vector<jobs::JobRecord>& records) {
  std::vector<std::string> ids;
  for (const auto& record : records) ids.push_back(record.job.job_id);
  return ids;
}

// TemporaryDirectory is a directory for one test, removed with the object.
class TemporaryDirectory {
 public:
  TemporaryDirectory();
  ~TemporaryDirectory();
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace gateway::store
