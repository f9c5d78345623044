// LateCalls answers the calls that come when the library is about to end.
//
// From Shutdown() on the library (1.51) ends every call that still comes with CANCELLED: on each
// connection those of a round trip at least, because it asks by a ping whether its GOAWAY has
// arrived. CANCELLED is the caller's own word, so clients and meshes do not repeat it. What runs
// before the library looks is the check of a call's credentials; this is such a check, which lets
// all calls in until it is closed, and then tells them UNAVAILABLE. The connections stay as
// they are, with TLS or without.
//
// With newer libraries (1.83 was tried) there is no check, and late calls end with CANCELLED: as
// soon as calls are checked there, one `te` header that is not `trailers` aborts the process.
//
// Thread-safe.
#pragma once

#include <grpcpp/version_info.h>

#include <atomic>
#include <cstddef>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "grpcpp/security/server_credentials.h"
#include "rpc/grpc_credentials.h"

#define GATEWAY_CALLS_ARE_CHECKED (GRPC_CPP_VERSION_MAJOR == 1 && GRPC_CPP_VERSION_MINOR < 60)

namespace gateway::rpc {

class LateCalls {
 public:
  // `refusal` is what callers get who come too late. Only its code and message can be sent.
  explicit LateCalls(const absl::Status& refusal);
  LateCalls(const LateCalls&) = delete;
  LateCalls& operator=(const LateCalls&) = delete;

  // The library's own credentials of a listener, which are taken over, with the check.
  std::shared_ptr<grpc::ServerCredentials> Checked(grpc_server_credentials* credentials) const;

  // Refuses calls from now on. All that were let in before have met the library when it returns.
  void Refuse();

 private:
  class Credentials;
  // Shared with the checks: one may still look at it when the library has done with the call.
  struct Shared {
    const grpc_status_code code;
    const std::string message;
    std::atomic<bool> refusing{false};
    std::atomic<int> entering{0};
  };
  static void Check(void* state, grpc_auth_context* context, const grpc_metadata* metadata,
                    std::size_t count, grpc_process_auth_metadata_done_cb done, void* call);

  const std::shared_ptr<Shared> shared_;
};

}  // namespace gateway::rpc
