// JobWrites is what the writes of a store do to the file: the statements, without threads and
// transactions.
//
// It is for one thread. Every call runs inside a savepoint of the caller, who rolls it back if the
// call returns an error or throws SQLite::Exception (a conflict of unique keys, or a failing file).
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "SQLiteCpp/Database.h"
#include "SQLiteCpp/Statement.h"
#include "base/limits.h"
#include "jobs/store.h"

namespace gateway::store {

class JobWrites {
 public:
  // `db` must outlive this.
  explicit JobWrites(SQLite::Database& db, std::int64_t tombstones_max = limits::kTombstonesMax);

  absl::StatusOr<jobs::BeginResult> Begin(jobs::JobRecord record);
  absl::Status Update(const jobs::JobRecord& record,
                      const std::vector<pictory::JobResult::Part>& parts);
  // Writes the slices [first, last) of a part of a job that has record.version; writing the first
  // one removes what was there of the part.
  absl::Status PutSlices(const jobs::JobRecord& record, const pictory::JobResult::Part& part,
                         std::size_t first, std::size_t last);
  void Adopt(const jobs::JobRecord& record);
  absl::StatusOr<std::string> TakeOver(const jobs::JobRecord& record, std::int64_t adopted_version);
  bool Claim(const jobs::OwedAnswers::Claim& claim);
  void EndEpoch(const std::vector<jobs::OwedJob>& owed);
  absl::Status Delete(const jobs::JobRecord& record);
  std::vector<jobs::JobKey> Prune(const jobs::PruneQuery& query);
  void NoteAsked(const std::string& account, const jobs::Asked& asked);
  jobs::Recovered Recover(WallTime now);

 private:
  jobs::AskedOfAccounts ReadAsked();
  std::vector<jobs::Unfinished> CountUnfinished();
  using Labels = std::map<std::string, std::string>;
  struct Row {
    std::int64_t id = 0;
    Labels labels;
  };
  // A row that is about to go.
  struct Old {
    std::int64_t id = 0;
    jobs::JobKey key;
    Labels labels;
    std::int32_t shard = 0;
  };

  // The row to be changed, if it has record.version. NOT_FOUND, or ABORTED.
  absl::StatusOr<Row> RowToChange(const jobs::JobRecord& record);
  void EndInterrupted(WallTime now);
  std::vector<jobs::OwedJob> Owed(WallTime now);
  void Owe(const std::vector<jobs::OwedJob>& owed, std::int64_t epoch);
  void Insert(const jobs::JobRecord& record);
  void Replace(std::int64_t row, const jobs::JobRecord& record, const Labels& old_labels);
  // Reads an Old from a row of five columns: id, tenant, job_id, labels and shard.
  static Old ReadOld(SQLite::Statement& row);
  // Makes the adopted job's id, and all names that led to it, other names of the job.
  void Rename(const std::string& tenant, const std::string& adopted, const std::string& job_id);
  // Removes the row and all that belongs to it. Returns how many slices of parts there were, and
  // adds the job's other names.
  int Remove(const Old& old, std::vector<jobs::JobKey>* aliases_removed = nullptr);
  void ForgetTombstones();
  void InsertLabels(const jobs::Job& job);
  // Returns how many slices of parts there were.
  int RemoveParts(const std::string& tenant, const std::string& job_id);
  void RemoveLabels(const std::string& tenant, const std::string& job_id, const Labels& labels);
  void PutPart(const std::string& tenant, const std::string& job_id,
               const pictory::JobResult::Part& part, std::size_t first, std::size_t last);

  SQLite::Database& db_;
  const std::int64_t tombstones_max_;
  // The number of the last change; numbers are missing where a write was rolled back. There is one
  // writer, so it is kept here.
  std::int64_t change_;
  SQLite::Statement find_request_;
  SQLite::Statement find_;
  SQLite::Statement insert_;
  SQLite::Statement replace_;
  SQLite::Statement insert_label_;
  SQLite::Statement remove_label_;
  SQLite::Statement put_slice_;
  SQLite::Statement remove_part_;
  SQLite::Statement remove_parts_;
  SQLite::Statement remove_aliases_;
  SQLite::Statement remove_job_;
  SQLite::Statement put_tombstone_;
  SQLite::Statement claim_;
  SQLite::Statement prunable_;
};

}  // namespace gateway::store
