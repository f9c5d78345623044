#include "notify/queue.h"

#include <algorithm>
#include <utility>

namespace gateway::notify {

using jobs::JobKey;

void Queue::Add(const jobs::ShardJob& of, MonoTime due) {
  const JobKey& job = of.job;
  const auto [at, added] = entries_.try_emplace(job);
  Entry& entry = at->second;
  entry.shard = of.shard;
  entry.lost = false;
  if (added) {
    ++tenants_[job.tenant].entries;
    Wait(job, entry, due);
  } else if (entry.at == At::kUnderWay) {
    entry.again = std::min(entry.again.value_or(due), due);
  } else if (entry.at == At::kDue && due < entry.due) {
    due_.erase({entry.due, job});
    Wait(job, entry, due);
  }
}

void Queue::DropLost(const std::function<bool(std::int32_t shard)>& has) {
  for (auto next = entries_.begin(); next != entries_.end();) {
    const auto at = next++;
    const auto& [job, entry] = *at;
    if (has(entry.shard)) continue;
    switch (entry.at) {
      case At::kUnderWay:
        at->second.lost = true;
        at->second.again.reset();
        continue;
      case At::kDue:
        due_.erase({entry.due, job});
        break;
      case At::kReady:
        std::erase(tenants_.at(job.tenant).ready, job);
        break;
      case At::kAside: {
        const auto aside = aside_.find(entry.host);
        std::erase(aside->second, job);
        if (aside->second.empty()) aside_.erase(aside);
        break;
      }
    }
    Erase(at);
  }
}

void Queue::Erase(std::map<JobKey, Entry>::iterator at) {
  const auto tenant = tenants_.find(at->first.tenant);
  if (--tenant->second.entries == 0) tenants_.erase(tenant);
  entries_.erase(at);
}

void Queue::Wait(const JobKey& job, Entry& entry, MonoTime due) {
  entry.at = At::kDue;
  entry.due = due;
  due_.emplace(due, job);
}

bool Queue::IsFull(const std::string& host) const {
  const auto at = of_host_.find(host);
  return at != of_host_.end() && at->second >= options_.in_flight_of_host;
}

std::optional<JobKey> Queue::Next(MonoTime now) {
  while (!due_.empty() && due_.begin()->first <= now) {
    const JobKey job = due_.begin()->second;
    due_.erase(due_.begin());
    entries_.at(job).at = At::kReady;
    tenants_.at(job.tenant).ready.push_back(job);
  }
  if (in_flight_ >= options_.in_flight) return std::nullopt;
  auto at = tenants_.upper_bound(last_);
  for (std::size_t looked = 0; looked < tenants_.size(); ++looked, ++at) {
    if (at == tenants_.end()) at = tenants_.begin();
    Tenant& tenant = at->second;
    while (!tenant.ready.empty() && tenant.in_flight < options_.in_flight_of_tenant) {
      const JobKey job = tenant.ready.front();
      tenant.ready.pop_front();
      Entry& entry = entries_.at(job);
      if (IsFull(entry.host)) {
        entry.at = At::kAside;
        aside_[entry.host].push_back(job);
        continue;
      }
      entry.at = At::kUnderWay;
      ++tenant.in_flight;
      ++in_flight_;
      last_ = at->first;
      return job;
    }
  }
  return std::nullopt;
}

bool Queue::EnterHost(const JobKey& job, const std::string& host) {
  Entry& entry = entries_.at(job);
  const std::string before = std::exchange(entry.host, host);
  if (before != host) CallNext(before);
  if (!IsFull(host)) {
    ++of_host_[host];
    entry.entered = true;
    return true;
  }
  Leave(job, entry);
  entry.at = At::kAside;
  aside_[host].push_back(job);
  return false;
}

// Gives back the places of one that is under way.
void Queue::Leave(const JobKey& job, Entry& entry) {
  --tenants_.at(job.tenant).in_flight;
  --in_flight_;
  if (std::exchange(entry.entered, false) && --of_host_.at(entry.host) == 0) {
    of_host_.erase(entry.host);
  }
  // Also where this one has not made use of its host's place, for it was called for it.
  CallNext(entry.host);
}

// Lets one that waits aside for this host come next, if the host has a place.
void Queue::CallNext(const std::string& host) {
  const auto waiting = aside_.find(host);
  if (waiting == aside_.end() || IsFull(host)) return;
  const JobKey next = waiting->second.front();
  waiting->second.pop_front();
  if (waiting->second.empty()) aside_.erase(waiting);
  entries_.at(next).at = At::kReady;
  tenants_.at(next.tenant).ready.push_front(next);
}

void Queue::Finish(const JobKey& job, std::optional<MonoTime> again) {
  const auto at = entries_.find(job);
  Entry& entry = at->second;
  Leave(job, entry);
  if (entry.again.has_value()) again = std::min(again.value_or(*entry.again), *entry.again);
  entry.again.reset();
  if (again.has_value() && !entry.lost) return Wait(job, entry, *again);
  Erase(at);
}

std::size_t Queue::size_of(const std::string& tenant) const {
  const auto at = tenants_.find(tenant);
  return at == tenants_.end() ? 0 : at->second.entries;
}

}  // namespace gateway::notify
