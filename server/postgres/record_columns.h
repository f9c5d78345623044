// These functions say how a JobRecord stands in the table pictory.jobs: in which columns, of which
// types, with which values. All texts are bytea: they come from strangers, may hold any byte, and
// are compared byte by byte.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "jobs/job.h"
#include "postgres/statement.h"

namespace gateway::postgres {

// The column `part` of a row of pictory.parts is a v1.ResultPart; or, of a part that stands aside
// and is no job's yet, that and its number times this.
inline constexpr int kPartAside = 16;

// The columns of a record, for SELECT; ReadRecord reads them from `first` on.
const std::string& RecordColumns();
int RecordColumnCount();
jobs::JobRecord ReadRecord(const Rows& rows, int row, int first = 0);

// RecordArrays is many records, a column an array. With the record's own columns it has those that
// only queries need (schema.cc).
class RecordArrays {
 public:
  RecordArrays();
  // `version`: the one that the row gets.
  void Add(const jobs::JobRecord& record, std::int64_t version);
  // Adds the arrays as the next parameters.
  void AddTo(Statement& statement) const;

  // Their columns, separated by commas, and `unnest($1::bytea[], …) AS v (…)`.
  static const std::string& Columns();
  static const std::string& Unnest();
  // `kind = v.kind, …`: all but the key and `delivery`.
  static const std::string& Assignments();

 private:
  std::vector<Array> arrays_;
};

}  // namespace gateway::postgres
