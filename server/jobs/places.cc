#include "jobs/places.h"

#include <utility>

namespace gateway::jobs {

Places::Place Places::TryTake(const Holder& holder) {
  {
    MutexLock lock(mutex_);
    if (!MayTake(holder)) return nullptr;
    ++under_way_;
    ++held_[holder];
  }
  // The deleter gives the place back; there is nothing to delete.
  return Place(this, [self = shared_from_this(), holder](void*) { self->GiveBack(holder); });
}

bool Places::HasFor(const Holder& holder) const {
  MutexLock lock(mutex_);
  return MayTake(holder);
}

int Places::HeldBy(const Holder& holder) const {
  const auto held = held_.find(holder);
  return held == held_.end() ? 0 : held->second;
}

void Places::GiveBack(const Holder& holder) {
  MutexLock lock(mutex_);
  --under_way_;
  const auto held = held_.find(holder);
  if (--held->second == 0) held_.erase(held);
  for (const auto& [who, freed] : told_) freed();
}

void Places::Tell(const void* who, std::function<void()> freed) {
  MutexLock lock(mutex_);
  told_.insert_or_assign(who, std::move(freed));
}

void Places::Forget(const void* who) {
  MutexLock lock(mutex_);
  told_.erase(who);
}

}  // namespace gateway::jobs
