// Shedding decides what this process refuses while it is under pressure, so that it has the means
// to finish what it has begun.
//
// Pressure is little memory, a thread that comes late, or a store that falls behind. While it holds
// one thing more is shed every second, in the order of Shed; once it is gone, one thing less every
// second. Where it neither holds nor is gone nothing changes, so the level does not go up and down.
// What Shed does not name is never shed: submits that were let in, the states of jobs, health.
//
// Look is for one thread. Everything else is thread-safe.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/clock.h"

namespace gateway {

// What is shed, the first one first.
enum class Shed {
  kWatches,  // that are new
  kReads,    // that wait for the store or for Pictory
  kPolls,    // of jobs that nobody watches
  kSubmits,  // that are new, and uploads
};
inline constexpr std::array<std::string_view, 4> kShedNames = {"watches", "reads", "polls",
                                                               "submits"};

// What was measured at one time.
struct Pressure {
  std::size_t memory_bytes = 0;  // resident
  Duration lag{0};               // of the thread that comes latest
  std::size_t store_queue = 0;   // writes that wait
};

class Shedding {
 public:
  // Memory counts for nothing if `memory_limit_bytes` is 0.
  explicit Shedding(std::size_t memory_limit_bytes = 0) : memory_limit_(memory_limit_bytes) {}

  // Takes what was measured. Returns whether the level has changed.
  bool Look(const Pressure& pressure, MonoTime now);

  // How many things are shed, from none to all.
  int level() const { return level_.load(std::memory_order_relaxed); }
  bool Sheds(Shed what) const { return level() > static_cast<int>(what); }
  // Does as Sheds, and counts what is refused.
  bool Refuses(Shed what);
  std::uint64_t refused(Shed what) const;

 private:
  enum class Trend { kNone, kHolds, kGone };
  Trend TrendOf(const Pressure& pressure) const;

  const std::size_t memory_limit_;
  std::atomic<int> level_{0};
  std::array<std::atomic<std::uint64_t>, kShedNames.size()> refused_{};
  // Of Look's thread: what holds, and since when, or since the last change of the level.
  Trend trend_ = Trend::kNone;
  MonoTime since_{};
};

// The names of what is shed at a level; "nothing" at 0.
std::string ShedAt(int level);

}  // namespace gateway
