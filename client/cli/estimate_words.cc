#include "estimate_words.h"

#include <chrono>

#include "absl/strings/str_cat.h"
#include "words.h"

namespace pictory_jobs::cli {
namespace {

absl::Time PointOf(const google::protobuf::Timestamp& time) {
  return absl::FromUnixSeconds(time.seconds()) + absl::Nanoseconds(time.nanos());
}

std::string TimeUntil(const google::protobuf::Timestamp& time, absl::Time now) {
  return Elapsed(std::chrono::seconds(absl::ToInt64Seconds(PointOf(time) - now)));
}

bool HasEstimate(const Job& job) { return job.has_estimate() && !IsFinal(job.state()); }

bool IsStalled(const Job& job, absl::Time now) {
  const v1::JobEstimate& estimate = job.estimate();
  if (!HasEstimate(job) || job.upstream_degraded()) return false;
  return estimate.stalled() || (estimate.has_stall_time() && now >= PointOf(estimate.stall_time()));
}

}  // namespace

std::string EstimateWords(const Job& job, absl::Time now) {
  if (!HasEstimate(job)) return "";
  if (IsStalled(job, now)) return "stalled?";
  const v1::JobEstimate& estimate = job.estimate();
  if (!estimate.has_likely_finish_time()) return "late?";
  if (now < PointOf(estimate.likely_finish_time())) {
    return absl::StrCat("~", TimeUntil(estimate.likely_finish_time(), now), " left");
  }
  return now < PointOf(estimate.late_finish_time()) ? "soon?" : "late?";
}

std::string EstimateSentence(const Job& job, absl::Time now) {
  if (!HasEstimate(job)) return "";
  const v1::JobEstimate& estimate = job.estimate();
  if (!estimate.has_likely_finish_time()) return "takes longer than past jobs of this kind";
  return absl::StrCat("done in about ", TimeUntil(estimate.likely_finish_time(), now),
                      ", mostly within ", TimeUntil(estimate.late_finish_time(), now), " (as ",
                      estimate.past_jobs(), " past jobs of this kind)");
}

std::string StallNote(const Job& job, absl::Time now) {
  if (!IsStalled(job, now)) return "";
  return "seems to stand still: longer at work than nearly all past jobs, and nothing is new; this "
         "is an estimate, and it may end well";
}

}  // namespace pictory_jobs::cli
