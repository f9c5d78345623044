// An OwnCertificate is what the gateway shows to itself, where it asks all callers for one.
//
// It calls its own ports to see that others can reach them (app/self_watch.h), through TLS and all.
// Its key never leaves the process, and it names nobody: it lets the call in, and that is all.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "base/secret.h"

namespace gateway::rpc {

struct OwnCertificate {
  std::string certificate_pem;
  Secret key_pem;
};

// Makes one that is as good in a hundred years, whatever the clock says.
absl::StatusOr<OwnCertificate> MakeOwnCertificate();

}  // namespace gateway::rpc
