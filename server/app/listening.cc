#include "app/listening.h"

#include "absl/strings/str_cat.h"

namespace gateway::app {

std::vector<ListenAddress> Config::AllListeners() const {
  std::vector<ListenAddress> all = listen;
  all.insert(all.end(), http_listen.begin(), http_listen.end());
  return all;
}

std::vector<ListenWarning> ListenWarnings(const std::vector<ListenAddress>& listen,
                                          const std::string& library, bool callers_pay) {
  std::vector<ListenWarning> warnings;
  for (const ListenAddress& one : listen) {
    if (one.IsLocal()) continue;
    if (one.security == rpc::Security::kPlain) {
      warnings.push_back({one.ToString(), "plain text: whoever is on the way reads and changes it",
                          "use tls: or mtls:, or let a mesh encrypt what reaches this port"});
      if (callers_pay) {
        warnings.push_back({one.ToString(), "callers' Pictory keys are refused in plain text",
                            "use tls: or mtls:, or a sidecar that connects over loopback"});
      }
    }
    warnings.push_back(
        {one.ToString(),
         absl::StrCat("gRPC ", library,
                      " does not withstand floods of headers, CONTINUATION frames and resets"),
         "let strangers in through an Envoy only (server/docs/mesh.md, \"What the edge should "
         "refuse\")"});
  }
  return warnings;
}

std::vector<rpc::Listener> ListenersOf(const std::vector<ListenAddress>& addresses) {
  std::vector<rpc::Listener> listeners;
  for (const ListenAddress& one : addresses) {
    listeners.push_back({.address = one.ToString(), .security = one.security});
  }
  return listeners;
}

}  // namespace gateway::app
