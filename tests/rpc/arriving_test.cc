// Requests that do not come, through the whole server.
#include <gmock/gmock.h>
#include <grpcpp/generic/generic_stub.h>
#include <gtest/gtest.h>

#include <optional>

#include "absl/strings/str_cat.h"
#include "base/errors.h"
#include "rpc/rpc_house.h"

namespace gateway::rpc {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using test::RpcHouse;

// A call of any method that sends nothing, or nothing more, until it is told how it ended.
class Silent final : public grpc::ClientBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer> {
 public:
  Silent(RpcHouse& house, const std::string& method) : stub_(house.Channel()) {
    stub_.PrepareBidiStreamingCall(&context_, method, {}, this);
    StartCall();
  }
  void OnDone(const grpc::Status& status) override {
    MutexLock lock(mutex_);
    status_ = status;
    done_.notify_all();
  }
  absl::Status Wait() {
    MutexLock lock(mutex_);
    const auto is_done = [this]() REQUIRES(mutex_) { return status_.has_value(); };
    if (!done_.wait_for(mutex_, seconds(30), is_done)) return absl::UnknownError("did not end");
    return FromGrpc(*status_);
  }

 private:
  grpc::GenericStub stub_;
  grpc::ClientContext context_;
  Mutex mutex_;
  CondVar done_;
  std::optional<grpc::Status> status_ GUARDED_BY(mutex_);
};

std::vector<std::string> AllMethods() {
  std::vector<std::string> methods = {
      "/grpc.health.v1.Health/Check", "/grpc.health.v1.Health/Watch",
      "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
      "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo"};
  const auto* service = google::protobuf::DescriptorPool::generated_pool()->FindServiceByName(
      "pictory.jobs.v1.PictoryJobs");
  for (int i = 0; i < service->method_count(); ++i) {
    methods.push_back(absl::StrCat("/", service->full_name(), "/", service->method(i)->name()));
  }
  return methods;
}

TEST(ArrivingTest, WhatDoesNotComeIsRefusedInTimeByEveryMethod) {
  ServerOptions options;
  options.intake.arrival = milliseconds(200);
  RpcHouse house(std::move(options));
  for (const std::string& method : AllMethods()) {
    const absl::Status status = Silent(house, method).Wait();
    EXPECT_EQ(status.code(), absl::StatusCode::kDeadlineExceeded) << method << ": " << status;
    EXPECT_EQ(errors::Reason(status), "REQUEST_LATE") << method;
  }
  EXPECT_EQ(house.server->open_calls(), 0);
  EXPECT_EQ(house.server->open_watches(), 0);
}

TEST(ArrivingTest, ShortOfMemoryItIsRefusedWithADelay) {
  ServerOptions options;
  std::atomic<std::size_t> used{0};
  options.intake.memory_bytes = limits::kRequestMaxBytes * 64;
  options.intake.used = [&used] { return used.load(); };
  RpcHouse house(std::move(options));
  Silent silent(house, "/pictory.jobs.v1.PictoryJobs/CreatePreview");
  used = limits::kRequestMaxBytes * 64;
  const absl::Status status = silent.Wait();
  EXPECT_EQ(errors::Reason(status), "MEMORY_SHORT") << status;
  EXPECT_GT(errors::RetryDelay(status), Duration::zero());
  // What comes at once is served all the same.
  grpc::ClientContext context;
  v1::RenderResponse response;
  EXPECT_TRUE(house.stub->Render(&context, v1::RenderRequest(), &response).ok());
}

TEST(ArrivingTest, EveryMethodTakesOnlySoMuchAndSaysSo) {
  RpcHouse house;
  const std::string beyond(limits::kSmallRequestMaxBytes + 1, '\0');
  const absl::Status small = FromGrpc(house.Raw("/pictory.jobs.v1.PictoryJobs/GetJob", beyond));
  EXPECT_EQ(errors::Reason(small), "REQUEST_TOO_LARGE") << small;
  EXPECT_EQ(errors::Reason(FromGrpc(house.Raw("/pictory.jobs.v1.PictoryJobs/Render", beyond))),
            "UNPARSABLE_REQUEST");
  const absl::Status large = FromGrpc(house.Raw("/pictory.jobs.v1.PictoryJobs/Render",
                                                std::string(limits::kRequestMaxBytes + 1, '\0')));
  EXPECT_EQ(large.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(errors::Reason(large), "REQUEST_TOO_LARGE") << large;
}

TEST(ArrivingTest, AnEmptyRequestIsOne) {
  RpcHouse house;
  EXPECT_TRUE(house.Raw("/grpc.health.v1.Health/Check", "").ok());
}

TEST(ArrivingTest, CompressedRequestsAreNotInflated) {
  RpcHouse house;
  grpc::ClientContext context;
  context.set_compression_algorithm(GRPC_COMPRESS_GZIP);
  v1::RenderRequest request;
  request.set_preview_job_id(std::string(10'000, 'a'));
  v1::RenderResponse response;
  const absl::Status status = FromGrpc(house.stub->Render(&context, request, &response));
  EXPECT_EQ(status.code(), absl::StatusCode::kUnimplemented);
  EXPECT_EQ(errors::Reason(status), "REQUEST_COMPRESSED") << status;
  EXPECT_TRUE(house.submitted.empty());
}

TEST(ArrivingTest, ADrainDoesNotWaitForThem) {
  RpcHouse house;
  Silent submit(house, "/pictory.jobs.v1.PictoryJobs/CreatePreview");
  Silent watch(house, "/pictory.jobs.v1.PictoryJobs/WatchJob");
  test::Await([&] { return house.server->arriving_requests() == 2; }, "both have begun");
  const auto begun = std::chrono::steady_clock::now();
  house.server->Drain(seconds(30));
  EXPECT_LT(std::chrono::steady_clock::now() - begun, seconds(10));
  EXPECT_EQ(submit.Wait().code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(watch.Wait().code(), absl::StatusCode::kUnavailable);
}

}  // namespace
}  // namespace gateway::rpc
