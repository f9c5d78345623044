#include "base/utc_text.h"

#include <gtest/gtest.h>

namespace gateway {
namespace {

TEST(UtcTextTest, IsToTheSecondAndInUtc) {
  EXPECT_EQ(UtcText(0), "1970-01-01T00:00:00");
  EXPECT_EQ(UtcText(1'796'000'000), "2026-11-30T00:53:20");
  EXPECT_EQ(UtcText(1'796'000'000, ' '), "2026-11-30 00:53:20");
}

}  // namespace
}  // namespace gateway
