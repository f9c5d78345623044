// Who is at the other end of a connection, for counting what one of them holds.
#pragma once

#include <sys/socket.h>

#include <string>
#include <string_view>

namespace gateway::rpc {

// Of what the library calls a peer (ipv4:192.0.2.1:50051, ipv6:%5B2001:db8::1%5D:50051, unix:...):
// the address without the port, so that many connections of one machine are one peer. Of an IPv6
// address the first 64 bits, because the others are for its owner to choose. Anything else is
// itself.
std::string PeerAddress(std::string_view peer);

// The same of a connection `fd` that was accepted from `from`. Those of one user by unix sockets
// are one peer.
std::string PeerAddress(const sockaddr_storage& from, int fd);

}  // namespace gateway::rpc
