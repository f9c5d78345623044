// Budget decides how many requests a second the gateway may send to one Pictory account. It is a
// token bucket with a share for submits and one for polls.
//
// Each share refills at half the rate; what one share cannot hold spills over to the other, so
// either alone gets the whole rate, and neither starves the other. A 429 halves the rate and blocks
// the account for as long as Pictory asks; the rate then climbs back by a tenth of the configured
// one a second. The class is not thread-safe: its owner locks. It reads no clock and depends only
// on the times it is given.
#pragma once

#include <algorithm>

#include "base/clock.h"
#include "base/limits.h"

namespace gateway::jobs {

struct BudgetOptions {
  double requests_per_second = limits::kBudgetPerSecond;
  double burst = limits::kBudgetBurst;
};

class Budget {
 public:
  Budget(BudgetOptions options, MonoTime now);

  enum class Share { kSubmit, kPoll };

  // Takes one request if there is one.
  bool TryTake(Share share, MonoTime now);
  // Takes one request whether or not there is one: later requests pay for one that cannot wait.
  void Spend(Share share, MonoTime now);
  // Puts back a request that was taken and not used.
  void Refund(Share share);
  // When TryTake could succeed, if nobody else takes a request meanwhile. Never before `now`.
  MonoTime NextAt(Share share, MonoTime now);

  // Leaves so many processes, at least one, an equal part of the rate and of the burst each.
  void ShareWith(int processes, MonoTime now);

  // Notes that Pictory said 429; `retry_after` is zero if it named no time.
  void OnRateLimited(Duration retry_after, MonoTime now);
  // Lets nothing be sent before `until`.
  void BlockUntil(MonoTime until) { blocked_until_ = std::max(blocked_until_, until); }

  // How many requests of a share may be sent at once.
  double Left(Share share, MonoTime now);

  double rate() const { return rate_; }
  MonoTime blocked_until() const { return blocked_until_; }

 private:
  struct Bucket {
    double tokens = 0;
  };

  void Refill(MonoTime now);
  Bucket& Of(Share share) { return share == Share::kSubmit ? submit_ : poll_; }
  double Capacity() const { return std::max(1.0, options_.burst / 2 * part_); }
  double MostPerSecond() const { return options_.requests_per_second * part_; }

  const BudgetOptions options_;
  double part_ = 1;  // of the account's rate
  double rate_;
  Bucket submit_, poll_;
  MonoTime refilled_at_;
  MonoTime blocked_until_ = MonoTime::min();
};

}  // namespace gateway::jobs
