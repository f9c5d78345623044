#include "archive/read_line.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>

namespace gateway::archive {
namespace {

using testing::ElementsAre;

class ReadLineTest : public testing::Test {
 protected:
  // Does the work that is with the readers, and what comes to them by that.
  void Work() {
    while (!work_.empty()) {
      const auto next = std::move(work_.front());
      work_.pop_front();
      next();
    }
  }
  std::size_t Add(const std::string& tenant) {
    return line_.Add(tenant, [this, tenant] { done_.push_back(tenant); });
  }

  std::deque<std::function<void()>> work_;
  std::vector<std::string> done_;
  ReadLine line_{{.readers = 1, .max = 6, .tenant_max = 4},
                 [this](int, std::function<void()> work) { work_.push_back(std::move(work)); }};
};

TEST_F(ReadLineTest, ATenantWithManyReadsDelaysAnotherByOne) {
  for (int i = 0; i < 4; ++i) EXPECT_EQ(Add("many"), 0u);
  EXPECT_EQ(Add("one"), 0u);
  Work();
  EXPECT_THAT(done_, ElementsAre("many", "one", "many", "many", "many"));
}

TEST_F(ReadLineTest, HowManyWaitIsBoundedForEachAndForAll) {
  Add("a");  // a reader has it
  for (int i = 0; i < 4; ++i) EXPECT_EQ(Add("a"), 0u);
  EXPECT_EQ(Add("a"), 4u);
  EXPECT_EQ(Add("b"), 0u);
  EXPECT_EQ(Add("b"), 0u);
  EXPECT_EQ(Add("c"), 6u);
  EXPECT_EQ(line_.waiting(), 6u);
  Work();
  EXPECT_EQ(done_.size(), 7u) << "those that were taken";
  EXPECT_EQ(Add("c"), 0u);
}

}  // namespace
}  // namespace gateway::archive
