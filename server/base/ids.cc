#include "base/ids.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <utility>

#include "base/limits.h"

namespace gateway {
namespace {

constexpr char kCrockford[] = "0123456789abcdefghjkmnpqrstvwxyz";
constexpr char kHex[] = "0123456789ABCDEF";

bool IsWordByte(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '-';
}

bool IsWord(std::string_view text, std::size_t max_bytes) {
  return !text.empty() && text.size() <= max_bytes &&
         std::all_of(text.begin(), text.end(), IsWordByte);
}

// The `digits` lowest 5-bit groups of `value`, most significant first.
void AppendBase32(std::string& out, std::uint64_t value, int digits) {
  for (int shift = 5 * (digits - 1); shift >= 0; shift -= 5) {
    out.push_back(kCrockford[(value >> shift) & 31]);
  }
}

int HexValue(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// HasDotSegment for text in which nothing is encoded.
bool HasPlainDotSegment(std::string_view text) {
  while (true) {
    const std::size_t end = std::min(text.find_first_of("/\\?#;"), text.size());
    const std::string_view segment = text.substr(0, end);
    if (segment == "." || segment == "..") return true;
    if (end == text.size()) return false;
    text.remove_prefix(end + 1);
  }
}

}  // namespace

std::string JobIdFloor(WallTime when) {
  const std::int64_t millis =
      std::chrono::floor<std::chrono::milliseconds>(when.time_since_epoch()).count();
  std::string id;
  id.reserve(26);
  AppendBase32(id, static_cast<std::uint64_t>(std::max<std::int64_t>(millis, 0)), 10);
  return id;
}

std::string MintJobId(WallTime now, Random& random) {
  std::string id = JobIdFloor(now);
  AppendBase32(id, random.Next(), 8);
  AppendBase32(id, random.Next(), 8);
  return id;
}

bool IsMintedJobId(std::string_view id) {
  return id.size() == 26 && id.find_first_not_of(kCrockford) == std::string_view::npos;
}

std::string MintRequestId(Random& random) {
  std::array<std::uint64_t, 2> bits = {random.Next(), random.Next()};
  bits[0] = (bits[0] & ~0xF000ULL) | 0x4000ULL;                          // version 4
  bits[1] = (bits[1] & ~0xC000000000000000ULL) | 0x8000000000000000ULL;  // variant 1
  std::string id;
  id.reserve(36);
  for (int nibble = 0; nibble < 32; ++nibble) {
    if (nibble == 8 || nibble == 12 || nibble == 16 || nibble == 20) id.push_back('-');
    const std::uint64_t word = bits[nibble / 16];
    id.push_back("0123456789abcdef"[(word >> (60 - 4 * (nibble % 16))) & 15]);
  }
  return id;
}

bool IsCallerId(std::string_view id) { return IsWord(id, limits::kCallerIdMaxBytes); }

bool IsRequestId(std::string_view id) { return IsWord(id, limits::kRequestIdMaxBytes); }

bool IsUpstreamId(std::string_view id) {
  return !id.empty() && id.size() <= limits::kUpstreamIdMaxBytes &&
         std::all_of(id.begin(), id.end(), [](char c) { return c > 0x20 && c < 0x7F; }) &&
         !HasDotSegment(id);
}

bool HasDotSegment(std::string_view text) {
  std::string now(text);
  while (!HasPlainDotSegment(now)) {
    std::string decoded = PercentDecode(now);
    if (decoded.size() == now.size()) return false;
    now = std::move(decoded);
  }
  return true;
}

std::string PercentEncode(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    if (IsWordByte(c) || c == '.' || c == '~') {
      out.push_back(c);
    } else {
      const auto byte = static_cast<unsigned char>(c);
      out.push_back('%');
      out.push_back(kHex[byte >> 4]);
      out.push_back(kHex[byte & 15]);
    }
  }
  // A path segment that is only dots would be read as "here" or "one up".
  if (out == "." || out == "..") {
    std::string dots;
    for (std::size_t i = 0; i < out.size(); ++i) dots += "%2E";
    return dots;
  }
  return out;
}

std::string PercentDecode(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const int high = text[i] == '%' && i + 2 < text.size() ? HexValue(text[i + 1]) : -1;
    const int low = high < 0 ? -1 : HexValue(text[i + 2]);
    out.push_back(low < 0 ? text[i] : static_cast<char>(high * 16 + low));
    if (low >= 0) i += 2;
  }
  return out;
}

}  // namespace gateway
