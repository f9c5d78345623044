// Where in which trace a call is, from its metadata to whoever is told of it.
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "rpc/rpc_house.h"

namespace gateway::rpc {
namespace {

using test::Await;
using test::Ended;
using test::MakeJob;
using test::RpcHouse;

const std::string kTrace(32, 'a');
const std::string kSpan(16, 'b');
const std::string kTraceparent = "00-" + kTrace + "-" + kSpan + "-01";

using Sent = std::vector<std::pair<std::string, std::string>>;

// What a submit with these metadata hands on.
TraceContext Submitted(RpcHouse& house, const Sent& metadata) {
  grpc::ClientContext context;
  for (const auto& [key, value] : metadata) context.AddMetadata(key, value);
  v1::TranscribeRequest request;
  v1::TranscribeResponse response;
  request.set_file_url("https://example.com/a.mp4");
  EXPECT_TRUE(house.stub->Transcribe(&context, request, &response).ok());
  return house.submitted.back().trace;
}

TEST(TraceTest, ASubmitHandsOnWhatItCameWith) {
  RpcHouse house;
  const TraceContext expected{
      .trace_id = kTrace, .span_id = kSpan, .sampled = true, .state = "a=1,b=2"};
  EXPECT_EQ(
      Submitted(house,
                {{"traceparent", kTraceparent}, {"tracestate", "a=1"}, {"tracestate", "b=2"}}),
      expected);
  const TraceContext plain{.trace_id = kTrace, .span_id = kSpan, .sampled = true};
  EXPECT_EQ(Submitted(house, {{"b3", kTrace + "-" + kSpan + "-1"}}), plain);
  EXPECT_EQ(
      Submitted(house, {{"x-b3-traceid", kTrace}, {"x-b3-spanid", kSpan}, {"x-b3-sampled", "1"}}),
      plain);
  EXPECT_FALSE(Submitted(house, {}));
  EXPECT_FALSE(Submitted(house, {{"traceparent", "00-\"; level=fatal"}}));
  EXPECT_FALSE(Submitted(house, {{"traceparent", kTraceparent}, {"traceparent", kTraceparent}}))
      << "nobody knows which counts";
}

TEST(TraceTest, ARefusedCallIsToldWithIt) {
  RpcHouse house;
  for (const char* job : {"j1", "not a name"}) {
    grpc::ClientContext context;
    context.AddMetadata("traceparent", kTraceparent);
    v1::GetJobRequest request;
    v1::GetJobResponse response;
    request.set_job_id(job);
    EXPECT_FALSE(house.stub->GetJob(&context, request, &response).ok());
  }
  Await([&] { return house.ended().size() == 2; }, "both ends");
  for (const Ended& end : house.ended()) EXPECT_EQ(end.trace.trace_id, kTrace);
}

class SpansOfCallsTest : public ::testing::Test {
 protected:
  SpansOfCallsTest() {
    ServerOptions options;
    options.listeners = {{.address = "127.0.0.1:0"}};
    Domain domain = house_.DomainOf();
    domain.spans = true;
    domain.ended = [this](const CallEnd& end) {
      MutexLock lock(mutex_);
      ended_.push_back(end.trace == nullptr ? TraceContext() : *end.trace);
    };
    auto started = Server::Start(std::move(options), std::move(domain));
    EXPECT_TRUE(started.ok()) << started.status();
    server_ = *std::move(started);
    stub_ = v1::PictoryJobs::NewStub(
        grpc::CreateChannel(server_->dial_addresses()[0], grpc::InsecureChannelCredentials()));
  }

  void Get(const Sent& metadata) {
    grpc::ClientContext context;
    for (const auto& [key, value] : metadata) context.AddMetadata(key, value);
    v1::GetJobRequest request;
    v1::GetJobResponse response;
    request.set_job_id("j1");
    (void)stub_->GetJob(&context, request, &response);
  }
  void Submit() {
    grpc::ClientContext context;
    v1::TranscribeRequest request;
    v1::TranscribeResponse response;
    request.set_file_url("https://example.com/a.mp4");
    EXPECT_TRUE(stub_->Transcribe(&context, request, &response).ok());
  }
  TraceContext Last(std::size_t count) {
    Await(
        [&] {
          MutexLock lock(mutex_);
          return ended_.size() >= count;
        },
        "the end of the call");
    MutexLock lock(mutex_);
    return ended_.back();
  }

  RpcHouse house_;
  Mutex mutex_;
  std::vector<TraceContext> ended_ GUARDED_BY(mutex_);
  std::unique_ptr<Server> server_;
  std::unique_ptr<v1::PictoryJobs::Stub> stub_;
};

TEST_F(SpansOfCallsTest, ACallHasASpanWithinItsCallers) {
  Get({{"traceparent", kTraceparent}});
  const TraceContext span = Last(1);
  EXPECT_EQ(span.trace_id, kTrace);
  EXPECT_EQ(span.parent_span_id, kSpan);
  EXPECT_NE(span.span_id, kSpan);
  EXPECT_TRUE(span.own && span.sampled);
}

TEST_F(SpansOfCallsTest, OnlyASubmitBeginsATrace) {
  Get({});
  EXPECT_FALSE(Last(1));
  Submit();
  const TraceContext span = Last(2);
  EXPECT_TRUE(span.own && span.sampled && span.parent_span_id.empty());
  EXPECT_EQ(house_.submitted.back().trace.span_id, span.span_id);
}

}  // namespace
}  // namespace gateway::rpc
