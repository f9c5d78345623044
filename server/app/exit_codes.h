// The exit codes say why the program ended, to whoever starts it again. Those of `contract` stand
// in its help text (app/flags.cc).
#pragma once

namespace gateway::app {

inline constexpr int kCannotServe = 1;  // it did not start, or its store failed
inline constexpr int kWrongSettings = 2;
inline constexpr int kHung = 70;         // an orderly end took longer than it may
inline constexpr int kUnreachable = 71;  // it did not answer its own calls
inline constexpr int kEndedAtOnce = 72;  // a second signal asked for the end

inline constexpr int kDoesNotHold = 1;  // of `contract`
inline constexpr int kNotTried = 2;     // of `contract`: usage, or Pictory was not reached
inline constexpr int kCopyUsage = 2;    // of `store copy`: usage; else as kCannotServe

}  // namespace gateway::app
