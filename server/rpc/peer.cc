#include "rpc/peer.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <cstring>
#include <memory>
#include <utility>

#include "grpc/grpc_security_constants.h"
#include "rpc/handlers.h"
#include "rpc/inside_calls.h"

namespace gateway::rpc {
namespace {

constexpr std::string_view kV4 = "ipv4:";
constexpr std::string_view kV6 = "ipv6:";

// Takes the brackets off, which the library writes as URIs have them.
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

std::string V4Address(const in_addr& address) {
  char text[INET_ADDRSTRLEN] = "";
  inet_ntop(AF_INET, &address, text, sizeof text);
  return std::string(kV4) + text;
}

std::string V6Network(in6_addr address) {
  std::memset(address.s6_addr + 8, 0, 8);
  char text[INET6_ADDRSTRLEN] = "";
  inet_ntop(AF_INET6, &address, text, sizeof text);
  return std::string(kV6) + text + "/64";
}

// The name of a loan that the call shows; "" if it shows none.
std::string_view InsideName(const grpc::ServerContextBase& context, const Domain& domain) {
  if (domain.inside == nullptr) return "";
  const auto shown = context.client_metadata().find(kInsideKey);
  if (shown == context.client_metadata().end()) return "";
  return {shown->second.data(), shown->second.size()};
}

// Null if the call came from outside; CANCELLED if it was made for a caller who has left.
absl::StatusOr<InsideCalls::FactsPtr> InsideFacts(const grpc::ServerContextBase& context,
                                                  const Domain& domain) {
  const std::string_view name = InsideName(context, domain);
  if (name.empty()) return nullptr;
  return domain.inside->Find(name);
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
  return V6Network(address);
}

std::string PeerAddress(const sockaddr_storage& from, int fd) {
  if (from.ss_family == AF_INET)
    return V4Address(reinterpret_cast<const sockaddr_in&>(from).sin_addr);
  if (from.ss_family == AF_INET6) {
    const in6_addr& address = reinterpret_cast<const sockaddr_in6&>(from).sin6_addr;
    if (!IN6_IS_ADDR_V4MAPPED(&address)) return V6Network(address);
    in_addr v4{};
    std::memcpy(&v4, address.s6_addr + 12, sizeof v4);
    return V4Address(v4);
  }
  ucred user{};
  socklen_t length = sizeof user;
  if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &user, &length) != 0) return "unix:";
  return "unix:uid " + std::to_string(user.uid);
}

absl::StatusOr<std::string> PeerOf(const grpc::ServerContextBase& context, const Domain& domain) {
  const absl::StatusOr<InsideCalls::FactsPtr> inside = InsideFacts(context, domain);
  if (!inside.ok()) return inside.status();
  return *inside == nullptr ? context.peer() : (*inside)->peer;
}

std::string PeerName(const grpc::ServerContextBase& context, const Domain& domain) {
  return PeerOf(context, domain).value_or("gone");
}

absl::Status RefusalInside(const grpc::ServerContextBase& context, const Domain& domain) {
  const std::string_view name = InsideName(context, domain);
  return name.empty() ? absl::OkStatus() : domain.inside->Refusal(name);
}

absl::StatusOr<std::vector<std::string>> PeerSans(const grpc::ServerContextBase& context,
                                                  const Domain& domain) {
  const absl::StatusOr<InsideCalls::FactsPtr> inside = InsideFacts(context, domain);
  if (!inside.ok()) return inside.status();
  if (*inside != nullptr) return (*inside)->sans;
  std::vector<std::string> names;
  const std::shared_ptr<const grpc::AuthContext> peer = context.auth_context();
  if (peer == nullptr || !peer->IsPeerAuthenticated()) return names;
  for (const auto& [property, kind] : {std::pair{GRPC_PEER_URI_PROPERTY_NAME, "uri:"},
                                       std::pair{GRPC_PEER_DNS_PROPERTY_NAME, "dns:"},
                                       std::pair{GRPC_PEER_EMAIL_PROPERTY_NAME, "email:"},
                                       std::pair{GRPC_PEER_IP_PROPERTY_NAME, "ip:"}}) {
    for (const grpc::string_ref& name : peer->FindPropertyValues(property)) {
      names.push_back(kind + std::string(name.data(), name.size()));
    }
  }
  return names;
}

absl::StatusOr<bool> IsPrivate(const grpc::ServerContextBase& context, const Domain& domain) {
  const absl::StatusOr<InsideCalls::FactsPtr> inside = InsideFacts(context, domain);
  if (!inside.ok()) return inside.status();
  if (*inside != nullptr) return (*inside)->is_private;
  const std::string peer = context.peer();
  if (peer.starts_with("unix:") || peer.starts_with("unix-abstract:") ||
      peer.starts_with("ipv4:127.") || peer.starts_with("ipv6:%5B::1%5D:") ||
      peer.starts_with("ipv6:[::1]:") || peer.starts_with("ipv6:%5B::ffff:127.") ||
      peer.starts_with("ipv6:[::ffff:127.")) {
    return true;
  }
  const std::shared_ptr<const grpc::AuthContext> connection = context.auth_context();
  if (connection == nullptr) return false;
  const std::vector<grpc::string_ref> kinds =
      connection->FindPropertyValues(GRPC_TRANSPORT_SECURITY_TYPE_PROPERTY_NAME);
  return kinds.size() == 1 && kinds.front() == GRPC_SSL_TRANSPORT_SECURITY_TYPE;
}

}  // namespace gateway::rpc
