// Sockets that wait for connections, as the gRPC library would open them itself.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"

namespace gateway::rpc {

// A file descriptor that is closed with its owner.
class OwnedFd {
 public:
  OwnedFd() = default;
  explicit OwnedFd(int fd) : fd_(fd) {}
  OwnedFd(OwnedFd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  OwnedFd& operator=(OwnedFd&& other) noexcept {
    if (this != &other) {
      Reset();
      fd_ = std::exchange(other.fd_, -1);
    }
    return *this;
  }
  ~OwnedFd() { Reset(); }
  int get() const { return fd_; }
  int Release() { return std::exchange(fd_, -1); }
  void Reset();

 private:
  int fd_ = -1;
};

struct ListenSockets {
  std::vector<OwnedFd> fds;  // one for each address that a host's name has
  int port = 0;              // 0 for unix sockets
  std::string unix_path;     // to be removed with them; empty for others
};

// `address` is host:port or unix:path; port 0 is any. 0.0.0.0 and [::] take IPv6 and IPv4 alike.
// Every connection that is accepted inherits TCP_NODELAY, and that the system gives it up when the
// peer has not acknowledged anything for `unanswered_ms`. An address that cannot be used is named,
// with the reason.
absl::StatusOr<ListenSockets> OpenListenSockets(const std::string& address, int unanswered_ms);

// Where this process reaches what listens at `fd`: host:port with a numeric host, or unix:path.
std::string DialAddress(int fd);

}  // namespace gateway::rpc
