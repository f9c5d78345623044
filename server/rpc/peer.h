// Who is at the other end of a connection, for counting what one of them holds.
#pragma once

#include <sys/socket.h>

#include <string>
#include <string_view>

namespace gateway::rpc {

// Makes of what the library calls a peer (ipv4:192.0.2.1:50051, ipv6:%5B2001:db8::1%5D:50051,
// unix:...) the address without the port, so that many connections of one machine are one peer. Of
// an IPv6 address only the first 64 bits count, because its owner chooses the others. Anything else
// stays as it is.
std::string PeerAddress(std::string_view peer);

// The same for a connection `fd` that was accepted from `from`. All connections of one user by unix
// sockets are one peer.
std::string PeerAddress(const sockaddr_storage& from, int fd);

}  // namespace gateway::rpc
