#include "jobs/turn_line.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/errors.h"
#include "support/fake_clock.h"

namespace gateway::jobs {
namespace {

using namespace std::chrono_literals;

class TurnLineTest : public testing::Test {
 protected:
  void Wait(const std::string& tenant, Duration patience = 60s) {
    line_.Wait(tenant, clock_.Now() + patience,
               [this, tenant](bool taken) { (taken ? taken_ : refused_).push_back(tenant); });
  }
  void UseUp() {
    while (account_.TryTake(Budget::Share::kSubmit)) {
    }
  }
  std::size_t TakenBy(const std::string& tenant) const {
    return static_cast<std::size_t>(std::count(taken_.begin(), taken_.end(), tenant));
  }

  test::FakeClock clock_;
  Account account_{{.requests_per_second = 10, .burst = 2}, clock_};
  TurnLine line_{account_, clock_, clock_};
  std::vector<std::string> taken_;
  std::vector<std::string> refused_;
};

TEST_F(TurnLineTest, WhoWaitsAloneIsServedAtTheNextTurn) {
  UseUp();
  Wait("acme");
  EXPECT_TRUE(line_.busy());
  EXPECT_TRUE(taken_.empty());
  clock_.Advance(210ms);
  EXPECT_EQ(taken_, std::vector<std::string>{"acme"});
  EXPECT_FALSE(line_.busy());
}

// One of a tenant's submits waits one turn of each other tenant, however many others wait for.
TEST_F(TurnLineTest, ATenantWithVeryManyStarvesNoOther) {
  UseUp();
  for (int i = 0; i < 300; ++i) Wait("noisy");
  for (int i = 0; i < 3; ++i) Wait("quiet");
  clock_.Advance(2s);
  EXPECT_EQ(TakenBy("quiet"), 3u);
  EXPECT_GT(TakenBy("noisy"), 5u);
  EXPECT_TRUE(refused_.empty());
}

TEST_F(TurnLineTest, EachTenantsOwnComeInTheirOrder) {
  UseUp();
  std::vector<int> order;
  for (int i = 0; i < 5; ++i) {
    line_.Wait("acme", clock_.Now() + 60s, [&order, i](bool) { order.push_back(i); });
  }
  clock_.Advance(5s);
  EXPECT_EQ(order, (std::vector<int>{0, 1, 2, 3, 4}));
}

TEST_F(TurnLineTest, AWaitThatCannotSucceedIsRefusedAtOnce) {
  UseUp();
  for (int i = 0; i < 200; ++i) Wait("noisy", 10s);
  EXPECT_FALSE(refused_.empty()) << "ten a second for ten seconds are a hundred";
  EXPECT_LT(refused_.size(), 120u);
  const std::size_t refused = refused_.size();
  Wait("quiet", 10s);
  EXPECT_EQ(refused_.size(), refused) << "another tenant's line is short";
}

TEST_F(TurnLineTest, WhoGetsNoTurnInTimeIsTold) {
  UseUp();
  Wait("acme", 300ms);
  account_.OnRateLimited(30s);
  clock_.Advance(299ms);
  EXPECT_TRUE(refused_.empty());
  clock_.Advance(2ms);
  EXPECT_EQ(refused_, std::vector<std::string>{"acme"});
  EXPECT_FALSE(line_.busy());
}

TEST_F(TurnLineTest, NobodyWaitsForAnAccountThatRests) {
  UseUp();
  Wait("before");
  account_.SetResting(errors::UpstreamUnreachable("it is silent", 5s, errors::Call::kSubmit));
  Wait("after");
  EXPECT_EQ(refused_, std::vector<std::string>{"after"});
  clock_.Advance(1s);
  EXPECT_EQ(refused_, (std::vector<std::string>{"after", "before"}));
}

}  // namespace
}  // namespace gateway::jobs
