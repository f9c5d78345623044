// Sockets that wait for connections, as the gRPC library would open them itself.
#pragma once

#include <sys/types.h>

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

// The file of a unix socket, which goes with its owner; not one that another process has put in its
// place meanwhile.
class SocketFile {
 public:
  SocketFile() = default;
  explicit SocketFile(std::string path);  // there by now
  SocketFile(SocketFile&& other) noexcept : path_(std::exchange(other.path_, "")) {
    device_ = other.device_;
    node_ = other.node_;
  }
  SocketFile& operator=(SocketFile&&) = delete;
  ~SocketFile();

 private:
  std::string path_;  // empty: none
  dev_t device_ = 0;
  ino_t node_ = 0;
};

struct ListenSockets {
  std::vector<OwnedFd> fds;  // one for each address that a host's name has
  SocketFile file;           // of a unix socket; it goes before the socket is closed
  int port = 0;              // 0 for unix sockets
  std::string dial_scheme;   // that stands before their address where this process dials it
};

// `address` is host:port or unix:path; port 0 is any. 0.0.0.0 and [::] take IPv6 and IPv4 alike.
// A unix socket may be used by its owner and its group only (mode 0660). What stands at its path is
// replaced only if it is a socket on which nobody listens.
// Every connection that is accepted inherits TCP_NODELAY, and that the system gives it up when the
// peer has not acknowledged anything for `unanswered_ms`. An address that cannot be used is named,
// with the reason.
absl::StatusOr<ListenSockets> OpenListenSockets(const std::string& address, int unanswered_ms);

// Where this process reaches what listens at `fd`: host:port with a numeric host, or unix:path.
std::string DialAddress(int fd);

}  // namespace gateway::rpc
