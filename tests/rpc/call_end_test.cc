// Whoever writes the log and counts is told how a call ended, whichever way it was refused.
#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>

#include <string>
#include <vector>

#include "base/errors.h"
#include "grpc/health/v1/health.grpc.pb.h"
#include "grpc/reflection/v1/reflection.grpc.pb.h"
#include "rpc/rpc_house.h"

namespace gateway::rpc {
namespace {

using test::Await;
using test::Ended;
using test::MakeJob;
using test::RpcHouse;
using ::testing::StartsWith;

// What the house was told of a call of `method`, as the server's threads get there.
Ended Told(RpcHouse& house, const std::string& method) {
  std::vector<Ended> found;
  Await(
      [&] {
        found.clear();
        for (const Ended& end : house.ended()) {
          if (end.method == method) found.push_back(end);
        }
        return !found.empty();
      },
      method.c_str());
  EXPECT_EQ(found.size(), 1u);
  if (found.empty()) return {};
  EXPECT_THAT(found[0].peer, StartsWith("ipv4:127.0.0.1:"));
  EXPECT_FALSE(found[0].served);
  return found[0];
}

TEST(CallEndTest, OfAWrongSubmitWithItsRequestId) {
  RpcHouse house;
  grpc::ClientContext context;
  v1::TranscribeRequest request;
  v1::TranscribeResponse response;
  request.set_file_url("bad");
  request.set_request_id("mine");
  EXPECT_FALSE(house.stub->Transcribe(&context, request, &response).ok());
  const Ended end = Told(house, "Transcribe");
  EXPECT_EQ(errors::Reason(end.status), "INVALID_REQUEST");
  EXPECT_EQ(end.request_id, "mine");
}

TEST(CallEndTest, SaysHowManyBytesThereWere) {
  RpcHouse house;
  house.hub.Publish(MakeJob("j1", v1::JOB_STATE_SUCCEEDED, 1));
  grpc::ClientContext context;
  v1::GetJobRequest request;
  v1::GetJobResponse response;
  request.set_job_id("j1");
  ASSERT_TRUE(house.stub->GetJob(&context, request, &response).ok());
  Await([&] { return !house.ended().empty(); }, "the end");
  EXPECT_EQ(house.ended()[0].received_bytes, request.ByteSizeLong());
  EXPECT_EQ(house.ended()[0].sent_bytes, response.ByteSizeLong());
}

TEST(CallEndTest, OfARequestThatIsNotRead) {
  RpcHouse house;
  EXPECT_FALSE(house.Raw("/pictory.jobs.v1.PictoryJobs/GetJob", std::string(100'000, 'x')).ok());
  EXPECT_EQ(errors::Reason(Told(house, "GetJob").status), "REQUEST_TOO_LARGE");
  EXPECT_FALSE(house.Raw("/pictory.jobs.v1.PictoryJobs/WatchJob", "\xff").ok());
  EXPECT_EQ(errors::Reason(Told(house, "WatchJob").status), "UNPARSABLE_REQUEST");
}

TEST(CallEndTest, OfMetadataThatAreTooLarge) {
  RpcHouse house;
  grpc::ClientContext context;
  context.AddMetadata("x", std::string(20'000, 'x'));
  v1::GetJobResponse response;
  EXPECT_FALSE(house.stub->GetJob(&context, {}, &response).ok());
  EXPECT_EQ(errors::Reason(Told(house, "GetJob").status), "METADATA_TOO_LARGE");
}

TEST(CallEndTest, OfCallsAndStreamsThatAreNotLetIn) {
  ServerOptions options;
  options.admission = {
      .calls = 0, .submits = 0, .watches = 0, .results = 0, .health_watches = 0, .reflections = 0};
  RpcHouse house(options);
  for (const char* method : {"GetJob", "Render", "WatchJob", "ReadJobResult"}) {
    EXPECT_FALSE(house.Raw(std::string("/pictory.jobs.v1.PictoryJobs/") + method, "").ok());
    EXPECT_EQ(errors::Reason(Told(house, method).status), "TOO_MANY") << method;
  }
  EXPECT_FALSE(house.Raw("/grpc.health.v1.Health/Watch", "").ok());
  EXPECT_EQ(errors::Reason(Told(house, "Health.Watch").status), "TOO_MANY");
  EXPECT_FALSE(house.Raw("/grpc.reflection.v1.ServerReflection/ServerReflectionInfo", "").ok());
  EXPECT_EQ(errors::Reason(Told(house, "ServerReflectionInfo").status), "TOO_MANY");
}

TEST(CallEndTest, OfReflectionAndHealthThatAreNotUnderstood) {
  RpcHouse house;
  EXPECT_FALSE(house.Raw("/grpc.reflection.v1.ServerReflection/ServerReflectionInfo", "\xff").ok());
  EXPECT_EQ(errors::Reason(Told(house, "ServerReflectionInfo").status), "UNPARSABLE_REQUEST");
  EXPECT_FALSE(house.Raw("/grpc.health.v1.Health/Check", "\xff").ok());
  EXPECT_EQ(errors::Reason(Told(house, "Health.Check").status), "UNPARSABLE_REQUEST");
}

// A watch that the drain ends was served; nobody was refused anything.
TEST(CallEndTest, AStreamThatBroughtSomethingIsKnownByIt) {
  RpcHouse house;
  house.hub.Publish(MakeJob("watched", v1::JOB_STATE_RUNNING, 1));
  grpc::ClientContext context;
  v1::WatchJobRequest request;
  request.set_job_id("watched");
  auto stream = house.stub->WatchJob(&context, request);
  v1::WatchJobResponse event;
  ASSERT_TRUE(stream->Read(&event));
  house.server->Drain(std::chrono::seconds(10));
  Await([&] { return !house.ended().empty(); }, "the end of the watch");
  EXPECT_TRUE(house.ended()[0].served);
  EXPECT_EQ(errors::Reason(house.ended()[0].status), "DRAINING");
}

}  // namespace
}  // namespace gateway::rpc
