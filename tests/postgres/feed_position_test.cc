#include "postgres/feed_position.h"

#include <gtest/gtest.h>

namespace gateway::postgres {
namespace {

TEST(FeedPositionTest, IsReadAsItWasWritten) {
  const FeedPosition position{.read = {{2, 0}, {9, 17}}};
  EXPECT_EQ(position.Text(), "2:0,9:17");
  EXPECT_EQ(FeedPosition::Parse("2:0,9:17").value().read, position.read);
}

TEST(FeedPositionTest, RefusesWhatItNeverWrote) {
  for (const char* text : {"", "x", "1", "1:", ":1", "0:1", "-1:1", "1:-1", "1:1,", "1:1,x"}) {
    EXPECT_FALSE(FeedPosition::Parse(text).has_value()) << text;
  }
}

}  // namespace
}  // namespace gateway::postgres
