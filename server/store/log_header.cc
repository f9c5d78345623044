#include "store/log_header.h"

#include <unistd.h>

#include <array>
#include <charconv>
#include <cstdio>

namespace gateway::store {
namespace {

constexpr std::size_t kHeaderBytes = 32;
constexpr std::size_t kSaltsAt = 16;
// A log is begun anew at most so many times between two starts; a header that is further on is
// another log's.
constexpr std::uint32_t kBeginningsMax = 1U << 24;
constexpr std::uint32_t kMagic = 0x377f0682;  // the last bit tells the byte order of its checksums

std::uint32_t Number(const unsigned char* bytes) {
  return std::uint32_t{bytes[0]} << 24 | std::uint32_t{bytes[1]} << 16 |
         std::uint32_t{bytes[2]} << 8 | std::uint32_t{bytes[3]};
}

}  // namespace

std::optional<LogHeader> ReadLogHeader(int fd) {
  std::array<unsigned char, kHeaderBytes> bytes{};
  if (pread(fd, bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size())) {
    return std::nullopt;
  }
  if ((Number(bytes.data()) & ~1U) != kMagic) return std::nullopt;
  return LogHeader{.beginning = Number(&bytes[kSaltsAt]), .random = Number(&bytes[kSaltsAt + 4])};
}

bool Continues(const LogHeader& earlier, const LogHeader& later) {
  const std::uint32_t begun_anew =
      later.beginning - earlier.beginning;  // modulo 2^32, as SQLite counts
  return begun_anew == 0 ? later == earlier : begun_anew <= kBeginningsMax;
}

std::string ToText(const LogHeader& header) {
  std::array<char, 17> text{};
  std::snprintf(text.data(), text.size(), "%08x%08x", header.beginning, header.random);
  return text.data();
}

std::optional<LogHeader> LogHeaderFrom(std::string_view text) {
  std::uint64_t number = 0;
  const char* const end = text.data() + text.size();
  const auto [stopped, error] = std::from_chars(text.data(), end, number, 16);
  if (error != std::errc() || stopped != end || text.size() != 16) return std::nullopt;
  return LogHeader{.beginning = static_cast<std::uint32_t>(number >> 32),
                   .random = static_cast<std::uint32_t>(number)};
}

}  // namespace gateway::store
