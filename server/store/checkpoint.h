// Folding the write-ahead log into jobs.db, when this process says so and not otherwise.
//
// SQLite's own ways are off: it would fold at each close, and remove the log by its name, whosever
// file that is by then.
#pragma once

#include "SQLiteCpp/Database.h"
#include "store/store_files.h"

namespace gateway::store {

// For every connection that may write, before anything else is done with it.
void NeverFoldOnClose(SQLite::Database& db);

// From now on a commit that leaves a long log folds it, unless jobs.db was written to by somebody
// else. `files` must outlive `db`.
void FoldLongLogs(SQLite::Database& db, StoreFiles& files);

// Folds what it can; whether that is all, so that jobs.db is complete without its log. Throws
// SQLite::Exception.
bool FoldLog(SQLite::Database& db);

// The same, and empties the log.
bool FoldLogWhole(SQLite::Database& db);

// The last commit is folded: the close may remove the log.
void RemoveLogOnClose(SQLite::Database& db);

}  // namespace gateway::store
