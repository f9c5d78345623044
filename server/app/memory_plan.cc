#include "app/memory_plan.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "base/limits.h"

namespace gateway::app {
namespace {

std::size_t MiB(std::size_t bytes) { return (bytes + limits::kMiB - 1) / limits::kMiB; }

// How many times `each` bytes fit beside the idle gateway.
std::size_t Fit(std::size_t memory, std::size_t each) {
  return memory > limits::kIdleGatewayBytes + each ? (memory - limits::kIdleGatewayBytes) / each
                                                   : 1;
}

}  // namespace

std::size_t MemoryLimitOf(const Config& config, const MemoryThere& there) {
  return config.memory_limit_mib > 0
             ? static_cast<std::size_t>(config.memory_limit_mib) * limits::kMiB
             : there.Limit();
}

int WatchesMaxOf(const Config& config, const MemoryThere& there) {
  if (config.max_watches > 0) return config.max_watches;
  const std::size_t share = MemoryLimitOf(config, there) / limits::kWatchesShare;
  return static_cast<int>(std::clamp<std::size_t>(Fit(share, limits::kWatchBytes),
                                                  std::size_t{limits::kWatchesMin},
                                                  std::size_t{limits::kWatchesMax}));
}

std::size_t FinishedJobsMaxBytesOf(const Config& config, const MemoryThere& there) {
  return std::min(MemoryLimitOf(config, there) / limits::kFinishedJobsShare,
                  limits::kFinishedJobsMaxBytes);
}

std::vector<std::string> MemoryWarnings(const Config& config, const MemoryThere& there) {
  const std::size_t limit = MemoryLimitOf(config, there);
  const std::string more = config.memory_limit_mib > 0 ? "--memory-limit-mib, if there is more,"
                           : there.container           ? "the container's memory limit"
                                             : "--memory-limit-mib, if nothing else runs here,";
  std::vector<std::string> warnings;
  if (limit > there.bytes) {
    warnings.push_back(absl::StrCat(
        "--memory-limit-mib is ", config.memory_limit_mib, ", but the ",
        there.container ? "container" : "machine", " has ", there.bytes / limits::kMiB,
        " MiB, so this process may be killed before it refuses anything: set it to ",
        there.bytes / limits::kMiB, " at most", there.container ? ", or leave it out" : ""));
  }
  if (limit < std::size_t{limits::kMemorySmallestMiB} * limits::kMiB) {
    warnings.push_back(absl::StrCat("the memory limit is ", limit / limits::kMiB,
                                    " MiB, and under load this gateway needs ",
                                    limits::kMemorySmallestMiB, " MiB: raise ", more, " to ",
                                    limits::kMemorySmallestMiB, " MiB or more"));
  }
  if (const std::size_t needed =
          limits::kIdleGatewayBytes +
          static_cast<std::size_t>(std::max(config.max_watches, 0)) * limits::kWatchBytes;
      config.max_watches > 0 && needed > limit) {
    warnings.push_back(absl::StrCat(
        "--max-watches is ", config.max_watches, ", which takes up to ", MiB(needed),
        " MiB, and the memory limit is ", limit / limits::kMiB, " MiB: set it to ",
        Fit(limit, limits::kWatchBytes), " at most, or raise ", more, " to ", MiB(needed), " MiB"));
  }
  if (const std::size_t needed =
          limits::kIdleGatewayBytes +
          static_cast<std::size_t>(config.max_job_reply_mib) * limits::kMiB * limits::kReplyFactor;
      needed > limit) {
    warnings.push_back(
        absl::StrCat("--max-job-reply-mib is ", config.max_job_reply_mib, ", which takes up to ",
                     MiB(needed), " MiB, and the memory limit is ", limit / limits::kMiB,
                     " MiB: set it to ", Fit(limit, limits::kReplyFactor * limits::kMiB),
                     " at most, or raise ", more, " to ", MiB(needed), " MiB"));
  }
  return warnings;
}

}  // namespace gateway::app
