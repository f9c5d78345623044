// These functions read and write the file jobs.db for a copy (store/copyable.h), row by row as it
// is. Those that write are for the writer's thread, inside its transactions. They throw
// SQLite::Exception.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "SQLiteCpp/Database.h"
#include "store/copyable.h"

namespace gateway::store {

std::optional<CopyMark> ReadCopyMark(SQLite::Database& db);
void WriteCopyMark(SQLite::Database& db, const std::optional<CopyMark>& mark);
// Notes that a gateway uses the store, if that is a copy.
void NoteCopyUsed(SQLite::Database& db);

std::string ReadStoreId(SQLite::Database& db);
CopyCounts CountRows(SQLite::Database& db);
CopiedRest ReadCopiedRest(SQLite::Database& db);
std::vector<CopiedJob> ReadCopiedJobs(SQLite::Database& db, const jobs::JobKey& after);
std::vector<CopiedSlice> ReadCopiedSlices(SQLite::Database& db, const jobs::JobKey& job, int part,
                                          std::int64_t after_slice);
std::vector<jobs::JobKey> FindCopiedSlices(SQLite::Database& db, const jobs::JobKey& after,
                                           const jobs::JobKey& last);

void ClearRows(SQLite::Database& db, const std::optional<CopyMark>& mark);
void WriteCopiedSlices(SQLite::Database& db, const std::vector<CopiedSlice>& slices);
void WriteCopiedJobs(SQLite::Database& db, const std::vector<CopiedJob>& jobs);
void WriteCopiedRest(SQLite::Database& db, const CopiedRest& rest);

}  // namespace gateway::store
