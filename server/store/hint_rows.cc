#include "store/hint_rows.h"

#include "SQLiteCpp/Statement.h"
#include "absl/strings/str_cat.h"
#include "base/limits.h"
#include "store/record_row.h"
#include "store/state_sql.h"

namespace gateway::store {

// The statements of this file are prepared each time, because unconfirmed jobs are rare.

void InsertHints(SQLite::Database& db, const jobs::JobKey& job,
                 const std::vector<std::string>& pictory_job_ids) {
  SQLite::Statement insert(
      db,
      "INSERT OR IGNORE INTO hints (tenant, job_id, pictory_job_id) SELECT ?1, ?2, ?3"
      " WHERE (SELECT count(*) FROM hints WHERE tenant = ?1 AND job_id = ?2) < ?4");
  for (const std::string& id : pictory_job_ids) {
    StatementUse use(insert);
    use->bindNoCopy(1, job.tenant);
    use->bindNoCopy(2, job.id);
    use->bindNoCopy(3, id);
    use->bind(4, static_cast<std::int64_t>(limits::kHintsMax));
    use->exec();
  }
}

std::vector<jobs::Hint> RecoverHints(SQLite::Database& db) {
  db.exec(absl::StrCat(
      "DELETE FROM hints WHERE NOT EXISTS (SELECT 1 FROM jobs WHERE jobs.tenant = hints.tenant"
      " AND jobs.job_id = hints.job_id AND submission = ",
      Sql(jobs::SubmissionState::kUnknown), ")"));
  SQLite::Statement find(db, "SELECT tenant, job_id, pictory_job_id FROM hints ORDER BY id");
  std::vector<jobs::Hint> hints;
  while (find.executeStep()) {
    hints.push_back({{find.getColumn(0).getString(), find.getColumn(1).getString()},
                     find.getColumn(2).getString()});
  }
  return hints;
}

}  // namespace gateway::store
