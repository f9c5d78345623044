#include "base/host_port.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>

namespace gateway {
namespace {

constexpr std::size_t kNameMaxBytes = 253;  // of DNS

absl::Status Bad(const char* why) { return absl::InvalidArgumentError(why); }

bool IsV6(const std::string& host) {
  in6_addr address{};
  return inet_pton(AF_INET6, host.substr(0, host.find('%')).c_str(), &address) == 1;
}

bool IsV4(const std::string& host) {
  in_addr address{};
  return inet_pton(AF_INET, host.c_str(), &address) == 1;
}

bool IsNameByte(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '_' || c == '.';
}

bool AllDigitsAndDots(const std::string& host) {
  return host.find_first_not_of("0123456789.") == std::string::npos;
}

absl::Status CheckHost(const std::string& host) {
  if (host.empty()) return Bad("the host is missing");
  if (host.size() > kNameMaxBytes) return Bad("the host is longer than any name");
  if (!std::all_of(host.begin(), host.end(), IsNameByte)) {
    return Bad("a host has letters, digits, '-', '_' and '.' only");
  }
  if (host.front() == '.' || host.find("..") != std::string::npos) {
    return Bad("a part of the host is empty");
  }
  // A resolver would read 127.1 and 0127.0.0.1 in ways of its own.
  if (AllDigitsAndDots(host) && !IsV4(host)) return Bad("an IPv4 address has four numbers to 255");
  return absl::OkStatus();
}

absl::StatusOr<std::uint16_t> ParsePort(std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) {
    return Bad("the port must be a number from 0 to 65535");
  }
  return port;
}

absl::Status CheckSpelling(std::string_view text) {
  if (text.empty()) return Bad("it is empty");
  if (text.find("://") != text.npos) return Bad("no scheme stands before the host here");
  if (text.find_first_of(" \t\r\n") != text.npos) return Bad("there is a blank in it");
  if (text.find('/') != text.npos) return Bad("there is a path in it");
  if (text.find('@') != text.npos) return Bad("there is a user in it");
  return absl::OkStatus();
}

}  // namespace

std::string HostPort::ToString() const {
  const bool v6 = host.find(':') != std::string::npos;
  return (v6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

bool HostPort::IsLoopback() const {
  if (host == "localhost" || host == "::1") return true;
  in_addr v4{};
  return inet_pton(AF_INET, host.c_str(), &v4) == 1 && (ntohl(v4.s_addr) >> 24) == 127;
}

absl::StatusOr<HostPort> ParseHostPort(std::string_view text) {
  if (absl::Status spelling = CheckSpelling(text); !spelling.ok()) return spelling;
  const bool brackets = text.front() == '[';
  const std::size_t host_end = brackets ? text.find(']') : text.rfind(':');
  if (brackets && host_end == text.npos) return Bad("the ']' of the IPv6 address is missing");
  HostPort parsed;
  parsed.host = std::string(text.substr(0, host_end));
  if (brackets) {
    parsed.host.erase(0, 1);
    if (!IsV6(parsed.host)) return Bad("there is no IPv6 address in the brackets");
  } else if (IsV6(std::string(text)) || parsed.host.find(':') != std::string::npos) {
    return Bad("an IPv6 address needs brackets");
  } else if (absl::Status host = CheckHost(parsed.host); !host.ok()) {
    return host;
  }
  if (host_end == text.npos) return Bad("the port is missing");
  std::string_view port = text.substr(host_end + (brackets ? 1 : 0));
  if (port.empty()) return Bad("the port is missing");
  if (port.front() != ':') return Bad("a colon must stand before the port");
  absl::StatusOr<std::uint16_t> number = ParsePort(port.substr(1));
  if (!number.ok()) return number.status();
  parsed.port = *number;
  return parsed;
}

}  // namespace gateway
