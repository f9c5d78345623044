// The least a gateway can do: one POST of the caller's bytes, on a connection of its own, the job
// id read from the answer, a reply of as many bytes as it was told.
#include <rapidjson/document.h>

#include "bench/reference.grpc.pb.h"
#include "programs/flags.h"
#include "reference/curl_loop.h"
#include "reference/serve.h"

namespace {

using pictory::bench::v1::Answer;
using pictory::bench::v1::Ask;
using pictory::bench::v1::Reference;

// "" if there is none.
std::string JobIdOf(const std::string& reply) {
  rapidjson::Document document;
  document.Parse(reply.data(), reply.size());
  if (document.HasParseError() || !document.IsObject()) return "";
  const auto data = document.FindMember("data");
  if (data == document.MemberEnd() || !data->value.IsObject()) return "";
  const auto id = data->value.FindMember("jobId");
  if (id == data->value.MemberEnd() || !id->value.IsString()) return "";
  return std::string(id->value.GetString(), id->value.GetStringLength());
}

class ProxyService final : public Reference::CallbackService {
 public:
  ProxyService(const std::string& url, std::size_t answer_bytes)
      : answer_bytes_(answer_bytes),
        upstream_({.url = url, .post = true, .fresh_connections = true}) {}

  grpc::ServerUnaryReactor* Submit(grpc::CallbackServerContext* context, const Ask* ask,
                                   Answer* answer) override {
    grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
    upstream_.Start(ask->payload(), [this, reactor, answer](long status, const std::string& reply) {
      std::string id = JobIdOf(reply);
      if (status != 200 || id.empty()) {
        return reactor->Finish(grpc::Status(grpc::StatusCode::UNAVAILABLE, "no job"));
      }
      id.resize(answer_bytes_, ' ');
      answer->set_payload(std::move(id));
      reactor->Finish(grpc::Status::OK);
    });
    return reactor;
  }

 private:
  const std::size_t answer_bytes_;
  bench::CurlLoop upstream_;
};

}  // namespace

int main(int argc, char** argv) {
  const bench::Flags flags(argc, argv, {{"url", ""}, {"answer-bytes", "200"}});
  ProxyService service(flags.Text("url"), static_cast<std::size_t>(flags.Number("answer-bytes")));
  return bench::Serve(service, [](const std::string&) {});
}
