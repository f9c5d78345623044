// A SelfDial asks a gRPC health service one question, over a connection that is made for it.
#pragma once

#include <functional>
#include <string>

#include "absl/status/statusor.h"
#include "base/clock.h"
#include "rpc/own_certificate.h"

namespace gateway::app {

// Tells whether what listens at `address` (host:port with a numeric host, or unix:path, with
// https:// in front for TLS) says that it serves. An error means that it gave no answer that a gRPC
// server gives; the message says how far the call came. Blocks for at most about `timeout`.
using SelfDial = std::function<absl::StatusOr<bool>(const std::string& address, Duration timeout)>;

// Asks by libcurl, because the gRPC library of this process is what is in question. A listener that
// wants to see a certificate is shown `own`. What it shows is not looked at: it need not be for
// this address or in its time for others to be served, nothing is confided to it, and whether it
// has ended is told elsewhere (app/tls_watch.h).
SelfDial DialWith(rpc::OwnCertificate own);

}  // namespace gateway::app
