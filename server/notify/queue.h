// A Queue says which job's notification comes next. Those that are due are served tenant by tenant,
// in turn. How many are under way is bounded: in all, of one tenant, and to one host; those to a
// host whose places are taken wait aside, and hold no place of others.
//
// It holds the names of the jobs only. It is not thread-safe.
#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "base/clock.h"
#include "base/limits.h"
#include "jobs/job_key.h"
#include "jobs/store.h"

namespace gateway::notify {

struct QueueOptions {
  int in_flight = limits::kNotifyInFlightMax;
  int in_flight_of_host = limits::kNotifyInFlightOfHostMax;
  int in_flight_of_tenant = limits::kNotifyInFlightOfTenantMax;
};

class Queue {
 public:
  explicit Queue(QueueOptions options) : options_(options) {}

  // Has this job's turn come at `due`; of one that waits already, not later than then. One that is
  // under way gets another turn afterwards.
  void Add(const jobs::ShardJob& of, MonoTime due);
  // Drops the jobs of shards that are had no longer; those under way end with their turn.
  void DropLost(const std::function<bool(std::int32_t shard)>& has);
  // Takes the next one that is due, if there is a place; it is under way until Finish.
  std::optional<jobs::JobKey> Next(MonoTime now);
  // Tells the host of a job that is under way. False if the host's places are taken: then it is
  // under way no more, and Next gives it when there is one.
  bool EnterHost(const jobs::JobKey& job, const std::string& host);
  // Ends its turn: `again` is when the next one comes, if any.
  void Finish(const jobs::JobKey& job, std::optional<MonoTime> again);

  // When something is due that is not yet; MonoTime::max(): nothing is.
  MonoTime next_due() const { return due_.empty() ? MonoTime::max() : due_.begin()->first; }
  std::size_t size() const { return entries_.size(); }  // those under way, too
  std::size_t size_of(const std::string& tenant) const;
  std::size_t in_flight() const { return in_flight_; }

 private:
  enum class At { kDue, kReady, kAside, kUnderWay };
  struct Entry {
    At at = At::kDue;
    std::int32_t shard = 0;
    bool lost = false;  // and under way
    MonoTime due{};
    std::string host{};               // empty: not known yet
    bool entered = false;             // it has a place of its host
    std::optional<MonoTime> again{};  // what Add said while it was under way
  };
  struct Tenant {
    std::size_t entries = 0;
    int in_flight = 0;
    std::deque<jobs::JobKey> ready{};
  };

  void Wait(const jobs::JobKey& job, Entry& entry, MonoTime due);
  void Erase(std::map<jobs::JobKey, Entry>::iterator at);
  bool IsFull(const std::string& host) const;
  void Leave(const jobs::JobKey& job, Entry& entry);
  void CallNext(const std::string& host);

  const QueueOptions options_;
  std::map<jobs::JobKey, Entry> entries_;
  std::set<std::pair<MonoTime, jobs::JobKey>> due_;
  std::map<std::string, Tenant> tenants_;
  std::string last_;                                       // the tenant served last
  std::map<std::string, int> of_host_;                     // under way
  std::map<std::string, std::deque<jobs::JobKey>> aside_;  // by host
  int in_flight_ = 0;
};

}  // namespace gateway::notify
