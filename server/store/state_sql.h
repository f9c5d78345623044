// The numbers of states in SQL, taken from their enums.
//
// SQLite uses an index of only some rows where a query has the very condition of the index: what
// is named after an index here says what that index says, in its words (schema.cc).
#pragma once

#include <string>

#include "jobs/job.h"

namespace gateway::store {

template <class Enum>
std::string Sql(Enum value) {
  return std::to_string(static_cast<int>(value));
}

// `submission IN (2, 3)`: those states that are wanted.
std::string SubmissionIn(bool (*wanted)(jobs::SubmissionState));

// jobs_unfinished
std::string IsUnfinishedSql();
// jobs_in_flight
std::string IsInFlightSql();
// jobs_spent
std::string IsSpentSql();
// jobs_unsettled
std::string IsUnsettledSql();
// jobs_unseen
std::string IsUnseenSql();

}  // namespace gateway::store
