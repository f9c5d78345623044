#include "jobs/upstreams.h"

#include <utility>

#include "base/errors.h"
#include "base/limits.h"
#include "tenants/caller_key.h"

namespace gateway::jobs {
namespace {

absl::Status WhyClosed(const std::string& account) {
  return tenants::IsAccountOfKey(account) ? errors::PictoryKeyNotShown(account)
                                          : errors::AccountNotConfigured(account);
}

}  // namespace

Upstreams::Upstreams(Accounts accounts, http::HttpTransport& transport, const Clock& clock,
                     Timers& timers, UpstreamsEvents events)
    : transport_(transport), clock_(clock), timers_(timers), events_(std::move(events)) {
  for (auto& [account, options] : accounts) {
    doors_[account] = {.open = true, .upstream = Make(account, std::move(options))};
  }
}

UpstreamPtr Upstreams::Make(const std::string& account, UpstreamOptions options) {
  UpstreamEvents events;
  if (events_.rests) {
    events.rests = [this, account](const absl::Status& why) { events_.rests(account, why); };
  }
  if (events_.degraded_changed) {
    events.degraded_changed = [this, account](bool degraded) {
      events_.degraded_changed(account, degraded);
    };
  }
  options.account = account;
  options.places = places_[options.transport != nullptr ? options.transport : &transport_];
  auto made = std::make_shared<Upstream>(std::move(options), transport_, clock_, timers_,
                                         std::move(events));
  made->ShareWith(processes_);
  return made;
}

void Upstreams::ShareWith(int processes) {
  MutexLock lock(mutex_);
  processes_ = processes;
  for (const auto& [account, door] : doors_) door.upstream->ShareWith(processes);
  for (const auto& [account, closed] : closed_) closed->ShareWith(processes);
}

UpstreamPtr Upstreams::Of(const std::string& account) {
  MutexLock lock(mutex_);
  const auto found = doors_.find(account);
  if (found != doors_.end()) return found->second.upstream;
  if (!tenants::IsAccountOfKey(account)) {
    UpstreamPtr closed = Make(account, {.closed = WhyClosed(account)});
    doors_[account] = {.upstream = closed};
    return closed;
  }
  // Callers can make up any number of keys, so of their accounts not every closed door is kept.
  if (closed_.size() >= limits::kClosedDoorsMax && !closed_.contains(account)) {
    for (auto& [other, door] : std::exchange(closed_, {})) LetGo(std::move(door));
  }
  UpstreamPtr& closed = closed_[account];
  if (closed == nullptr) closed = Make(account, {.closed = WhyClosed(account)});
  return closed;
}

bool Upstreams::Has(const std::string& account) const {
  MutexLock lock(mutex_);
  const auto found = doors_.find(account);
  return found != doors_.end() && found->second.open;
}

bool Upstreams::Open(const std::string& account, UpstreamOptions options, Whose whose) {
  UpstreamPtr closed, waiting;
  {
    MutexLock lock(mutex_);
    Door& door = doors_[account];
    if (door.open) return false;
    if (const auto kept = closed_.find(account); kept != closed_.end()) {
      waiting = std::move(kept->second);
      closed_.erase(kept);
    }
    closed = std::move(door.upstream);
    door = {.open = true, .whose = whose, .upstream = Make(account, std::move(options))};
    if (stopped_) door.upstream->Stop();
  }
  LetGo(std::move(closed));
  LetGo(std::move(waiting));
  return true;
}

bool Upstreams::Close(const std::string& account) {
  UpstreamPtr closed;
  {
    MutexLock lock(mutex_);
    const auto found = doors_.find(account);
    // Nobody gets a door but under this lock, so none who is alone with it is joined by others.
    if (found == doors_.end() || !found->second.open || found->second.whose != Whose::kCallers ||
        found->second.upstream.use_count() > 1) {
      return false;
    }
    closed = std::move(found->second.upstream);
    doors_.erase(found);
  }
  closed->Stop();
  LetGo(std::move(closed));
  return true;
}

void Upstreams::LetGo(UpstreamPtr door) {
  if (door != nullptr) timers_.At(clock_.Now(), [door = std::move(door)] {});
}

bool Upstreams::IsDegraded(const std::string& account) const {
  MutexLock lock(mutex_);
  const auto found = doors_.find(account);
  return found == doors_.end() || found->second.upstream->degraded();
}

int Upstreams::Count(bool (Upstream::*is)() const) const {
  MutexLock lock(mutex_);
  int count = 0;
  for (const auto& [account, door] : doors_) {
    const bool counts = door.open && door.whose == Whose::kOperators;
    if (counts && (*door.upstream.*is)()) ++count;
  }
  return count;
}

int Upstreams::degraded() const { return Count(&Upstream::degraded); }

int Upstreams::resting() const { return Count(&Upstream::resting); }

int Upstreams::credentials_refused() const { return Count(&Upstream::credentials_refused); }

int Upstreams::size() const {
  MutexLock lock(mutex_);
  int count = 0;
  for (const auto& [account, door] : doors_) {
    count += door.open && door.whose == Whose::kOperators ? 1 : 0;
  }
  return count;
}

std::map<std::string, Account::Pace> Upstreams::paces() const {
  MutexLock lock(mutex_);
  std::map<std::string, Account::Pace> paces;
  for (const auto& [account, door] : doors_) {
    if (door.open && door.whose == Whose::kOperators) paces[account] = door.upstream->pace();
  }
  return paces;
}

void Upstreams::Stop() {
  MutexLock lock(mutex_);
  stopped_ = true;
  for (const auto& [account, door] : doors_) door.upstream->Stop();
}

}  // namespace gateway::jobs
