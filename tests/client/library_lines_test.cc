#include "library_lines.h"

#include <google/protobuf/stubs/logging.h>
#include <grpc/support/log.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>

namespace pictory_jobs::cli {
namespace {

std::string Written(const std::string& text, int times) {
  ::testing::internal::CaptureStderr();
  CleanLibraryLines();
  for (int i = 0; i < times; ++i) gpr_log(GPR_ERROR, "%s", text.c_str());
  gpr_log(GPR_INFO, "not an error");
  GOOGLE_LOG(ERROR) << "protobuf";
  gpr_set_log_function(nullptr);
  return ::testing::internal::GetCapturedStderr();
}

TEST(LibraryLinesTest, AreCleanAndOneLineEachAndNotForEver) {
  EXPECT_EQ(Written("a\n\x1b[31mjob 1 is done\r\xff", 1),
            "pictory: gRPC: a  [31mjob 1 is done ?\n");
  const std::string flood = Written("again", 1000);
  EXPECT_LE(std::count(flood.begin(), flood.end(), '\n'), 20);
}

}  // namespace
}  // namespace pictory_jobs::cli
