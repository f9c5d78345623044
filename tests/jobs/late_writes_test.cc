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
  LateWrites::Tries tries;
  std::function<void()> write = [&] {
    tried.push_back(clock.Now() - start);
    const bool fails = failures++ < 9;
    EXPECT_EQ(late.Keep(fails ? kBusy : absl::OkStatus(), tries, write), fails);
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
  LateWrites::Tries tries;
  for (const absl::Status& stored : not_kept) {
    EXPECT_FALSE(late.Keep(stored, tries, [] {})) << stored;
  }
  EXPECT_EQ(clock.pending(), 0u);
  for (const absl::Status& stored : kept) {
    EXPECT_TRUE(late.Keep(stored, tries, [] {})) << stored;
  }
  EXPECT_EQ(clock.pending(), std::size(kept));
}

TEST(LateWrites, AreTriedAtOnceAtTheEndAndThenAFewTimes) {
  test::FakeClock clock;
  LateWrites late(clock, clock);
  LateWrites::Tries tries[3];
  std::vector<int> tried;
  std::function<void(int)> write = [&](int i) {
    tried.push_back(i);
    late.Keep(kBusy, tries[i], [&, i] { write(i); });
  };
  for (int i = 0; i < 3; ++i) {
    tries[i].failures = 5;  // it would be tried in half a minute
    late.Keep(kBusy, tries[i], [&, i] { write(i); });
  }
  late.End();
  EXPECT_EQ(tried, (std::vector<int>{0, 1, 2}));
  clock.Advance(limits::kLateWriteAtEnd);
  EXPECT_EQ(tried, (std::vector<int>{0, 1, 2, 0, 1, 2}));
  clock.Advance(1h);
  EXPECT_EQ(tried.size(), 3u * (1 + limits::kLateWritesAtEnd));
  EXPECT_FALSE(late.Keep(kBusy, tries[0], [] {})) << "it stays given up";
}

// Pictory's answer may come when the process is ending already.
TEST(LateWrites, AreKeptAfterTheEndToo) {
  test::FakeClock clock;
  LateWrites late(clock, clock);
  late.End();
  clock.Advance(20s);
  LateWrites::Tries tries;
  bool stored = false;
  EXPECT_TRUE(late.Keep(kBusy, tries, [&] { stored = true; }));
  clock.Advance(limits::kLateWriteAtEnd);
  EXPECT_TRUE(stored);
}

TEST(LateWrites, GoWithTheObject) {
  test::FakeClock clock;
  {
    LateWrites late(clock, clock);
    LateWrites::Tries tries;
    ASSERT_TRUE(late.Keep(kBusy, tries, [] { ADD_FAILURE(); }));
  }
  clock.Advance(1h);
}

}  // namespace
}  // namespace gateway::jobs
