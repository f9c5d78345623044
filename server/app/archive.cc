#include "app/archive.h"

#include <algorithm>
#include <utility>

#include "app/upstream.h"
#include "base/limits.h"
#include "jobs/archive_plan.h"
#include "obs/log.h"

namespace gateway::app {
namespace {

using obs::Level;
using obs::Log;
namespace v1 = jobs::v1;

constexpr auto kMiB = static_cast<std::int64_t>(limits::kMiB);

http::CurlFetcherOptions FetcherOptions(const Config& config) {
  http::CurlFetcherOptions options;
  options.ca_file = config.ca_file;
  options.proxy = config.proxy;
  options.bytes_per_second =
      config.archive.mib_per_second * kMiB / std::max(1, config.archive.transfers);
  return options;
}

void LogArchived(const jobs::Job& job, const v1::Archive& archive) {
  std::int64_t files = 0;
  std::int64_t bytes = 0;
  std::string failed;
  for (const v1::ArchivedFile& file : archive.files()) {
    if (file.state() == v1::ARCHIVE_STATE_ARCHIVED) {
      ++files;
      bytes += file.bytes();
    } else {
      failed.append(failed.empty() ? "" : " ").append(file.name());
    }
  }
  Log(failed.empty() ? Level::kInfo : Level::kWarn, "job_archived",
      {{"job_id", job.job_id}, {"files", files}, {"bytes", bytes}, {"given_up", failed}});
}

void LogTroubled(const jobs::Job& job, const v1::ArchivedFile& file) {
  const bool failed = file.state() == v1::ARCHIVE_STATE_FAILED;
  Log(failed ? Level::kWarn : Level::kInfo, "not_archived",
      {{"job_id", job.job_id},
       {"file", file.name()},
       {"reason", file.problem()},
       {"again", failed ? "no" : "later"}});
}

}  // namespace

absl::StatusOr<std::unique_ptr<Archive>> Archive::Open(const Config& config) {
  auto disk = archive::Disk::Open({.directory = config.archive.directory,
                                   .max_bytes = config.archive.max_mib * kMiB,
                                   .min_free_bytes = config.archive.min_free_mib * kMiB});
  if (!disk.ok()) return disk.status();
  Log(Level::kInfo, "archive",
      {{"directory", config.archive.directory},
       {"jobs", static_cast<std::int64_t>((*disk)->found().size())},
       {"bytes", (*disk)->used_bytes()}});
  if (const absl::Status room = (*disk)->CheckRoom(0); !room.ok()) {
    Log(Level::kWarn, "archive_full", {{"reason", std::string(room.message())}});
  }
  return std::unique_ptr<Archive>(new Archive(config, *std::move(disk)));
}

Archive::Archive(const Config& config, std::unique_ptr<archive::Disk> disk)
    : disk_(std::move(disk)),
      fetcher_(FetcherOptions(config)),
      keeper_({.max_file_bytes = config.archive.max_file_mib * kMiB,
               .allow_loopback = AnswersNameLoopback(config)},
              fetcher_, *disk_),
      places_(config.archive.transfers) {
  for (int place = 0; place < places_; ++place) {
    fetching_.push_back(std::make_unique<WorkThread>("archive-fetch", WorkThread::Rest::kDropped));
  }
}

void Archive::Connect(const Ground& ground) {
  clock_ = &ground.clock;
  store_ = &ground.store;
  archive::ArchiverHands hands;
  hands.keep = [this](const jobs::JobKey& job, const std::string& name, const std::string& url,
                      const std::atomic<bool>& stop) { return keeper_.Keep(job, name, url, stop); };
  hands.drop = [this](const jobs::JobKey& job, const std::string& name) {
    keeper_.Drop(job, name);
  };
  hands.remove = [this](const jobs::JobKey& job) {
    absl::Status removed = disk_->Remove(job);
    if (!removed.ok()) {
      Log(Level::kError, "not_removed",
          {{"job_id", job.id}, {"reason", std::string(removed.message())}});
    }
    return removed;
  };
  hands.ask = [&upstreams = ground.upstreams](const jobs::Job& job,
                                              std::function<void(jobs::FreshLinks)> done) {
    jobs::AskForLinks(upstreams, job, std::move(done));
  };
  hands.run = [this](int place, std::function<void()> work) {
    (place < places_ ? *fetching_[static_cast<std::size_t>(place)] : files_).Post(std::move(work));
  };
  archiver_ = std::make_unique<archive::Archiver>(
      archive::ArchiverOptions{.places = places_}, std::move(hands), ground.ledger, ground.store,
      ground.clock, ground.timers, ground.random,
      archive::ArchiverEvents{.ended = LogArchived, .troubled = LogTroubled});
  ground.ledger.CompleteWith([](jobs::JobRecord& record) { jobs::PlanArchive(record.job); });
  ground.ledger.Observe([this](const jobs::JobRecord& record, const jobs::SnapshotPtr& seen) {
    if (seen != nullptr) archiver_->OnChange(record);
  });
  ground.ledger.ForgottenBy([this](const jobs::JobKey& job) { archiver_->Remove(job, nullptr); });
}

absl::Status Archive::TakeUp(Duration finished_kept) {
  absl::Status read =
      store_->ReadArchiving([this](const jobs::JobKey& job) { archiver_->Follow(job); });
  if (!read.ok()) return read;
  archiver_->Sweep(
      disk_->found(),
      clock_->WallNow() - std::chrono::duration_cast<WallTime::duration>(finished_kept));
  return absl::OkStatus();
}

void Archive::Remove(const jobs::JobKey& job, std::function<void(absl::Status)> removed) {
  archiver_->Remove(job, std::move(removed));
}

void Archive::Read(const jobs::JobKey& job, const std::string& name, std::int64_t offset,
                   std::int64_t max_bytes,
                   std::function<void(absl::StatusOr<jobs::PartChunk>)> done) {
  files_.Post([this, job, name, offset, max_bytes, done = std::move(done)] {
    done(disk_->Read(job, name, offset, max_bytes));
  });
}

void Archive::AddMetrics(obs::Metrics& metrics) {
  metrics.AddGauge("pictory_gateway_archive_bytes", "Bytes of results' files in the archive",
                   [this] { return static_cast<double>(disk_->used_bytes()); });
  metrics.AddGauge("pictory_gateway_archive_jobs_waiting",
                   "Finished jobs whose files are still to be archived",
                   [this] { return static_cast<double>(archiver_->waiting()); });
  metrics.AddCounter("pictory_gateway_archived_bytes_total", "Bytes that were archived",
                     [this] { return static_cast<double>(archiver_->counts().bytes); });
  metrics.AddCounters("pictory_gateway_archive_files_total",
                      "Files by what an attempt to archive them has led to", "result", [this] {
                        const archive::Archiver::Counts& counts = archiver_->counts();
                        return obs::Metrics::ByLabel{
                            {"archived", static_cast<double>(counts.archived)},
                            {"given_up", static_cast<double>(counts.failed)},
                            {"later", static_cast<double>(counts.retried)}};
                      });
}

void Archive::Stop() {
  if (archiver_ != nullptr) archiver_->Stop();
  for (const auto& thread : fetching_) thread->Close();
  files_.Close();
}

}  // namespace gateway::app
