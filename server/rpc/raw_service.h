// A RawService has methods that take the bytes of one request, once they are all here.
//
// The library reads the request of a unary or server-streaming method itself, before anybody hears
// of the call. To it these methods are therefore bidirectional streams, of which nothing is read
// until somebody asks; the request is then read as the intake allows, and the library's own
// handlers do the rest. Nothing is different on the wire.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>

#include "grpcpp/impl/service_type.h"
#include "grpcpp/server_context.h"
#include "grpcpp/support/byte_buffer.h"
#include "grpcpp/support/server_callback.h"
#include "rpc/handlers.h"
#include "rpc/intake.h"
#include "tenants/principal.h"

namespace gateway::rpc {

// The reactor of a call that is answered later, or whose end somebody waits for. It tells the
// domain's Unread of its answer itself.
class LateReactor : public grpc::ServerUnaryReactor {};

class RawService : public grpc::Service {
 public:
  using Context = grpc::CallbackServerContext;
  using Bytes = grpc::ByteBuffer;
  using Unary = grpc::ServerUnaryReactor;
  using Stream = grpc::ServerWriteReactor<grpc::ByteBuffer>;
  using Principal = tenants::PrincipalPtr;
  // The principal is null for methods that anybody may call.
  using UnaryMethod = std::function<Unary*(Context*, const Principal&, const Bytes*, Bytes*)>;
  using StreamMethod = std::function<Stream*(Context*, const Principal&, const Bytes*)>;
  using Role = std::optional<tenants::Role>;

  // Both arguments must outlive the service's calls.
  RawService(Intake& intake, const Domain& domain) : intake_(intake), domain_(domain) {}

 protected:
  // `path` is /package.Service/Method and lasts as long as the service. Requests of more than
  // `max_bytes` are refused. Who does not have the role is refused before the request is read;
  // nullopt: anybody may call, and nobody asks who it is.
  void Add(const char* path, std::size_t max_bytes, Role role, UnaryMethod serve);
  void Add(const char* path, std::size_t max_bytes, Role role, StreamMethod serve);

 private:
  Intake& intake_;
  const Domain& domain_;
};

}  // namespace gateway::rpc
