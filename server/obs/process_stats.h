// ProcessStats is what the system says of this process. Its metrics have the names that all of
// Prometheus' own libraries give.
#pragma once

#include <filesystem>

#include "obs/metrics.h"

namespace gateway::obs {

// What cannot be read is 0.
struct ProcessStats {
  double cpu_seconds = 0;  // of the user and the system, all threads
  double start_time = 0;   // Unix time, in seconds
  double virtual_bytes = 0;
  double resident_bytes = 0;
  double threads = 0;
  double open_fds = 0;
  double max_fds = 0;
};

// `proc` is where /proc is.
ProcessStats ReadProcessStats(const std::filesystem::path& proc = "/proc");

// Adds process_cpu_seconds_total and so on, which are read when metrics are.
void AddProcessMetrics(Metrics& metrics);

}  // namespace gateway::obs
