#include "jobs/waiting_request.h"

#include <gtest/gtest.h>

#include "base/errors.h"

namespace gateway::jobs {
namespace {

TEST(WhyNeverSent, IsSaidOfJobsThatEndedWithoutAResultOrAreGone) {
  struct Case {
    const char* what;
    absl::StatusOr<JobState> other;
    const char* code;  // "": it may be sent
    const char* words;
  };
  const Case cases[] = {
      {"queued", v1::JOB_STATE_QUEUED, "", ""},
      {"waits itself", v1::JOB_STATE_WAITING, "", ""},
      {"unconfirmed", v1::JOB_STATE_UNCONFIRMED, "", ""},
      {"succeeded", v1::JOB_STATE_SUCCEEDED, "", ""},
      {"failed", v1::JOB_STATE_FAILED, "REFERENCED_JOB_FAILED",
       "preview_job_id j1 has ended as FAILED: X: no voice"},
      {"cleaned", v1::JOB_STATE_CLEANED, "REFERENCED_JOB_CLEANED",
       "preview_job_id j1 has ended as CLEANED"},
      {"cancelled", v1::JOB_STATE_CANCELLED, "REFERENCED_JOB_CANCELLED",
       "preview_job_id j1 has ended as CANCELLED"},
      {"deleted", errors::JobNotFound("j1"), "REFERENCED_JOB_DELETED",
       "preview_job_id j1 was deleted while this job was waiting for it"},
      {"cannot be read now", errors::TooMany("reads", 1, std::chrono::seconds(1)), "", ""}};
  const pictory::Reference reference{.field = "preview_job_id", .job_id = "j1"};
  for (const Case& c : cases) {
    absl::StatusOr<SnapshotPtr> other = absl::UnknownError("");
    if (!c.other.ok()) {
      other = c.other.status();
    } else {
      Job job;
      job.tenant = "default";
      job.job_id = "j1";
      job.state = *c.other;
      if (job.state == v1::JOB_STATE_FAILED) {
        job.error_code = "X";
        job.error_message = "no voice";
      }
      other = MakeSnapshot(job);
    }
    const std::optional<WhyNever> why = WhyNeverSent(reference, other);
    EXPECT_EQ(why.value_or(WhyNever{}).code, c.code) << c.what;
    EXPECT_EQ(why.value_or(WhyNever{}).words, c.words) << c.what;
  }
}

}  // namespace
}  // namespace gateway::jobs
