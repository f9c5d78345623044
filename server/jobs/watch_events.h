// These functions make the messages of WatchJobs, as bytes of a WatchJobsResponse without its
// token. ResumeTokenField is to be appended, by the rules of the wire format.
#pragma once

#include <string>
#include <string_view>

#include "jobs/estimates.h"
#include "jobs/snapshot.h"

namespace gateway::jobs {

// `estimates` may be null.
std::string JobEvent(const SnapshotPtr& job, bool degraded, Estimates* estimates = nullptr);
// A job that does not fit any more.
std::string LeftEvent(const SnapshotPtr& job, bool degraded, Estimates* estimates = nullptr);
std::string GoneEvent(std::string_view job_id);
std::string ListStartedEvent(bool restarted);
std::string ListCompletedEvent();
std::string JobsHeartbeatEvent(bool degraded, bool store_away);
std::string ResumeTokenField(std::string_view token);

}  // namespace gateway::jobs
