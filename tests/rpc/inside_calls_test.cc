// Calls that the process makes itself, for callers whom it serves in another way.
#include "rpc/inside_calls.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/errors.h"
#include "rpc/rpc_house.h"

namespace gateway::rpc {
namespace {

using test::Await;
using test::MakeJob;
using test::RpcHouse;
using testing::StartsWith;

InsideCalls::FactsPtr Facts(const std::string& peer) {
  return std::make_shared<const ConnectionFacts>(ConnectionFacts{.peer = peer});
}

class InsideCallsTest : public testing::Test {
 protected:
  grpc::Status Get(const std::string& loan, bool inside) {
    const auto stub =
        v1::PictoryJobs::NewStub(inside ? house_.server->InsideChannel() : house_.Channel());
    grpc::ClientContext context;
    if (!loan.empty()) context.AddMetadata(kInsideKey, loan);
    v1::GetJobRequest request;
    request.set_job_id("j1");
    v1::GetJobResponse response;
    return stub->GetJob(&context, request, &response);
  }
  std::string LastPeer() { return house_.ended().back().peer; }

  RpcHouse house_;
};

TEST_F(InsideCallsTest, AreServedAsAllOthers) {
  EXPECT_EQ(errors::Reason(test::FromGrpc(Get("", true))), "JOB_NOT_FOUND");
  house_.hub.Publish(MakeJob("j1", v1::JOB_STATE_RUNNING, 1));
  EXPECT_TRUE(Get("", true).ok());
}

TEST_F(InsideCallsTest, AreTheirCallersWhoLendsThemAName) {
  const auto loan = house_.server->inside_calls().Lend(Facts("ipv4:192.0.2.7:80"));
  Get(loan->name(), true);
  EXPECT_EQ(LastPeer(), "ipv4:192.0.2.7:80");
}

TEST_F(InsideCallsTest, ANameIsWorthNothingOnceItIsTakenBack) {
  auto loan = house_.server->inside_calls().Lend(Facts("ipv4:192.0.2.7:80"));
  const std::string name = loan->name();
  loan.reset();
  Get(name, true);
  EXPECT_EQ(LastPeer(), "gone");
  EXPECT_TRUE(absl::IsCancelled(house_.server->inside_calls().Find(name).status()));
  EXPECT_EQ(errors::Reason(house_.server->inside_calls().Refusal(name)), "CANCELLED");
}

TEST_F(InsideCallsTest, NamesAreNotGuessed) {
  const auto one = house_.server->inside_calls().Lend(Facts("a"));
  const auto other = house_.server->inside_calls().Lend(Facts("b"));
  EXPECT_EQ(one->name().size(), 64u);
  EXPECT_NE(one->name(), other->name());
  EXPECT_EQ(house_.server->inside_calls().Find("guessed").value(), nullptr);
  EXPECT_TRUE(house_.server->inside_calls().Refusal("guessed").ok());
  Get("guessed", false);
  EXPECT_THAT(LastPeer(), StartsWith("ipv4:127.0.0.1:"));
}

TEST_F(InsideCallsTest, WhatCouldNotBeReadIsRefusedAsItIsSaid) {
  const auto loan = house_.server->inside_calls().Lend(Facts("ipv4:192.0.2.7:80"));
  loan->Refuse(errors::Invalid("file_url", "is no JSON"));
  grpc::GenericStub stub(house_.server->InsideChannel());
  grpc::ClientContext context;
  context.AddMetadata(kInsideKey, loan->name());
  grpc::CompletionQueue queue;
  const auto call = stub.PrepareCall(&context, "/pictory.jobs.v1.PictoryJobs/Transcribe", &queue);
  call->StartCall(reinterpret_cast<void*>(1));
  void* tag = nullptr;
  bool ok = false;
  queue.Next(&tag, &ok);
  call->WritesDone(reinterpret_cast<void*>(2));
  grpc::Status status;
  call->Finish(&status, reinterpret_cast<void*>(3));
  while (tag != reinterpret_cast<void*>(3)) ASSERT_TRUE(queue.Next(&tag, &ok));
  EXPECT_EQ(errors::Violations(test::FromGrpc(status)).front().field, "file_url");
  const auto ended = house_.ended();
  ASSERT_EQ(ended.size(), 1u);
  EXPECT_EQ(ended[0].method, "Transcribe");
  EXPECT_EQ(ended[0].peer, "ipv4:192.0.2.7:80");
}

}  // namespace
}  // namespace gateway::rpc
