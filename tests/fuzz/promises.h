// What the targets share.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace gateway::fuzz {

// Not assert, which an optimised build leaves out.
inline void Must(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "broken promise: %s\n", what);
  std::abort();
}

// The first byte of an input says what the rest is.
inline unsigned char TakeByte(std::string_view& input) {
  if (input.empty()) return 0;
  const auto byte = static_cast<unsigned char>(input.front());
  input.remove_prefix(1);
  return byte;
}

}  // namespace gateway::fuzz
