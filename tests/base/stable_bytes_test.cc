#include "base/stable_bytes.h"

#include <gtest/gtest.h>

#include "pictory/jobs/internal/v1/error_details.pb.h"

namespace gateway {
namespace {

using Info = ::pictory::jobs::internal::v1::ErrorInfo;

TEST(StableBytes, AreTheSameWhateverTheOrderOfAMap) {
  std::string first;
  for (int turn = 0; turn < 50; ++turn) {
    Info info;
    info.set_reason("R");
    for (int i = 0; i < 30; ++i) {
      (*info.mutable_metadata())["key" + std::to_string((i * 7 + turn) % 30)] = "v";
    }
    const std::string bytes = StableBytes(info);
    if (turn == 0) first = bytes;
    ASSERT_EQ(bytes, first);
    Info back;
    ASSERT_TRUE(back.ParseFromString(bytes));
    ASSERT_EQ(back.metadata_size(), 30);
    ASSERT_EQ(bytes.size(), info.ByteSizeLong());
  }
}

TEST(StableBytes, OfNothingAreNone) { EXPECT_EQ(StableBytes(Info()), ""); }

}  // namespace
}  // namespace gateway
