// The gateway with two settings that it has no flags for, because nobody should run it so: a store
// that forgets, to show what durability costs, and its own poll interval, so that polls come often
// enough for a bench or not at all.
//
//   bench_gateway memory|durable POLL_SECONDS [FLAGS OF THE GATEWAY]
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "app/config.h"
#include "app/run.h"

int main(int argc, char** argv) {
  if (argc < 3) {
    std::fputs("usage: bench_gateway memory|durable POLL_SECONDS [FLAGS]\n", stderr);
    return 2;
  }
  gateway::app::Parsed parsed = gateway::app::ParseCommandLine(argc - 2, argv + 2);
  if (!parsed.gateway.has_value()) {
    std::fputs(parsed.text.c_str(), stderr);
    return 2;
  }
  gateway::app::Config& config = *parsed.gateway;
  config.memory_store = std::string_view(argv[1]) == "memory";
  gateway::jobs::PollCurve curve;
  curve.first = curve.max_watched = curve.max_unwatched =
      std::chrono::duration_cast<gateway::Duration>(
          std::chrono::duration<double>(std::atof(argv[2])));
  config.poll_curve = curve;
  return gateway::app::RunGateway(config);
}
