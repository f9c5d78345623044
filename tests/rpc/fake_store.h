// Jobs whose answers the test decides and, if it wants to, holds back. Thread-safe.
#pragma once

#include <algorithm>
#include <deque>
#include <functional>
#include <iterator>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/errors.h"
#include "base/limits.h"
#include "base/mutex.h"
#include "jobs/store.h"
#include "rpc/make_job.h"

namespace gateway::test {

class FakeStore final : public jobs::Jobs {
 public:
  void Put(jobs::JobRecord record) {
    MutexLock lock(mutex_);
    const std::string id = record.job.job_id;
    records_[{record.job.tenant, id}] = std::move(record);
  }
  void Remove(const std::string& tenant, const std::string& job_id) {
    MutexLock lock(mutex_);
    records_.erase({tenant, job_id});
  }
  void PutPart(const std::string& job_id, jobs::v1::ResultPart part, std::string bytes) {
    MutexLock lock(mutex_);
    parts_[{job_id, part}] = std::move(bytes);
  }
  void FailWith(absl::Status status) {
    MutexLock lock(mutex_);
    failure_ = std::move(status);
  }
  // From now on answers wait for Release().
  void Hold() {
    MutexLock lock(mutex_);
    holding_ = true;
  }
  void Release() {
    std::deque<std::function<void()>> held;
    {
      MutexLock lock(mutex_);
      holding_ = false;
      held.swap(held_);
    }
    for (auto& answer : held) answer();
  }
  std::size_t held() {
    MutexLock lock(mutex_);
    return held_.size();
  }
  int finds() {
    MutexLock lock(mutex_);
    return finds_;
  }
  // Reads of a part's bytes; not those that ask only how many there are.
  int part_reads() {
    MutexLock lock(mutex_);
    return part_reads_;
  }

  void FindMany(std::vector<jobs::JobKey>,
                jobs::StoreCallback<std::vector<jobs::JobRecord>> done) override {
    done(NotHere());
  }
  void FindOwner(std::string, std::string,
                 jobs::StoreCallback<std::optional<std::string>> done) override {
    done(NotHere());
  }
  void Delete(jobs::JobRecord, jobs::StoreDone done) override { done(NotHere()); }
  void Prune(jobs::PruneQuery, jobs::StoreCallback<std::vector<jobs::JobKey>> done) override {
    done(NotHere());
  }
  void NoteAsked(std::string, jobs::Asked, jobs::StoreDone done) override { done(NotHere()); }

  void Find(std::string tenant, std::string name,
            jobs::StoreCallback<std::optional<jobs::JobRecord>> done) override {
    absl::StatusOr<std::optional<jobs::JobRecord>> answer = std::nullopt;
    {
      MutexLock lock(mutex_);
      ++finds_;
      for (const auto& [key, record] : records_) {
        if (key.first != tenant) continue;
        if (key.second == name || record.job.pictory_job_id == name) answer = record;
      }
      if (!failure_.ok()) answer = failure_;
    }
    Answer([done = std::move(done), answer = std::move(answer)] { done(answer); });
  }

  void List(std::string tenant, jobs::ListQuery query,
            jobs::StoreCallback<std::vector<jobs::JobRecord>> done) override {
    std::vector<jobs::JobRecord> found;
    std::size_t read = 0;
    {
      MutexLock lock(mutex_);
      // Backwards from the end of the tenant's, or from the page before.
      auto end = query.before_job_id.empty() ? records_.lower_bound({tenant + '\0', ""})
                                             : records_.lower_bound({tenant, query.before_job_id});
      for (auto it = std::make_reverse_iterator(end); it != records_.rend(); ++it) {
        const jobs::Job& job = it->second.job;
        if (job.tenant != tenant) break;
        if (!query.states.empty() &&
            std::find(query.states.begin(), query.states.end(), job.state) == query.states.end()) {
          continue;
        }
        if (static_cast<int>(found.size()) >= query.limit || read >= limits::kListReadMaxBytes)
          break;
        if (query.created_from.has_value() && job.create_time < *query.created_from) continue;
        read += job.result_wire.size();
        found.push_back(it->second);
      }
    }
    Answer([done = std::move(done), found = std::move(found)] { done(found); });
  }

  void ReadPart(std::string, std::string job_id, jobs::v1::ResultPart part, std::int64_t offset,
                std::int64_t max_bytes, jobs::StoreCallback<jobs::PartChunk> done) override {
    absl::StatusOr<jobs::PartChunk> answer = absl::NotFoundError("no such part");
    {
      MutexLock lock(mutex_);
      part_reads_ += max_bytes > 0 ? 1 : 0;
      const auto found = parts_.find({job_id, part});
      if (found != parts_.end()) {
        jobs::PartChunk chunk;
        chunk.total_bytes = static_cast<std::int64_t>(found->second.size());
        if (offset < chunk.total_bytes) {
          chunk.data = found->second.substr(static_cast<std::size_t>(offset),
                                            static_cast<std::size_t>(max_bytes));
        }
        answer = std::move(chunk);
      }
    }
    Answer([done = std::move(done), answer = std::move(answer)] { done(answer); });
  }

 private:
  static absl::Status NotHere() { return errors::Internal("not part of this fake"); }

  void Answer(std::function<void()> answer) {
    {
      MutexLock lock(mutex_);
      if (holding_) {
        held_.push_back(std::move(answer));
        return;
      }
    }
    answer();
  }

  Mutex mutex_;
  std::map<std::pair<std::string, std::string>, jobs::JobRecord> records_;
  std::map<std::pair<std::string, jobs::v1::ResultPart>, std::string> parts_;
  std::deque<std::function<void()>> held_;
  absl::Status failure_;
  bool holding_ = false;
  int finds_ = 0;
  int part_reads_ = 0;
};

}  // namespace gateway::test
