#include "rpc/intake.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "base/errors.h"
#include "rpc/status.h"
#include "support/fake_clock.h"

namespace gateway::rpc {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr milliseconds kStep = limits::kArrivalCheckInterval;

class FakeArrival final : public Intake::Arrival {
 public:
  explicit FakeArrival(std::string peer) : peer_(std::move(peer)) {}
  void Refuse(const grpc::Status& status) override {
    EXPECT_EQ(reason, "");
    reason = errors::Reason(FromGrpc(status));
    retry = errors::RetryDelay(FromGrpc(status));
  }
  std::string Peer() const override { return peer_; }

  std::string reason;
  Duration retry{};

 private:
  const std::string peer_;
};

class IntakeTest : public ::testing::Test {
 protected:
  std::shared_ptr<Intake> Make(IntakeLimits limits) {
    return std::make_shared<Intake>(
        std::move(limits), [this](std::function<void()> task) { Aside(std::move(task)); },
        admission_, clock_, clock_, random_);
  }
  void Aside(std::function<void()> task) {
    if (aside_takes_a_while_) {
      aside_.push_back(std::move(task));
    } else {
      task();
    }
  }
  static std::shared_ptr<FakeArrival> Arrive(Intake& intake, const std::string& peer = "a") {
    auto arrival = std::make_shared<FakeArrival>(peer);
    intake.Begin(arrival);
    return arrival;
  }

  bool aside_takes_a_while_ = false;
  std::vector<std::function<void()>> aside_;
  test::FakeClock clock_;
  Random random_{1};
  Admission admission_{{}, random_};
};

TEST_F(IntakeTest, WhatComesInTimeIsTheCallersOwn) {
  const auto intake = Make({.arrival = seconds(2)});
  const auto quick = Arrive(*intake);
  EXPECT_TRUE(intake->End(*quick));
  EXPECT_FALSE(intake->End(*quick));
  const auto slow = Arrive(*intake);
  clock_.Advance(seconds(2) - kStep);
  EXPECT_TRUE(intake->End(*slow));
  clock_.Advance(seconds(5));
  EXPECT_EQ(quick->reason, "");
  EXPECT_EQ(slow->reason, "");
  EXPECT_EQ(clock_.pending(), 0u) << "an idle server has no timer";
}

TEST_F(IntakeTest, WhatDoesNotComeIsRefusedOnceAndNeverServed) {
  const auto intake = Make({.arrival = seconds(2)});
  const auto late = Arrive(*intake);
  clock_.Advance(seconds(1));
  const auto later = Arrive(*intake);
  clock_.Advance(seconds(1) + kStep);
  EXPECT_EQ(late->reason, "REQUEST_LATE");
  EXPECT_EQ(later->reason, "");
  EXPECT_FALSE(intake->End(*late));
  clock_.Advance(seconds(1));
  EXPECT_EQ(later->reason, "REQUEST_LATE");
}

TEST_F(IntakeTest, ADrainAwaitsNobodyForLong) {
  const auto intake = Make({.arrival = seconds(30)});
  const auto arrival = Arrive(*intake);
  admission_.Drain();
  intake->Drain();
  clock_.Advance(limits::kDrainArrivalMax + 2 * kStep);
  EXPECT_EQ(arrival->reason, "DRAINING");
}

TEST_F(IntakeTest, OneTooManyTakesThePlaceOfTheOldest) {
  const auto intake = Make({.arriving = 2});
  const auto first = Arrive(*intake);
  const auto second = Arrive(*intake);
  const auto third = Arrive(*intake);
  EXPECT_EQ(first->reason, "TOO_MANY");
  EXPECT_GT(first->retry, Duration::zero());
  EXPECT_TRUE(intake->End(*second));
  EXPECT_TRUE(intake->End(*third));
}

TEST_F(IntakeTest, OfTooManyThoseOfTheLargestPeerGiveWay) {
  const auto intake = Make({.arriving = 4});
  const auto other = Arrive(*intake, "other");
  std::vector<std::shared_ptr<FakeArrival>> stranger;
  for (int i = 0; i < 100; ++i) stranger.push_back(Arrive(*intake, "stranger"));
  EXPECT_LE(intake->arriving(), 4u);
  EXPECT_EQ(other->reason, "") << "the stranger comes again and again, and pushes himself out only";
  EXPECT_TRUE(intake->End(*other));
  EXPECT_EQ(stranger[0]->reason, "TOO_MANY");
  EXPECT_TRUE(intake->End(*stranger.back()));
}

TEST_F(IntakeTest, ShortOfMemoryTheSlowGoUntilThereIsEnough) {
  std::size_t used = 0;
  const auto intake =
      Make({.arrival = seconds(30), .memory_bytes = 1000 * limits::kMiB, .used = [&used] {
              return used;
            }});
  std::vector<std::shared_ptr<FakeArrival>> many;
  const auto other = Arrive(*intake, "b");
  for (int i = 0; i < 3; ++i) many.push_back(Arrive(*intake));
  clock_.Advance(2 * kStep + kStep / 2);
  EXPECT_EQ(many[0]->reason, "");
  used = 751 * limits::kMiB;
  const auto young = Arrive(*intake);
  clock_.Advance(kStep);
  EXPECT_EQ(many[0]->reason, "MEMORY_SHORT");
  EXPECT_EQ(many[1]->reason, "MEMORY_SHORT");
  EXPECT_EQ(many[2]->reason, "");
  EXPECT_EQ(other->reason, "") << "has less on its way than the other peer";
  EXPECT_EQ(young->reason, "") << "may be here at once";
  used = 750 * limits::kMiB;
  clock_.Advance(10 * kStep);
  EXPECT_TRUE(intake->End(*many[2]));
  EXPECT_TRUE(intake->End(*other));
  EXPECT_TRUE(intake->End(*young));
}

// A fast sender: 1.5 MiB in each millisecond, from the moment when the gateway is as full as it may
// be without anybody being refused. What is refused sends no more, but is still in memory.
TEST_F(IntakeTest, AFastSenderGetsNotFarBeyondWhereMemoryIsScarce) {
  for (const std::size_t limit : {256 * limits::kMiB, 512 * limits::kMiB, 8192 * limits::kMiB}) {
    std::size_t used = MemoryShortFrom(limit);
    const auto intake =
        Make({.arrival = seconds(30), .memory_bytes = limit, .used = [&used] { return used; }});
    aside_takes_a_while_ = true;
    std::vector<std::shared_ptr<FakeArrival>> sending;
    for (int i = 0; i < 30; ++i) sending.push_back(Arrive(*intake));
    const auto sends = [](const auto& one) { return one->reason.empty(); };
    while (std::any_of(sending.begin(), sending.end(), sends) && used < 2 * limit) {
      used += 3 * limits::kMiB / 2;
      clock_.Advance(milliseconds(1));
    }
    EXPECT_LT(used, MemoryScarceFrom(limit) + 48 * limits::kMiB) << limit / limits::kMiB;
    EXPECT_LT(used, limit) << limit / limits::kMiB;
  }
}

// Otherwise all would go before what the first ones leave is seen.
TEST_F(IntakeTest, WhereNothingGrowsTheRestMayArrive) {
  std::size_t used = 900 * limits::kMiB;
  const auto intake =
      Make({.arrival = seconds(30), .memory_bytes = 1000 * limits::kMiB, .used = [&used] {
              return used;
            }});
  aside_takes_a_while_ = true;
  std::vector<std::shared_ptr<FakeArrival>> many;
  for (int i = 0; i < 8; ++i) many.push_back(Arrive(*intake));
  const auto left = [&] { return intake->arriving(); };
  clock_.Advance(limits::kArrivalCheckSoon);
  EXPECT_EQ(left(), 4u);
  clock_.Advance(8 * limits::kArrivalCheckSoon);
  EXPECT_EQ(left(), 4u);
  used += 2 * limits::kMiB;
  clock_.Advance(limits::kArrivalCheckSoon);
  EXPECT_EQ(left(), 2u);
  clock_.Advance(kStep);
  EXPECT_EQ(left(), 1u) << "nor does it fall";
}

// What is used falls once free memory was given back, which takes time.
TEST_F(IntakeTest, WhereLittleIsLeftRequestsAreRefusedFirst) {
  for (const auto& [before, refused] : {std::pair(800, ""), {900, "MEMORY_SHORT"}}) {
    std::size_t used = static_cast<std::size_t>(before) * limits::kMiB;
    const auto intake =
        Make({.arrival = seconds(30), .memory_bytes = 1000 * limits::kMiB, .used = [&used] {
                return std::exchange(used, 700 * limits::kMiB);
              }});
    const auto slow = Arrive(*intake);
    clock_.Advance(2 * kStep);
    EXPECT_EQ(slow->reason, refused) << before;
    intake->End(*slow);
  }
}

TEST_F(IntakeTest, RequestsAreRefusedAlsoWhileMemoryIsBeingGivenBack) {
  std::size_t used = 800 * limits::kMiB;
  const auto intake =
      Make({.arrival = seconds(30), .memory_bytes = 1000 * limits::kMiB, .used = [&used] {
              return used;
            }});
  aside_takes_a_while_ = true;
  const auto slow = Arrive(*intake);
  const auto slower = Arrive(*intake);
  clock_.Advance(3 * kStep);
  EXPECT_EQ(aside_.size(), 1u) << "memory is given back once at a time";
  EXPECT_EQ(slow->reason, "");
  used = 900 * limits::kMiB;
  clock_.Advance(limits::kArrivalCheckSoon);
  EXPECT_EQ(slow->reason, "MEMORY_SHORT");
  EXPECT_EQ(slower->reason, "");
  used = 700 * limits::kMiB;
  aside_.front()();
  clock_.Advance(10 * kStep);
  EXPECT_TRUE(intake->End(*slower));
}

TEST_F(IntakeTest, OnlySoMuchIsHeldAtOnce) {
  const auto intake = Make({.memory_bytes = 32 * limits::kRequestMaxBytes});
  std::shared_ptr<void> first = intake->Hold(limits::kRequestMaxBytes);
  const std::shared_ptr<void> second = intake->Hold(limits::kRequestMaxBytes);
  EXPECT_NE(first, nullptr);
  EXPECT_NE(second, nullptr);
  EXPECT_EQ(intake->Hold(1), nullptr);
  EXPECT_EQ(errors::Reason(intake->HoldRefusal()), "TOO_MANY");
  first.reset();
  EXPECT_NE(intake->Hold(limits::kRequestMaxBytes), nullptr);
}

TEST_F(IntakeTest, InLittleMemoryARequestThatIsAloneMayHoldMore) {
  const auto intake = Make({.memory_bytes = 256 * limits::kMiB});
  const std::size_t bytes = 7 * limits::kMiB;
  std::shared_ptr<void> first = intake->Hold(bytes);
  const std::shared_ptr<void> message = intake->Hold(3 * bytes, bytes);
  EXPECT_NE(message, nullptr) << "alone";
  EXPECT_EQ(intake->Hold(bytes), nullptr) << "not alone";
  EXPECT_EQ(intake->Hold(60 * limits::kMiB, 4 * bytes), nullptr) << "more than there is for one";
}

TEST(MemoryShortTest, LittleMemoryHasRoomForWhatComesBetweenTwoLooks) {
  EXPECT_EQ(MemoryShortFrom(1000 * limits::kMiB), 750 * limits::kMiB);
  EXPECT_EQ(MemoryShortFrom(256 * limits::kMiB), 160 * limits::kMiB);
  EXPECT_EQ(MemoryShortFrom(64 * limits::kMiB), 32 * limits::kMiB);
  EXPECT_EQ(MemoryScarceFrom(1000 * limits::kMiB),
            1000 * limits::kMiB - 250 * limits::kMiB / 3 * 2);
  EXPECT_EQ(MemoryScarceFrom(256 * limits::kMiB), 192 * limits::kMiB);
}

TEST(NextLookTest, IsSoonWhereMemoryMayBeShortBeforeARareOne) {
  const Duration rare = limits::kArrivalCheckInterval;
  const Duration soon = limits::kArrivalCheckSoon;
  EXPECT_EQ(NextLook(654 * limits::kMiB, 1000 * limits::kMiB), rare);
  EXPECT_EQ(NextLook(655 * limits::kMiB, 1000 * limits::kMiB), soon);
  EXPECT_EQ(NextLook(1, 64 * limits::kMiB), soon);
  EXPECT_EQ(NextLook(0, 0), rare) << "no limit";
}

TEST(ChooseRefusedTest, ThoseOfThePeersWithTheMostFirst) {
  EXPECT_THAT(ChooseRefused({}, 0), IsEmpty());
  EXPECT_THAT(ChooseRefused({"a"}, 2), ElementsAre(0));
  EXPECT_THAT(ChooseRefused({"a", "b"}, 1), ElementsAre(0));
  EXPECT_THAT(ChooseRefused({"a", "b", "b", "a", "b"}, 3), ElementsAre(1, 2, 4));
  EXPECT_THAT(ChooseRefused({"a", "b", "b", "b"}, 2), ElementsAre(1, 2));
}

}  // namespace
}  // namespace gateway::rpc
