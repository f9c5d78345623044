#include "library_lines.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "base/library_lines.h"
#include "support/library_says.h"

namespace pictory_jobs::cli {
namespace {

std::string Written(const std::string& text, int times, const char* file = "file.cc") {
  ::testing::internal::CaptureStderr();
  CleanLibraryLines();
  for (int i = 0; i < times; ++i) gateway::test::GrpcSays(file, 7, text);
  gateway::test::GrpcNotes("not an error");
  gateway::test::ProtobufSays("protobuf");
  gateway::TakeLibraryLines(nullptr);
  return ::testing::internal::GetCapturedStderr();
}

TEST(LibraryLinesTest, AreCleanAndOneLineEachAndNotForEver) {
  EXPECT_EQ(Written("a\n\x1b[31mjob 1 is done\r\xff", 1),
            "pictory: gRPC: a  [31mjob 1 is done ?\n");
  EXPECT_EQ(Written("no key", 1, "src/core/tsi/ssl_transport_security.cc"), "");
  const std::string flood = Written("again", 1000);
  EXPECT_LE(std::count(flood.begin(), flood.end(), '\n'), 20);
}

}  // namespace
}  // namespace pictory_jobs::cli
