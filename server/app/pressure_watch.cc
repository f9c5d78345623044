#include "app/pressure_watch.h"

#include <pthread.h>

#include <chrono>
#include <utility>

#include "obs/log.h"

namespace gateway::app {

Pressure PressureGauge::Measure(MonoTime now) {
  Pressure pressure{.memory_bytes = sources_.memory_bytes(),
                    .lag = sources_.lag(),
                    .store_queue = sources_.store_queue()};
  const bool is_short = memory_short_from_ > 0 && pressure.memory_bytes > memory_short_from_;
  if (is_short && now >= next_return_) {
    next_return_ = now + limits::kShedStep;
    sources_.give_back();
    pressure.memory_bytes = sources_.memory_bytes();
  }
  return pressure;
}

Pressure Believed(Pressure pressure, Duration late) {
  if (late > limits::kPressureLag) pressure.lag = limits::kPressureLag;
  return pressure;
}

PressureWatch::PressureWatch(Shedding& shedding, PressureGauge gauge, Duration interval)
    : shedding_(shedding),
      gauge_(std::move(gauge)),
      interval_(interval),
      thread_([this] { Run(); }) {
  pthread_setname_np(thread_.native_handle(), "pressure");
}

PressureWatch::~PressureWatch() {
  {
    MutexLock lock(mutex_);
    stopping_ = true;
    wake_.notify_all();
  }
  thread_.join();
}

void PressureWatch::Run() {
  for (;;) {
    const MonoTime due = std::chrono::steady_clock::now() + interval_;
    {
      MutexLock lock(mutex_);
      const auto stopping = [this]() REQUIRES(mutex_) { return stopping_; };
      if (wake_.wait_until(mutex_, due, stopping)) return;
    }
    Look(std::chrono::steady_clock::now() - due);
  }
}

void PressureWatch::Look(Duration late) {
  const Pressure pressure = Believed(gauge_.Measure(std::chrono::steady_clock::now()), late);
  const int before = shedding_.level();
  if (!shedding_.Look(pressure, std::chrono::steady_clock::now())) return;
  const int level = shedding_.level();
  obs::Log(
      level > before ? obs::Level::kWarn : obs::Level::kInfo, "shedding",
      {{"shed_level", level},
       {"refused", ShedAt(level)},
       {"memory_mib", static_cast<std::int64_t>(pressure.memory_bytes / limits::kMiB)},
       {"lag_ms", static_cast<std::int64_t>(
                      std::chrono::duration_cast<std::chrono::milliseconds>(pressure.lag).count())},
       {"store_queue", static_cast<std::int64_t>(pressure.store_queue)}});
}

}  // namespace gateway::app
