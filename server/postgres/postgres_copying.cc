// PostgresJobStore as Copyable.
#include <future>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/limits.h"
#include "postgres/copy_rows.h"
#include "postgres/postgres_job_store.h"

namespace gateway::postgres {

using store::CopiedJob;
using store::CopiedRest;
using store::CopiedSlice;
using store::CopyCounts;
using store::CopyMark;

template <class T, class Query>
absl::StatusOr<T> PostgresJobStore::ReadToCopy(Query query) {
  try {
    if (copying_ == nullptr) {
      copying_ = ConnectToRead(conninfo_, limits::kStoreRecoverMax, told_.Get(), &end_);
    }
    return query(*copying_);
  } catch (const Error& error) {
    copying_.reset();
    return absl::UnavailableError(absl::StrCat("PostgreSQL (", place_, "): ", Describe(error)));
  }
}

absl::Status PostgresJobStore::WriteToCopy(std::function<absl::Status(Connection&)> apply) {
  std::promise<absl::Status> done;
  writer_.Post({.apply = [&apply](Writes& writes) { return apply(writes.connection()); },
                .done = [&done](absl::Status status) { done.set_value(std::move(status)); }});
  absl::Status written = done.get_future().get();
  if (written.ok() || written.code() == absl::StatusCode::kFailedPrecondition) return written;
  return absl::Status(written.code(),
                      absl::StrCat("PostgreSQL (", place_, "): ", written.message()));
}

absl::StatusOr<std::string> PostgresJobStore::ReadStoreId() {
  return ReadToCopy<std::string>(
      [](Connection& connection) { return postgres::ReadStoreId(connection); });
}

absl::StatusOr<CopyCounts> PostgresJobStore::Count() { return ReadToCopy<CopyCounts>(CountRows); }

absl::StatusOr<CopiedRest> PostgresJobStore::ReadRest() {
  return ReadToCopy<CopiedRest>(ReadCopiedRest);
}

absl::StatusOr<std::vector<CopiedJob>> PostgresJobStore::ReadJobs(const jobs::JobKey& after) {
  return ReadToCopy<std::vector<CopiedJob>>(
      [&](Connection& connection) { return ReadCopiedJobs(connection, after); });
}

absl::StatusOr<std::vector<CopiedSlice>> PostgresJobStore::ReadSlices(const jobs::JobKey& job,
                                                                      int part,
                                                                      std::int64_t after_slice) {
  return ReadToCopy<std::vector<CopiedSlice>>(
      [&](Connection& connection) { return ReadCopiedSlices(connection, job, part, after_slice); });
}

absl::StatusOr<std::vector<jobs::JobKey>> PostgresJobStore::FindSlices(const jobs::JobKey& after,
                                                                       const jobs::JobKey& last) {
  return ReadToCopy<std::vector<jobs::JobKey>>(
      [&](Connection& connection) { return FindCopiedSlices(connection, after, last); });
}

absl::StatusOr<std::optional<CopyMark>> PostgresJobStore::ReadMark() {
  return ReadToCopy<std::optional<CopyMark>>(ReadCopyMark);
}

absl::Status PostgresJobStore::SetMark(const std::optional<CopyMark>& mark) {
  return WriteToCopy([&](Connection& connection) {
    absl::Status unused = CheckUnused(connection, identity_.gateway);
    if (unused.ok()) WriteCopyMark(connection, mark);
    return unused;
  });
}

absl::Status PostgresJobStore::Clear(const std::optional<CopyMark>& mark) {
  return WriteToCopy([&](Connection& connection) {
    absl::Status unused = CheckUnused(connection, identity_.gateway);
    if (unused.ok()) ClearRows(connection, mark);
    return unused;
  });
}

absl::Status PostgresJobStore::WriteSlices(std::vector<CopiedSlice> slices) {
  return WriteToCopy([&](Connection& connection) {
    WriteCopiedSlices(connection, slices);
    return absl::OkStatus();
  });
}

absl::Status PostgresJobStore::WriteJobs(std::vector<CopiedJob> jobs) {
  return WriteToCopy([&](Connection& connection) {
    WriteCopiedJobs(connection, jobs);
    return absl::OkStatus();
  });
}

absl::Status PostgresJobStore::WriteRest(CopiedRest rest) {
  return WriteToCopy([&](Connection& connection) {
    WriteCopiedRest(connection, rest);
    return absl::OkStatus();
  });
}

}  // namespace gateway::postgres
