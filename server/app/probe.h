// `pictory-gateway probe` asks a gateway whether it serves, for whoever starts it without a tool of
// its own to ask with: an image that holds only this program. RunProbe (app/run.h) does it.
#pragma once

#include <string>

namespace CLI {
class App;
}

namespace gateway::app {

struct ProbeFlags {
  std::string address = "127.0.0.1:50051";  // as SelfDial takes it
  double timeout_seconds = 2;
};

void AddProbeOptions(CLI::App& app, ProbeFlags& flags);

}  // namespace gateway::app
