#include "store/state_sql.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace gateway::store {
namespace {

using jobs::JobState;
using jobs::SubmissionState;
namespace v1 = jobs::v1;

constexpr SubmissionState kLastInFlight = SubmissionState::kSending;

// The conditions, which schema.cc has as they were then, stand for these sets of states.
constexpr bool IsInUnfinishedIndex(int state) { return state < 4 || state == 9; }
constexpr bool UnfinishedStatesAreIndexed() {
  for (int state = v1::JobState_MIN; state <= v1::JobState_MAX; ++state) {
    if (jobs::IsFinal(static_cast<JobState>(state)) == IsInUnfinishedIndex(state)) return false;
  }
  return true;
}
static_assert(UnfinishedStatesAreIndexed(), "jobs_unfinished is of other states");
static_assert(std::all_of(jobs::kSubmissionStates.begin(), jobs::kSubmissionStates.end(),
                          [](SubmissionState state) {
                            return jobs::IsInFlight(state) == (state <= kLastInFlight);
                          }),
              "jobs_in_flight would leave out attempts that a restart has to end");

constexpr bool IsInSpentIndex(SubmissionState state) {
  const int number = static_cast<int>(state);
  return number == 2 || number == 3 || (number >= 6 && number <= 8);
}
static_assert(std::all_of(jobs::kSubmissionStates.begin(), jobs::kSubmissionStates.end(),
                          [](SubmissionState state) {
                            return jobs::CountsAsSpent(state) == IsInSpentIndex(state);
                          }),
              "jobs_spent is of other states");

}  // namespace

std::string SubmissionIn(bool (*wanted)(SubmissionState)) {
  std::string numbers;
  for (const SubmissionState state : jobs::kSubmissionStates) {
    if (wanted(state)) absl::StrAppend(&numbers, numbers.empty() ? "" : ", ", Sql(state));
  }
  return absl::StrCat("submission IN (", numbers, ")");
}

std::string IsUnfinishedSql() {
  return absl::StrCat("visible = 1 AND (state < ", Sql(v1::JOB_STATE_SUCCEEDED),
                      " OR state = ", Sql(v1::JOB_STATE_WAITING), ")");
}

std::string IsInFlightSql() { return absl::StrCat("submission <= ", Sql(kLastInFlight)); }

std::string IsSpentSql() { return SubmissionIn(jobs::CountsAsSpent); }

std::string IsStillOwedSql() {
  return absl::StrCat("minted_request_id = 1 AND delivery <> ", Sql(jobs::Delivery::kArrived));
}

std::string IsUnseenSql() {
  return absl::StrCat("visible = 0 AND submission > ", Sql(kLastInFlight));
}

std::string NotifyingSql(jobs::v1::NotificationState state) {
  return absl::StrCat("jobs.notifying = ", static_cast<int>(state), " AND jobs.notifying > 0");
}

}  // namespace gateway::store
