// These functions fold the write-ahead log into jobs.db when this process says so, and at no other
// time.
//
// SQLite's own ways of folding are off: it would fold at each close, and remove the log by its
// name, whosever file that is by then.
#pragma once

#include "SQLiteCpp/Database.h"
#include "store/store_files.h"

namespace gateway::store {

// Switches off folding at close. To be called for every connection that may write, before anything
// else is done with it.
void NeverFoldOnClose(SQLite::Database& db);

// From now on a commit that leaves a long log folds it, unless jobs.db was written to by somebody
// else. `files` must outlive `db`.
void FoldLongLogs(SQLite::Database& db, StoreFiles& files);

// Folds as much as it can. Returns whether that is all, so that jobs.db is complete without its
// log. Throws SQLite::Exception.
bool FoldLog(SQLite::Database& db);

// Does as FoldLog, and empties the log.
bool FoldLogWhole(SQLite::Database& db);

// Lets the close remove the log. To be called once the last commit is folded.
void RemoveLogOnClose(SQLite::Database& db);

}  // namespace gateway::store
