#include "app/loop_beat.h"

#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <utility>
#include <vector>

#include "support/fake_clock.h"

namespace gateway::app {
namespace {

using std::chrono::seconds;

class LoopBeatTest : public testing::Test {
 protected:
  // The second thread comes to its work.
  void Work() {
    for (const auto& work : std::exchange(posted_, {})) work();
  }
  LoopBeat Make() {
    return LoopBeat(
        seconds(1), clock_, clock_,
        [this](std::function<void()> work) { posted_.push_back(std::move(work)); },
        [this] { return well_; }, [this] { ++beats_; });
  }

  test::FakeClock clock_;
  std::vector<std::function<void()>> posted_;
  bool well_ = true;
  int beats_ = 0;
};

TEST_F(LoopBeatTest, BeatsAtOnceAndThenAgainAndAgain) {
  const LoopBeat beat = Make();
  clock_.Advance(seconds(0));
  Work();
  EXPECT_EQ(beats_, 1);
  for (int i = 2; i <= 4; ++i) {
    clock_.Advance(seconds(1));
    Work();
    EXPECT_EQ(beats_, i);
  }
}

TEST_F(LoopBeatTest, AThreadThatHangsEndsIt) {
  const LoopBeat beat = Make();
  clock_.Advance(seconds(10));
  EXPECT_EQ(beats_, 0) << "the second thread does not come to it";
  Work();
  const int before = beats_;
  EXPECT_GT(before, 0);
  Work();
  EXPECT_EQ(beats_, before) << "the timers do not go on";
}

TEST_F(LoopBeatTest, WhatIsNotWellLeavesABeatOut) {
  const LoopBeat beat = Make();
  well_ = false;
  clock_.Advance(seconds(3));
  Work();
  EXPECT_EQ(beats_, 0);
  well_ = true;
  clock_.Advance(seconds(1));
  Work();
  EXPECT_EQ(beats_, 1);
}

TEST_F(LoopBeatTest, Stops) {
  LoopBeat beat = Make();
  beat.Stop();
  clock_.Advance(seconds(3));
  Work();
  EXPECT_EQ(beats_, 0);
}

}  // namespace
}  // namespace gateway::app
