// The exit codes say why the program ended, to whoever starts it again.
#pragma once

namespace gateway::app {

inline constexpr int kCannotServe = 1;   // it did not start, or its store failed
inline constexpr int kHung = 70;         // an orderly end took longer than it may
inline constexpr int kUnreachable = 71;  // it did not answer its own calls

}  // namespace gateway::app
