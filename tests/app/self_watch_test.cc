#include "app/self_watch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <future>

namespace gateway::app {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::HasSubstr;

constexpr SelfWatchOptions kQuick = {
    .interval = milliseconds(1), .timeout = seconds(5), .misses_max = 2};
const std::vector<std::string> kOne = {"127.0.0.1:1"};

Unanswered Call(ServerProgress before, ServerProgress after) {
  return {.late = {}, .took = seconds(5), .timeout = seconds(5), .before = before, .after = after};
}

TEST(JudgeTest, ACallThatIsNotTakenOrNotServedIsMissed) {
  EXPECT_EQ(Judge(Call({1, 0, 1}, {1, 0, 1})), SelfCallVerdict::kMissed);
  EXPECT_EQ(Judge(Call({1, 0, 1}, {1, 0, 9})), SelfCallVerdict::kMissed) << "the listener is deaf";
  EXPECT_EQ(Judge(Call({1, 0, 1}, {2, 0, 1})), SelfCallVerdict::kMissed) << "no thread serves";
}

TEST(JudgeTest, ASlowMachineAndAStoppedProcessAreNoMisses) {
  EXPECT_EQ(Judge(Call({1, 0, 1}, {2, 0, 2})), SelfCallVerdict::kSlow);
  Unanswered late = Call({}, {});
  late.late = seconds(3);
  EXPECT_EQ(Judge(late), SelfCallVerdict::kUnproven);
  Unanswered stopped = Call({}, {});
  stopped.took = seconds(60);
  EXPECT_EQ(Judge(stopped), SelfCallVerdict::kUnproven);
}

TEST(JudgeTest, StrangersWhoTakeAllConnectionsDoNotEndTheProcess) {
  EXPECT_EQ(Judge(Call({1, 0, 1}, {1, 1, 1})), SelfCallVerdict::kFull);
}

TEST(SelfWatchTest, TheFirstAnswerIsThereWhenItHasStarted) {
  std::atomic<bool> serving{true};
  SelfWatch watch(
      {.interval = hours(1)}, kOne,
      [&](const std::string& address, Duration) {
        EXPECT_EQ(address, kOne[0]);
        return absl::StatusOr<bool>(serving.load());
      },
      [] { return ServerProgress(); }, [] { ADD_FAILURE(); });
  watch.Start();
  EXPECT_EQ(watch.NotLive(), "");
  EXPECT_EQ(watch.NotReady(), "");
  watch.Stop();
  EXPECT_EQ(watch.NotLive(), "") << "a drain is no death";
  EXPECT_NE(watch.NotReady(), "");
}

TEST(SelfWatchTest, WhoDoesNotServeIsAliveAndNotReady) {
  SelfWatch watch(
      {.interval = hours(1)}, kOne,
      [](const std::string&, Duration) { return absl::StatusOr<bool>(false); },
      [] { return ServerProgress(); }, [] { ADD_FAILURE(); });
  watch.Start();
  EXPECT_EQ(watch.NotLive(), "");
  EXPECT_THAT(watch.NotReady(), HasSubstr("starting or draining"));
}

// What dial says, and after how many calls.
TEST(SelfWatchTest, MissesInARowEndTheProcessOnce) {
  std::atomic<int> calls{0};
  std::atomic<int> ends{0};
  std::promise<int> ended;
  std::promise<void> later;
  SelfWatch watch(
      kQuick, kOne,
      [&](const std::string&, Duration) -> absl::StatusOr<bool> {
        const int call = ++calls;
        if (call == 20) later.set_value();
        if (call == 1 || call == 3) return true;  // the miss between them is not in a row
        return absl::UnavailableError("deaf");
      },
      [] { return ServerProgress(); },
      [&] {
        if (++ends == 1) ended.set_value(calls);
      });
  watch.Start();
  EXPECT_EQ(ended.get_future().get(), 5);
  EXPECT_THAT(watch.NotLive(), HasSubstr("deaf"));
  EXPECT_THAT(watch.NotReady(), HasSubstr("deaf"));
  later.get_future().wait();
  EXPECT_EQ(ends, 1);
}

TEST(SelfWatchTest, WhileItIsSlowItLivesAndIsNotReady) {
  std::atomic<std::uint64_t> count{0};
  std::atomic<int> calls{0};
  std::promise<void> several;
  SelfWatch watch(
      kQuick, kOne,
      [&](const std::string&, Duration) -> absl::StatusOr<bool> {
        if (++calls == 10) several.set_value();
        return absl::DeadlineExceededError("timeout");
      },
      [&] { return ServerProgress{.accepted = ++count, .refused = 0, .calls = count}; },
      [] { ADD_FAILURE(); });
  watch.Start();
  several.get_future().wait();
  EXPECT_EQ(watch.NotLive(), "");
  EXPECT_THAT(watch.NotReady(), HasSubstr("too busy"));
}

TEST(SelfWatchTest, TheWorstOfSeveralPortsCounts) {
  SelfWatch watch(
      {.interval = hours(1)}, {"a", "b", "c"},
      [](const std::string& address, Duration) -> absl::StatusOr<bool> {
        if (address == "b") return absl::UnavailableError("b: deaf");
        return true;
      },
      [] { return ServerProgress(); }, [] {});
  watch.Start();
  EXPECT_THAT(watch.NotLive(), HasSubstr("b: deaf"));
}

}  // namespace
}  // namespace gateway::app
