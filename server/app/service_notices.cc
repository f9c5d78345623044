#include "app/service_notices.h"

#include <sys/time.h>
#include <unistd.h>

#include <charconv>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/limits.h"
#include "obs/log.h"

namespace gateway::app {
namespace {

std::string TakeVariable(const char* name) {
  const char* const value = std::getenv(name);
  std::string text = value == nullptr ? "" : value;
  unsetenv(name);
  return text;
}

std::optional<std::int64_t> WholeNumber(const std::string& text) {
  std::int64_t number = 0;
  const char* const end = text.data() + text.size();
  const auto [stopped, failed] = std::from_chars(text.data(), end, number);
  if (failed != std::errc() || stopped != end || number <= 0) return std::nullopt;
  return number;
}

std::int64_t Microseconds(Duration duration) {
  return std::chrono::duration_cast<std::chrono::microseconds>(duration).count();
}

}  // namespace

absl::StatusOr<ServiceNotices> ServiceNotices::FromEnvironment() {
  const std::string path = TakeVariable("NOTIFY_SOCKET");
  const std::string interval = TakeVariable("WATCHDOG_USEC");
  const std::string watched = TakeVariable("WATCHDOG_PID");
  ServiceNotices notices;
  if (path.empty()) return notices;

  sockaddr_un& address = notices.address_;
  const bool abstract = path.front() == '@';
  if ((!abstract && path.front() != '/') || path.size() >= sizeof address.sun_path) {
    return absl::InvalidArgumentError(absl::StrCat("NOTIFY_SOCKET: ", path, " is no unix socket"));
  }
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.data(), path.size());
  if (abstract) address.sun_path[0] = '\0';
  notices.address_size_ = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size());
  notices.socket_ = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (notices.socket_ < 0) {
    return absl::InternalError(absl::StrCat("NOTIFY_SOCKET: no socket: ", std::strerror(errno)));
  }
  const timeval wait{.tv_sec = limits::kServiceNoticeWait.count(), .tv_usec = 0};
  setsockopt(notices.socket_, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof wait);

  if (interval.empty() || (!watched.empty() && watched != std::to_string(getpid()))) {
    return notices;
  }
  const std::optional<std::int64_t> microseconds = WholeNumber(interval);
  if (!microseconds.has_value()) {
    return absl::InvalidArgumentError(
        absl::StrCat("WATCHDOG_USEC: '", interval, "' is no number of microseconds"));
  }
  notices.watchdog_ = std::chrono::microseconds(*microseconds);
  return notices;
}

ServiceNotices::~ServiceNotices() {
  if (socket_ >= 0) close(socket_);
}

ServiceNotices::ServiceNotices(ServiceNotices&& other) noexcept { *this = std::move(other); }

ServiceNotices& ServiceNotices::operator=(ServiceNotices&& other) noexcept {
  std::swap(socket_, other.socket_);
  std::swap(address_, other.address_);
  std::swap(address_size_, other.address_size_);
  std::swap(watchdog_, other.watchdog_);
  return *this;
}

void ServiceNotices::Ready(const std::string& status) const {
  Send(absl::StrCat("READY=1\nSTATUS=", status), 0);
}

// The time is what systemd asks for with Type=notify-reload; others pass over it.
void ServiceNotices::Reloading() const {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  Send(absl::StrCat("RELOADING=1\nMONOTONIC_USEC=", Microseconds(now)), 0);
}

void ServiceNotices::Stopping(Duration at_most) const {
  const std::int64_t bound = Microseconds(at_most);
  std::string text = absl::StrCat("STOPPING=1\nSTATUS=Ends in order\nEXTEND_TIMEOUT_USEC=", bound);
  if (watchdog_ > Duration::zero()) absl::StrAppend(&text, "\nWATCHDOG_USEC=", bound);
  Send(text, 0);
}

// On a thread that others wait for: one that finds no place is lost, and the next one counts.
void ServiceNotices::Alive() const { Send("WATCHDOG=1", MSG_DONTWAIT); }

void ServiceNotices::Send(const std::string& text, int flags) const {
  if (socket_ < 0) return;
  if (sendto(socket_, text.data(), text.size(), flags | MSG_NOSIGNAL,
             reinterpret_cast<const sockaddr*>(&address_), address_size_) >= 0) {
    return;
  }
  obs::Log(obs::Level::kWarn, "service_notice",
           {{"lost", text.substr(0, text.find('\n'))}, {"reason", std::strerror(errno)}});
}

}  // namespace gateway::app
