#include "backoff.h"

#include <algorithm>
#include <condition_variable>
#include <mutex>

#include "attempts.h"
#include "entropy.h"
#include "pictory_jobs/status.h"

namespace pictory_jobs {
namespace {

using std::chrono::duration;
using std::chrono::duration_cast;
using std::chrono::nanoseconds;

constexpr double kFirstSeconds = 0.2;
constexpr double kMaxSeconds = 5;
constexpr double kToldSpread = 0.2;  // of what the gateway asked for,
constexpr double kToldSpreadMaxSeconds = 1;

nanoseconds FromSeconds(double seconds) {
  return duration_cast<nanoseconds>(duration<double>(seconds));
}

bool WaitFor(nanoseconds time, const std::stop_token& stop) {
  std::mutex mutex;
  std::condition_variable_any never;
  std::unique_lock lock(mutex);
  never.wait_for(lock, stop, time, [] { return false; });
  return !stop.stop_requested();
}

}  // namespace

Pacing Pacing::Real() { return {UniformRandom, WaitFor}; }

nanoseconds JitteredDelay(int failures, double uniform) {
  const int doublings = std::clamp(failures, 0, 10) + 1;
  const double ceiling = std::min(kMaxSeconds, kFirstSeconds * (1 << doublings));
  return FromSeconds(kFirstSeconds + uniform * (ceiling - kFirstSeconds));
}

nanoseconds DelayAfter(const absl::Status& status, int failures, double uniform) {
  const auto told = RetryDelay(status);
  if (!told) return JitteredDelay(failures, uniform);
  const double spread =
      std::min(kToldSpreadMaxSeconds, kToldSpread * duration<double>(*told).count());
  return *told + FromSeconds(uniform * spread);
}

bool Backoff::WorthRepeating(const absl::Status& status, bool out_of_time) const {
  if (SaysNothingWasDone(status)) {
    return absl::IsUnavailable(status) ||
           (absl::IsResourceExhausted(status) && options_.when_exhausted);
  }
  if (repeatable_ != Repeatable::kAlways) return false;
  if (absl::IsDeadlineExceeded(status) && out_of_time) return false;
  return absl::IsUnavailable(status) || BrokenConnection(status);
}

std::optional<nanoseconds> Backoff::Next(const absl::Status& status, bool out_of_time) {
  if (!WorthRepeating(status, out_of_time) || ++failures_ >= options_.max_attempts) {
    return std::nullopt;
  }
  const nanoseconds wait = DelayAfter(status, failures_ - 1, pacing_.uniform());
  waited_ += wait;
  if (waited_ > options_.max_wait) return std::nullopt;
  return wait;
}

void Backoff::Reset() {
  failures_ = 0;
  waited_ = nanoseconds(0);
}

}  // namespace pictory_jobs
