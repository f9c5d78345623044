// GivenSettings holds what somebody has set, as the log tells it at the start.
#pragma once

#include <string>
#include <vector>

namespace gateway::app {

struct GivenSetting {
  std::string name;    // `max-watches`
  std::string value;   // without what must not be seen: `set` of a secret
  std::string source;  // `flag`, the name of the variable, or file:line
};

struct GivenSettings {
  std::vector<GivenSetting> settings;  // in order of the names
  // Variables that have the names of settings and are ignored: they are the other command's, or
  // Kubernetes has set them for a Service.
  std::vector<std::string> ignored;
};

// Writes one line, the event `settings`.
void LogGiven(const GivenSettings& given);

}  // namespace gateway::app
