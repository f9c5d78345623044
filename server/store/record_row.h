// These functions turn a JobRecord into a row of the table jobs and back: which columns, in which
// order, and their values.
#pragma once

#include <cstdint>
#include <string>

#include "SQLiteCpp/Statement.h"
#include "jobs/job.h"

namespace gateway::store {

// All columns but the rowid, `claims` and `change`, separated by commas and with `delivery` last;
// and as many question marks.
extern const char kRecordColumns[];
extern const char kRecordValues[];
inline constexpr int kRecordColumnCount = 49;

// A query for the number of the last change (jobs.change, tombstones.change), whatever became of
// the job that changed.
extern const char kLastChangeSql[];

// Binds parameters 1 … kRecordColumnCount, with `version` as the record's version. Nothing is
// copied: `record` must outlive the execution, and so must `labels`, which is EncodeGiven of its
// job.
void BindRecord(SQLite::Statement& statement, const jobs::JobRecord& record,
                const std::string& labels, std::int64_t version);

// Reads a record from a row whose columns from `first` on are kRecordColumns.
jobs::JobRecord ReadRecord(SQLite::Statement& statement, int first);

// StatementUse resets a cached statement when its use ends. A statement that is not reset would
// hold on to an old snapshot of the file, and to memory that is gone.
class StatementUse {
 public:
  explicit StatementUse(SQLite::Statement& statement) : statement_(statement) {}
  ~StatementUse() {
    statement_.tryReset();
    statement_.clearBindings();
  }
  StatementUse(const StatementUse&) = delete;
  StatementUse& operator=(const StatementUse&) = delete;
  SQLite::Statement* operator->() const { return &statement_; }
  SQLite::Statement& operator*() const { return statement_; }

 private:
  SQLite::Statement& statement_;
};

}  // namespace gateway::store
