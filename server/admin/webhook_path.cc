#include "admin/webhook_path.h"

#include <charconv>
#include <cstdint>

namespace gateway::admin {
namespace {

// The byte that `text` names by two hex digits; -1: it does not.
int EscapedByte(std::string_view text) {
  std::uint8_t byte = 0;
  const std::string_view digits = text.substr(0, 2);
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), byte, 16);
  return digits.size() == 2 && error == std::errc() && end == digits.data() + 2 ? byte : -1;
}

// What is no escape stays as it is: such a path is forged, and its caller need not be told why.
std::string PercentDecoded(std::string_view text) {
  std::string decoded;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const int byte = text[i] == '%' ? EscapedByte(text.substr(i + 1)) : -1;
    decoded += byte < 0 ? text[i] : static_cast<char>(byte);
    if (byte >= 0) i += 2;
  }
  return decoded;
}

}  // namespace

std::string LastSegment(std::string_view path) {
  std::string decoded = PercentDecoded(path);
  decoded.erase(decoded.find_last_not_of('/') + 1);
  return decoded.substr(decoded.rfind('/') + 1);
}

}  // namespace gateway::admin
