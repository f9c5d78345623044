#include "base/inside_address.h"

#include <arpa/inet.h>

#include <cstdint>
#include <cstring>
#include <optional>

namespace gateway {
namespace {

// The prefix of IPv4 addresses that a NAT64 translates (RFC 6052).
constexpr std::uint8_t kNat64[12] = {0x00, 0x64, 0xFF, 0x9B};

// The IPv4 address, in host order, that the text is or has in it.
std::optional<std::uint32_t> V4Of(const std::string& address) {
  in_addr v4{};
  if (inet_pton(AF_INET, address.c_str(), &v4) == 1) return ntohl(v4.s_addr);
  in6_addr v6{};
  if (inet_pton(AF_INET6, address.c_str(), &v6) != 1) return std::nullopt;
  const bool holds = IN6_IS_ADDR_V4MAPPED(&v6) || IN6_IS_ADDR_V4COMPAT(&v6) ||
                     std::memcmp(v6.s6_addr, kNat64, sizeof kNat64) == 0;
  if (!holds || IN6_IS_ADDR_LOOPBACK(&v6)) return std::nullopt;
  std::memcpy(&v4, v6.s6_addr + 12, sizeof v4);
  return ntohl(v4.s_addr);
}

bool IsIn(std::uint32_t ip, std::uint32_t net, int bits) {
  return ip >> (32 - bits) == net >> (32 - bits);
}

std::string WithoutZone(const std::string& address) { return address.substr(0, address.find('%')); }

}  // namespace

bool IsInsideAddress(const std::string& address) {
  const std::string text = WithoutZone(address);
  if (const std::optional<std::uint32_t> ip = V4Of(text)) {
    return IsIn(*ip, 0x00000000, 8) || IsIn(*ip, 0x0A000000, 8) || IsIn(*ip, 0x64400000, 10) ||
           IsIn(*ip, 0x7F000000, 8) || IsIn(*ip, 0xA9FE0000, 16) || IsIn(*ip, 0xAC100000, 12) ||
           IsIn(*ip, 0xC0000000, 24) || IsIn(*ip, 0xC0A80000, 16) || IsIn(*ip, 0xC6120000, 15) ||
           *ip >= 0xE0000000;
  }
  in6_addr v6{};
  if (inet_pton(AF_INET6, text.c_str(), &v6) != 1) return true;
  return IN6_IS_ADDR_UNSPECIFIED(&v6) || IN6_IS_ADDR_LOOPBACK(&v6) || IN6_IS_ADDR_LINKLOCAL(&v6) ||
         IN6_IS_ADDR_SITELOCAL(&v6) || IN6_IS_ADDR_MULTICAST(&v6) || (v6.s6_addr[0] & 0xFE) == 0xFC;
}

bool IsLoopbackAddress(const std::string& address) {
  const std::string text = WithoutZone(address);
  if (const std::optional<std::uint32_t> ip = V4Of(text)) return IsIn(*ip, 0x7F000000, 8);
  in6_addr v6{};
  return inet_pton(AF_INET6, text.c_str(), &v6) == 1 && IN6_IS_ADDR_LOOPBACK(&v6);
}

}  // namespace gateway
