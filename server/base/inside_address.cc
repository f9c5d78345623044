#include "base/inside_address.h"

#include <arpa/inet.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <iterator>
#include <optional>

namespace gateway {
namespace {

struct V4Net {
  std::uint32_t address;
  int bits;
};

// What IANA's registry of special-purpose IPv4 addresses does not call globally reachable,
// multicast, and one public address that is a cloud's own: Azure's host answers there to each
// machine on it.
constexpr V4Net kInsideV4[] = {
    {0x00000000, 8},   // this network
    {0x0A000000, 8},   // private
    {0x64400000, 10},  // shared by a provider's customers
    {0x7F000000, 8},   // loopback
    {0xA83F8110, 32},  // 168.63.129.16
    {0xA9FE0000, 16},  // link-local
    {0xAC100000, 12},  // private
    {0xC0000000, 24},  // protocol assignments
    {0xC0000200, 24},  // documentation
    {0xC0586300, 24},  // relays of 6to4
    {0xC0A80000, 16},  // private
    {0xC6120000, 15},  // benchmarks
    {0xC6336400, 24},  // documentation
    {0xCB007100, 24},  // documentation
    {0xE0000000, 3},   // multicast, and what is reserved
};

bool IsIn(std::uint32_t ip, const V4Net& net) {
  return ip >> (32 - net.bits) == net.address >> (32 - net.bits);
}

bool IsInsideV4(std::uint32_t ip) {
  return std::any_of(std::begin(kInsideV4), std::end(kInsideV4),
                     [ip](const V4Net& net) { return IsIn(ip, net); });
}

// Whether the first bits of the address are these.
bool StartsWith(const in6_addr& ip, std::initializer_list<std::uint8_t> bytes, int bits) {
  int left = bits;
  const std::uint8_t* at = ip.s6_addr;
  for (const std::uint8_t byte : bytes) {
    const auto mask = static_cast<std::uint8_t>(left >= 8 ? 0xFF : 0xFF << (8 - left));
    if (((*at++ ^ byte) & mask) != 0) return false;
    left -= 8;
  }
  return true;
}

std::uint32_t V4At(const in6_addr& ip, int byte) {
  in_addr v4{};
  std::memcpy(&v4, ip.s6_addr + byte, sizeof v4);
  return ntohl(v4.s_addr);
}

// Whether the address is an IPv4 one in other words: mapped, or translated by SIIT (RFC 2765) or
// NAT64 (RFC 6052).
bool IsTranslated(const in6_addr& ip) {
  return IN6_IS_ADDR_V4MAPPED(&ip) || (IN6_IS_ADDR_V4COMPAT(&ip) && !IN6_IS_ADDR_LOOPBACK(&ip)) ||
         StartsWith(ip, {0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF, 0, 0}, 96) ||
         StartsWith(ip, {0x00, 0x64, 0xFF, 0x9B, 0, 0, 0, 0, 0, 0, 0, 0}, 96);
}

// Whether a tunnel brings packets for the address to an IPv4 address inside that stands in it.
bool LeadsInside(const in6_addr& ip) {
  if (StartsWith(ip, {0x20, 0x02}, 16)) return IsInsideV4(V4At(ip, 2));  // 6to4
  const bool isatap = (ip.s6_addr[8] & 0xFC) == 0 && ip.s6_addr[9] == 0 && ip.s6_addr[10] == 0x5E &&
                      ip.s6_addr[11] == 0xFE;
  return isatap && IsInsideV4(V4At(ip, 12));
}

// Of IPv6 only 2000::/3 is given to networks; in it there are some of no use outside.
bool IsInsideV6(const in6_addr& ip) {
  return !StartsWith(ip, {0x20}, 3) ||
         StartsWith(ip, {0x20, 0x01, 0x00}, 23) ||        // Teredo and others
         StartsWith(ip, {0x20, 0x01, 0x0D, 0xB8}, 32) ||  // documentation
         StartsWith(ip, {0x3F, 0xFF, 0x00}, 20);          // documentation
}

// The IPv4 address, in host order, that the text is, in whatever words.
std::optional<std::uint32_t> V4Of(const std::string& address) {
  in_addr v4{};
  if (inet_pton(AF_INET, address.c_str(), &v4) == 1) return ntohl(v4.s_addr);
  in6_addr v6{};
  if (inet_pton(AF_INET6, address.c_str(), &v6) != 1 || !IsTranslated(v6)) return std::nullopt;
  return V4At(v6, 12);
}

std::string WithoutZone(const std::string& address) { return address.substr(0, address.find('%')); }

}  // namespace

bool IsInsideAddress(const std::string& address) {
  const std::string text = WithoutZone(address);
  if (const std::optional<std::uint32_t> ip = V4Of(text)) return IsInsideV4(*ip);
  in6_addr v6{};
  return inet_pton(AF_INET6, text.c_str(), &v6) != 1 || IsInsideV6(v6) || LeadsInside(v6);
}

bool IsLoopbackAddress(const std::string& address) {
  const std::string text = WithoutZone(address);
  if (const std::optional<std::uint32_t> ip = V4Of(text)) return IsIn(*ip, {0x7F000000, 8});
  in6_addr v6{};
  return inet_pton(AF_INET6, text.c_str(), &v6) == 1 && IN6_IS_ADDR_LOOPBACK(&v6);
}

}  // namespace gateway
