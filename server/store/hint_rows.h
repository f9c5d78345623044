// The table of hints: which Pictory jobs submissions in doubt are said to be.
//
// For the writer's thread, inside its transactions. Calls throw SQLite::Exception if the file
// fails.
#pragma once

#include <string>
#include <vector>

#include "SQLiteCpp/Database.h"
#include "jobs/store.h"

namespace gateway::store {

// At most limits::kHintsMax of a job; what is there already changes nothing.
void InsertHints(SQLite::Database& db, const jobs::JobKey& job,
                 const std::vector<std::string>& pictory_job_ids);

// Those about jobs that are kUnknown, in the order they came; the others go.
std::vector<jobs::Hint> RecoverHints(SQLite::Database& db);

}  // namespace gateway::store
