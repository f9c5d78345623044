#include "base/memory.h"

#include <gtest/gtest.h>

#include <fstream>
#include <memory>
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
  EXPECT_EQ(FindMemory(root_).Limit(), 100 * kMiB);
}

TEST_F(MemoryLimitTest, InAContainerTheGroupIsTheRoot) {
  Write("proc/self/cgroup", "0::/\n");
  Write("sys/fs/cgroup/memory.max", "536870912\n");
  EXPECT_EQ(FindMemory(root_).Limit(), 512 * kMiB);
}

TEST_F(MemoryLimitTest, KnowsTheOlderGroups) {
  Write("proc/self/cgroup", "5:cpu,cpuacct:/x\n4:memory:/x\n");
  Write("sys/fs/cgroup/memory/x/memory.limit_in_bytes", "314572800\n");
  EXPECT_EQ(FindMemory(root_).Limit(), 300 * kMiB);
}

TEST_F(MemoryLimitTest, WithoutOneIsHalfOfTheMachine) {
  const std::size_t none = FindMemory(root_).Limit();
  EXPECT_GT(none, 0u);
  Write("proc/self/cgroup", "4:memory:/\nnonsense\n");
  Write("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
  EXPECT_EQ(FindMemory(root_).Limit(), none);
  EXPECT_EQ(FindMemory(root_).bytes / 2, none);
  EXPECT_FALSE(FindMemory(root_).container);
}

TEST(ResidentTest, GrowsWithWhatIsTouched) {
  const std::size_t before = ResidentBytes();
  ASSERT_GT(before, 0u);
  const std::vector<char> touched(64 * kMiB, 'x');
  EXPECT_GT(ResidentBytes(), before + 32 * kMiB);
  EXPECT_EQ(touched.back(), 'x');
}

// A block that lives on above what was freed, as a call's does after a flood.
TEST(KeptTest, IsWhatTheAllocatorHoldsBetweenLivingBlocksAndGivesBackWhenAsked) {
#ifdef PICTORY_SANITIZED
  GTEST_SKIP() << "the sanitizer's own allocator tells other things";
#endif
  const std::size_t before = KeptBytes();
  std::vector<std::unique_ptr<std::string>> flood;
  for (int i = 0; i < 64 * 1024; ++i) flood.push_back(std::make_unique<std::string>(1000, 'x'));
  const auto above = std::make_unique<std::string>(1000, 'y');
  EXPECT_LT(KeptBytes(), before + 16 * kMiB) << "in use";
  flood.clear();
  const std::size_t resident = ResidentBytes();
  if (KeptBytes() < before + 32 * kMiB)
    GTEST_SKIP() << "this allocator keeps nothing, or does not say";
  ReturnFreeMemory();
  EXPECT_LT(KeptBytes(), before + 16 * kMiB);
  EXPECT_LT(ResidentBytes() + 32 * kMiB, resident);
  EXPECT_EQ(above->back(), 'y');
}

TEST(KeptTest, LargeBlocksGoBackAtOnceHoweverManyWereFreed) {
  ReturnLargeBlocksAtOnce();
  const std::size_t before = ResidentBytes();
  std::string small;
  for (int i = 0; i < 8; ++i) {
    const std::vector<char> block(16 * kMiB, 'x');
    small += std::string(1000, block.back());  // lives on, above the block if that is in the heap
  }
  // Less than one of them. Under qemu-user, where tests for arm64 run, 8 MiB were seen.
  EXPECT_LT(ResidentBytes(), before + 12 * kMiB);
}

}  // namespace
}  // namespace gateway
