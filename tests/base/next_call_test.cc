#include "base/next_call.h"

#include <gtest/gtest.h>

#include "support/fake_clock.h"

namespace gateway {
namespace {

using namespace std::chrono_literals;

class NextCallTest : public testing::Test {
 protected:
  auto Count() {
    return [this] { ++calls_; };
  }

  test::FakeClock clock_;
  int calls_ = 0;
};

TEST_F(NextCallTest, APlanReplacesTheOneBefore) {
  NextCall next(clock_);
  next.At(clock_.Now() + 1s, Count());
  next.At(clock_.Now() + 3s, Count());
  clock_.Advance(2s);
  EXPECT_EQ(calls_, 0);
  clock_.Advance(1s);
  EXPECT_EQ(calls_, 1);
  EXPECT_EQ(clock_.pending(), 0u);
}

TEST_F(NextCallTest, MayPlanItselfAgain) {
  NextCall next(clock_);
  std::function<void()> tick = [&] {
    if (++calls_ < 3) next.At(clock_.Now() + 1s, tick);
  };
  next.At(clock_.Now(), tick);
  clock_.Advance(1h);
  EXPECT_EQ(calls_, 3);
}

TEST_F(NextCallTest, NothingIsCalledAfterStop) {
  NextCall next(clock_);
  next.At(clock_.Now() + 1s, Count());
  next.Stop();
  next.At(clock_.Now() + 1s, Count());
  clock_.Advance(1h);
  EXPECT_EQ(calls_, 0);
  EXPECT_EQ(clock_.pending(), 0u);
}

TEST_F(NextCallTest, ItsEndIsAStop) {
  NextCall(clock_).At(clock_.Now() + 1s, Count());
  EXPECT_EQ(clock_.pending(), 0u);
}

}  // namespace
}  // namespace gateway
