// Answers that mean harm, read as each kind of answer: none is believed, none does harm.
#include <gtest/gtest.h>

#include <chrono>

#include "pictory/all_kinds.h"
#include "pictory/client.h"
#include "pictory/job_result.h"
#include "support/fake_transport.h"
#include "support/hostile_bodies.h"
#include "support/peak_memory.h"

namespace gateway::pictory {
namespace {

namespace v1 = ::pictory::jobs::v1;
using test::GoodNewsWith;
using test::HostileBody;
using test::Reply;

// The transport brings no longer answer than this to anything but a poll.
bool ForPollsOnly(const HostileBody& body) {
  return body.json.size() > limits::kSubmitReplyMaxBytes;
}

// Reading a body costs little memory beside the body itself.
void ExpectFrugal(const test::PeakMemory& memory, const std::string& name) {
  if (test::PeakMemory::kTellsOurs) {
    EXPECT_LE(memory.GrowthBytes(), 32 * limits::kMiB) << name;
  }
}

TEST(HostileReply, IsGoodNewsWithoutItsFault) {
  const http::Response good = Reply(200, GoodNewsWith("\"a\":1"));
  EXPECT_EQ(ReadSubmitReply(good, WallTime{}).outcome, SubmitReply::Outcome::kAccepted);
  EXPECT_EQ(ReadJobReply(good, v1::JOB_KIND_RENDER, 0, WallTime{}).kind,
            JobReply::Kind::kSucceeded);
}

TEST(HostileReply, ToASubmitLeavesTheOutcomeUnknown) {
  for (const HostileBody& body : test::HostileBodies()) {
    if (ForPollsOnly(body)) continue;
    const test::PeakMemory memory;
    const SubmitReply reply = ReadSubmitReply(Reply(200, body.json), WallTime{});
    EXPECT_EQ(reply.outcome, SubmitReply::Outcome::kUnknown) << body.name;
    EXPECT_LT(reply.detail.size(), 1000u) << body.name;
    ExpectFrugal(memory, body.name);
  }
}

// A complete refusal stays one; only its explanation is lost.
TEST(HostileReply, UnderAnErrorStatusOnlyLosesItsWords) {
  for (const HostileBody& body : test::HostileBodies()) {
    if (ForPollsOnly(body)) continue;
    const SubmitReply reply = ReadSubmitReply(Reply(400, body.json), WallTime{});
    EXPECT_EQ(reply.outcome, SubmitReply::Outcome::kRefused) << body.name;
    EXPECT_LT(reply.error.message().size(), 1000u) << body.name;
  }
}

TEST(HostileReply, ToAPollSaysNothingOfTheJob) {
  for (const HostileBody& body : test::HostileBodies()) {
    if (body.name == test::kLongString) continue;  // a job's texts may be as long as its reply
    for (const v1::JobKind kind : kKinds) {
      if (ForPollsOnly(body) && kind != v1::JOB_KIND_RENDER) continue;  // once is long enough
      const test::PeakMemory memory;
      const JobReply reply = ReadJobReply(Reply(200, body.json), kind, 0, WallTime{});
      EXPECT_EQ(reply.kind, JobReply::Kind::kUnreadable) << body.name;
      EXPECT_EQ(reply.result, nullptr);
      EXPECT_LT(reply.message.size(), 1000u);
      EXPECT_LT(reply.detail.size(), 1000u) << body.name;
      ExpectFrugal(memory, body.name);
    }
  }
}

TEST(HostileReply, ToOtherCallsIsAnError) {
  for (const HostileBody& body : test::HostileBodies()) {
    if (ForPollsOnly(body)) continue;
    EXPECT_EQ(ReadJobList(R"({"items":[)" + body.json + "]}").status().code(),
              absl::StatusCode::kUnavailable)
        << body.name;
    EXPECT_FALSE(ReadFullResult(body.json, v1::JOB_KIND_RENDER).ok()) << body.name;
    EXPECT_FALSE(ReadCallStatus(Reply(400, body.json), WallTime{}).ok()) << body.name;
  }
}

}  // namespace
}  // namespace gateway::pictory
