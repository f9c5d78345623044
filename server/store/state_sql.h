// These functions put the numbers of states into SQL, taken from their enums.
//
// SQLite uses an index of only some rows where a query has the very condition of the index. Each
// function that names an index here gives that index's condition, in the words of schema.cc.
#pragma once

#include <string>

#include "jobs/job.h"

namespace gateway::store {

template <class Enum>
std::string Sql(Enum value) {
  return std::to_string(static_cast<int>(value));
}

// The condition that the submission is in one of the wanted states: `submission IN (2, 3)`.
std::string SubmissionIn(bool (*wanted)(jobs::SubmissionState));

// jobs_unfinished
std::string IsUnfinishedSql();
// jobs_in_flight
std::string IsInFlightSql();
// jobs_spent
std::string IsSpentSql();
// jobs_unsettled
std::string IsStillOwedSql();
// jobs_notifying
std::string NotifyingSql(jobs::v1::NotificationState state);
// jobs_unseen
std::string IsUnseenSql();

}  // namespace gateway::store
