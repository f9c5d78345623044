// These functions make bytes of messages by hand, also such as no library writes.
#pragma once

#include <cstdint>
#include <string>

namespace gateway::rpc::bytes {

inline std::string Varint(std::uint64_t value) {
  std::string out;
  for (; value >= 0x80; value >>= 7) out += static_cast<char>(value | 0x80);
  return out + static_cast<char>(value);
}

inline std::string Tag(int number, int wire_type) {
  return Varint(static_cast<std::uint64_t>(number) << 3 | static_cast<unsigned>(wire_type));
}

// A text or message.
inline std::string Field(int number, const std::string& content) {
  return Tag(number, 2) + Varint(content.size()) + content;
}

inline std::string Times(std::size_t times, const std::string& piece) {
  std::string out;
  out.reserve(times * piece.size());
  for (std::size_t i = 0; i < times; ++i) out += piece;
  return out;
}

}  // namespace gateway::rpc::bytes
