#include "rpc/bind_check.h"

#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>

namespace gateway::rpc {
namespace {

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

}  // namespace

absl::Status CheckBind(const std::string& address) {
  if (address.rfind("unix:", 0) == 0 || address.rfind("unix-abstract:", 0) == 0) {
    return absl::OkStatus();
  }
  std::string host;
  std::string port;
  if (!Split(address, host, port))
    return CannotListen(address, "it must be host:port or unix:path");
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE;
  addrinfo* found = nullptr;
  const int resolved = getaddrinfo(host.c_str(), port.c_str(), &hints, &found);
  if (resolved != 0) return CannotListen(address, gai_strerror(resolved));
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> held(found, &freeaddrinfo);
  std::string why = "no usable address";
  for (const addrinfo* one = found; one != nullptr; one = one->ai_next) {
    const int fd = socket(one->ai_family, one->ai_socktype | SOCK_CLOEXEC, 0);
    if (fd < 0) {
      why = std::strerror(errno);
      continue;
    }
    // As the library does it: a connection in TIME_WAIT does not keep a restart from its port.
    const int on = 1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    const bool bound = bind(fd, one->ai_addr, one->ai_addrlen) == 0 && listen(fd, 1) == 0;
    if (!bound) why = std::strerror(errno);
    close(fd);
    if (bound) return absl::OkStatus();
  }
  return CannotListen(address, why);
}

absl::Status BindFailure(const std::string& address) {
  const absl::Status reason = CheckBind(address);
  return reason.ok() ? CannotListen(address, "the address cannot be used") : reason;
}

}  // namespace gateway::rpc
