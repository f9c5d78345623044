// A kind of job that only the tests have, from a caller's bytes to a submission and back.
#include <gtest/gtest.h>

#include "base/work_thread.h"
#include "fifth_kind.pb.h"
#include "rpc/jobs_service.h"
#include "rpc/rpc_house.h"
#include "rpc/submit_calls.h"

namespace gateway::rpc {
namespace {

using ::pictory::jobs::fifth::DrawRequest;
using ::pictory::jobs::fifth::DrawResponse;
using test::RpcHouse;

// A server that serves its method too.
class FifthServer {
 public:
  explicit FifthServer(RpcHouse& house)
      : domain_(house.DomainOf()),
        admission_(AdmissionLimits{}, house.random),
        intake_(std::make_shared<Intake>(
            IntakeLimits{}, [this](std::function<void()> task) { aside_.Post(std::move(task)); },
            admission_, house.clock, house.timers, house.random)),
        jobs_(WatchLimits{}, limits::kRequestMaxBytes, *intake_, admission_, domain_) {
    jobs_.AddSubmits(*DrawRequest::descriptor()->file()->FindServiceByName("FifthJobs"));
    grpc::ServerBuilder builder;
    int port = 0;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
    builder.RegisterService(&jobs_);
    server_ = builder.BuildAndStart();
    channel_ = grpc::CreateChannel("127.0.0.1:" + std::to_string(port),
                                   grpc::InsecureChannelCredentials());
  }
  ~FifthServer() { server_->Shutdown(); }

  grpc::Status Draw(const DrawRequest& request, DrawResponse& response) {
    grpc::TemplatedGenericStub<DrawRequest, DrawResponse> stub(channel_);
    grpc::ClientContext context;
    grpc::CompletionQueue queue;
    const auto call =
        stub.PrepareUnaryCall(&context, "/pictory.jobs.fifth.FifthJobs/Draw", request, &queue);
    call->StartCall();
    grpc::Status status;
    call->Finish(&response, &status, nullptr);
    void* tag = nullptr;
    bool ok = false;
    EXPECT_TRUE(queue.Next(&tag, &ok));
    return status;
  }

 private:
  Domain domain_;
  Admission admission_;
  WorkThread aside_{"intake"};
  std::shared_ptr<Intake> intake_;
  JobsService jobs_;
  std::unique_ptr<grpc::Server> server_;
  std::shared_ptr<grpc::Channel> channel_;
};

TEST(FifthKind, IsServedByWhatItDeclares) {
  RpcHouse house;
  FifthServer server(house);
  DrawRequest request;
  request.set_request_id("r1");
  request.set_album_id("12");
  (*request.mutable_labels())["team"] = "news";
  DrawResponse response;
  const grpc::Status status = server.Draw(request, response);
  ASSERT_TRUE(status.ok()) << status.error_message();
  EXPECT_EQ(response.job().job_id(), "submitted");
  const jobs::SubmitRequest submitted = house.last_submit();
  EXPECT_EQ(submitted.kind, 99);
  EXPECT_EQ(submitted.request_id, "r1");
  EXPECT_EQ(submitted.labels, (std::map<std::string, std::string>{{"team", "news"}}));
  request.clear_request_id();
  EXPECT_EQ(submitted.fingerprint, Fingerprint("Draw", "default", request));
  const auto* const message = dynamic_cast<const DrawRequest*>(submitted.request.get());
  ASSERT_NE(message, nullptr);
  EXPECT_EQ(message->album_id(), "12");
}

TEST(FifthKind, ALargeRequestIsReadAsWell) {
  RpcHouse house;
  FifthServer server(house);
  DrawRequest request;
  request.set_image_json("{\"a\":\"" + std::string(limits::kSmallRequestMaxBytes, 'x') + "\"}");
  DrawResponse response;
  ASSERT_TRUE(server.Draw(request, response).ok());
  EXPECT_EQ(house.last_submit().request->ByteSizeLong(),
            request.ByteSizeLong() + house.last_submit().request_id.size() + 2);
}

}  // namespace
}  // namespace gateway::rpc
