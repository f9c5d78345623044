// These functions tell whether what is configured fits in the memory that there is. Pure.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "app/config.h"
#include "base/memory.h"

namespace gateway::app {

// The bytes of memory that the process should stay below.
std::size_t MemoryLimitOf(const Config& config, const MemoryThere& there);

// How many watches at once: as configured, else as many as a part of the memory holds.
int WatchesMaxOf(const Config& config, const MemoryThere& there);

// How many bytes of finished jobs to keep in memory.
std::size_t FinishedJobsMaxBytesOf(const Config& config, const MemoryThere& there);

// A sentence for each setting that does not fit: what it is, what there is, and what to change.
std::vector<std::string> MemoryWarnings(const Config& config, const MemoryThere& there);

}  // namespace gateway::app
