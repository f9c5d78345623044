// These functions put an absl::Status on the wire: its payloads become the standard
// `grpc-status-details-bin` trailer.
#pragma once

#include "absl/status/status.h"
#include "grpcpp/support/status.h"

namespace gateway::rpc {

// Cuts message and details so that they fit the 8 KiB of trailers that clients take by default;
// beyond that a client would see an error of its own library instead.
grpc::Status ToGrpc(const absl::Status& status);

// Details that cannot be read are left out.
absl::Status FromGrpc(const grpc::Status& status);

}  // namespace gateway::rpc
