#include "jobs/watch_events.h"

#include "pictory/jobs/v1/pictory_jobs.pb.h"

namespace gateway::jobs {

static_assert(int{v1::WatchJobsResponse::kJobFieldNumber} == v1::GetJobResponse::kJobFieldNumber,
              "the frame of a job is that of any response");

std::string JobEvent(const SnapshotPtr& job, bool degraded, Estimates* estimates) {
  return *FrameOf(estimates, job, degraded);
}

std::string LeftEvent(const SnapshotPtr& job, bool degraded, Estimates* estimates) {
  v1::WatchJobsResponse event;
  *event.mutable_left() = ToProto(*job);
  event.mutable_left()->set_upstream_degraded(degraded);
  if (estimates != nullptr) {
    if (auto estimate = estimates->Of(*job, degraded)) {
      *event.mutable_left()->mutable_estimate() = *std::move(estimate);
    }
  }
  return event.SerializeAsString();
}

std::string GoneEvent(std::string_view job_id) {
  v1::WatchJobsResponse event;
  event.set_gone_job_id(std::string(job_id));
  return event.SerializeAsString();
}

std::string ListStartedEvent(bool restarted) {
  v1::WatchJobsResponse event;
  event.mutable_list_started()->set_restarted(restarted);
  return event.SerializeAsString();
}

std::string ListCompletedEvent() {
  v1::WatchJobsResponse event;
  event.mutable_list_completed();
  return event.SerializeAsString();
}

std::string JobsHeartbeatEvent(bool degraded, bool store_away) {
  v1::WatchJobsResponse event;
  event.mutable_heartbeat()->set_upstream_degraded(degraded);
  event.mutable_heartbeat()->set_store_away(store_away);
  return event.SerializeAsString();
}

std::string ResumeTokenField(std::string_view token) {
  v1::WatchJobsResponse event;
  event.set_resume_token(std::string(token));
  return event.SerializeAsString();
}

}  // namespace gateway::jobs
