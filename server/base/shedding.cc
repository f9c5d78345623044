#include "base/shedding.h"

#include <algorithm>

#include "base/limits.h"

namespace gateway {

Shedding::Trend Shedding::TrendOf(const Pressure& pressure) const {
  const auto memory_above = [&](std::size_t percent) {
    return memory_limit_ > 0 && pressure.memory_bytes > memory_limit_ / 100 * percent;
  };
  if (memory_above(limits::kPressureMemoryPercent) || pressure.lag > limits::kPressureLag ||
      pressure.store_queue > limits::kPressureStoreQueue) {
    return Trend::kHolds;
  }
  const bool some_left = memory_above(limits::kPressureGoneMemoryPercent) ||
                         pressure.lag > limits::kPressureGoneLag ||
                         pressure.store_queue > limits::kPressureGoneStoreQueue;
  return some_left ? Trend::kNone : Trend::kGone;
}

bool Shedding::Look(const Pressure& pressure, MonoTime now) {
  const Trend trend = TrendOf(pressure);
  if (trend != trend_) {
    trend_ = trend;
    since_ = now;
  }
  const int step = trend == Trend::kHolds ? 1 : trend == Trend::kGone ? -1 : 0;
  const int next = std::clamp(level() + step, 0, static_cast<int>(kShedNames.size()));
  if (next == level() || now - since_ < limits::kShedStep) return false;
  since_ = now;
  level_.store(next, std::memory_order_relaxed);
  return true;
}

bool Shedding::Refuses(Shed what) {
  if (!Sheds(what)) return false;
  refused_[static_cast<std::size_t>(what)].fetch_add(1, std::memory_order_relaxed);
  return true;
}

std::uint64_t Shedding::refused(Shed what) const {
  return refused_[static_cast<std::size_t>(what)].load(std::memory_order_relaxed);
}

std::string ShedAt(int level) {
  std::string names;
  for (int i = 0; i < level; ++i) {
    if (i > 0) names += ", ";
    names += kShedNames[static_cast<std::size_t>(i)];
  }
  return names.empty() ? "nothing" : names;
}

}  // namespace gateway
