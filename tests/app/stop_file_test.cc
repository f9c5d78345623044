#include "app/stop_file.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

#include "support/fake_clock.h"

namespace gateway::app {
namespace {

using namespace std::chrono_literals;

class StopFileTest : public testing::Test {
 protected:
  void TearDown() override { std::filesystem::remove_all(directory_); }
  void Touch() { std::ofstream(directory_ / kStopFileName); }

  const std::filesystem::path directory_ = [] {
    std::string name = testing::TempDir() + "stop-XXXXXX";
    return std::filesystem::path(mkdtemp(name.data()));
  }();
  test::FakeClock clock_;
  jobs::Spending spending_{{}, clock_};
};

TEST_F(StopFileTest, StopsWhileTheFileIsThere) {
  StopFile file(directory_ / kStopFileName, spending_, clock_, clock_);
  EXPECT_FALSE(spending_.stopped());
  Touch();
  clock_.Advance(1s);
  EXPECT_TRUE(spending_.stopped());
  EXPECT_FALSE(spending_.TryTake("default").ok());
  std::filesystem::remove(directory_ / kStopFileName);
  clock_.Advance(1s);
  EXPECT_FALSE(spending_.stopped());
}

TEST_F(StopFileTest, IsLookedAtBeforeTheFirstSubmit) {
  Touch();
  StopFile file(directory_ / kStopFileName, spending_, clock_, clock_);
  EXPECT_TRUE(spending_.stopped());
}

TEST_F(StopFileTest, ALinkThatLeadsNowhereStops) {
  std::filesystem::create_symlink("nowhere", directory_ / kStopFileName);
  StopFile file(directory_ / kStopFileName, spending_, clock_, clock_);
  EXPECT_TRUE(spending_.stopped());
}

TEST_F(StopFileTest, WhatCannotBeLookedForStops) {
  StopFile file(directory_ / std::string(300, 'x'), spending_, clock_, clock_);  // too long a name
  EXPECT_TRUE(spending_.stopped());
}

TEST_F(StopFileTest, LooksNoMoreOnceStopped) {
  StopFile file(directory_ / kStopFileName, spending_, clock_, clock_);
  EXPECT_EQ(clock_.pending(), 1u);
  file.Stop();
  EXPECT_EQ(clock_.pending(), 0u);
}

TEST_F(StopFileTest, TellsTheStoreOfEachChangeUntilItIsTaken) {
  std::vector<bool> told;
  absl::Status answer = absl::UnavailableError("away");
  StopFile file(directory_ / kStopFileName, spending_, clock_, clock_,
                [&](bool stopped, const std::function<void(absl::Status)>& done) {
                  told.push_back(stopped);
                  done(answer);
                });
  EXPECT_EQ(told, std::vector<bool>({false})) << "also what was true before";
  clock_.Advance(1s);
  EXPECT_EQ(told.size(), 2u) << "it was not taken";
  answer = absl::OkStatus();
  clock_.Advance(2s);
  EXPECT_EQ(told.size(), 3u);
  Touch();
  clock_.Advance(2s);
  EXPECT_EQ(told, std::vector<bool>({false, false, false, true}));
}

TEST_F(StopFileTest, AnotherGatewayStopsToo) {
  StopFile file(directory_ / kStopFileName, spending_, clock_, clock_);
  spending_.SetStoppedForAll(true);
  clock_.Advance(1s);
  EXPECT_TRUE(spending_.stopped()) << "its own file says nothing of the others";
  spending_.SetStoppedForAll(false);
  EXPECT_FALSE(spending_.stopped());
}

}  // namespace
}  // namespace gateway::app
