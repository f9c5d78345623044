// `pictory-gateway keygen` makes an API key for a caller.
#pragma once

#include <string>

namespace CLI {
class App;
}

namespace gateway::app {

struct KeygenFlags {
  std::string tenant = "NAME";
  std::string name = "NAME";
};

void AddKeygenOptions(CLI::App& app, KeygenFlags& flags);

// The key, which is shown this once and stored nowhere, and the lines of the tenants file for it.
std::string KeygenText(const KeygenFlags& flags);

}  // namespace gateway::app
