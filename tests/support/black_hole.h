// A TCP port on ::1 that swallows connections: a listener whose queue is full, so that the kernel
// drops each further attempt without a word, as a broken IPv6 path does.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <vector>

namespace gateway::test {

class BlackHole {
 public:
  // Aborts if the port is taken, or there is no IPv6 here.
  explicit BlackHole(int port) {
    address_.sin6_family = AF_INET6;
    address_.sin6_addr = in6addr_loopback;
    address_.sin6_port = htons(static_cast<std::uint16_t>(port));
    const int listener = Socket(0);
    if (bind(listener, Address(), sizeof address_) != 0 || listen(listener, 0) != 0) std::abort();
    // One is taken into the queue, the others wait for ever.
    for (int i = 0; i < 3; ++i) connect(Socket(SOCK_NONBLOCK), Address(), sizeof address_);
  }
  ~BlackHole() {
    for (int fd : sockets_) close(fd);
  }
  BlackHole(const BlackHole&) = delete;
  BlackHole& operator=(const BlackHole&) = delete;

 private:
  int Socket(int flags) {
    sockets_.push_back(socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC | flags, 0));
    return sockets_.back();
  }
  const sockaddr* Address() const { return reinterpret_cast<const sockaddr*>(&address_); }

  sockaddr_in6 address_{};
  std::vector<int> sockets_;
};

}  // namespace gateway::test
