#include "rpc/peer.h"

#include <arpa/inet.h>

#include <cstring>

namespace gateway::rpc {
namespace {

constexpr std::string_view kV4 = "ipv4:";
constexpr std::string_view kV6 = "ipv6:";

// The library writes brackets as URIs have them.
std::string_view TakeBrackets(std::string_view host) {
  for (const std::string_view open : {std::string_view("%5B"), std::string_view("[")}) {
    if (host.substr(0, open.size()) == open) host.remove_prefix(open.size());
  }
  for (const std::string_view close : {std::string_view("%5D"), std::string_view("]")}) {
    if (host.size() >= close.size() && host.substr(host.size() - close.size()) == close) {
      host.remove_suffix(close.size());
    }
  }
  return host.substr(0, host.find('%'));  // a zone
}

}  // namespace

std::string PeerAddress(std::string_view peer) {
  const std::size_t colon = peer.rfind(':');
  if (peer.substr(0, kV4.size()) == kV4 && colon >= kV4.size()) {
    return std::string(peer.substr(0, colon));
  }
  if (peer.substr(0, kV6.size()) != kV6 || colon < kV6.size()) return std::string(peer);
  const std::string host(TakeBrackets(peer.substr(kV6.size(), colon - kV6.size())));
  in6_addr address{};
  if (inet_pton(AF_INET6, host.c_str(), &address) != 1) return std::string(peer);
  std::memset(address.s6_addr + 8, 0, 8);
  char text[INET6_ADDRSTRLEN] = "";
  inet_ntop(AF_INET6, &address, text, sizeof text);
  return std::string(kV6) + text + "/64";
}

}  // namespace gateway::rpc
