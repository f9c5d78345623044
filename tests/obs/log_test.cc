#include "obs/log.h"

#include <gtest/gtest.h>

namespace gateway::obs {
namespace {

TEST(Log, ALineBeginsWithItsDateInUtc) {
  const std::chrono::system_clock::time_point then{
      std::chrono::microseconds(1'764'547'200'012'345)};
  const Field fields[] = {{"a", 1}, {"b", "two\nlines"}};
  EXPECT_EQ(StampedLine(LogFormat::kText, then, Level::kInfo, "event", fields),
            "2025-12-01 00:00:00.012Z info event a=1 b=\"two\\nlines\"\n");
  EXPECT_EQ(
      StampedLine(LogFormat::kJson, then, Level::kWarn, "event", fields),
      "{\"time\":\"2025-12-01T00:00:00.012345Z\",\"level\":\"warn\",\"event\":\"event\",\"a\":1,"
      "\"b\":\"two\\nlines\"}\n");
}

}  // namespace
}  // namespace gateway::obs
