// FailPoint marks places where a test lets the process die, to see what the next start makes of it,
// or stop, to see what others make of that.
// Only the chaos tests' own build of the program (tests/chaos) has them: in every other build
// FailPoint is empty, and nothing reads the variable.
#pragma once

#include <string_view>

#ifdef PICTORY_FAIL_POINTS

#include <atomic>
#include <csignal>
#include <cstdlib>
#include <string>

namespace gateway {

// GATEWAY_FAIL_POINT=name[:n[:stop]] kills the process the n-th time (the first, if not given) it
// gets to the place of that name: with SIGKILL, so that nothing is flushed, closed or answered.
// With `stop` that is SIGSTOP: it goes on from that place when it is told to (SIGCONT).
inline void FailPoint(std::string_view name) {
  static const std::string wanted = [] {
    const char* set = std::getenv("GATEWAY_FAIL_POINT");
    return std::string(set == nullptr ? "" : set);
  }();
  static const std::size_t colon = wanted.find(':');
  static std::atomic<int> left{colon == std::string::npos ? 1 : std::atoi(&wanted[colon + 1])};
  static const int signal = wanted.ends_with(":stop") ? SIGSTOP : SIGKILL;
  if (name == std::string_view(wanted).substr(0, colon) && --left == 0) std::raise(signal);
}

}  // namespace gateway

#else

namespace gateway {
constexpr void FailPoint(std::string_view) {}
}  // namespace gateway

#endif
