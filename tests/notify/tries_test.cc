#include "notify/tries.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/limits.h"
#include "jobs/proto_time.h"
#include "support/fake_transport.h"

namespace gateway::notify {
namespace {

namespace v1 = jobs::v1;
using testing::HasSubstr;
using namespace std::chrono_literals;

WallTime At(std::chrono::seconds seconds) { return WallTime(seconds); }

TEST(TryOf, TwoHundredsAreSuccessAndNothingElseIs) {
  for (int status = 200; status < 600; ++status) {
    const Try tried = TryOf(test::Reply(status, ""), At(0s));
    EXPECT_EQ(tried.delivered, status < 300) << status;
    EXPECT_EQ(tried.hopeless, status == 410) << status;
    EXPECT_EQ(tried.problem.empty(), status < 300) << status;
  }
}

TEST(TryOf, AnAnswerWhoseBodyNeverEndsIsOne) {
  EXPECT_TRUE(TryOf(test::Cut("timeout", 204), At(0s)).delivered);
  EXPECT_FALSE(TryOf(test::Cut("timeout", 500), At(0s)).delivered);
}

TEST(TryOf, SaysWhatWentWrongWithoutAnAddress) {
  http::Response inside = test::NotSent("Could not connect to 10.1.2.3");
  inside.inside = true;
  http::Response late = test::Cut("Operation timed out");
  late.timed_out = true;
  EXPECT_THAT(TryOf(inside, At(0s)).problem, HasSubstr("address inside"));
  EXPECT_THAT(TryOf(late, At(0s)).problem, HasSubstr("in time"));
  EXPECT_THAT(TryOf(test::NotSent("10.1.2.3 refused"), At(0s)).problem,
              HasSubstr("could not be reached"));
  for (const auto& response : {inside, late, test::NotSent("10.1.2.3 refused"), test::Cut()}) {
    const Try tried = TryOf(response, At(0s));
    EXPECT_FALSE(tried.delivered || tried.hopeless);
    EXPECT_THAT(tried.problem, testing::Not(HasSubstr("10.1")));
  }
}

TEST(Pause, GrowsToACapWithSomeJitter) {
  Duration before{};
  for (int tries = 1; tries < 40; ++tries) {
    const Duration pause = PauseAfter(tries, 0.5);
    EXPECT_GE(pause, before);
    EXPECT_LE(pause, Duration(limits::kNotifyRetryMax));
    EXPECT_LT(PauseAfter(tries, 0), pause);
    EXPECT_GT(PauseAfter(tries, 0.99), pause);
    before = pause;
  }
  EXPECT_EQ(PauseAfter(1, 0.5), Duration(limits::kNotifyRetryFirst));
  EXPECT_EQ(before, Duration(limits::kNotifyRetryMax));
}

v1::Notification Pending() {
  v1::Notification notification;
  notification.set_state(v1::NOTIFICATION_STATE_PENDING);
  return notification;
}

TEST(Note, EndsWithSuccess) {
  v1::Notification notification = Pending();
  Note({.problem = "no"}, At(10s), 0.5, notification);
  EXPECT_EQ(notification.state(), v1::NOTIFICATION_STATE_PENDING);
  EXPECT_EQ(notification.problem(), "no");
  EXPECT_EQ(notification.next_try_time().seconds(), 15);
  Note({.delivered = true}, At(15s), 0.5, notification);
  EXPECT_EQ(notification.state(), v1::NOTIFICATION_STATE_DELIVERED);
  EXPECT_EQ(notification.tries(), 2);
  EXPECT_EQ(notification.problem(), "");
  EXPECT_FALSE(notification.has_next_try_time());
}

TEST(Note, GivesUpAtOnceWhatIsHopelessAndAllElseAfterADay) {
  v1::Notification hopeless = Pending();
  Note({.hopeless = true, .problem = "gone"}, At(10s), 0.5, hopeless);
  EXPECT_EQ(hopeless.state(), v1::NOTIFICATION_STATE_GIVEN_UP);

  v1::Notification notification = Pending();
  WallTime now = At(100s);
  while (notification.state() == v1::NOTIFICATION_STATE_PENDING) {
    ASSERT_LT(notification.tries(), 100);
    Note({.problem = "no"}, now, 0.5, notification);
    if (notification.has_next_try_time()) {
      now = jobs::ToWallTime(notification.next_try_time());
    }
  }
  EXPECT_EQ(notification.state(), v1::NOTIFICATION_STATE_GIVEN_UP);
  EXPECT_GE(now, At(100s) + 24h);
  EXPECT_LE(now, At(100s) + 24h + limits::kNotifyRetryMax);
  EXPECT_GE(notification.tries(), 12);
  EXPECT_EQ(notification.problem(), "no");
}

// A gateway that was down for a day still tries.
TEST(Note, TheDayBeginsWithTheFirstTry) {
  v1::Notification notification = Pending();
  *notification.mutable_event_time() = jobs::ToTimestamp(At(0s));
  Note({.problem = "no"}, At(48h), 0.5, notification);
  EXPECT_EQ(notification.state(), v1::NOTIFICATION_STATE_PENDING);
}

TEST(Note, ReceiversMayAskForALongerPauseWithinBounds) {
  v1::Notification notification = Pending();
  Note(TryOf(test::Reply(429, "", {{"retry-after", "60"}}), At(10s)), At(10s), 0.5, notification);
  EXPECT_EQ(notification.next_try_time().seconds(), 70);
  notification = Pending();
  Note(TryOf(test::Reply(503, "", {{"retry-after", "1"}}), At(10s)), At(10s), 0.5, notification);
  EXPECT_EQ(notification.next_try_time().seconds(), 15) << "not a shorter one";
  notification = Pending();
  Note(TryOf(test::Reply(503, "", {{"retry-after", "99999999999"}}), At(10s)), At(10s), 0.5,
       notification);
  EXPECT_LE(jobs::ToWallTime(notification.next_try_time()), At(10s) + limits::kRetryAfterMax);
}

}  // namespace
}  // namespace gateway::notify
