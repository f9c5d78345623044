#include "jobs/late_writes.h"

#include <gtest/gtest.h>

#include <vector>

#include "base/errors.h"
#include "base/limits.h"
#include "support/fake_clock.h"

namespace gateway::jobs {
namespace {

using namespace std::chrono_literals;

const absl::Status kBusy = errors::TooMany("writes", 1, 1s);

TEST(LateWrites, AreTriedAgainTheLaterTheOftenerTheyFailed) {
  test::FakeClock clock;
  LateWrites late(clock, clock);
  const MonoTime start = clock.Now();
  std::vector<Duration> tried;
  int failures = 0;
  std::function<void()> write = [&] {
    tried.push_back(clock.Now() - start);
    EXPECT_EQ(late.Keep(failures < 9 ? kBusy : absl::OkStatus(), failures, write), failures < 9);
    ++failures;
  };
  write();
  clock.Advance(1h);
  EXPECT_EQ(tried, (std::vector<Duration>{0s, 1s, 3s, 7s, 15s, 31s, 63s, 123s, 183s, 243s}));
}

TEST(LateWrites, AreNoneOfWhatWillNotBeStoredLater) {
  const absl::Status not_kept[] = {absl::OkStatus(), absl::AbortedError("changed"),
                                   absl::AlreadyExistsError("another's"),
                                   absl::NotFoundError("gone"), errors::StoreFailed("disk full")};
  const absl::Status kept[] = {kBusy, absl::UnavailableError("closed"), absl::UnknownError("?")};
  test::FakeClock clock;
  LateWrites late(clock, clock);
  for (const absl::Status& stored : not_kept) EXPECT_FALSE(late.Keep(stored, 0, [] {})) << stored;
  EXPECT_EQ(clock.pending(), 0u);
  for (const absl::Status& stored : kept) EXPECT_TRUE(late.Keep(stored, 0, [] {})) << stored;
  EXPECT_EQ(clock.pending(), std::size(kept));
}

TEST(LateWrites, AreTriedOnceMoreAtTheEnd) {
  test::FakeClock clock;
  LateWrites late(clock, clock);
  std::vector<int> tried;
  for (int i = 0; i < 3; ++i) {
    late.Keep(kBusy, 5, [&, i] {
      tried.push_back(i);
      EXPECT_FALSE(late.Keep(kBusy, 6, [] {}));
    });
  }
  late.End();
  EXPECT_EQ(tried, (std::vector<int>{0, 1, 2}));
  clock.Advance(1h);
  EXPECT_EQ(tried.size(), 3u);
  EXPECT_FALSE(late.Keep(kBusy, 0, [] {}));
}

TEST(LateWrites, GoWithTheObject) {
  test::FakeClock clock;
  {
    LateWrites late(clock, clock);
    ASSERT_TRUE(late.Keep(kBusy, 0, [] { ADD_FAILURE(); }));
  }
  clock.Advance(1h);
}

}  // namespace
}  // namespace gateway::jobs
