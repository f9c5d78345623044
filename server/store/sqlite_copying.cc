// SqliteJobStore as Copyable.
#include <filesystem>
#include <future>
#include <utility>

#include "store/copy_rows.h"
#include "store/schema.h"
#include "store/sqlite_job_store.h"
#include "store/sqlite_status.h"

namespace gateway::store {

template <class T, class Query>
absl::StatusOr<T> SqliteJobStore::ReadToCopy(Query query) {
  const std::string path = (std::filesystem::path(directory_) / "jobs.db").string();
  try {
    if (copying_ == nullptr) {
      auto opened = OpenForReading(path);
      if (!opened.ok()) return opened.status();
      copying_ = *std::move(opened);
    }
    return query(*copying_);
  } catch (const SQLite::Exception& error) {
    return OpenError(error, path);
  }
}

absl::Status SqliteJobStore::WriteToCopy(std::function<void(SQLite::Database&)> apply) {
  std::promise<absl::Status> done;
  writer_.Post({.apply =
                    [&apply, db = db_.get()](JobWrites&) {
                      apply(*db);
                      return absl::OkStatus();
                    },
                .done = [&done](absl::Status status) { done.set_value(std::move(status)); }});
  return done.get_future().get();
}

absl::StatusOr<std::string> SqliteJobStore::ReadStoreId() {
  return ReadToCopy<std::string>([](SQLite::Database& db) { return store::ReadStoreId(db); });
}

absl::StatusOr<CopyCounts> SqliteJobStore::Count() { return ReadToCopy<CopyCounts>(CountRows); }

absl::StatusOr<CopiedRest> SqliteJobStore::ReadRest() {
  return ReadToCopy<CopiedRest>(ReadCopiedRest);
}

absl::StatusOr<std::vector<CopiedJob>> SqliteJobStore::ReadJobs(const jobs::JobKey& after) {
  return ReadToCopy<std::vector<CopiedJob>>(
      [&after](SQLite::Database& db) { return ReadCopiedJobs(db, after); });
}

absl::StatusOr<std::vector<CopiedSlice>> SqliteJobStore::ReadSlices(const jobs::JobKey& job,
                                                                    int part,
                                                                    std::int64_t after_slice) {
  return ReadToCopy<std::vector<CopiedSlice>>(
      [&](SQLite::Database& db) { return ReadCopiedSlices(db, job, part, after_slice); });
}

absl::StatusOr<std::vector<jobs::JobKey>> SqliteJobStore::FindSlices(const jobs::JobKey& after,
                                                                     const jobs::JobKey& last) {
  return ReadToCopy<std::vector<jobs::JobKey>>(
      [&](SQLite::Database& db) { return FindCopiedSlices(db, after, last); });
}

absl::StatusOr<std::optional<CopyMark>> SqliteJobStore::ReadMark() {
  return ReadToCopy<std::optional<CopyMark>>(ReadCopyMark);
}

absl::Status SqliteJobStore::SetMark(const std::optional<CopyMark>& mark) {
  return WriteToCopy([&mark](SQLite::Database& db) { WriteCopyMark(db, mark); });
}

absl::Status SqliteJobStore::Clear(const std::optional<CopyMark>& mark) {
  return WriteToCopy([&mark](SQLite::Database& db) { ClearRows(db, mark); });
}

absl::Status SqliteJobStore::WriteSlices(std::vector<CopiedSlice> slices) {
  return WriteToCopy([&slices](SQLite::Database& db) { WriteCopiedSlices(db, slices); });
}

absl::Status SqliteJobStore::WriteJobs(std::vector<CopiedJob> jobs) {
  return WriteToCopy([&jobs](SQLite::Database& db) { WriteCopiedJobs(db, jobs); });
}

absl::Status SqliteJobStore::WriteRest(CopiedRest rest) {
  return WriteToCopy([&rest](SQLite::Database& db) { WriteCopiedRest(db, rest); });
}

}  // namespace gateway::store
