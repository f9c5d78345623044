// Places bound how many requests to Pictory are under way at once, of all accounts that share what
// carries them (jobs/upstreams.h).
//
// A tenant of an account never has more of them than are left free. So whoever sends very many, or
// is answered slowly, leaves half of the places to others, who leave half of those, and so on. Who
// waits for a place is told when one becomes free, and tries again (jobs/turn_line.h).
//
// Thread-safe; no call blocks.
#pragma once

#include <compare>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "base/limits.h"
#include "base/mutex.h"

namespace gateway::jobs {

class Places : public std::enable_shared_from_this<Places> {
 public:
  struct Holder {
    std::string account;
    std::string tenant;  // empty where the account's tenants are not told apart
    auto operator<=>(const Holder&) const = default;
  };
  // Given back when the last copy goes.
  using Place = std::shared_ptr<void>;

  // Made by std::make_shared. There are `most` places in all.
  explicit Places(int most) : most_(most) {}
  Places(const Places&) = delete;
  Places& operator=(const Places&) = delete;

  // Null: none is free for this holder.
  Place TryTake(const Holder& holder);
  bool HasFor(const Holder& holder) const;

  // From now on `freed` is called whenever a place is given back, on the thread that does so and
  // under a lock: it may plan something, and no more.
  void Tell(const void* who, std::function<void()> freed);
  // `freed` is not called once this has returned.
  void Forget(const void* who);

 private:
  int HeldBy(const Holder& holder) const REQUIRES(mutex_);
  bool MayTake(const Holder& holder) const REQUIRES(mutex_) {
    return HeldBy(holder) < most_ - under_way_;
  }
  void GiveBack(const Holder& holder);

  const int most_;
  mutable Mutex mutex_;
  int under_way_ GUARDED_BY(mutex_) = 0;
  std::map<Holder, int> held_ GUARDED_BY(mutex_);  // of each that has any
  std::map<const void*, std::function<void()>> told_ GUARDED_BY(mutex_);
};

// What the accounts of one transport share, apart from the places of polls (jobs/poller.h). The
// transport has as many connections, so that nobody waits in its own queue, which knows no turns.
struct SharedPlaces {
  std::shared_ptr<Places> submits = std::make_shared<Places>(limits::kSubmitsInFlightMax);
  std::shared_ptr<Places> looks = std::make_shared<Places>(limits::kLooksOfAllInFlightMax);
};

}  // namespace gateway::jobs
