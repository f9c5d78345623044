#include "jobs/upstreams.h"

#include <utility>

#include "base/errors.h"

namespace gateway::jobs {

Upstreams::Upstreams(Accounts accounts, http::HttpTransport& transport, const Clock& clock,
                     Timers& timers, UpstreamsEvents events)
    : transport_(transport), clock_(clock), timers_(timers), events_(std::move(events)) {
  for (auto& [account, options] : accounts) {
    doors_[account] = {.configured = true, .upstream = Make(account, std::move(options))};
  }
}

std::unique_ptr<Upstream> Upstreams::Make(const std::string& account, UpstreamOptions options) {
  UpstreamEvents events;
  if (events_.rests) {
    events.rests = [this, account](const absl::Status& why) { events_.rests(account, why); };
  }
  if (events_.degraded_changed) {
    events.degraded_changed = [this, account](bool degraded) {
      events_.degraded_changed(account, degraded);
    };
  }
  return std::make_unique<Upstream>(std::move(options), transport_, clock_, timers_,
                                    std::move(events));
}

Upstream& Upstreams::Of(const std::string& account) {
  MutexLock lock(mutex_);
  Door& door = doors_[account];
  if (door.upstream == nullptr) {
    door.upstream = Make(account, {.closed = errors::AccountNotConfigured(account)});
  }
  return *door.upstream;
}

bool Upstreams::Has(const std::string& account) const {
  MutexLock lock(mutex_);
  const auto found = doors_.find(account);
  return found != doors_.end() && found->second.configured;
}

bool Upstreams::Open(const std::string& account, UpstreamOptions options) {
  MutexLock lock(mutex_);
  Door& door = doors_[account];
  if (door.configured) return false;
  if (door.upstream != nullptr) replaced_.push_back(std::move(door.upstream));
  door = {.configured = true, .upstream = Make(account, std::move(options))};
  if (stopped_) door.upstream->Stop();
  return true;
}

int Upstreams::Count(bool (Upstream::*is)() const) const {
  MutexLock lock(mutex_);
  int count = 0;
  for (const auto& [account, door] : doors_) {
    if (door.configured && (*door.upstream.*is)()) ++count;
  }
  return count;
}

int Upstreams::degraded() const { return Count(&Upstream::degraded); }

int Upstreams::resting() const { return Count(&Upstream::resting); }

int Upstreams::credentials_refused() const { return Count(&Upstream::credentials_refused); }

int Upstreams::size() const {
  MutexLock lock(mutex_);
  int count = 0;
  for (const auto& [account, door] : doors_) count += door.configured ? 1 : 0;
  return count;
}

void Upstreams::Stop() {
  MutexLock lock(mutex_);
  stopped_ = true;
  for (const auto& [account, door] : doors_) door.upstream->Stop();
}

}  // namespace gateway::jobs
