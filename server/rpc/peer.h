// Who is at the other end of a connection, for counting what one of them holds.
#pragma once

#include <sys/socket.h>

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "grpcpp/server_context.h"

namespace gateway::rpc {

struct Domain;

// Makes of what the library calls a peer (ipv4:192.0.2.1:50051, ipv6:%5B2001:db8::1%5D:50051,
// unix:...) the address without the port, so that many connections of one machine are one peer. Of
// an IPv6 address only the first 64 bits count, because its owner chooses the others. Anything else
// stays as it is.
std::string PeerAddress(std::string_view peer);

// The same for a connection `fd` that was accepted from `from`. All connections of one user by unix
// sockets are one peer.
std::string PeerAddress(const sockaddr_storage& from, int fd);

// The functions below are about who makes a call; of an inside call (rpc/inside_calls.h) about who
// is served by it. A caller who has left is CANCELLED: what it was is not known any more, and it
// must not pass for anybody else.

// As the library names it.
absl::StatusOr<std::string> PeerOf(const grpc::ServerContextBase& context, const Domain& domain);

// The same for the log and for counting, where one who has left is "gone".
std::string PeerName(const grpc::ServerContextBase& context, const Domain& domain);

// With what an inside call is refused that has brought no message; OK for all others.
absl::Status RefusalInside(const grpc::ServerContextBase& context, const Domain& domain);

// What a caller's certificate names, which the library has verified: "uri:spiffe://…/jobs",
// "dns:client.example", "email:…", "ip:…", in the certificate's order within each kind. Empty if
// the connection has no TLS, or asks callers for none. The kind stands in front because a name of
// one kind may be written like one of another.
absl::StatusOr<std::vector<std::string>> PeerSans(const grpc::ServerContextBase& context,
                                                  const Domain& domain);

// Whether nobody on the way can read what the caller sends: the connection has TLS, or does not
// leave this machine.
absl::StatusOr<bool> IsPrivate(const grpc::ServerContextBase& context, const Domain& domain);

}  // namespace gateway::rpc
