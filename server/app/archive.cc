#include "app/archive.h"

#include <algorithm>
#include <utility>

#include "archive/detail.h"
#include "base/errors.h"
#include "base/limits.h"
#include "jobs/archive_plan.h"
#include "obs/log.h"
#include "pictory/url_rules.h"

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

void LogTroubled(const jobs::Job& job, const v1::ArchivedFile& file, const absl::Status& why) {
  const bool failed = file.state() == v1::ARCHIVE_STATE_FAILED;
  const std::string detail = archive::DetailOf(why);
  std::vector<obs::Field> fields = {
      {"job_id", job.job_id}, {"file", file.name()}, {"reason", file.problem()}};
  if (detail != std::string(why.message())) fields.emplace_back("detail", detail);
  fields.emplace_back("again", failed ? "no" : "later");
  Log(failed ? Level::kWarn : Level::kInfo, "not_archived", fields);
}

// What callers are told of a trouble of the disk; the log has the detail.
absl::Status Told(const absl::Status& trouble, const char* event, const jobs::JobKey& job) {
  if (trouble.ok() || absl::IsNotFound(trouble)) return trouble;
  Log(Level::kError, event, {{"job_id", job.id}, {"reason", archive::DetailOf(trouble)}});
  return errors::Internal(std::string(trouble.message()));
}

// Where on this machine stand-ins for Pictory are, whose links may lead there.
std::set<std::string> StandInsOf(const std::vector<std::string>& base_urls) {
  std::set<std::string> found;
  for (const std::string& url : base_urls) {
    const bool loopback = pictory::UrlProblem(url, /*allow_loopback=*/true).empty() &&
                          !pictory::UrlProblem(url, /*allow_loopback=*/false).empty();
    if (loopback) found.insert(pictory::HostAndPortOf(url));
  }
  return found;
}

}  // namespace

absl::StatusOr<std::unique_ptr<Archive>> Archive::Open(const Config& config, Options options) {
  auto disk = archive::Disk::Open({.directory = config.archive.directory,
                                   .max_bytes = config.archive.max_mib * kMiB,
                                   .min_free_bytes = config.archive.min_free_mib * kMiB,
                                   .share_of = options.share_of});
  if (!disk.ok()) return disk.status();
  return std::unique_ptr<Archive>(new Archive(config, options, *std::move(disk)));
}

Archive::Archive(const Config& config, const Options& options, std::unique_ptr<archive::Disk> disk)
    : disk_(std::move(disk)),
      fetcher_(FetcherOptions(config)),
      keeper_({.max_file_bytes = config.archive.max_file_mib * kMiB,
               .stand_ins = StandInsOf(options.base_urls)},
              fetcher_, *disk_),
      places_(config.archive.transfers),
      directory_(config.archive.directory),
      reads_({}, [this](int reader, std::function<void()> work) {
        reading_[static_cast<std::size_t>(reader)]->Post(std::move(work));
      }) {
  for (int place = 0; place < places_; ++place) {
    fetching_.push_back(std::make_unique<WorkThread>("archive-fetch", WorkThread::Rest::kDropped));
  }
  for (int reader = 0; reader < limits::kArchiveReaders; ++reader) {
    reading_.push_back(std::make_unique<WorkThread>("archive-read"));
  }
}

void Archive::Connect(const Ground& ground) {
  clock_ = &ground.clock;
  archive::ArchiverHands hands;
  hands.keep = [this](const jobs::JobKey& job, const std::string& name, const std::string& url,
                      const std::atomic<bool>& stop) { return keeper_.Keep(job, name, url, stop); };
  hands.drop = [this](const jobs::JobKey& job, const std::string& name) {
    keeper_.Drop(job, name);
  };
  hands.move = [this](const jobs::JobKey& from, const jobs::JobKey& to) {
    return Told(disk_->Move(from, to), "not_renamed", to);
  };
  hands.remove = [this](const jobs::JobKey& job) {
    return Told(disk_->Remove(job), "not_removed", job);
  };
  hands.ask = [&upstreams = ground.upstreams](const jobs::Job& job,
                                              std::function<void(jobs::FreshLinks)> done) {
    jobs::AskForLinks(upstreams, job, std::move(done));
  };
  hands.run = [this](int place, std::function<void()> work) {
    (place < places_ ? *fetching_[static_cast<std::size_t>(place)] : files_).Post(std::move(work));
  };
  archiver_ = std::make_unique<archive::Archiver>(
      archive::ArchiverOptions{.places = places_}, std::move(hands), ground.shards, ground.ledger,
      ground.store, ground.clock, ground.timers, ground.random,
      archive::ArchiverEvents{.ended = LogArchived, .troubled = LogTroubled});
  ground.ledger.CompleteWith([](jobs::JobRecord& record) { jobs::PlanArchive(record.job); });
  ground.ledger.Observe(
      [this](const jobs::JobRecord& record, const jobs::SnapshotPtr& seen) {
        seen == nullptr ? archiver_->Dismiss({record.job.tenant, record.job.job_id})
                        : archiver_->OnChange(record);
      },
      jobs::Ledger::Of::kAnyProcess);
  ground.ledger.ForgottenBy([this](const jobs::JobKey& job) { archiver_->Remove(job, nullptr); });
}

void Archive::Begin(Duration finished_kept) {
  const WallTime before =
      clock_->WallNow() - std::chrono::duration_cast<WallTime::duration>(finished_kept);
  files_.Post([this, before] { return CountMore(before); });
}

// Counts in slices, so that nobody's removal waits for all of it.
bool Archive::CountMore(WallTime swept_before) {
  if (stopping_) return false;
  if (disk_->CountMore()) return true;
  std::vector<jobs::JobKey> found = disk_->TakeFound();
  Log(Level::kInfo, "archive",
      {{"directory", directory_},
       {"jobs", static_cast<std::int64_t>(found.size())},
       {"bytes", disk_->used_bytes()}});
  if (const absl::Status room = disk_->CheckRoom("", 0); !room.ok()) {
    Log(Level::kWarn, "archive_full", {{"reason", std::string(room.message())}});
  }
  archiver_->Start();
  archiver_->Sweep(std::move(found), swept_before);
  return false;
}

void Archive::Remove(const jobs::JobKey& job, std::function<void(absl::Status)> removed) {
  archiver_->Remove(job, std::move(removed));
}

void Archive::Read(const std::vector<jobs::JobKey>& places, const std::string& name,
                   std::int64_t offset, std::int64_t max_bytes,
                   std::function<void(absl::StatusOr<jobs::PartChunk>)> done) {
  const std::size_t full =
      reads_.Add(places.front().tenant, [this, places, name, offset, max_bytes, done] {
        done(ReadFrom(places, name, offset, max_bytes));
      });
  if (full == 0) return;
  done(errors::TooMany("reads of archived files", static_cast<std::int64_t>(full),
                       limits::kArchiveReadRetry));
}

// A file may be brought under the job's own name while it is looked for, so that one is the first
// and the last.
absl::StatusOr<jobs::PartChunk> Archive::ReadFrom(const std::vector<jobs::JobKey>& places,
                                                  const std::string& name, std::int64_t offset,
                                                  std::int64_t max_bytes) {
  const jobs::JobKey& own = places.front();
  absl::StatusOr<jobs::PartChunk> chunk = disk_->Read(own, name, offset, max_bytes);
  for (auto place = places.rbegin(); absl::IsNotFound(chunk.status()) && places.size() > 1;
       ++place) {
    if (place == places.rend()) break;
    chunk = disk_->Read(*place, name, offset, max_bytes);
  }
  if (chunk.ok()) return chunk;
  return Told(chunk.status(), "not_read", own);
}

void Archive::AddMetrics(obs::Metrics& metrics) {
  metrics.AddGauge("pictory_gateway_archive_bytes", "Bytes of results' files in the archive",
                   [this] { return static_cast<double>(disk_->used_bytes()); });
  metrics.AddGauges("pictory_gateway_archive_tenant_bytes", "Of them, those of each tenant",
                    "tenant", [this] {
                      obs::Metrics::ByLabel by_tenant;
                      for (const auto& [tenant, bytes] : disk_->used_by_tenant()) {
                        if (bytes > 0) by_tenant.emplace(tenant, static_cast<double>(bytes));
                      }
                      return by_tenant;
                    });
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

bool Archive::Stop() {
  stopping_ = true;
  if (archiver_ != nullptr) archiver_->Stop();
  std::vector<WorkThread*> threads{&files_};
  for (const auto& thread : fetching_) threads.push_back(thread.get());
  for (const auto& thread : reading_) threads.push_back(thread.get());
  const auto until = std::chrono::steady_clock::now() + limits::kArchiveStopMax;
  bool ended = true;
  for (WorkThread* thread : threads) ended = thread->CloseUntil(until) && ended;
  return ended;
}

}  // namespace gateway::app
