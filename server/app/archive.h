// An Archive is all that keeps the files of results: its directory, the threads that fetch and
// read, and the Archiver. It is there if --archive-dir is given.
//
// Thread-safe, but for its making and its end.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "app/config.h"
#include "archive/archiver.h"
#include "archive/disk.h"
#include "archive/keeper.h"
#include "archive/read_line.h"
#include "base/clock.h"
#include "base/random.h"
#include "base/work_thread.h"
#include "http/curl_fetcher.h"
#include "jobs/ledger.h"
#include "jobs/store.h"
#include "jobs/upstreams.h"
#include "obs/metrics.h"

namespace gateway::app {

class Archive {
 public:
  struct Options {
    // The base URLs of the accounts: where they are of this machine, so may be the links of
    // results.
    std::vector<std::string> base_urls;
    // See archive::DiskOptions.
    std::function<std::int64_t(const std::string& tenant)> share_of;
  };
  // Checks and opens the directory; see archive::Disk::Open.
  static absl::StatusOr<std::unique_ptr<Archive>> Open(const Config& config, Options options);
  Archive(const Archive&) = delete;
  Archive& operator=(const Archive&) = delete;

  // What the archive stands on; all of it must outlive the archive.
  struct Ground {
    const jobs::Shards& shards;
    jobs::Ledger& ledger;
    jobs::Store& store;
    jobs::Upstreams& upstreams;
    const Clock& clock;
    Timers& timers;
    Random& random;
  };
  // Has the files of jobs that end from now on planned, kept and removed. Called once, before the
  // ledger's first change.
  void Connect(const Ground& ground);
  // Begins once it is counted what there is, and removes what no job has had for so long. Called
  // after the store has recovered.
  void Begin(Duration finished_kept);
  // Takes up what another process has left, or this one before; and drops what goes with a shard.
  void Follow(const jobs::ShardJob& job) { archiver_->Follow(job); }
  void DropLost() { archiver_->DropLost(); }

  // See jobs::Deleter::RemoveFiles.
  void Remove(const jobs::JobKey& job, std::function<void(absl::Status)> removed);
  // See rpc::Backend::ReadArchived.
  void Read(const std::vector<jobs::JobKey>& places, const std::string& name, std::int64_t offset,
            std::int64_t max_bytes, std::function<void(absl::StatusOr<jobs::PartChunk>)> done);
  void AddMetrics(obs::Metrics& metrics);

  // Ends what is under way, and begins nothing any more. Returns false if a disk that does not
  // answer holds it up: then the process must end without the archive's end.
  bool Stop();

 private:
  Archive(const Config& config, const Options& options, std::unique_ptr<archive::Disk> disk);
  bool CountMore(WallTime swept_before);
  absl::StatusOr<jobs::PartChunk> ReadFrom(const std::vector<jobs::JobKey>& places,
                                           const std::string& name, std::int64_t offset,
                                           std::int64_t max_bytes);

  const std::unique_ptr<archive::Disk> disk_;
  http::CurlFetcher fetcher_;
  archive::Keeper keeper_;
  const int places_;
  const Clock* clock_ = nullptr;
  std::unique_ptr<archive::Archiver> archiver_;
  const std::string directory_;
  std::atomic<bool> stopping_{false};
  archive::ReadLine reads_;
  WorkThread files_{"archive-files"};                  // counts and removals
  std::vector<std::unique_ptr<WorkThread>> fetching_;  // one for each place
  std::vector<std::unique_ptr<WorkThread>> reading_;   // one for each reader
};

}  // namespace gateway::app
