// ServiceNotices tell the service manager that started the program (systemd, Type=notify) how it
// stands: that it serves, that it reads its files again, that it ends, and that it lives.
//
// A notice is a datagram of NAME=VALUE lines to the unix socket that NOTIFY_SOCKET names
// (sd_notify(3)). That protocol is promised to stay and is spoken here, so that the program needs
// no library of systemd's. Without the variable nobody is told anything. Thread-safe.
#pragma once

#include <sys/socket.h>
#include <sys/un.h>

#include <string>

#include "absl/status/statusor.h"
#include "base/clock.h"

namespace gateway::app {

class ServiceNotices {
 public:
  // Reads NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID, and takes them out of the environment,
  // which children inherit; so call it before any thread starts. An error says what is wrong with
  // a variable.
  static absl::StatusOr<ServiceNotices> FromEnvironment();

  ServiceNotices() = default;  // nobody is told anything
  ~ServiceNotices();
  ServiceNotices(ServiceNotices&& other) noexcept;
  ServiceNotices& operator=(ServiceNotices&& other) noexcept;

  // The program serves; `status` is one line for people. Also ends Reloading.
  void Ready(const std::string& status) const;
  // Files are being read again.
  void Reloading() const;
  // The end has begun and takes so long at most: it is not to be killed before. The watchdog waits
  // as long, because the end has one of its own (app/run.cc).
  void Stopping(Duration at_most) const;
  // The program lives. It has to be said within each watchdog().
  void Alive() const;

  // Zero: nobody waits for Alive.
  Duration watchdog() const { return watchdog_; }

 private:
  void Send(const std::string& text, int flags) const;

  int socket_ = -1;
  sockaddr_un address_{};
  socklen_t address_size_ = 0;
  Duration watchdog_{};
};

}  // namespace gateway::app
