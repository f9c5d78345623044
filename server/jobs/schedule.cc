#include "jobs/schedule.h"

#include <algorithm>
#include <cmath>

namespace gateway::jobs {
namespace {

using Kind = pictory::JobReply::Kind;

Duration Scale(Duration duration, double factor) {
  return Duration(static_cast<Duration::rep>(static_cast<double>(duration.count()) * factor));
}

Duration Grown(Duration first, double growth, int steps, Duration cap) {
  // Beyond this many steps every reasonable curve has met its cap; pow() would only overflow.
  const double grown = static_cast<double>(first.count()) * std::pow(growth, std::min(steps, 64));
  return grown >= static_cast<double>(cap.count()) ? cap
                                                   : Duration(static_cast<Duration::rep>(grown));
}

}  // namespace

PollCurve PollCurve::Sandbox() {
  PollCurve curve;
  curve.first = limits::kSandboxPollFirst;
  curve.max_watched = curve.max_unwatched = limits::kSandboxPollMax;
  curve.confirm = limits::kSandboxPollFirst;
  curve.error_first = limits::kSandboxPollFirst;
  curve.error_max = limits::kSandboxPollMax * 5;
  return curve;
}

PollCurve WithWebhooks(PollCurve curve) {
  curve.growth = std::max(curve.growth, limits::kWebhookPollGrowth);
  curve.max_watched *= limits::kWebhookPollSlower;
  curve.max_unwatched *= limits::kWebhookPollSlower;
  return curve;
}

Duration NextPollDelay(const PollCurve& curve, const PollFacts& facts, WallTime now,
                       double random) {
  const JobRecord& record = *facts.record;
  const double spread = 1 + curve.jitter * (2 * random - 1);

  if (!Speaks(facts.outcome)) {
    // Full jitter: a herd of jobs that failed together must not come back together.
    const Duration window =
        Grown(curve.error_first, 2, std::max(0, facts.errors - 1), curve.error_max);
    const Duration backoff = std::max(Scale(window, random), Scale(curve.error_first, 0.5));
    // A job is never polled earlier than Pictory asks, and a little later, each job by another
    // amount.
    const Duration asked = Scale(facts.retry_after, 1 + curve.jitter * random);
    return std::max({backoff, asked, facts.fair_interval});
  }
  if (record.notice == Notice::kTooLarge) {
    return std::max<Duration>(Scale(limits::kTooLargePollInterval, spread), facts.fair_interval);
  }
  if (record.failure_seen && facts.outcome == Kind::kFailed) {
    return std::max(curve.confirm, facts.fair_interval);
  }
  if (facts.outcome == Kind::kIncomplete && record.incomplete_since.has_value() &&
      now - *record.incomplete_since < limits::kResultIncompleteAfter) {
    // The result mostly follows at once, however long the job took.
    const Duration soon =
        Grown(curve.first, curve.growth, record.incomplete_count - 1, curve.max_watched);
    return std::max(Scale(soon, spread), facts.fair_interval);
  }

  Duration interval = Grown(curve.first, curve.growth, facts.polls,
                            facts.watched ? curve.max_watched : curve.max_unwatched);
  const auto age = now - std::max(record.accepted_at, facts.asked_since);
  if (record.job.upstream_missing || age >= limits::kStaleAfter) {
    interval = std::max<Duration>(interval, limits::kStalePollInterval);
  } else if (age >= limits::kSlowAfter) {
    interval *= limits::kSlowFactor;
  }
  return std::max(Scale(interval, spread), facts.fair_interval);
}

Duration FirstPollAfterRestart(const PollCurve& curve, std::size_t turns,
                               double requests_per_second, double random) {
  const Duration by_budget = std::chrono::duration_cast<Duration>(
      std::chrono::duration<double>(static_cast<double>(turns) / requests_per_second));
  return Scale(std::max(curve.first * 6, by_budget), random);
}

}  // namespace gateway::jobs
