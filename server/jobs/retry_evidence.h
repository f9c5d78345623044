// RetryEvidence is what a call's metadata say about earlier attempts of the same call. It is a
// plain value.
//
// As measured with Envoy 1.40 and gRPC's libraries (tests/mesh), a mesh that repeats a call keeps
// its x-request-id and may count the attempts. A library that repeats a call counts the attempts
// too, and a mesh behind it gives each of them another x-request-id. A second hop may begin to
// count anew.
#pragma once

#include <string>
#include <string_view>

namespace gateway::jobs {

struct RetryEvidence {
  bool by_library = false;      // grpc-previous-rpc-attempts is above 0
  bool by_mesh = false;         // x-envoy-attempt-count is above 1
  std::string mesh_request_id;  // x-request-id; "" if there is none

  bool any() const { return by_library || by_mesh || !mesh_request_id.empty(); }

  // Whether an earlier call with the x-request-id `earlier_id` is certainly the same call. The id
  // says nothing where a library repeats, because the mesh behind it has renamed the call.
  bool IsCertain(std::string_view earlier_id) const {
    return !by_library && !mesh_request_id.empty() && earlier_id == mesh_request_id;
  }
  // Whether an earlier call with `earlier_id` may be the same call, provided that its content is
  // the same.
  bool Allows(std::string_view earlier_id) const {
    if (by_library || IsCertain(earlier_id)) return true;
    return by_mesh && (mesh_request_id.empty() || earlier_id.empty());
  }
};

}  // namespace gateway::jobs
