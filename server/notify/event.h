// An event is the body of a notification: CloudEvents 1.0 in JSON, whole (its structured mode),
// whose data is the job as HTTP callers get it. Pure.
#pragma once

#include <string>
#include <string_view>

#include "jobs/job.h"

namespace gateway::notify {

inline constexpr char kEventMediaType[] = "application/cloudevents+json; charset=utf-8";

// What an event of this state is called: `pictory.jobs.v1.job.succeeded`.
std::string EventType(jobs::JobState state);

// The event of a record's notification. The job is shown as lists show it, without the texts of its
// result.
std::string EventBody(const jobs::JobRecord& record);

}  // namespace gateway::notify
