// The exit codes say why the program ended, to whoever starts it again.
#pragma once

namespace gateway::app {

inline constexpr int kCannotServe = 1;   // it did not start, or its store failed
inline constexpr int kHung = 70;         // an orderly end took longer than it may
inline constexpr int kUnreachable = 71;  // it did not answer its own calls
inline constexpr int kEndedAtOnce = 72;  // a second signal asked for the end

}  // namespace gateway::app
