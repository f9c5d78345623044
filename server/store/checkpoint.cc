#include "store/checkpoint.h"

#include <sqlite3.h>

#include "SQLiteCpp/Statement.h"
#include "base/limits.h"

namespace gateway::store {
namespace {

// Does as SQLite's default hook: an error costs nothing but a longer log.
int OnCommit(void* files, sqlite3* db, const char* name, int pages) {
  if (pages < limits::kLogLongPages) return SQLITE_OK;
  auto& held = *static_cast<StoreFiles*>(files);
  if (!held.DatabaseIsUntouched()) return SQLITE_OK;  // the writer finds that, too
  sqlite3_wal_checkpoint_v2(db, name, SQLITE_CHECKPOINT_PASSIVE, nullptr, nullptr);
  held.NoteCheckpoint();
  return SQLITE_OK;
}

bool Fold(SQLite::Database& db, const char* pragma) {
  SQLite::Statement fold(db, pragma);
  if (!fold.executeStep()) return false;
  const bool busy = fold.getColumn(0).getInt() != 0;
  return !busy && fold.getColumn(1).getInt() == fold.getColumn(2).getInt();
}

}  // namespace

void NeverFoldOnClose(SQLite::Database& db) {
  sqlite3_db_config(db.getHandle(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
}

void FoldLongLogs(SQLite::Database& db, StoreFiles& files) {
  sqlite3_wal_hook(db.getHandle(), OnCommit, &files);
}

bool FoldLog(SQLite::Database& db) { return Fold(db, "PRAGMA wal_checkpoint(FULL)"); }

bool FoldLogWhole(SQLite::Database& db) { return Fold(db, "PRAGMA wal_checkpoint(TRUNCATE)"); }

void RemoveLogOnClose(SQLite::Database& db) {
  sqlite3_db_config(db.getHandle(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0, nullptr);
}

}  // namespace gateway::store
