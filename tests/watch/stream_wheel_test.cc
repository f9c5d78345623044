#include "watch/stream_wheel.h"

#include <gtest/gtest.h>

#include <chrono>
#include <vector>

#include "base/errors.h"
#include "support/fake_clock.h"

namespace gateway::watch {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class Sleeper final : public LiveStream {
 public:
  explicit Sleeper(Duration every) : every_(every) {}
  std::optional<MonoTime> OnTick(MonoTime now) override {
    ticks.push_back(now);
    if (ended) return std::nullopt;
    return now + every_;
  }
  void End(absl::Status status) override {
    ended = true;
    end_status = std::move(status);
  }
  std::vector<MonoTime> ticks;
  bool ended = false;
  absl::Status end_status;

 private:
  const Duration every_;
};

class StreamWheelTest : public ::testing::Test {
 protected:
  StreamWheelTest() {
    clock_.SettleBeforeMoving([this] { broadcaster_.WaitIdle(); });
  }
  void Advance(Duration by) { clock_.Advance(by); }
  int Ended(const std::vector<std::shared_ptr<Sleeper>>& streams) {
    int ended = 0;
    for (const auto& stream : streams) ended += stream->ended ? 1 : 0;
    return ended;
  }

  test::FakeClock clock_;
  WorkThread broadcaster_{"watchers", WorkThread::Rest::kDropped};
  StreamWheel wheel_{clock_, clock_, broadcaster_};
};

TEST_F(StreamWheelTest, WakesNeverEarlyAndAtMostASecondLate) {
  Advance(milliseconds(12'345));
  auto stream = std::make_shared<Sleeper>(seconds(25));
  const MonoTime begun = clock_.Now();
  wheel_.Add(stream, begun + seconds(25));
  Advance(seconds(80));
  ASSERT_EQ(stream->ticks.size(), 3u);
  MonoTime asked = begun + seconds(25);
  for (const MonoTime tick : stream->ticks) {
    EXPECT_GE(tick, asked);
    EXPECT_LE(tick, asked + seconds(1));
    asked = tick + seconds(25);
  }
}

TEST_F(StreamWheelTest, WakesAtTheRimWhoWantsToSleepLongerThanTheWheelTurns) {
  auto stream = std::make_shared<Sleeper>(seconds(1000));
  wheel_.Add(stream, clock_.Now() + seconds(1000));
  Advance(seconds(130));
  EXPECT_EQ(stream->ticks.size(), 2u);  // early, once a turn: it looks at the clock itself
}

TEST_F(StreamWheelTest, StandsStillWithoutStreams) {
  EXPECT_EQ(clock_.pending(), 0u);
  {
    auto stream = std::make_shared<Sleeper>(seconds(5));
    wheel_.Add(stream, clock_.Now() + seconds(5));
    EXPECT_EQ(clock_.pending(), 1u);
    EXPECT_EQ(wheel_.size(), 1u);
  }
  Advance(seconds(7));
  EXPECT_EQ(wheel_.size(), 0u);
  EXPECT_EQ(clock_.pending(), 0u);
  // The wheel goes on where the clock is by then.
  Advance(seconds(500));
  auto stream = std::make_shared<Sleeper>(seconds(5));
  wheel_.Add(stream, clock_.Now() + seconds(5));
  Advance(seconds(6));
  EXPECT_EQ(stream->ticks.size(), 1u);
}

TEST_F(StreamWheelTest, DropsStreamsThatEnded) {
  auto stream = std::make_shared<Sleeper>(seconds(1));
  stream->ended = true;
  wheel_.Add(stream, clock_.Now());
  Advance(seconds(5));
  EXPECT_EQ(stream->ticks.size(), 1u);
  EXPECT_EQ(wheel_.size(), 0u);
}

TEST_F(StreamWheelTest, EndsAllSpreadOverTheTimeGiven) {
  std::vector<std::shared_ptr<Sleeper>> streams;
  for (int i = 0; i < 200; ++i) {
    streams.push_back(std::make_shared<Sleeper>(seconds(25)));
    wheel_.Add(streams.back(), clock_.Now() + seconds(25));
  }
  wheel_.EndAll([] { return errors::Draining(seconds(1)); }, seconds(5));
  broadcaster_.WaitIdle();
  EXPECT_LE(Ended(streams), 4);
  Advance(milliseconds(2500));
  EXPECT_GT(Ended(streams), 80);
  EXPECT_LT(Ended(streams), 120);
  Advance(milliseconds(2600));
  EXPECT_EQ(Ended(streams), 200);
  EXPECT_EQ(streams[7]->end_status.code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(errors::RetryDelay(streams[7]->end_status), seconds(1));
}

TEST_F(StreamWheelTest, EndsWhoComesLater) {
  wheel_.EndAll([] { return errors::Draining(seconds(1)); }, seconds(0));
  auto stream = std::make_shared<Sleeper>(seconds(25));
  wheel_.Add(stream, clock_.Now());
  EXPECT_TRUE(stream->ended);
}

TEST(StreamWheelLifeTest, MayGoWithStreamsOnIt) {
  test::FakeClock clock;
  WorkThread broadcaster{"watchers", WorkThread::Rest::kDropped};
  auto stream = std::make_shared<Sleeper>(seconds(1));
  {
    StreamWheel wheel(clock, clock, broadcaster);
    wheel.Add(stream, clock.Now());
    wheel.EndAll([] { return errors::Cancelled(); }, seconds(5));
  }
  EXPECT_EQ(clock.pending(), 0u);
  broadcaster.WaitIdle();
}

}  // namespace
}  // namespace gateway::watch
