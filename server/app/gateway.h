// The gateway: every long-lived object of the program, in the order they depend on each other.
//
// Start brings them up so that nothing is served before the store has recovered, Drain takes them
// down so that no paid request in flight loses its outcome. Used from one thread.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "app/config.h"
#include "base/clock.h"

namespace gateway::app {

class Gateway {
 public:
  // Serving when it returns. `failed` is called, from any thread, when the program must end because
  // its store failed, and `unreachable` because it does not answer its own calls. Null: it stays.
  static absl::StatusOr<std::unique_ptr<Gateway>> Start(const Config& config,
                                                        std::function<void()> failed,
                                                        std::function<void()> unreachable = {});
  ~Gateway();  // drains first, if nobody has
  Gateway(const Gateway&) = delete;
  Gateway& operator=(const Gateway&) = delete;

  // Reads the file of the Pictory secret again, as it is also done every few seconds.
  void ReadSecrets();

  // Not ready, a pause of config.drain_delay, then: no new submits, watches ended with UNAVAILABLE,
  // running submits brought to their outcome, everything stored. `wait` waits so long, or returns
  // true at once when the operator is in a hurry.
  void Drain(const std::function<bool(Duration)>& wait);

  // Thread-safe.
  int open_calls() const;
  int open_watches() const;

  // host:port with the real ports.
  const std::vector<std::string>& grpc_addresses() const;
  std::string admin_address() const;    // empty if there is none
  std::string sandbox_url() const;      // empty if there is none
  std::string webhook_address() const;  // empty if there is none

 private:
  struct Parts;
  explicit Gateway(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace gateway::app
