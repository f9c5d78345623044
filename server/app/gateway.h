// A Gateway owns every long-lived object of the program, in the order in which they depend on each
// other.
//
// Start brings them up so that nothing is served before the store has recovered. Drain takes them
// down so that no paid request in flight loses its outcome. A Gateway is used from one thread.
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
  // The gateway serves when Start returns. `failed` is called, from any thread, when the program
  // must end because its store failed, and `unreachable` when it must end because it does not
  // answer its own calls. Null: the program stays.
  static absl::StatusOr<std::unique_ptr<Gateway>> Start(const Config& config,
                                                        std::function<void()> failed,
                                                        std::function<void()> unreachable = {});
  ~Gateway();  // drains first, if nobody has
  Gateway(const Gateway&) = delete;
  Gateway& operator=(const Gateway&) = delete;

  // Reads the files of the Pictory secret and of TLS again, which is also done every few seconds.
  void ReadSecrets();

  // Calls `beat` well within each `interval` while the program's loops move and it answers its own
  // calls, until the drain begins; on a thread that must not be held up. Zero: never. May be called
  // once, and `beat` must outlive the gateway's threads.
  void BeatWithin(Duration interval, std::function<void()> beat);

  // Ends the service in order: the gateway is not ready, pauses for config.drain_delay, takes no
  // new submits, ends watches with UNAVAILABLE, brings running submits to their outcome and stores
  // everything. `wait` waits for the given time, or for less if nobody is helped by it.
  void Drain(const std::function<void(Duration)>& wait);

  // Whether a disk that does not answer holds a thread, after the drain: then the gateway cannot
  // go, and the process has to end without its end. All that matters is stored.
  bool held_up() const;

  // Thread-safe.
  int open_calls() const;
  int open_watches() const;

  // As clients take them, with the real ports: `host:port`, `https://host:port`, `unix:/path`.
  const std::vector<std::string>& grpc_addresses() const;
  // The same: `http://host:port`, `https://host:port`, `unix:/path`.
  const std::vector<std::string>& http_addresses() const;
  std::string admin_address() const;    // empty if there is none
  std::string sandbox_url() const;      // empty if there is none
  std::string webhook_address() const;  // empty if there is none

 private:
  struct Parts;
  explicit Gateway(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace gateway::app
