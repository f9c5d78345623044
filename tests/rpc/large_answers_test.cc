#include "rpc/large_answers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>
#include <list>

#include "base/errors.h"
#include "base/limits.h"
#include "rpc/deaf.h"
#include "rpc/rpc_house.h"

namespace gateway::rpc {
namespace {

using test::Deaf;
using test::FromGrpc;
using test::MakeJob;
using test::MakeRecord;
using test::NarrowChannel;
using test::RpcHouse;
using ::testing::HasSubstr;

constexpr std::size_t kMiB = limits::kMiB;
constexpr char kGetJob[] = "/pictory.jobs.v1.PictoryJobs/GetJob";
constexpr char kListJobs[] = "/pictory.jobs.v1.PictoryJobs/ListJobs";

void ExpectRefusal(const absl::Status& status, const char* text) {
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted) << status;
  EXPECT_EQ(errors::Reason(status), "TOO_MANY");
  EXPECT_THAT(std::string(status.message()), HasSubstr(text));
  EXPECT_GE(errors::RetryDelay(status), std::chrono::seconds(1));
}

// One tenant's address, as the library names it.
LargeAnswers::Holder AtAddress(std::string peer) {
  static const auto principal = std::make_shared<const tenants::Principal>();
  return LargeAnswers::HolderOf({.principal = principal, .peer = std::move(peer)});
}

// A tenant of several, all of which come through one proxy.
LargeAnswers::Holder OfTenant(const std::string& tenant) {
  tenants::Principal principal;
  principal.tenant = tenant;
  principal.alone = false;
  return LargeAnswers::HolderOf(
      {.principal = std::make_shared<const tenants::Principal>(std::move(principal)),
       .tenant = tenant,
       .peer = "ipv4:192.0.2.9:1000"});
}

TEST(LargeAnswersTest, OneAddressHasHalfAndAllHaveTheWhole) {
  Random random{1};
  const auto answers = std::make_shared<LargeAnswers>(8 * kMiB, random);
  auto first = answers->Hold(3 * kMiB, AtAddress("ipv4:192.0.2.1:1000"));
  ASSERT_TRUE(first.ok());
  ExpectRefusal(answers->Hold(2 * kMiB, AtAddress("ipv4:192.0.2.1:2000")).status(),
                "MiB of large answers under way from your address at once; the limit is 4");
  const auto second = answers->Hold(4 * kMiB, AtAddress("ipv4:192.0.2.2:1000"));
  ASSERT_TRUE(second.ok());
  ExpectRefusal(answers->Hold(2 * kMiB, AtAddress("ipv4:192.0.2.3:1000")).status(),
                "MiB of large answers under way at once; the limit is 8");
  EXPECT_EQ(answers->bytes(), 7 * kMiB) << "what is refused is not counted";
  first = absl::CancelledError();
  EXPECT_EQ(answers->bytes(), 4 * kMiB);
  EXPECT_TRUE(answers->Hold(4 * kMiB, AtAddress("ipv4:192.0.2.1:3000")).ok());
}

TEST(LargeAnswersTest, ATenantHasNoMoreThanIsLeftFreeAlsoBehindAProxy) {
  Random random{1};
  const auto answers = std::make_shared<LargeAnswers>(8 * kMiB, random);
  std::list<LargeAnswers::HeldPtr> held;
  const auto hold = [&](const std::string& tenant) {
    absl::StatusOr<LargeAnswers::HeldPtr> one = answers->Hold(kMiB, OfTenant(tenant));
    if (one.ok()) held.push_back(*std::move(one));
    return one.status();
  };
  const auto hold_all = [&](const std::string& tenant) {
    int count = 0;
    while (hold(tenant).ok()) ++count;
    return count;
  };
  EXPECT_EQ(hold_all("noisy"), 4);
  ExpectRefusal(hold("noisy"), "MiB of large answers under way of your tenant at once; of the 8");
  EXPECT_EQ(hold_all("second"), 2);
  EXPECT_EQ(hold_all("third"), 1);
  EXPECT_EQ(hold_all("last"), 1) << "it gets one still";
  ExpectRefusal(hold("late"), "MiB of large answers under way at once; the limit is 8");
  held.clear();
  EXPECT_EQ(answers->bytes(), 0u);
  EXPECT_EQ(hold_all("noisy"), 4);
}

TEST(LargeAnswersTest, ATenantThatIsCalledLikeAnAddressIsNotIt) {
  Random random{1};
  const auto answers = std::make_shared<LargeAnswers>(8 * kMiB, random);
  const auto near = answers->Hold(4 * kMiB, AtAddress("unix:x"));
  ASSERT_TRUE(near.ok());
  EXPECT_TRUE(answers->Hold(4 * kMiB, OfTenant("unix:x")).ok());
}

TEST(LargeAnswersTest, SmallAnswersAreNotCounted) {
  Random random{1};
  const auto answers = std::make_shared<LargeAnswers>(0, random);
  const auto small = answers->Hold(limits::kLargeAnswerFromBytes - 1, AtAddress("unix:x"));
  ASSERT_TRUE(small.ok());
  EXPECT_EQ(*small, nullptr);
  EXPECT_FALSE(answers->Hold(limits::kLargeAnswerFromBytes, AtAddress("unix:x")).ok());
}

TEST(LargeAnswersTest, WhatIsNotCountedIsLittleInTheSmallestContainer) {
  EXPECT_LE(limits::kUnaryCallsMax * limits::kLargeAnswerFromBytes,
            limits::kMemorySmallestMiB * kMiB / limits::kLargeAnswersShare);
}

TEST(LargeAnswersTest, AnAnswerCountsAsLongAsAnybodyHasItAndForWhatItIs) {
  Random random{1};
  const auto answers = std::make_shared<LargeAnswers>(8 * kMiB, random);
  LargeAnswers::HeldPtr held = answers->Hold(3 * kMiB, AtAddress("unix:x")).value();
  held->ShrinkTo(2 * kMiB);
  held->ShrinkTo(3 * kMiB);
  EXPECT_EQ(answers->bytes(), 2 * kMiB);
  jobs::Frame frame = Keep(std::make_shared<const std::string>("bytes"), std::move(held));
  jobs::Frame other = frame;
  frame = nullptr;
  EXPECT_EQ(*other, "bytes");
  EXPECT_EQ(answers->bytes(), 2 * kMiB);
  other = nullptr;
  EXPECT_EQ(answers->bytes(), 0u);
}

TEST(LargeAnswersTest, TheBoundFollowsTheMemory) {
  EXPECT_EQ(LargeAnswers::MaxBytes(0), limits::kLargeAnswersMaxBytes);
  EXPECT_EQ(LargeAnswers::MaxBytes(512 * kMiB), 64 * kMiB);
  EXPECT_EQ(LargeAnswers::MaxBytes(std::size_t{1} << 40), limits::kLargeAnswersMaxBytes);
  EXPECT_GE(LargeAnswers::MaxBytes(1) / limits::kPeerShareDivisor, limits::kFullViewMaxBytes)
      << "one answer is always possible";
}

// So little memory that one address may have two of the largest FULL views under way.
ServerOptions LittleMemory() {
  ServerOptions options;
  options.unread_patience = std::chrono::hours(1);
  options.intake.memory_bytes = limits::kMemoryLimitMinMiB * kMiB;
  options.intake.used = [] { return std::size_t{0}; };
  return options;
}

v1::GetJobRequest Full(const std::string& job_id) {
  v1::GetJobRequest request;
  request.set_job_id(job_id);
  request.set_view(v1::JOB_VIEW_FULL);
  return request;
}

absl::Status Get(RpcHouse& house, const std::string& job_id) {
  grpc::ClientContext context;
  v1::GetJobResponse response;
  return FromGrpc(house.stub->GetJob(&context, Full(job_id), &response));
}

TEST(LargeAnswersTest, FullViewsNobodyTakesAreBounded) {
  RpcHouse house(LittleMemory());
  for (const char* id : {"large", "small"})
    house.hub.Publish(MakeJob(id, v1::JOB_STATE_SUCCEEDED, 1));
  house.fake.PutPart("large", v1::RESULT_PART_RESULT_JSON,
                     std::string(limits::kFullViewMaxBytes, ' '));
  house.fake.PutPart("small", v1::RESULT_PART_RESULT_JSON, "{}");
  const auto channel = NarrowChannel(house);
  std::list<Deaf> callers;
  for (int i = 0; i < 2; ++i)
    callers.emplace_back(channel, kGetJob, Full("large").SerializeAsString());
  test::Await([&] { return house.server->unread_answers() == 2; }, "the answers");
  EXPECT_EQ(house.server->large_answer_bytes(), 2 * limits::kFullViewMaxBytes);

  ExpectRefusal(Get(house, "large"), "MiB of large answers under way from your address at once");
  {
    v1::WatchJobRequest request;
    request.set_job_id("large");
    request.set_view(v1::JOB_VIEW_FULL);
    grpc::ClientContext context;
    const auto watch = house.stub->WatchJob(&context, request);
    v1::WatchJobResponse update;
    EXPECT_FALSE(watch->Read(&update));
    ExpectRefusal(FromGrpc(watch->Finish()), "from your address");
  }
  EXPECT_EQ(house.fake.part_reads(), 2) << "who is refused costs no read";
  EXPECT_TRUE(Get(house, "small").ok());

  for (Deaf& caller : callers) caller.Listen();
  test::Await([&] { return house.server->large_answer_bytes() == 0; }, "the bytes");
  EXPECT_TRUE(Get(house, "large").ok());
}

TEST(LargeAnswersTest, ListsNobodyTakesAreBounded) {
  RpcHouse house(LittleMemory());
  for (int i = 0; i < 5; ++i) {
    jobs::Job job = MakeJob("j" + std::to_string(i), v1::JOB_STATE_FAILED, 1);
    job.message = std::string(kMiB, 'x');
    house.fake.Put(MakeRecord(std::move(job)));
  }
  const auto channel = NarrowChannel(house);
  std::list<Deaf> callers;
  for (int i = 0; i < 2; ++i)
    callers.emplace_back(channel, kListJobs, "");  // of 2 MiB and a little
  test::Await([&] { return house.server->unread_answers() == 2; }, "the answers");
  const auto list = [&](int page_size) {
    grpc::ClientContext context;
    v1::ListJobsRequest request;
    request.set_page_size(page_size);
    v1::ListJobsResponse response;
    return FromGrpc(house.stub->ListJobs(&context, request, &response));
  };
  ExpectRefusal(list(50), "MiB of large answers under way from your address at once");
  EXPECT_TRUE(list(1).ok());
  for (Deaf& caller : callers) caller.Listen();
  test::Await([&] { return house.server->large_answer_bytes() == 0; }, "the bytes");
  EXPECT_TRUE(list(50).ok());
}

TEST(LargeAnswersTest, ATemplateThatWasMadeIsToldWhereThereIsNoRoomForItsText) {
  RpcHouse house(LittleMemory());
  house.hub.Publish(MakeJob("large", v1::JOB_STATE_SUCCEEDED, 1));
  house.fake.PutPart("large", v1::RESULT_PART_RESULT_JSON,
                     std::string(limits::kFullViewMaxBytes, ' '));
  const std::string body =
      R"({"templateId":"t1","x":")" + std::string(limits::kWholeAnswerMaxBytes - 100, 'x') + "\"}";
  house.bodies["/v1/templates"] = body;
  const auto channel = NarrowChannel(house);
  std::list<Deaf> callers;
  for (int i = 0; i < 2; ++i)
    callers.emplace_back(channel, kGetJob, Full("large").SerializeAsString());
  test::Await([&] { return house.server->unread_answers() == 2; }, "the answers");
  const auto make = [&] {
    grpc::ClientContext context;
    v1::CreateTemplateRequest request;
    request.set_project_file("f");
    v1::CreateTemplateResponse made;
    EXPECT_TRUE(FromGrpc(house.stub->CreateTemplate(&context, request, &made)).ok());
    return made;
  };
  const v1::CreateTemplateResponse made = make();
  EXPECT_EQ(made.info().template_id(), "t1");
  EXPECT_EQ(made.template_json(), "");
  EXPECT_EQ(static_cast<std::size_t>(made.omitted_bytes()), body.size());
  for (Deaf& caller : callers) caller.Listen();
  test::Await([&] { return house.server->large_answer_bytes() == 0; }, "the bytes");
  EXPECT_EQ(make().template_json(), body);
}

TEST(LargeAnswersTest, NothingIsReadForACallerThatIsGone) {
  RpcHouse house;
  house.hub.Publish(MakeJob("j1", v1::JOB_STATE_SUCCEEDED, 1));
  house.fake.PutPart("j1", v1::RESULT_PART_RESULT_JSON, "{}");
  house.fake.Hold();
  grpc::ClientContext context;
  auto call = std::async(std::launch::async, [&] {
    v1::GetJobResponse response;
    return FromGrpc(house.stub->GetJob(&context, Full("j1"), &response));
  });
  test::Await([&] { return house.fake.held() == 1; }, "the question for the size");
  context.TryCancel();
  EXPECT_EQ(call.get().code(), absl::StatusCode::kCancelled);
  test::Await([&] { return house.server->open_calls() == 0; }, "the end of the call");
  house.fake.Release();
  EXPECT_EQ(house.fake.part_reads(), 0);
}

}  // namespace
}  // namespace gateway::rpc
