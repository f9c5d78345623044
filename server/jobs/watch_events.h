// These functions make the messages of WatchJobs, as bytes of a WatchJobsResponse without its
// token. ResumeTokenField is to be appended, by the rules of the wire format.
#pragma once

#include <string>
#include <string_view>

#include "jobs/snapshot.h"

namespace gateway::jobs {

std::string JobEvent(const SnapshotPtr& job, bool degraded);
// A job that does not fit any more.
std::string LeftEvent(const SnapshotPtr& job, bool degraded);
std::string GoneEvent(std::string_view job_id);
std::string ListStartedEvent(bool restarted);
std::string ListCompletedEvent();
std::string JobsHeartbeatEvent(bool degraded, bool store_away);
std::string ResumeTokenField(std::string_view token);

}  // namespace gateway::jobs
