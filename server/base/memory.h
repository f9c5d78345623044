// These functions tell how much memory this process uses and may use, and give back what it does
// not need.
#pragma once

#include <cstddef>
#include <filesystem>

namespace gateway {

// Resident memory that is not a file's; 0 if the system does not say.
std::size_t ResidentBytes();

// The memory that there is: the lowest limit of the container's control groups (memory.max,
// memory.high, or the older memory.limit_in_bytes), or the machine's memory.
struct MemoryThere {
  std::size_t bytes = 0;
  bool container = false;  // else nothing is lower than the machine's

  // What this process may use: half of a machine, because other things run there.
  std::size_t Limit() const { return container ? bytes : bytes / 2; }
};
// `root` is where /proc and /sys are.
MemoryThere FindMemory(const std::filesystem::path& root = "/");

// About how much resident memory the allocator keeps and nobody uses: memory that was freed and
// lies between blocks that live on. 0 if the system does not say.
std::size_t KeptBytes();

// Gives the system the memory that the allocator has no use for at present.
void ReturnFreeMemory();

// Makes large blocks come from the system and go back to it at once. Without this the allocator
// learns from the first large block that it frees, and from then on keeps as much memory between
// smaller ones. To be called before other threads start.
void ReturnLargeBlocksAtOnce();

}  // namespace gateway
