// What the gateway's listeners are to be told and what is to be said of them.
#pragma once

#include <string>
#include <vector>

#include "app/config.h"
#include "rpc/listener.h"

namespace gateway::app {

// A warning, one line for the log.
struct ListenWarning {
  std::string address;
  std::string reason;
  std::string advice;
};
// What an operator must believe about who reaches a listener: those beyond this machine meet a
// library with known weaknesses, and, where they are plain, whoever is on the way reads along, so
// that callers who pay cannot show their keys there.
// `library` is its version. Pure.
std::vector<ListenWarning> ListenWarnings(const std::vector<ListenAddress>& listen,
                                          const std::string& library, bool callers_pay);

// The listeners as a server takes them.
std::vector<rpc::Listener> ListenersOf(const std::vector<ListenAddress>& addresses);

}  // namespace gateway::app
