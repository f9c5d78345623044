#include "rpc/library_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <sstream>
#include <string>

#include "base/library_lines.h"
#include "base/limits.h"
#include "obs/line_limit.h"
#include "obs/log.h"
#include "support/library_says.h"

namespace gateway::rpc {
namespace {

using std::chrono::seconds;
using ::testing::HasSubstr;
using ::testing::Not;

TEST(LineLimitTest, SoManyInAWhileAndTheOthersAreCounted) {
  obs::LineLimit limit(2, seconds(10));
  const MonoTime begin{};
  EXPECT_EQ(limit.Admit(begin), 0u);
  EXPECT_EQ(limit.Admit(begin + seconds(1)), 0u);
  for (int i = 0; i < 5; ++i) EXPECT_EQ(limit.Admit(begin + seconds(2)), std::nullopt);
  EXPECT_EQ(limit.Admit(begin + seconds(10)), 5u);
  EXPECT_EQ(limit.Admit(begin + seconds(10)), 0u);
  EXPECT_EQ(limit.Admit(begin + seconds(10)), std::nullopt);
}

// The lines that `write` makes the libraries write.
std::vector<std::string> LinesOf(const std::function<void()>& write) {
  ::testing::internal::CaptureStderr();
  obs::StartLog(obs::Level::kDebug, obs::LogFormat::kJson);
  TakeLibraryLogs();
  write();
  obs::StopLog();
  TakeLibraryLines(nullptr);
  std::istringstream text(::testing::internal::GetCapturedStderr());
  std::vector<std::string> lines;
  for (std::string line; std::getline(text, line);) lines.push_back(line);
  return lines;
}

TEST(LibraryLogTest, OneLineEachOfBoundedLengthAndNumber) {
  const std::string forged = "x\n{\"level\":\"error\",\"event\":\"forged\"}\r\n\x1b[2J\xff";
  std::vector<std::string> lines = LinesOf([&] {
    test::GrpcSays("a/b/file.cc", 7, forged);
    test::ProtobufSays(forged + std::string(10'000, 'x'));
  });
  ASSERT_EQ(lines.size(), 2u);
  EXPECT_THAT(lines[0], HasSubstr(R"("level":"warn","event":"library","library":"grpc")"));
  EXPECT_THAT(lines[0], HasSubstr(R"(x {\"level\":\"error\")"));
  EXPECT_THAT(lines[0], HasSubstr(R"("at":"file.cc:7")"));
  EXPECT_THAT(lines[1], HasSubstr(R"("level":"debug","event":"library","library":"protobuf")"));
  EXPECT_LT(lines[1].size(), 1000u);
  for (const std::string& line : lines) {
    EXPECT_THAT(line, ::testing::StartsWith("{\"time\":"));
    EXPECT_THAT(line, Not(HasSubstr("\x1b")));
    EXPECT_THAT(line, Not(HasSubstr("\xff")));
  }

  lines = LinesOf([] {
    for (int i = 0; i < 10'000; ++i) test::GrpcSays("file.cc", 7, "flood");
  });
  EXPECT_LE(lines.size(), static_cast<std::size_t>(limits::kForeignLinesMax));
}

// The process is over after it, with all that is still queued.
TEST(LibraryLogDeathTest, TheReasonOfAnAbortIsWrittenOutAtOnce) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(
      {
        obs::StartLog(obs::Level::kInfo, obs::LogFormat::kJson);
        TakeLibraryLogs();
        test::GrpcAsserts("1 == 2");
      },
      "library_failed.*1 == 2");
}

}  // namespace
}  // namespace gateway::rpc
