#include "postgres/feed_position.h"

#include <gtest/gtest.h>

namespace gateway::postgres {
namespace {

TEST(FeedPositionTest, IsReadAsItWasWritten) {
  const FeedPosition position{.feed = 5, .read = {{2, 0}, {9, 17}}};
  EXPECT_EQ(position.Text(), "5/2:0,9:17");
  EXPECT_EQ(FeedPosition::Parse("5/2:0,9:17").value().read, position.read);
}

TEST(FeedPositionTest, RefusesWhatItNeverWrote) {
  for (const char* text : {"", "x", "5/", "5/x", "5/1", "5/1:", "5/:1", "5/0:1", "5/-1:1", "5/1:-1",
                           "5/1:1,", "5/1:1,x", "1:1", "/1:1", "x/1:1"}) {
    EXPECT_FALSE(FeedPosition::Parse(text).has_value()) << text;
  }
}

}  // namespace
}  // namespace gateway::postgres
