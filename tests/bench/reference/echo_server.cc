// The least a unary gRPC server can do: parse, answer with as many bytes as it was told.
#include "bench/reference.grpc.pb.h"
#include "programs/flags.h"
#include "reference/serve.h"

namespace {

using pictory::bench::v1::Answer;
using pictory::bench::v1::Ask;
using pictory::bench::v1::Reference;

class EchoService final : public Reference::CallbackService {
 public:
  explicit EchoService(std::size_t answer_bytes) : payload_(answer_bytes, 'x') {}

  grpc::ServerUnaryReactor* Echo(grpc::CallbackServerContext* context, const Ask*,
                                 Answer* answer) override {
    answer->set_payload(payload_);
    grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
    reactor->Finish(grpc::Status::OK);
    return reactor;
  }

 private:
  const std::string payload_;
};

}  // namespace

int main(int argc, char** argv) {
  const bench::Flags flags(argc, argv, {{"answer-bytes", "200"}});
  EchoService service(static_cast<std::size_t>(flags.Number("answer-bytes")));
  return bench::Serve(service, [](const std::string&) {});
}
