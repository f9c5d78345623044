#include "app/probe.h"

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>
#include <string>

#include "app/exit_codes.h"
#include "app/number_check.h"
#include "app/run.h"
#include "app/self_dial.h"
#include "base/limits.h"

namespace gateway::app {

void AddProbeOptions(CLI::App& app, ProbeFlags& flags) {
  app.add_option("--address", flags.address,
                 "Where the gateway listens: host:port with a numeric host, https://host:port, or "
                 "unix:/path; one that asks for certificates cannot be asked")
      ->capture_default_str();
  app.add_option("--timeout", flags.timeout_seconds, "Seconds until it counts as not answering")
      ->check(
          Decimal(0.1, std::chrono::duration<double>(limits::kProbeTimeoutMax).count(), "seconds"))
      ->capture_default_str();
  app.footer(
      "Asks the gRPC health service for the whole server, over a new connection. Exit codes: 0 it\n"
      "serves, 1 it does not (it starts or ends) or does not answer, 2 wrong usage. A probe for\n"
      "readiness, not for liveness: an orderly end must not be cut off.");
}

int RunProbe(const ProbeFlags& flags) {
  const auto timeout =
      std::chrono::duration_cast<Duration>(std::chrono::duration<double>(flags.timeout_seconds));
  const absl::StatusOr<bool> serves = DialWith({})(flags.address, timeout);
  if (serves.ok() && *serves) {
    std::printf("%s serves\n", flags.address.c_str());
    return 0;
  }
  const std::string why = serves.ok() ? flags.address + " does not serve: it starts or ends"
                                      : std::string(serves.status().message());
  std::fprintf(stderr, "pictory-gateway: %s\n", why.c_str());
  return kCannotServe;
}

}  // namespace gateway::app
