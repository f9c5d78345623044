// TransportStats tells what a transport has done so far, for metrics.
//
// It is a snapshot of counters that move independently: each is exact, their sums may be off by
// what happened while they were read.
#pragma once

#include <atomic>
#include <cstdint>

#include "base/clock.h"
#include "http/transport.h"

namespace gateway::http {

struct LaneStats {
  std::uint64_t queued = 0;     // now waiting
  std::uint64_t in_flight = 0;  // now at Pictory
  // Since the start:
  std::uint64_t started = 0;
  std::uint64_t complete = 0;
  std::uint64_t not_sent = 0;  // refused and expired ones included
  std::uint64_t unknown = 0;
  std::uint64_t connections = 0;  // opened
};

struct TransportStats {
  LaneStats paid;
  LaneStats read;
  // The longest time an engine was away from its sockets, callbacks included.
  Duration loop_stall_max{0};
};

// The counters are written by engine threads and by callers of Start, and read by anyone.
struct LaneCounters {
  std::atomic<std::uint64_t> queued{0};
  std::atomic<std::uint64_t> in_flight{0};
  std::atomic<std::uint64_t> started{0};
  std::atomic<std::uint64_t> complete{0};
  std::atomic<std::uint64_t> not_sent{0};
  std::atomic<std::uint64_t> unknown{0};
  std::atomic<std::uint64_t> connections{0};

  void Count(Response::Outcome outcome) {
    auto& counter = outcome == Response::Outcome::kComplete  ? complete
                    : outcome == Response::Outcome::kNotSent ? not_sent
                                                             : unknown;
    counter.fetch_add(1, std::memory_order_relaxed);
  }
  LaneStats Read() const {
    return {.queued = queued.load(std::memory_order_relaxed),
            .in_flight = in_flight.load(std::memory_order_relaxed),
            .started = started.load(std::memory_order_relaxed),
            .complete = complete.load(std::memory_order_relaxed),
            .not_sent = not_sent.load(std::memory_order_relaxed),
            .unknown = unknown.load(std::memory_order_relaxed),
            .connections = connections.load(std::memory_order_relaxed)};
  }
};

struct TransportCounters {
  LaneCounters paid;
  LaneCounters read;
  std::atomic<Duration::rep> loop_stall_max{0};
};

}  // namespace gateway::http
