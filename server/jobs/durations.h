// Durations says how long past jobs took: a histogram in bounded memory, in which the newest jobs
// count most. It is a plain value, and two can be merged. Pure.
//
// Its buckets grow by an eighth of an octave, so what it says is right to a tenth.
#pragma once

#include <array>
#include <cstddef>

#include "base/clock.h"

namespace gateway::jobs {

class Durations {
 public:
  void Add(Duration took);
  // Adds what another one has counted.
  void Merge(const Durations& other);

  // How many jobs count: up to limits::kPastJobsCounted all of them, each as one, and then always
  // so many, because with each new one all others count less.
  double count() const { return LongerThan(Duration::zero()); }
  // How many of them took longer than this.
  double LongerThan(Duration time) const;
  // The time within which this share (0 to 1) of those had ended that took longer than `than`; zero
  // if there are none.
  Duration Within(double share, Duration than = Duration::zero()) const;

 private:
  static constexpr std::size_t kBuckets = 176;  // from a quarter of a second to 12 days

  // Where a time lies: the number of its bucket, and how much of the bucket lies before it.
  static double PlaceOf(Duration time);
  static Duration TimeAt(double place);
  void ScaleTo(double count);

  std::array<float, kBuckets> counts_{};
};

}  // namespace gateway::jobs
