// An AdminServer is the HTTP side door for operators and orchestrators: /livez, /readyz, /metrics.
//
// It has no authentication; its default listener is loopback. It runs on one thread of its own.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "http/server.h"
#include "obs/metrics.h"

namespace gateway::admin {

// The functions that /livez and /readyz ask for a reason why the process is not live or not ready;
// "" if there is none. A null function is one that knows no reason.
struct Probes {
  std::function<std::string()> not_live{};
  std::function<std::string()> not_ready{};
};

class AdminServer {
 public:
  // `metrics` must outlive the server, as must what `probes` refer to. /readyz answers 503 until
  // SetReady(true). `host_names`: see http::ServerOptions.
  static absl::StatusOr<std::unique_ptr<AdminServer>> Start(
      const std::string& address, std::uint16_t port, obs::Metrics& metrics, Probes probes = {},
      std::vector<std::string> host_names = {});

  void SetReady(bool ready) { ready_ = ready; }
  // "127.0.0.1:8081"
  std::string authority() const { return server_->authority(); }

 private:
  AdminServer(std::unique_ptr<http::Server> server, obs::Metrics& metrics, Probes probes);
  http::ServerResponse Answer(const http::ServerRequest& request);

  obs::Metrics& metrics_;
  const Probes probes_;
  std::atomic<bool> ready_{false};
  std::unique_ptr<http::Server> server_;  // last: its handler uses the rest
};

}  // namespace gateway::admin
