#include "rpc/stream_call.h"

#include <string>

#include "rpc/peer.h"

namespace gateway::rpc {
namespace {

class RefusedStream final : public StreamReactor {
 public:
  explicit RefusedStream(const grpc::Status& status) { Finish(status); }
  void OnDone() override { delete this; }
};

}  // namespace

StreamReactor* RefuseStream(std::string_view method, const grpc::CallbackServerContext& context,
                            const grpc::Status& refusal, const Domain& domain) {
  const TraceContext trace = TraceSent(context);
  const std::string peer = PeerName(context, domain);
  domain.Ended({.method = method, .status = FromGrpc(refusal), .peer = peer, .trace = &trace});
  return new RefusedStream(refusal);
}

}  // namespace gateway::rpc
