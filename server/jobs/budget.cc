#include "jobs/budget.h"

#include <cmath>

#include "base/limits.h"

namespace gateway::jobs {
namespace {

double Seconds(Duration duration) { return std::chrono::duration<double>(duration).count(); }

Duration FromSeconds(double seconds) {
  // Rounded up, so that waiting exactly this long is enough.
  return Duration(static_cast<Duration::rep>(std::ceil(seconds * 1e9)));
}

}  // namespace

Budget::Budget(BudgetOptions options, MonoTime now)
    : options_(options), rate_(options.requests_per_second), refilled_at_(now) {
  submit_.tokens = poll_.tokens = Capacity();
}

void Budget::Refill(MonoTime now) {
  if (now <= refilled_at_) return;
  const double elapsed = Seconds(now - refilled_at_);
  refilled_at_ = now;
  const double half = rate_ * elapsed / 2;
  const double capacity = Capacity();
  submit_.tokens += half;
  poll_.tokens += half;
  const double spill_to_poll = std::max(0.0, submit_.tokens - capacity);
  const double spill_to_submit = std::max(0.0, poll_.tokens - capacity);
  submit_.tokens = std::min(capacity, submit_.tokens + spill_to_submit);
  poll_.tokens = std::min(capacity, poll_.tokens + spill_to_poll);
  rate_ = std::min(MostPerSecond(),
                   rate_ + MostPerSecond() * limits::kBudgetRecoveryPerSecond * elapsed);
}

void Budget::ShareWith(int processes, MonoTime now) {
  const double part = 1.0 / std::max(1, processes);
  if (part == part_) return;
  Refill(now);
  rate_ *= part / part_;
  part_ = part;
  submit_.tokens = std::min(submit_.tokens, Capacity());
  poll_.tokens = std::min(poll_.tokens, Capacity());
}

bool Budget::TryTake(Share share, MonoTime now) {
  if (now < blocked_until_) return false;
  Refill(now);
  Bucket& bucket = Of(share);
  if (bucket.tokens < 1 - 1e-9) return false;
  bucket.tokens -= 1;
  return true;
}

void Budget::Spend(Share share, MonoTime now) {
  Refill(now);
  Of(share).tokens -= 1;
}

void Budget::Refund(Share share) {
  Bucket& bucket = Of(share);
  bucket.tokens = std::min(Capacity(), bucket.tokens + 1);
}

double Budget::Left(Share share, MonoTime now) {
  if (now < blocked_until_) return 0;
  Refill(now);
  return std::max(0.0, Of(share).tokens);
}

MonoTime Budget::NextAt(Share share, MonoTime now) {
  const MonoTime from = std::max(now, blocked_until_);
  Refill(now);
  const double missing = 1 - Of(share).tokens;
  if (missing <= 0) return from;
  // The share refills at half the rate until the other one is full, and at all of it from then on.
  const double half = rate_ / 2;
  const Bucket& other = share == Share::kSubmit ? poll_ : submit_;
  const double until_full = std::max(0.0, Capacity() - other.tokens) / half;
  const double wait = missing <= half * until_full
                          ? missing / half
                          : until_full + (missing - half * until_full) / rate_;
  return std::max(from, now + FromSeconds(wait));
}

void Budget::OnRateLimited(Duration retry_after, MonoTime now) {
  Refill(now);
  rate_ = std::max(MostPerSecond() * limits::kBudgetLeast, rate_ / 2);
  submit_.tokens = poll_.tokens = 0;
  const Duration wait =
      std::clamp<Duration>(retry_after, limits::kRetryAfterMin, limits::kRetryAfterMax);
  BlockUntil(now + wait);
}

}  // namespace gateway::jobs
