// Large requests: on a thread of their own, held as long as anybody has them, and dropped with the
// caller.
#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <type_traits>
#include <vector>

#include "base/errors.h"
#include "rpc/rpc_house.h"

namespace gateway::rpc {
namespace {

using test::FromGrpc;
using test::RpcHouse;

v1::TranscribeRequest Large(std::size_t bytes = 2 * limits::kSmallRequestMaxBytes) {
  v1::TranscribeRequest request;
  request.set_transcript_json(std::string(bytes, ' '));
  return request;
}

// One call on a thread of its own.
class Call {
 public:
  Call(RpcHouse& house, v1::TranscribeRequest request)
      : status_(std::async(std::launch::async, [this, &house, request = std::move(request)] {
          v1::TranscribeResponse response;
          return FromGrpc(house.stub->Transcribe(&context_, request, &response));
        })) {}
  absl::Status Wait() { return status_.get(); }
  void Cancel() { context_.TryCancel(); }

 private:
  grpc::ClientContext context_;
  std::future<absl::Status> status_;
};

// Validation of large requests waits until it is let go.
class LargeRequestTest : public ::testing::Test {
 protected:
  static ServerOptions Options() {
    ServerOptions options;
    // So much that one of the largest may be held.
    options.intake.memory_bytes = limits::kLargeRequestsShare * limits::kRequestMaxBytes;
    options.intake.used = [] { return std::size_t{0}; };
    return options;
  }

  LargeRequestTest() {
    house_.on_validate = [this](const google::protobuf::Message& message) {
      if (message.ByteSizeLong() <= limits::kSmallRequestMaxBytes) return;
      const int number = ++begun_;
      MutexLock lock(mutex_);
      threads_.insert(std::this_thread::get_id());
      const auto may_go = [this, number]() REQUIRES(mutex_) { return let_go_ >= number; };
      EXPECT_TRUE(changed_.wait_for(mutex_, std::chrono::seconds(30), may_go));
    };
  }
  void LetGo(int count) {
    MutexLock lock(mutex_);
    let_go_ += count;
    changed_.notify_all();
  }
  void AwaitBegun(int count) {
    test::Await([&] { return begun_ >= count; }, "validation");
  }
  void AwaitOpen(int calls) {
    test::Await([&] { return house_.server->open_calls() == calls; }, "calls");
  }
  std::size_t threads() {
    MutexLock lock(mutex_);
    return threads_.size();
  }

  template <class Request>
  absl::Status Send(const Request& request) {
    grpc::ClientContext context;
    if constexpr (std::is_same_v<Request, v1::SummarizeRequest>) {
      v1::SummarizeResponse response;
      return FromGrpc(house_.stub->Summarize(&context, request, &response));
    } else {
      v1::TranscribeResponse response;
      return FromGrpc(house_.stub->Transcribe(&context, request, &response));
    }
  }

  Mutex mutex_;
  CondVar changed_;
  std::atomic<int> begun_{0};
  int let_go_ GUARDED_BY(mutex_) = 0;
  std::set<std::thread::id> threads_ GUARDED_BY(mutex_);
  RpcHouse house_{Options()};
};

TEST_F(LargeRequestTest, AreServedOneAfterTheOtherWhileOthersAreServedAtOnce) {
  std::vector<std::unique_ptr<Call>> calls;
  for (int i = 0; i < 4; ++i) calls.push_back(std::make_unique<Call>(house_, Large()));
  AwaitBegun(1);
  AwaitOpen(4);
  for (int i = 0; i < 20; ++i) EXPECT_TRUE(Send(v1::TranscribeRequest()).ok());
  EXPECT_EQ(begun_, 1);
  LetGo(4);
  for (const auto& call : calls) EXPECT_TRUE(call->Wait().ok());
  EXPECT_EQ(threads(), 1u);
}

TEST_F(LargeRequestTest, NothingIsDoneForACallerWhoIsGone) {
  Call first(house_, Large());
  AwaitBegun(1);
  Call second(house_, Large());
  AwaitOpen(2);
  second.Cancel();
  EXPECT_EQ(second.Wait().code(), absl::StatusCode::kCancelled);
  AwaitOpen(1);
  LetGo(2);
  EXPECT_TRUE(first.Wait().ok());
  EXPECT_TRUE(Send(Large()).ok());
  EXPECT_EQ(begun_, 2) << "the first and the third";
  EXPECT_EQ(house_.submitted.size(), 2u);
}

TEST_F(LargeRequestTest, NothingIsSubmittedForACallerWhoGoesWhileItIsLookedAt) {
  Call first(house_, Large());
  AwaitBegun(1);
  first.Cancel();
  EXPECT_EQ(first.Wait().code(), absl::StatusCode::kCancelled);
  AwaitOpen(0);
  LetGo(2);
  EXPECT_TRUE(Send(Large()).ok());
  EXPECT_EQ(house_.submitted.size(), 1u);
}

TEST_F(LargeRequestTest, AreHeldAsLongAsAnybodyHasThem) {
  const v1::TranscribeRequest request = Large(10 * limits::kMiB);
  Call first(house_, request);
  AwaitBegun(1);
  const absl::Status refused = Send(request);
  EXPECT_EQ(errors::Reason(refused), "TOO_MANY") << refused;
  EXPECT_GT(errors::RetryDelay(refused), Duration::zero());
  LetGo(100);
  EXPECT_TRUE(first.Wait().ok());
  EXPECT_EQ(errors::Reason(Send(request)), "TOO_MANY")
      << "the submit goes on when its call is over";
  house_.submitted.clear();
  test::Await([&] { return Send(request).ok(); }, "room");
}

TEST_F(LargeRequestTest, FewBytesThatMakeALargeMessageCountAsOne) {
  v1::SummarizeRequest request;
  v1::Sentence& sentence = *request.mutable_typed_transcript()->add_sentences();
  for (int i = 0; i < 6'000; ++i) sentence.add_words()->set_is_pause(true);
  ASSERT_LT(request.ByteSizeLong(), limits::kSmallRequestMaxBytes);
  Call first(house_, Large(limits::kRequestMaxBytes - limits::kSmallRequestMaxBytes));
  AwaitBegun(1);
  EXPECT_EQ(errors::Reason(Send(request)), "TOO_MANY");
  const v1::SummarizeRequest many = request;
  sentence.mutable_words()->DeleteSubrange(10, 5'990);
  EXPECT_TRUE(Send(request).ok());
  LetGo(1);
  EXPECT_TRUE(first.Wait().ok());
  house_.submitted.clear();
  test::Await([&] { return Send(many).ok(); }, "room");
}

TEST_F(LargeRequestTest, WhatASmallOneNeedsOfTheStoreHasTheSamePlaces) {
  grpc::ClientContext context;
  v1::SummarizeRequest request;
  request.set_transcription_job_id("transcription");
  v1::SummarizeResponse response;
  ASSERT_TRUE(FromGrpc(house_.stub->Summarize(&context, request, &response)).ok());
  const auto hold = house_.last_submit().hold;
  ASSERT_TRUE(hold);
  auto held = hold(limits::kRequestMaxBytes);
  ASSERT_TRUE(held.ok()) << held.status();
  const absl::StatusOr<std::shared_ptr<void>> refused = hold(limits::kRequestMaxBytes);
  EXPECT_EQ(errors::Reason(refused.status()), "TOO_MANY");
  EXPECT_GT(errors::RetryDelay(refused.status()), std::chrono::seconds(0));
  EXPECT_EQ(errors::Reason(Call(house_, Large()).Wait()), "TOO_MANY");
  held = absl::CancelledError();
  EXPECT_TRUE(hold(limits::kRequestMaxBytes).ok());
}

TEST_F(LargeRequestTest, ThoseThatWaitAreToldOfADrain) {
  Call first(house_, Large());
  AwaitBegun(1);
  Call second(house_, Large());
  AwaitOpen(2);
  std::thread drain([&] { house_.server->Drain(std::chrono::seconds(20)); });
  test::Await([&] { return !Send(v1::TranscribeRequest()).ok(); }, "the drain");
  LetGo(2);
  EXPECT_TRUE(first.Wait().ok());
  EXPECT_EQ(errors::Reason(second.Wait()), "DRAINING");
  drain.join();
  EXPECT_EQ(begun_, 1);
}

}  // namespace
}  // namespace gateway::rpc
