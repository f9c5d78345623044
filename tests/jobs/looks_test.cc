#include "jobs/looks.h"

#include <gtest/gtest.h>

#include "base/limits.h"

namespace gateway::jobs {
namespace {

constexpr int kBurst = static_cast<int>(limits::kLooksBurst);

class LooksTest : public ::testing::Test {
 protected:
  Duration Take(const std::string& tenant, int many = 1) {
    return looks_.Take(/*per_second=*/1, tenant, now_, many);
  }
  bool Takes(const std::string& tenant, int many = 1) {
    return Take(tenant, many) == Duration::zero();
  }
  int TakeAll(const std::string& tenant) {
    int taken = 0;
    while (Takes(tenant)) ++taken;
    return taken;
  }

  Looks looks_;
  MonoTime now_{};
};

TEST_F(LooksTest, ALoneTenantHasAll) {
  EXPECT_EQ(TakeAll(""), kBurst);
  EXPECT_EQ(Take(""), std::chrono::seconds(1));
  now_ += std::chrono::seconds(1);
  EXPECT_TRUE(Takes(""));
}

TEST_F(LooksTest, OneOfSeveralLeavesSomeToOthers) {
  EXPECT_EQ(TakeAll("noisy"), 3);
  EXPECT_EQ(TakeAll("second"), 1);
  EXPECT_EQ(TakeAll("last"), 1) << "it gets one still";
  EXPECT_FALSE(Takes("late"));
}

TEST_F(LooksTest, TwoAtOnceLeaveTwo) {
  EXPECT_TRUE(Takes("noisy", 2));
  EXPECT_FALSE(Takes("noisy", 2));
  EXPECT_TRUE(Takes("second", 2));
}

TEST_F(LooksTest, WhoAsksWithoutEndGetsHalfAndAnotherFindsOneAtOnce) {
  TakeAll("noisy");
  int noisy = 0;
  for (int i = 0; i < 1000; ++i) {
    now_ += std::chrono::milliseconds(100);
    noisy += TakeAll("noisy");
    if (i % 50 == 49) {
      EXPECT_TRUE(Takes("quiet")) << i;
    }
  }
  EXPECT_NEAR(noisy, 50, 3) << "in 100 s, of one a second";
}

TEST_F(LooksTest, TwoWhoAskWithoutEndGetAllAndAThirdOneAtOnce) {
  int taken = 0;
  for (int i = 0; i < 1000; ++i) {
    now_ += std::chrono::milliseconds(100);
    taken += TakeAll(i % 2 == 0 ? "a" : "b") + TakeAll(i % 2 == 0 ? "b" : "a");
    if (i == 500) {
      EXPECT_TRUE(Takes("third"));
    }
  }
  EXPECT_GT(taken, 90);
}

TEST_F(LooksTest, TheWaitThatItTellsIsEnough) {
  TakeAll("noisy");
  now_ += Take("noisy");
  EXPECT_TRUE(Takes("noisy"));
  TakeAll("second");
  TakeAll("third");
  now_ += Take("noisy");
  EXPECT_TRUE(Takes("noisy"));
}

}  // namespace
}  // namespace gateway::jobs
