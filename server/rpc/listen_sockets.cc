#include "rpc/listen_sockets.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>

namespace gateway::rpc {
namespace {

constexpr char kUnix[] = "unix:";
constexpr mode_t kSocketMode = 0660;

absl::Status CannotListen(const std::string& address, const std::string& why) {
  return absl::FailedPreconditionError("cannot listen on " + address + ": " + why);
}

bool Split(const std::string& address, std::string& host, std::string& port) {
  const std::size_t colon = address.rfind(':');
  if (colon == std::string::npos) return false;
  host = address.substr(0, colon);
  port = address.substr(colon + 1);
  if (host.size() >= 2 && host.front() == '[' && host.back() == ']') {
    host = host.substr(1, host.size() - 2);
  }
  return !host.empty() && !port.empty();
}

void SetOption(int fd, int level, int name, int value) {
  setsockopt(fd, level, name, &value, sizeof value);
}

int PortOf(const sockaddr_storage& address) {
  if (address.ss_family == AF_INET) {
    return ntohs(reinterpret_cast<const sockaddr_in&>(address).sin_port);
  }
  if (address.ss_family == AF_INET6) {
    return ntohs(reinterpret_cast<const sockaddr_in6&>(address).sin6_port);
  }
  return 0;
}

sockaddr_storage BoundTo(int fd) {
  sockaddr_storage address{};
  socklen_t length = sizeof address;
  getsockname(fd, reinterpret_cast<sockaddr*>(&address), &length);
  return address;
}

// Opens one socket that listens; errno says why not.
OwnedFd Open(const sockaddr* address, socklen_t length, int unanswered_ms) {
  OwnedFd fd(socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (fd.get() < 0) return fd;
  // A connection in TIME_WAIT does not keep a restart from its port. Without SO_REUSEPORT a busy
  // port is an error, and not half of the connections.
  SetOption(fd.get(), SOL_SOCKET, SO_REUSEADDR, 1);
  SetOption(fd.get(), IPPROTO_TCP, TCP_NODELAY, 1);
  SetOption(fd.get(), IPPROTO_TCP, TCP_USER_TIMEOUT, unanswered_ms);
  if (address->sa_family == AF_INET6) SetOption(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, 0);
  if (bind(fd.get(), address, length) == 0 && listen(fd.get(), SOMAXCONN) == 0) return fd;
  const int failed = errno;
  fd.Reset();
  errno = failed;
  return fd;
}

// Removes a socket that a killed process has left; anything else stays, and is told.
absl::Status ClearPath(const std::string& address, const std::string& path,
                       const sockaddr_un& place) {
  struct stat found{};
  if (lstat(path.c_str(), &found) != 0) return absl::OkStatus();  // if it is there, bind says so
  if (!S_ISSOCK(found.st_mode)) {
    return CannotListen(address, "there is a file that is no socket; remove it, or name another");
  }
  // It must not wait for a listener whose queue is full.
  const OwnedFd probe(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  const bool listens =
      connect(probe.get(), reinterpret_cast<const sockaddr*>(&place), sizeof place) == 0;
  if (listens || errno != ECONNREFUSED) {
    const int why = listens || errno == EAGAIN ? EADDRINUSE : errno;
    return CannotListen(address, std::string(std::strerror(why)) +
                                     (why == EADDRINUSE ? ": a process listens there" : ""));
  }
  unlink(path.c_str());
  return absl::OkStatus();
}

absl::StatusOr<ListenSockets> OpenUnix(const std::string& address) {
  const std::string path = address.substr(sizeof kUnix - 1);
  sockaddr_un place{};
  place.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof place.sun_path) {
    return CannotListen(address, "the path of a unix socket has 1 to " +
                                     std::to_string(sizeof place.sun_path - 1) + " bytes");
  }
  std::memcpy(place.sun_path, path.data(), path.size());
  if (absl::Status clear = ClearPath(address, path, place); !clear.ok()) return clear;
  OwnedFd fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  // The file is made with the mode of the socket, less the process' mask. So it is never wider.
  if (fd.get() < 0 || fchmod(fd.get(), kSocketMode) != 0 ||
      bind(fd.get(), reinterpret_cast<const sockaddr*>(&place), sizeof place) != 0) {
    return CannotListen(address, std::strerror(errno));
  }
  ListenSockets opened{.file = SocketFile(path)};
  if (chmod(path.c_str(), kSocketMode) != 0 || listen(fd.get(), SOMAXCONN) != 0) {
    return CannotListen(address, std::strerror(errno));
  }
  opened.fds.push_back(std::move(fd));
  return opened;
}

// Opens one socket for both families, where there is IPv6.
OwnedFd OpenEverywhere(int port, int unanswered_ms) {
  sockaddr_in6 v6{};
  v6.sin6_family = AF_INET6;
  v6.sin6_port = htons(static_cast<std::uint16_t>(port));
  OwnedFd fd = Open(reinterpret_cast<const sockaddr*>(&v6), sizeof v6, unanswered_ms);
  if (fd.get() >= 0 || errno == EADDRINUSE || errno == EACCES) return fd;
  sockaddr_in v4{};
  v4.sin_family = AF_INET;
  v4.sin_port = htons(static_cast<std::uint16_t>(port));
  return Open(reinterpret_cast<const sockaddr*>(&v4), sizeof v4, unanswered_ms);
}

bool IsWildcard(const sockaddr* address) {
  if (address->sa_family == AF_INET) {
    return reinterpret_cast<const sockaddr_in*>(address)->sin_addr.s_addr == htonl(INADDR_ANY);
  }
  const auto* v6 = reinterpret_cast<const sockaddr_in6*>(address);
  return address->sa_family == AF_INET6 && IN6_IS_ADDR_UNSPECIFIED(&v6->sin6_addr);
}

// Several addresses of one name share the port that the first got.
void SetPort(sockaddr* address, int port) {
  const auto bits = htons(static_cast<std::uint16_t>(port));
  if (address->sa_family == AF_INET) reinterpret_cast<sockaddr_in*>(address)->sin_port = bits;
  if (address->sa_family == AF_INET6) reinterpret_cast<sockaddr_in6*>(address)->sin6_port = bits;
}

}  // namespace

void OwnedFd::Reset() {
  if (fd_ >= 0) close(fd_);
  fd_ = -1;
}

SocketFile::SocketFile(std::string path) : path_(std::move(path)) {
  struct stat made{};
  if (lstat(path_.c_str(), &made) != 0) return;
  device_ = made.st_dev;
  node_ = made.st_ino;
}

SocketFile::~SocketFile() {
  struct stat present{};
  if (path_.empty() || lstat(path_.c_str(), &present) != 0) return;
  if (present.st_dev == device_ && present.st_ino == node_) unlink(path_.c_str());
}

absl::StatusOr<ListenSockets> OpenListenSockets(const std::string& address, int unanswered_ms) {
  if (address.rfind(kUnix, 0) == 0) return OpenUnix(address);
  std::string host;
  std::string port;
  if (!Split(address, host, port)) {
    return CannotListen(address, "it must be host:port or unix:path");
  }
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE;
  addrinfo* found = nullptr;
  const int resolved = getaddrinfo(host.c_str(), port.c_str(), &hints, &found);
  if (resolved != 0) return CannotListen(address, gai_strerror(resolved));
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> held(found, &freeaddrinfo);
  ListenSockets opened;
  std::string why = "no usable address";
  for (const addrinfo* one = found; one != nullptr; one = one->ai_next) {
    if (opened.port != 0) SetPort(one->ai_addr, opened.port);
    sockaddr_storage wanted{};
    std::memcpy(&wanted, one->ai_addr, one->ai_addrlen);
    const bool everywhere = IsWildcard(one->ai_addr);
    OwnedFd fd = everywhere ? OpenEverywhere(PortOf(wanted), unanswered_ms)
                            : Open(one->ai_addr, one->ai_addrlen, unanswered_ms);
    if (fd.get() < 0) {
      why = std::strerror(errno);
      // Half of the name's addresses would be another program's. A family that the machine does not
      // have is no fault.
      if (errno == EADDRINUSE) return CannotListen(address, why);
      continue;
    }
    opened.port = PortOf(BoundTo(fd.get()));
    opened.fds.push_back(std::move(fd));
    if (everywhere) break;
  }
  if (opened.fds.empty()) return CannotListen(address, why);
  return opened;
}

std::string DialAddress(int fd) {
  const sockaddr_storage bound = BoundTo(fd);
  const std::string port = std::to_string(PortOf(bound));
  const auto* address = reinterpret_cast<const sockaddr*>(&bound);
  if (bound.ss_family == AF_UNIX) {
    return kUnix + std::string(reinterpret_cast<const sockaddr_un&>(bound).sun_path);
  }
  if (IsWildcard(address)) return "127.0.0.1:" + port;
  char text[INET6_ADDRSTRLEN] = "";
  if (bound.ss_family == AF_INET) {
    inet_ntop(AF_INET, &reinterpret_cast<const sockaddr_in&>(bound).sin_addr, text, sizeof text);
    return std::string(text) + ":" + port;
  }
  inet_ntop(AF_INET6, &reinterpret_cast<const sockaddr_in6&>(bound).sin6_addr, text, sizeof text);
  return "[" + std::string(text) + "]:" + port;
}

}  // namespace gateway::rpc
