// How much memory this process uses, and may use.
#pragma once

#include <cstddef>
#include <filesystem>

namespace gateway {

// Resident memory that is not a file's; 0 if the system does not say.
std::size_t ResidentBytes();

// What there is: the lowest limit of the container's control groups (memory.max, memory.high, or
// the older memory.limit_in_bytes), or the machine's memory.
struct MemoryThere {
  std::size_t bytes = 0;
  bool container = false;  // else nothing is lower than the machine's

  // What this process may use: half of a machine, because other things run there.
  std::size_t Limit() const { return container ? bytes : bytes / 2; }
};
// `root` is where /proc and /sys are.
MemoryThere FindMemory(const std::filesystem::path& root = "/");

// Resident memory that the allocator keeps and nobody uses: what was freed, and lies between things
// that live on. About; 0 if the system does not say.
std::size_t KeptBytes();

// Gives the system what the allocator has no use for at present.
void ReturnFreeMemory();

// Has large blocks come from the system and go back to it at once. Else the allocator learns from
// the first large block that it frees, and from then on keeps as much between smaller ones. Before
// other threads start.
void ReturnLargeBlocksAtOnce();

}  // namespace gateway
