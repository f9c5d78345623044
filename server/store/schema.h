// These functions open connections to the file jobs.db and bring its tables up to date.
//
// `PRAGMA user_version` is the schema's version, `PRAGMA application_id` marks the file as ours.
// A file of a newer schema is refused: going back a version needs the backup made before.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "SQLiteCpp/Database.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace gateway::store {

// One step of the schema. Steps are only ever added: a released one never changes.
struct Migration {
  int version;  // 1, 2, 3 …
  const char* sql;
};

// All steps, in order.
const std::vector<Migration>& Migrations();

// Brings the file up to the last of `migrations`, each step in a transaction of its own.
// FAILED_PRECONDITION for a newer file and for an SQLite file that is not a job store.
// Throws SQLite::Exception.
absl::Status Migrate(SQLite::Database& db, const std::vector<Migration>& migrations);

// Opens for writing, creates and migrates. `max_pages` bounds the file (0: SQLite's own bound).
absl::StatusOr<std::unique_ptr<SQLite::Database>> OpenForWriting(const std::string& path,
                                                                 bool sandbox,
                                                                 std::int64_t max_pages);

// Opens an existing store for reading; the connection caches `cache_kib` of what it has read.
absl::StatusOr<std::unique_ptr<SQLite::Database>> OpenForReading(const std::string& path,
                                                                 int cache_kib = 2 * 1024);

// Writes the number of the next two epochs, that of its opening and that of Recover, into the file:
// into its schema cookie, which differs in a copy that SQLite makes. The number is in jobs.db
// itself, and on the disk, before the first of these epochs begins. A gateway that finds an epoch
// there without its number takes the file for a copy, and a power cut may keep any of the pages
// that are moved from the log into jobs.db. Throws SQLite::Exception.
void NumberEpochs(SQLite::Database& db);

// Begins a new epoch, which is a commit, and so the beginning of a log if there was none. Throws
// SQLite::Exception.
std::int64_t BeginEpoch(SQLite::Database& db);

// Goes on with a later epoch, that of a store which is copied into this one, and the number of the
// next. For a transaction. Throws SQLite::Exception.
void RaiseEpoch(SQLite::Database& db, std::int64_t epoch);

// FileTime is what jobs.db alone, without its log, tells of its time.
struct FileTime {
  std::int64_t epoch = 0;
  bool copied = false;  // by SQLite since that epoch began: a backup
};
// Reads the time of jobs.db; none if that cannot be read. Not to be called while this process has
// the file open.
std::optional<FileTime> TimeWithoutLog(const std::string& path);

}  // namespace gateway::store
