// A Keeper brings one file of a result onto the disk, as far as it gets: the next attempt goes on
// where this one ended, whatever ended it.
#pragma once

#include <atomic>
#include <cstdint>
#include <set>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "archive/disk.h"
#include "http/fetcher.h"
#include "jobs/job_key.h"

namespace gateway::archive {

struct KeeperOptions {
  std::int64_t max_file_bytes = 0;
  std::set<std::string> stand_ins{};  // see ReachOf
};

class Keeper {
 public:
  // Both must outlive the keeper.
  Keeper(KeeperOptions options, http::Fetcher& fetcher, Disk& disk)
      : options_(std::move(options)), fetcher_(fetcher), disk_(disk) {}

  // Blocks. CANCELLED once `stop`; else see archive/fetch_rules.h. Thread-safe for different files.
  // The errors have a detail.
  absl::StatusOr<WholeFile> Keep(const jobs::JobKey& job, const std::string& name,
                                 const std::string& url, const std::atomic<bool>& stop);

  // Removes what there is of a file that is given up.
  void Drop(const jobs::JobKey& job, const std::string& name);

 private:
  absl::Status Fetch(const std::string& tenant, Disk::Part& part, const std::string& url,
                     const std::atomic<bool>& stop);

  const KeeperOptions options_;
  http::Fetcher& fetcher_;
  Disk& disk_;
};

}  // namespace gateway::archive
