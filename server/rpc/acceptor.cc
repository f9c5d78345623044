#include "rpc/acceptor.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <limits>
#include <utility>

#include "base/limits.h"
#include "obs/log.h"
#include "rpc/peer.h"

namespace gateway::rpc {
namespace {

int OpenReserve() { return open("/dev/null", O_RDONLY | O_CLOEXEC); }

bool OutOfFiles(int error) { return error == EMFILE || error == ENFILE; }

std::uint64_t FilesMax() {
  const std::uint64_t most = std::numeric_limits<int>::max();
  rlimit files{};
  if (getrlimit(RLIMIT_NOFILE, &files) != 0) return most;
  return std::min<std::uint64_t>(files.rlim_cur, most);
}

// Whether the error is of one connection, which is gone; the next one may be well.
bool Passing(int error) {
  switch (error) {
    case EINTR:
    case ECONNABORTED:
    case EPROTO:
    case EPERM:
    case ENETDOWN:
    case ENETUNREACH:
    case ENOPROTOOPT:
    case EHOSTDOWN:
    case EHOSTUNREACH:
    case ENONET:
    case EOPNOTSUPP:
      return true;
    default:
      return false;
  }
}

}  // namespace

int ConnectionFilesMax() {
  return static_cast<int>(FilesMax() * limits::kConnectionsPercentOfFiles / 100);
}

int HttpConnectionsMax() {
  const std::uint64_t files = FilesMax() * limits::kFaceConnectionsPercentOfFiles / 100;
  return static_cast<int>(std::min<std::uint64_t>(files, limits::kFaceConnectionsMax));
}

Acceptor::Acceptor(std::vector<ListenSockets> listeners, int files_max,
                   std::function<void(std::size_t, int)> take)
    : listeners_(std::move(listeners)),
      files_max_(files_max),
      take_(std::move(take)),
      wake_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      reserve_(OpenReserve()),
      connections_(files_max),
      lines_(1, std::chrono::minutes(1)),
      address_lines_(1, std::chrono::minutes(1)) {
  for (std::size_t i = 0; i < listeners_.size(); ++i) {
    for (const OwnedFd& fd : listeners_[i].fds) {
      sockets_.push_back({i, fd.get()});
      dial_addresses_.push_back(listeners_[i].dial_scheme + DialAddress(fd.get()));
    }
  }
}

Acceptor::~Acceptor() { Stop(); }

void Acceptor::Start() {
  thread_ = std::thread([this] { Run(); });
  pthread_setname_np(thread_.native_handle(), "accept");
}

void Acceptor::Stop() {
  if (thread_.joinable()) {
    eventfd_write(wake_.get(), 1);
    thread_.join();
  }
  listeners_.clear();
  sockets_.clear();
}

void Acceptor::Run() {
  std::vector<pollfd> polled = {{.fd = wake_.get(), .events = POLLIN, .revents = 0}};
  for (const Socket& socket : sockets_) {
    polled.push_back({.fd = socket.fd, .events = POLLIN, .revents = 0});
  }
  bool pause = false;
  for (;;) {
    // While it pauses, the thread waits for its end only.
    const nfds_t watched = pause ? 1 : polled.size();
    const int timeout = pause ? static_cast<int>(limits::kAcceptRetry.count()) : -1;
    for (pollfd& one : polled) one.revents = 0;
    if (poll(polled.data(), watched, timeout) < 0 && errno != EINTR) pause = true;
    if (polled[0].revents != 0) return;
    if (std::exchange(pause, false)) continue;
    for (std::size_t i = 0; i < sockets_.size(); ++i) {
      if (polled[i + 1].revents != 0 && !AcceptSome(sockets_[i])) pause = true;
    }
  }
}

// Accepts the connections that wait. False: the system has nothing to accept them with just now.
bool Acceptor::AcceptSome(const Socket& socket) {
  if (reserve_.get() < 0) reserve_ = OwnedFd(OpenReserve());
  for (int i = 0; i < limits::kAcceptedInARowMax; ++i) {
    sockaddr_storage from{};
    socklen_t length = sizeof from;
    OwnedFd fd(accept4(socket.fd, reinterpret_cast<sockaddr*>(&from), &length,
                       SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (fd.get() < 0) {
      int error = errno;
      // The system says that it is out of files before it looks whether anybody waits.
      if (OutOfFiles(error)) error = RefuseOne(socket, std::strerror(error));
      if (error == EAGAIN || error == EWOULDBLOCK) return true;
      if (error == 0 || Passing(error)) continue;
      Warn(std::strerror(error));
      return false;
    }
    if (fd.get() >= files_max_) {
      CountRefused("as many files are open as connections may take");
      continue;
    }
    const std::string address = PeerAddress(from, fd.get());
    if (!connections_.Admit(fd.get(), address, std::chrono::steady_clock::now())) {
      CountRefusedOf(address);
      continue;
    }
    accepted_.fetch_add(1, std::memory_order_relaxed);
    take_(socket.listener, fd.Release());
  }
  return true;
}

// Refuses one connection, so that its peer learns that at once, instead of waiting in the system's
// queue. Returns 0, or the errno why that failed.
int Acceptor::RefuseOne(const Socket& socket, const char* why) {
  if (reserve_.get() < 0) return EMFILE;
  reserve_.Reset();
  OwnedFd fd(accept4(socket.fd, nullptr, nullptr, SOCK_CLOEXEC));
  const int error = fd.get() < 0 ? errno : 0;
  if (error == 0) CountRefused(why);  // before the peer sees it
  fd.Reset();
  reserve_ = OwnedFd(OpenReserve());
  return error;
}

void Acceptor::CountRefused(const char* why) {
  refused_.fetch_add(1, std::memory_order_relaxed);
  Warn(why);
}

void Acceptor::CountRefusedOf(const std::string& address) {
  refused_.fetch_add(1, std::memory_order_relaxed);
  refused_of_address_.fetch_add(1, std::memory_order_relaxed);
  if (!address_lines_.Admit(std::chrono::steady_clock::now()).has_value()) return;
  obs::Log(obs::Level::kWarn, "connections_refused",
           {{"reason", "the address has too many connections for the places that are left"},
            {"address", address},
            {"has", connections_.held(address)},
            {"so_far", refused()},
            {"files_for_connections", files_max_},
            {"advice",
             "see why it opens so many; if it is a proxy for all callers, let it send more calls "
             "over each connection, or raise the limit of open files (ulimit -n, or LimitNOFILE= "
             "in the unit)"}});
}

void Acceptor::Warn(const char* why) {
  if (!lines_.Admit(std::chrono::steady_clock::now()).has_value()) return;
  obs::Log(obs::Level::kWarn, "connections_refused",
           {{"reason", why},
            {"so_far", refused()},
            {"files_for_connections", files_max_},
            {"advice",
             "raise the limit of open files (ulimit -n, or LimitNOFILE= in the unit), or see who "
             "opens so many connections"}});
}

}  // namespace gateway::rpc
