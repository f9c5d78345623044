#include "base/memory.h"

#include <gtest/gtest.h>

#include <fstream>
#include <string>
#include <vector>

namespace gateway {
namespace {

constexpr std::size_t kMiB = 1024 * 1024;

class MemoryLimitTest : public ::testing::Test {
 protected:
  MemoryLimitTest() : root_(::testing::TempDir() + "/memory-limit") {
    std::filesystem::remove_all(root_);
  }
  void Write(const std::string& file, const std::string& text) {
    std::filesystem::create_directories((root_ / file).parent_path());
    std::ofstream(root_ / file) << text;
  }
  const std::filesystem::path root_;
};

TEST_F(MemoryLimitTest, IsTheLowestOfTheGroupAndThoseAbove) {
  Write("proc/self/cgroup", "0::/a/b\n");
  Write("sys/fs/cgroup/a/b/memory.max", "max\n");
  Write("sys/fs/cgroup/a/b/memory.high", "209715200\n");
  Write("sys/fs/cgroup/a/memory.max", "104857600\n");
  EXPECT_EQ(MemoryLimitBytes(root_), 100 * kMiB);
}

TEST_F(MemoryLimitTest, InAContainerTheGroupIsTheRoot) {
  Write("proc/self/cgroup", "0::/\n");
  Write("sys/fs/cgroup/memory.max", "536870912\n");
  EXPECT_EQ(MemoryLimitBytes(root_), 512 * kMiB);
}

TEST_F(MemoryLimitTest, KnowsTheOlderGroups) {
  Write("proc/self/cgroup", "5:cpu,cpuacct:/x\n4:memory:/x\n");
  Write("sys/fs/cgroup/memory/x/memory.limit_in_bytes", "314572800\n");
  EXPECT_EQ(MemoryLimitBytes(root_), 300 * kMiB);
}

TEST_F(MemoryLimitTest, WithoutOneIsHalfOfTheMachine) {
  const std::size_t none = MemoryLimitBytes(root_);
  EXPECT_GT(none, 0u);
  Write("proc/self/cgroup", "4:memory:/\nnonsense\n");
  Write("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
  EXPECT_EQ(MemoryLimitBytes(root_), none);
}

TEST(ResidentTest, GrowsWithWhatIsTouched) {
  const std::size_t before = ResidentBytes();
  ASSERT_GT(before, 0u);
  const std::vector<char> touched(64 * kMiB, 'x');
  EXPECT_GT(ResidentBytes(), before + 32 * kMiB);
  EXPECT_EQ(touched.back(), 'x');
}

}  // namespace
}  // namespace gateway
