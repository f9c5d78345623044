#include "obs/process_stats.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

namespace gateway::obs {
namespace {

TEST(ProcessStats, AreReadBehindANameThatHoldsAnything) {
  const std::filesystem::path proc = std::filesystem::path(testing::TempDir()) / "proc";
  std::filesystem::create_directories(proc / "self" / "fd");
  std::ofstream(proc / "stat") << "cpu 1 2 3\nctxt 9\nbtime 1000000\n";
  std::ofstream(proc / "self" / "stat")
      << "7 (a) 1 S (b) S 1 7 7 0 -1 4194560 1 2 3 4 250 150 0 0 20 0 12 0 500 4096 3 "
         "18446744073709551615 1 1";
  std::ofstream(proc / "self" / "fd" / "0");
  const auto ticks = static_cast<double>(sysconf(_SC_CLK_TCK));
  const ProcessStats stats = ReadProcessStats(proc);
  EXPECT_DOUBLE_EQ(stats.cpu_seconds, 400 / ticks);
  EXPECT_DOUBLE_EQ(stats.start_time, 1'000'000 + 500 / ticks);
  EXPECT_EQ(stats.threads, 12);
  EXPECT_EQ(stats.virtual_bytes, 4096);
  EXPECT_EQ(stats.resident_bytes, 3.0 * static_cast<double>(sysconf(_SC_PAGESIZE)));
  EXPECT_EQ(stats.open_fds, 1);
  EXPECT_GT(stats.max_fds, 0);
}

TEST(ProcessStats, OfNothingAreZero) {
  const ProcessStats stats = ReadProcessStats("/nowhere");
  EXPECT_EQ(stats.cpu_seconds, 0);
  EXPECT_EQ(stats.open_fds, 0);
}

TEST(ProcessStats, HaveTheUsualNames) {
  Metrics metrics;
  AddProcessMetrics(metrics);
  const std::string text = metrics.Render();
  for (const char* name : {"process_cpu_seconds_total", "process_open_fds", "process_max_fds",
                           "process_resident_memory_bytes", "process_start_time_seconds"}) {
    EXPECT_NE(text.find(std::string("\n") + name + " "), std::string::npos) << name;
  }
  EXPECT_EQ(text.find("process_resident_memory_bytes 0\n"), std::string::npos);
}

}  // namespace
}  // namespace gateway::obs
