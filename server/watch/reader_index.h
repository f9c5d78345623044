// ReaderIndex knows the readers of a Follower by what they are about, so that a change is compared
// with few of them: with those that name the job or one of its labels, and with those that name
// neither. It is not thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "watch/follower.h"

namespace gateway::watch {

class ReaderIndex {
 public:
  struct Reader {
    std::uint64_t id = 0;
    JobFilter filter;
    std::weak_ptr<FeedReader> reader;
    std::uint64_t since = 0;  // the first reading of the feed that begins after it
  };

  void Add(Reader reader);
  void Remove(std::uint64_t id);
  std::size_t size() const { return readers_.size(); }
  bool HasTenant(const std::string& tenant) const { return tenants_.contains(tenant); }

  struct Job {
    const std::string& tenant;
    const std::string& job_id;
    const std::map<std::string, std::string>* labels;  // null: they are not known
    jobs::JobKind kind;
    jobs::JobState state;
  };
  // Those who may have to be told of this job. Of a job that is gone its labels are not known, and
  // nothing but its id is compared.
  std::vector<std::weak_ptr<FeedReader>> Find(const Job& job) const;
  // All who were added before this reading.
  std::vector<std::weak_ptr<FeedReader>> Since(std::uint64_t reading) const;
  // Takes all out.
  std::vector<std::weak_ptr<FeedReader>> Clear();

 private:
  using Ids = std::set<std::uint64_t>;
  struct Tenant {
    std::unordered_map<std::string, Ids> by_job;
    std::map<std::pair<std::string, std::string>, Ids> by_label;  // one label of each reader
    Ids others;
    std::size_t readers = 0;
  };
  // Calls `with(ids)` for each place in the index where a reader with this filter stands.
  template <class With>
  static void ForPlaces(Tenant& tenant, const JobFilter& filter, const With& with);

  std::unordered_map<std::string, Tenant> tenants_;
  std::map<std::uint64_t, Reader> readers_;
};

}  // namespace gateway::watch
