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
    WaitIn(line_, tenant, patience, /*keeps=*/false);
  }
  // Who keeps it has the place until the end of the test.
  void WaitIn(TurnLine& line, const std::string& tenant, Duration patience, bool keeps) {
    line.Wait(tenant, clock_.Now() + patience, [this, tenant, keeps](TurnLine::End end) {
      (end.place != nullptr ? taken_ : end.crowded ? crowded_ : refused_).push_back(tenant);
      if (keeps && end.place != nullptr) held_.push_back(std::move(end.place));
    });
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
  std::shared_ptr<Places> places_ = std::make_shared<Places>(8);
  std::vector<Places::Place> held_;
  TurnLine line_{account_, "east", places_, clock_, clock_};
  std::vector<std::string> taken_;
  std::vector<std::string> refused_;
  std::vector<std::string> crowded_;  // refused because there was no place
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
    line_.Wait("acme", clock_.Now() + 60s,
               [&order, i](const TurnLine::End&) { order.push_back(i); });
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

class PlacesOfTurnLineTest : public TurnLineTest {
 protected:
  void FillUp() {
    for (int i = 0; i < 20; ++i) WaitIn(slow_line_, "noisy", 10s, /*keeps=*/true);
    clock_.Advance(1s);
    ASSERT_EQ(taken_, std::vector<std::string>(4, "noisy")) << "half of the places stay for others";
    taken_.clear();
  }

  Account rich_{{.requests_per_second = 1000, .burst = 1000}, clock_};
  Account other_{{.requests_per_second = 1000, .burst = 1000}, clock_};
  TurnLine slow_line_{rich_, "east", places_, clock_, clock_};
  TurnLine other_line_{other_, "west", places_, clock_, clock_};
};

TEST_F(PlacesOfTurnLineTest, ATenantThatIsAnsweredSlowlyHoldsUpNoOther) {
  FillUp();
  for (int i = 0; i < 20; ++i) WaitIn(slow_line_, "quiet", 10s, /*keeps=*/false);
  clock_.Advance(10ms);
  EXPECT_EQ(taken_, std::vector<std::string>(20, "quiet"));
}

TEST_F(PlacesOfTurnLineTest, AnAccountThatIsAnsweredSlowlyHoldsUpNoOther) {
  FillUp();
  for (int i = 0; i < 20; ++i) WaitIn(other_line_, "noisy", 10s, /*keeps=*/false);
  clock_.Advance(10ms);
  EXPECT_EQ(taken_, std::vector<std::string>(20, "noisy"));
}

TEST_F(PlacesOfTurnLineTest, WhoGetsNoPlaceInTimeIsToldSoAndLeavesItsBudget) {
  FillUp();
  const double left = rich_.pace().submits_left;
  EXPECT_GE(clock_.next(), clock_.Now() + 8s) << "nobody looks again and again";
  clock_.Advance(9s - 1ms);
  EXPECT_TRUE(crowded_.empty());
  clock_.Advance(2ms);
  EXPECT_EQ(crowded_, std::vector<std::string>(16, "noisy"));
  EXPECT_TRUE(refused_.empty());
  EXPECT_GE(rich_.pace().submits_left, left);
}

TEST_F(PlacesOfTurnLineTest, APlaceThatIsGivenBackIsTakenAtOnce) {
  FillUp();
  for (int i = 0; i < 2; ++i) WaitIn(other_line_, "quiet", 10s, /*keeps=*/true);
  clock_.Advance(10ms);
  taken_.clear();
  held_.erase(held_.begin(), held_.begin() + 2);
  clock_.Advance(0s);
  EXPECT_EQ(taken_, std::vector<std::string>(1, "noisy")) << "it has three then, and four are free";
}

TEST_F(PlacesOfTurnLineTest, ALineThatIsGoneHearsOfNoPlace) {
  FillUp();
  {
    TurnLine gone(other_, "gone", places_, clock_, clock_);
    WaitIn(gone, "noisy", 10s, /*keeps=*/false);
  }
  held_.clear();
  clock_.Advance(10ms);
  EXPECT_FALSE(taken_.empty());
}

}  // namespace
}  // namespace gateway::jobs
