// The two clocks that figures are made of. CLOCK_MONOTONIC is the same in all processes of a
// machine, so a time taken in one can be compared with one taken in another.
#pragma once

#include <sys/types.h>
#include <time.h>

#include <cstdint>

namespace bench {

inline std::int64_t Nanoseconds(clockid_t clock) {
  timespec at{};
  if (clock_gettime(clock, &at) != 0) return 0;
  return std::int64_t{1'000'000'000} * at.tv_sec + at.tv_nsec;
}

inline std::int64_t Now() { return Nanoseconds(CLOCK_MONOTONIC); }

// User and system time of all threads of a process, ended ones too. 0 for pid 0.
inline std::int64_t CpuOf(pid_t pid) {
  clockid_t clock{};
  if (pid == 0 || clock_getcpuclockid(pid, &clock) != 0) return 0;
  return Nanoseconds(clock);
}

inline std::int64_t OwnCpu() { return Nanoseconds(CLOCK_PROCESS_CPUTIME_ID); }

}  // namespace bench
