// A Listener is where callers come in, and how they are spoken to there.
#pragma once

#include <string>

namespace gateway::rpc {

enum class Security {
  kPlain,
  kTls,
  kMutualTls,  // TLS, and callers must show a certificate
};

struct Listener {
  std::string address;  // host:port or unix:path; port 0 is any
  Security security = Security::kPlain;
};

}  // namespace gateway::rpc
