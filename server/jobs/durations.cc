#include "jobs/durations.h"

#include <algorithm>
#include <chrono>
#include <cmath>

#include "base/limits.h"

namespace gateway::jobs {
namespace {

constexpr double kFirstSeconds = 0.25;  // the beginning of the first bucket
constexpr double kBucketsPerOctave = 8;

}  // namespace

double Durations::PlaceOf(Duration time) {
  const double seconds = std::chrono::duration<double>(time).count();
  if (seconds <= kFirstSeconds) return 0;
  return std::min(kBucketsPerOctave * std::log2(seconds / kFirstSeconds), double{kBuckets});
}

Duration Durations::TimeAt(double place) {
  return std::chrono::duration_cast<Duration>(
      std::chrono::duration<double>(kFirstSeconds * std::exp2(place / kBucketsPerOctave)));
}

void Durations::ScaleTo(double count) {
  const double now = this->count();
  if (now <= count) return;
  for (float& one : counts_) one = static_cast<float>(one * (count / now));
}

void Durations::Add(Duration took) {
  ScaleTo(limits::kPastJobsCounted - 1);
  const auto bucket = static_cast<std::size_t>(PlaceOf(took));
  counts_[std::min(bucket, kBuckets - 1)] += 1;
}

void Durations::Merge(const Durations& other) {
  for (std::size_t i = 0; i < kBuckets; ++i) counts_[i] += other.counts_[i];
  ScaleTo(limits::kPastJobsCounted);
}

double Durations::LongerThan(Duration time) const {
  const double place = PlaceOf(time);
  double longer = 0;
  for (std::size_t i = kBuckets; i-- > 0 && static_cast<double>(i) + 1 > place;) {
    const double after = std::min(1.0, static_cast<double>(i) + 1 - place);
    longer += after * counts_[i];
  }
  return longer;
}

Duration Durations::Within(double share, Duration than) const {
  const double longer = LongerThan(than);
  if (longer <= 0) return Duration::zero();
  const double beyond = longer * (1 - share);
  // From the longest on: the place behind which so many lie.
  double seen = 0;
  for (std::size_t i = kBuckets; i-- > 0;) {
    if (counts_[i] <= 0) continue;
    if (seen + counts_[i] >= beyond) {
      const double after = (beyond - seen) / counts_[i];
      return std::max(than, TimeAt(static_cast<double>(i) + 1 - after));
    }
    seen += counts_[i];
  }
  return than;
}

}  // namespace gateway::jobs
