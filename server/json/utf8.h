// FirstUtf8 reads UTF-8 from anybody and makes it good the way most programs do: bytes that can be
// no part of a character become U+FFFD, as many as could have been the beginning of one. Pure.
// Private to json/.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>

namespace gateway::json {

inline constexpr std::string_view kReplacement = "\xEF\xBF\xBD";  // U+FFFD

struct Utf8Run {
  std::size_t bytes;
  bool good;
};

// What `text`, which is not empty, begins with: a whole character, or the bytes that one U+FFFD
// stands for.
inline Utf8Run FirstUtf8(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned lead = byte(0);
  if (lead < 0x80) return {1, true};
  if (lead < 0xC2 || lead > 0xF4) return {1, false};
  const std::size_t size = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
  // The bounds of the second byte leave out encodings that are longer than need be, surrogates, and
  // characters that are too high.
  const unsigned least = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
  const unsigned most = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
  for (std::size_t i = 1; i < size; ++i) {
    if (i >= text.size() || byte(i) < (i == 1 ? least : 0x80) || byte(i) > (i == 1 ? most : 0xBF)) {
      return {i, false};
    }
  }
  return {size, true};
}

inline std::string WellFormed(std::string_view text) {
  std::string good;
  good.reserve(text.size());
  while (!text.empty()) {
    const Utf8Run run = FirstUtf8(text);
    good += run.good ? text.substr(0, run.bytes) : kReplacement;
    text.remove_prefix(run.bytes);
  }
  return good;
}

}  // namespace gateway::json
