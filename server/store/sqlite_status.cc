#include "store/sqlite_status.h"

#include <sqlite3.h>

#include <string_view>

#include "absl/strings/str_cat.h"

namespace gateway::store {
namespace {

// Exceptions that SQLiteCpp throws itself carry -1.
int PrimaryCode(const SQLite::Exception& error) { return error.getErrorCode() & 0xff; }

bool IsDamage(const SQLite::Exception& error) {
  return PrimaryCode(error) == SQLITE_NOTADB || PrimaryCode(error) == SQLITE_CORRUPT;
}

constexpr char kDamageWayOut[] =
    "restore it from a backup, or move it away to start an empty one, in both cases without its "
    "jobs.db-wal, jobs.db-shm and jobs.open (server/docs/operations.md, \"Backup\")";

}  // namespace

absl::Status OpenError(const SQLite::Exception& error, const std::string& path) {
  const std::string message =
      absl::StrCat("Cannot open the job store ", path, ": ", Describe(error));
  if (IsDamage(error)) return absl::DataLossError(message);
  switch (PrimaryCode(error)) {
    case SQLITE_PERM:
    case SQLITE_READONLY:
    case SQLITE_CANTOPEN:
      return absl::PermissionDeniedError(
          absl::StrCat(message, "; it must be a file this user can read and write"));
    case SQLITE_FULL:
      return absl::ResourceExhaustedError(absl::StrCat(message, "; free some space there"));
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return absl::UnavailableError(absl::StrCat(message, "; another program has it open"));
    default:
      return absl::InternalError(message);
  }
}

bool IsConflict(const SQLite::Exception& error) { return PrimaryCode(error) == SQLITE_CONSTRAINT; }

absl::Status Conflict(const SQLite::Exception& error) {
  const std::string_view text = error.what();
  if (text.find("pictory_job_id") != std::string_view::npos) {
    return absl::AlreadyExistsError("A job with this Pictory job id is known already");
  }
  if (text.find("request_id") != std::string_view::npos) {
    return absl::AlreadyExistsError("A job with this request id is known already");
  }
  return absl::AlreadyExistsError("A job with this id is known already");
}

std::string Describe(const SQLite::Exception& error) {
  return absl::StrCat(error.what(), " (SQLite ", error.getExtendedErrorCode(), ")",
                      IsDamage(error) ? "; jobs.db is damaged: " : "",
                      IsDamage(error) ? kDamageWayOut : "");
}

}  // namespace gateway::store
