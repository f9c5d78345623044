// What is said of a job's estimate.
#include "estimate_words.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>

#include "progress.h"

namespace pictory_jobs::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr std::int64_t kPresent = 1'700'000'000;

struct WordsCase {
  const char* what;
  JobState state;
  std::optional<int> likely;  // seconds from now
  std::optional<int> late;
  std::optional<int> stall;
  bool degraded;
  const char* words;
};

Job JobWith(const WordsCase& one) {
  Job job;
  job.set_state(one.state);
  job.set_kind(v1::JOB_KIND_RENDER);
  job.mutable_create_time()->set_seconds(kPresent - 65);
  job.set_upstream_degraded(one.degraded);
  if (one.likely)
    job.mutable_estimate()->mutable_likely_finish_time()->set_seconds(kPresent + *one.likely);
  if (one.late)
    job.mutable_estimate()->mutable_late_finish_time()->set_seconds(kPresent + *one.late);
  if (one.stall) job.mutable_estimate()->mutable_stall_time()->set_seconds(kPresent + *one.stall);
  if (one.likely) job.mutable_estimate()->set_past_jobs(34);
  return job;
}

TEST(EstimateWords, SayHowLongAJobMayTake) {
  constexpr auto kRunning = v1::JOB_STATE_RUNNING;
  const WordsCase cases[] = {
      {"no estimate", kRunning, {}, {}, {}, false, ""},
      {"at work", kRunning, 125, 300, 900, false, "~2m05s left"},
      {"queued", v1::JOB_STATE_QUEUED, 5, 300, {}, false, "~5s left"},
      {"over the likely time", kRunning, -1, 300, 900, false, "soon?"},
      {"over the late time", kRunning, -100, -1, 900, false, "late?"},
      {"longer than all past jobs", kRunning, {}, {}, 900, false, "late?"},
      {"stands still", kRunning, -100, -50, -1, false, "stalled?"},
      {"cannot be seen", kRunning, 10, 20, -1, true, "~10s left"},
      {"ended", v1::JOB_STATE_SUCCEEDED, 125, 300, -1, false, ""},
  };
  for (const WordsCase& one : cases) {
    const absl::Time now = absl::FromUnixSeconds(kPresent);
    const Job job = JobWith(one);
    EXPECT_EQ(EstimateWords(job, now), one.words) << one.what;
    EXPECT_EQ(EstimateSentence(job, now).empty(), std::string(one.words).empty()) << one.what;
    EXPECT_EQ(StallNote(job, now).empty(), std::string(one.words) != "stalled?") << one.what;
    EXPECT_THAT(ProgressLine(job, now, 200), HasSubstr(one.words)) << one.what;
  }
}

TEST(EstimateWords, TheGatewaysOwnFlagCountsWhateverTheClockSays) {
  Job job = JobWith({"", v1::JOB_STATE_RUNNING, {}, {}, 3600, false, ""});
  job.mutable_estimate()->set_stalled(true);
  EXPECT_EQ(EstimateWords(job, absl::FromUnixSeconds(kPresent)), "stalled?");
}

TEST(EstimateWords, ASentenceSaysWhereItIsFrom) {
  const Job job = JobWith({"", v1::JOB_STATE_RUNNING, 125, 300, {}, false, ""});
  EXPECT_EQ(EstimateSentence(job, absl::FromUnixSeconds(kPresent)),
            "done in about 2m05s, mostly within 5m00s (as 34 past jobs of this kind)");
}

TEST(EstimateWords, GiveWayBeforeTheState) {
  const Job job = JobWith({"", v1::JOB_STATE_RUNNING, 125, 300, {}, false, ""});
  EXPECT_EQ(ProgressLine(job, absl::FromUnixSeconds(kPresent), 10), "RUNNING");
}

}  // namespace
}  // namespace pictory_jobs::cli
