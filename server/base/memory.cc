#include "base/memory.h"

#include <fcntl.h>
#include <malloc.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <limits>
#include <string>
#include <string_view>

#include "base/limits.h"

namespace gateway {
namespace {

constexpr std::uint64_t kNone = std::numeric_limits<std::uint64_t>::max();

// The number in a control group's file; kNone for "max", and if there is no such file.
std::uint64_t NumberIn(const std::filesystem::path& file) {
  std::ifstream in(file);
  std::uint64_t number = 0;
  return in >> number ? number : kNone;
}

// The lowest limit of a group and of the groups above it, which bound it too.
std::uint64_t LowestLimit(const std::filesystem::path& mount, std::filesystem::path group) {
  std::uint64_t lowest = kNone;
  while (true) {
    for (const char* name : {"memory.max", "memory.high", "memory.limit_in_bytes"}) {
      lowest = std::min(lowest, NumberIn(mount / group / name));
    }
    if (group.empty() || group == ".") return lowest;
    group = group.parent_path();
  }
}

std::uint64_t MachineBytes() {
  const auto pages = static_cast<std::uint64_t>(sysconf(_SC_PHYS_PAGES));
  return pages * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
}

}  // namespace

std::size_t ResidentBytes() {
  const int file = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
  if (file < 0) return 0;
  std::array<char, 128> text{};
  const ssize_t got = read(file, text.data(), text.size() - 1);
  close(file);
  if (got <= 0) return 0;
  // size resident shared …, in pages
  char* at = text.data();
  std::strtoull(at, &at, 10);
  const std::uint64_t resident = std::strtoull(at, &at, 10);
  const std::uint64_t shared = std::strtoull(at, &at, 10);
  return (resident - std::min(resident, shared)) * static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
}

MemoryThere FindMemory(const std::filesystem::path& root) {
  std::uint64_t lowest = kNone;
  std::ifstream groups(root / "proc/self/cgroup");
  for (std::string line; std::getline(groups, line);) {  // hierarchy:controllers:/path
    const std::size_t first = line.find(':');
    const std::size_t second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos) continue;
    const std::string_view controllers =
        std::string_view(line).substr(first + 1, second - first - 1);
    const std::filesystem::path group =
        std::filesystem::path(line.substr(second + 1)).relative_path();
    if (controllers.empty()) {
      lowest = std::min(lowest, LowestLimit(root / "sys/fs/cgroup", group));
    } else if (controllers == "memory") {
      lowest = std::min(lowest, LowestLimit(root / "sys/fs/cgroup/memory", group));
    }
  }
  // The older groups write an absurdly large number where there is no limit.
  const std::uint64_t machine = MachineBytes();
  return {.bytes = static_cast<std::size_t>(std::min(lowest, machine)),
          .container = lowest < machine};
}

std::size_t KeptBytes() {
  const struct mallinfo2 all = mallinfo2();
  const std::size_t used = all.uordblks + all.hblkhd;
  const std::size_t resident = ResidentBytes();
  return resident - std::min(resident, used);
}

void ReturnFreeMemory() { malloc_trim(0); }

void ReturnLargeBlocksAtOnce() {
  mallopt(M_MMAP_THRESHOLD, limits::kLargeBlockBytes);
  mallopt(M_TRIM_THRESHOLD, limits::kHeapTopMaxBytes);
}

}  // namespace gateway
