#include "rpc/address_connections.h"

#include <sys/socket.h>

#include <algorithm>
#include <chrono>

#include "base/limits.h"

namespace gateway::rpc {
namespace {

// The cookie of a socket; 0 if no socket has this number, or the system knows no cookies.
std::uint64_t CookieOf(int fd) {
  std::uint64_t cookie = 0;
  socklen_t length = sizeof cookie;
  return getsockopt(fd, SOL_SOCKET, SO_COOKIE, &cookie, &length) == 0 ? cookie : 0;
}

}  // namespace

bool MayHaveOneMore(std::size_t held, std::size_t left) {
  return held < left * limits::kConnectionsPerPlaceLeft;
}

bool AddressConnections::Admit(int fd, const std::string& address, MonoTime now) {
  const auto number = static_cast<std::size_t>(fd);
  if (number >= by_fd_.size()) by_fd_.resize(number + 1);
  One& one = by_fd_[number];
  Forget(one);
  if (!May(fd, address)) {
    if (now < next_look_) return false;
    LookAtAll(now);
    if (!May(fd, address)) return false;
  }
  const std::uint64_t cookie = CookieOf(fd);
  if (cookie == 0) return true;  // its end could not be seen, so it is not counted
  const auto count = counts_.try_emplace(address).first;
  ++count->second;
  ++known_;
  one = {cookie, &*count};
  return true;
}

std::size_t AddressConnections::held(const std::string& address) const {
  const auto found = counts_.find(address);
  return found == counts_.end() ? 0 : found->second;
}

// All numbers below the lowest free one are in use. Numbers above it may be too, because it may be
// a gap that a closed file left.
bool AddressConnections::May(int fd, const std::string& address) const {
  const std::size_t used = std::max(static_cast<std::size_t>(fd), known_);
  const auto most = static_cast<std::size_t>(files_max_);
  return MayHaveOneMore(held(address), most - std::min(most, used));
}

void AddressConnections::Forget(One& one) {
  if (one.count == nullptr) return;
  --known_;
  if (--one.count->second == 0) counts_.erase(counts_.find(one.count->first));
  one = {};
}

void AddressConnections::LookAtAll(MonoTime now) {
  ++looks_;
  const auto began = std::chrono::steady_clock::now();
  for (std::size_t fd = 0; fd < by_fd_.size(); ++fd) {
    One& one = by_fd_[fd];
    if (one.count != nullptr && CookieOf(static_cast<int>(fd)) != one.cookie) Forget(one);
  }
  const auto took = std::chrono::steady_clock::now() - began;
  next_look_ = now + took * limits::kConnectionsLookRest;
}

}  // namespace gateway::rpc
