#include "rpc/unread.h"

#include <gtest/gtest.h>

#include <set>
#include <vector>

#include "support/fake_clock.h"

namespace gateway::rpc {
namespace {

using std::chrono::seconds;

// Stands for the library: counts references and notes which calls were ended.
std::multiset<grpc_call*> references;
std::vector<grpc_call*> ended;
const Unread::Actions kNoted = {[](grpc_call* call) { references.insert(call); },
                                [](grpc_call* call) { references.erase(references.find(call)); },
                                [](grpc_call* call) { ended.push_back(call); }};

// A call of the library's that is nothing but an address.
grpc_call* CallAt(std::uintptr_t number) { return reinterpret_cast<grpc_call*>(number); }

class UnreadTest : public ::testing::Test {
 protected:
  UnreadTest() {
    references.clear();
    ended.clear();
  }
  ~UnreadTest() override { EXPECT_TRUE(references.empty()); }

  test::FakeClock clock_;
  const std::shared_ptr<Unread> unread_ =
      std::make_shared<Unread>(clock_, clock_, seconds(8), kNoted);
};

TEST_F(UnreadTest, WhatIsTakenInTimeIsLeftAlone) {
  Unread::Answer answer;
  unread_->Add(answer, CallAt(1));
  EXPECT_EQ(unread_->count(), 1u);
  clock_.Advance(seconds(7));
  unread_->Remove(answer);
  clock_.Advance(seconds(60));
  EXPECT_TRUE(ended.empty());
  EXPECT_EQ(unread_->count(), 0u);
}

TEST_F(UnreadTest, WhatIsNotTakenIsEndedOnceAndTheOthersWhenTheirTimeComes) {
  Unread::Answer first, second, third;
  unread_->Add(first, CallAt(1));
  clock_.Advance(seconds(4));
  unread_->Add(second, CallAt(2));
  unread_->Add(third, CallAt(3));
  unread_->Remove(second);
  clock_.Advance(seconds(5));
  EXPECT_EQ(ended, std::vector{CallAt(1)});
  clock_.Advance(seconds(4));
  EXPECT_EQ(ended, (std::vector{CallAt(1), CallAt(3)}));
  EXPECT_EQ(unread_->ended(), 2u);
  unread_->Remove(first);  // the library tells of its end now
  unread_->Remove(third);
  clock_.Advance(seconds(60));
  EXPECT_EQ(ended.size(), 2u);
}

TEST_F(UnreadTest, ACallThatIsOverBeforeItsAnswerWasAddedIsNothing) {
  Unread::Answer answer;
  unread_->Remove(answer);
  EXPECT_EQ(unread_->count(), 0u);
}

TEST_F(UnreadTest, AnIdleServerHasNoTimer) {
  Unread::Answer answer;
  unread_->Add(answer, CallAt(1));
  unread_->Remove(answer);
  clock_.Advance(seconds(2));
  EXPECT_EQ(clock_.pending(), 0u);
}

}  // namespace
}  // namespace gateway::rpc
