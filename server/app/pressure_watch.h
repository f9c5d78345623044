// A PressureWatch measures the pressure on this process ten times a second, on a thread of its own,
// so that Shedding (base/shedding.h) can decide, and logs each change of the level.
//
// Memory that the allocator keeps and nobody uses is no pressure: when memory is short, it is given
// back before it counts.
#pragma once

#include <cstddef>
#include <functional>
#include <thread>
#include <utility>

#include "base/clock.h"
#include "base/limits.h"
#include "base/memory.h"
#include "base/mutex.h"
#include "base/shedding.h"

namespace gateway::app {

struct PressureSources {
  std::function<std::size_t()> memory_bytes = ResidentBytes;
  std::function<void()> give_back = ReturnFreeMemory;
  std::function<Duration()> lag;
  std::function<std::size_t()> store_queue;
};

// Pressure measured with memory given back, at most once in limits::kShedStep, if so much is used.
// Not thread-safe.
class PressureGauge {
 public:
  PressureGauge(std::size_t memory_short_from, PressureSources sources)
      : memory_short_from_(memory_short_from), sources_(std::move(sources)) {}

  Pressure Measure(MonoTime now);

 private:
  const std::size_t memory_short_from_;  // 0: never
  const PressureSources sources_;
  MonoTime next_return_ = MonoTime::min();
};

// What is to be believed of a look that came so late itself: the machine did not run the process,
// so that other threads were late too proves nothing, neither pressure nor its end. Pure.
Pressure Believed(Pressure pressure, Duration late);

class PressureWatch {
 public:
  // Looks until it is destroyed. `shedding` and what the sources ask must outlive it.
  PressureWatch(Shedding& shedding, PressureGauge gauge,
                Duration interval = limits::kPressureLookInterval);
  ~PressureWatch();
  PressureWatch(const PressureWatch&) = delete;
  PressureWatch& operator=(const PressureWatch&) = delete;

 private:
  void Run();
  void Look(Duration late);

  Shedding& shedding_;
  PressureGauge gauge_;  // of the thread
  const Duration interval_;
  Mutex mutex_;
  CondVar wake_;
  bool stopping_ GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace gateway::app
