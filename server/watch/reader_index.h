// ReaderIndex knows the readers of a Follower by what they are about, so that a change is compared
// with few of them: with those of its tenant that name the job or one of its labels, and with those
// that name neither. It is not thread-safe.
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
  using Readers = std::vector<std::weak_ptr<FeedReader>>;
  struct Reader {
    std::uint64_t id = 0;
    JobFilterPtr filter;
    std::weak_ptr<FeedReader> reader;
    std::uint64_t since = 0;  // the first reading of the feed that begins after it
    // Of a change since the last position: behind the reading in which that was. 0: of none.
    std::uint64_t told = 0;
  };

  void Add(Reader reader);
  void Remove(std::uint64_t id);
  std::size_t size() const { return tenant_of_.size(); }
  bool HasTenant(const std::string& tenant) const { return tenants_.contains(tenant); }
  std::vector<std::string> Tenants() const;

  struct Job {
    const std::string& tenant;
    const std::string& job_id;
    const std::map<std::string, std::string>* labels;  // null: they are not known
    jobs::JobKind kind;
    jobs::JobState state;
    std::uint64_t reading;  // the last one that had begun when it changed
  };
  // Those who may have to be told of this job, and are told. Of a job that is gone its labels are
  // not known, and nothing but its id is compared.
  Readers Find(const Job& job);
  // Those of the tenant who are to be told of the position that this reading has found, and are
  // told: all who were added before it or, unless `all`, those of them who have been told of a
  // change since the last one.
  Readers Since(const std::string& tenant, std::uint64_t reading, bool all);
  // Takes all of a tenant out.
  Readers Clear(const std::string& tenant);

 private:
  using Ids = std::set<std::uint64_t>;
  struct Tenant {
    std::unordered_map<std::string, Ids> by_job;
    std::map<std::pair<std::string, std::string>, Ids> by_label;  // one label of each reader
    Ids others;
    std::map<std::uint64_t, Reader> readers;
  };
  // Calls `with(ids)` for each place in the index where a reader with this filter stands.
  template <class With>
  static void ForPlaces(Tenant& tenant, const JobFilter& filter, const With& with);

  std::unordered_map<std::string, Tenant> tenants_;
  std::unordered_map<std::uint64_t, std::string> tenant_of_;  // of each reader
};

}  // namespace gateway::watch
