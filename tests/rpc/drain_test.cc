// Calls that meet a drain: each gets its answer or UNAVAILABLE, which clients repeat.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <list>
#include <thread>

#include "rpc/http2_caller.h"
#include "rpc/late_calls.h"
#include "rpc/rpc_house.h"

namespace gateway::rpc {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using test::Http2Caller;
using test::RpcHouse;

// In a drain that does not end before the test has, because one call is held.
class LateCallTest : public ::testing::TestWithParam<const char*> {
 protected:
  LateCallTest() : house_(WithoutSpread()) {
    house_.fake.Hold();
    held_ = std::thread([this] {
      grpc::ClientContext context;
      v1::GetJobRequest request;
      request.set_job_id("held");
      v1::GetJobResponse response;
      EXPECT_EQ(house_.stub->GetJob(&context, request, &response).error_code(),
                grpc::StatusCode::NOT_FOUND);
    });
    test::Await([this] { return house_.fake.held() == 1; }, "the call is under way");
  }
  ~LateCallTest() override {
    house_.fake.Release();
    held_.join();
    if (drain_.joinable()) drain_.join();
  }
  static ServerOptions WithoutSpread() {
    ServerOptions options;
    options.drain_spread = milliseconds(0);
    return options;
  }
  void Drain() {
    drain_ = std::thread([this] { house_.server->Drain(seconds(60)); });
  }

  RpcHouse house_;
  std::thread held_;
  std::thread drain_;
};

// The server says that it goes away, and waits for the answer to a ping before it names its last
// stream. What comes until then finds a library that takes no calls any more.
TEST_P(LateCallTest, IsToldToComeAgain) {
  if (!GATEWAY_CALLS_ARE_CHECKED) GTEST_SKIP() << "newer libraries cannot: see late_calls.h";
  Http2Caller caller(house_.server->ports()[0]);
  ASSERT_TRUE(caller.Await(Http2Caller::kSettings));
  Drain();
  ASSERT_TRUE(caller.Await(Http2Caller::kGoAway));
  EXPECT_EQ(caller.StatusOf(caller.Call(GetParam(), "")), "14");  // UNAVAILABLE
  EXPECT_TRUE(house_.submitted.empty());
}

INSTANTIATE_TEST_SUITE_P(
    Methods, LateCallTest,
    ::testing::Values(
        "/pictory.jobs.v1.PictoryJobs/CreatePreview", "/pictory.jobs.v1.PictoryJobs/GetJob",
        "/pictory.jobs.v1.PictoryJobs/WatchJob", "/pictory.jobs.v1.PictoryJobs/ReadResult",
        "/pictory.jobs.v1.PictoryJobs/CreateUpload", "/grpc.health.v1.Health/Watch",
        "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo", "/no.such.Service/Method"));

// Real submits, without a pause, beside the drain.
TEST(DrainRaceTest, NoSubmitIsToldThatItWasCancelled) {
  if (!GATEWAY_CALLS_ARE_CHECKED) GTEST_SKIP() << "newer libraries cannot: see late_calls.h";
  for (int round = 0; round < 20; ++round) {
    ServerOptions options;
    options.drain_spread = milliseconds(0);
    RpcHouse house(std::move(options));
    constexpr int kCallers = 16;
    std::atomic<int> answered{0};
    std::list<std::thread> callers;
    for (int i = 0; i < kCallers; ++i) {
      callers.emplace_back([&house, &answered] {
        const auto stub = v1::PictoryJobs::NewStub(house.Channel());
        for (;;) {
          grpc::ClientContext context;
          v1::CreatePreviewResponse response;
          const grpc::Status status = stub->CreatePreview(&context, {}, &response);
          if (status.ok()) {
            ++answered;
            continue;
          }
          EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAVAILABLE) << status.error_message();
          return;
        }
      });
    }
    test::Await([&] { return answered > kCallers; }, "submits under way");
    house.server->Drain(seconds(60));
    for (std::thread& caller : callers) caller.join();
  }
}

}  // namespace
}  // namespace gateway::rpc
