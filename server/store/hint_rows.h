// These functions write and read the table of hints, which says which Pictory jobs unconfirmed jobs
// may be.
//
// They are for the writer's thread, inside its transactions, and throw SQLite::Exception if the
// file fails.
#pragma once

#include <string>
#include <vector>

#include "SQLiteCpp/Database.h"
#include "jobs/store.h"

namespace gateway::store {

// Adds hints, at most limits::kHintsMax for a job; a hint that is there already changes nothing.
void InsertHints(SQLite::Database& db, const jobs::JobKey& job,
                 const std::vector<std::string>& pictory_job_ids);

// Gives back the hints about jobs that are kUnknown, in the order they came, and deletes the
// others.
std::vector<jobs::Hint> RecoverHints(SQLite::Database& db);

}  // namespace gateway::store
