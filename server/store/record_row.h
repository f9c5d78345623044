// One JobRecord as one row of the table jobs: which columns, in which order, and their values.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "SQLiteCpp/Statement.h"
#include "jobs/job.h"

namespace gateway::store {

// All columns but the rowid, `claims` and `change`, comma-separated, `delivery` last, and as many
// question marks.
extern const char kRecordColumns[];
extern const char kRecordValues[];
inline constexpr int kRecordColumnCount = 42;

// The number of the last change (jobs.change, tombstones.change), whatever became of what changed.
extern const char kLastChangeSql[];

// Binds parameters 1 … kRecordColumnCount. Nothing is copied: `record` must outlive the execution,
// and `labels` is EncodeLabels of its labels. It becomes that version.
void BindRecord(SQLite::Statement& statement, const jobs::JobRecord& record,
                const std::string& labels, std::int64_t version);

// From a row whose columns `first` … are kRecordColumns.
jobs::JobRecord ReadRecord(SQLite::Statement& statement, int first);

// Serialised v1.Job that holds only the labels; empty for none.
std::string EncodeLabels(const std::map<std::string, std::string>& labels);
std::map<std::string, std::string> DecodeLabels(const std::string& bytes);

// Resets a cached statement when its use ends: an open one would hold on to an old snapshot of the
// file, and to memory that is gone.
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
