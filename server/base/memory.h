// How much memory this process uses, and may use.
#pragma once

#include <cstddef>
#include <filesystem>

namespace gateway {

// Resident memory that is not a file's; 0 if the system does not say.
std::size_t ResidentBytes();

// What the container may use, by the lowest limit of its control groups (memory.max, memory.high, or
// the older memory.limit_in_bytes); half of the machine's memory where there is none. `root` is where
// /proc and /sys are.
std::size_t MemoryLimitBytes(const std::filesystem::path& root = "/");

// Gives the system what the allocator has no use for at present.
void ReturnFreeMemory();

}  // namespace gateway
