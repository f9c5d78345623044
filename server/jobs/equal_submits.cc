#include "jobs/equal_submits.h"

#include <string_view>
#include <tuple>

namespace gateway::jobs {
namespace {

const JobRecord* First(const std::vector<JobRecord>& found, std::string_view but) {
  const JobRecord* first = nullptr;
  const auto place = [](const JobRecord& record) {
    return std::tuple(record.submission == SubmissionState::kIntent,
                      record.job.finish_time.has_value(), std::string_view(record.job.job_id));
  };
  for (const JobRecord& record : found) {
    if (record.job.job_id == but || !MayBeRepeated(record)) continue;
    if (first == nullptr || place(record) < place(*first)) first = &record;
  }
  return first;
}

}  // namespace

bool MayBeRepeated(const JobRecord& record) {
  if (IsInFlight(record.submission) || record.submission == SubmissionState::kWaiting) return true;
  const bool ended_unsent =
      record.submission == SubmissionState::kAccepted && record.sent_at == WallTime{};
  return CanBeOwed(record.submission) && !ended_unsent && record.delivery != Delivery::kArrived;
}

const JobRecord* FirstToRepeat(const std::vector<JobRecord>& found) { return First(found, ""); }

OwedAnswers::Id AsRepeated(const JobRecord& record) {
  const bool runs = IsInFlight(record.submission) || record.submission == SubmissionState::kWaiting;
  return runs ? OwedAnswers::Id::kRunsElsewhere : OwedAnswers::Id::kOwedElsewhere;
}

Contest ContestOf(const JobRecord& intent, const std::vector<JobRecord>& found) {
  const JobRecord* const other = First(found, intent.job.job_id);
  if (other == nullptr) return {};
  const bool undecided = other->submission == SubmissionState::kIntent;
  if (undecided && intent.job.job_id < other->job.job_id) {
    return {.end = Contest::End::kLookAgain, .other = other};
  }
  return {.end = Contest::End::kGiveWay, .other = other};
}

}  // namespace gateway::jobs
