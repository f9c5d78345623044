// These functions say what is told of a job to a receiver of its tenant's own, and how far that
// got. Pure.
//
// A notification is planned in the write by which the job comes to the state that it tells of
// (jobs/ledger.h), so that no crash loses it. What becomes of it is written later, and changes
// nothing else of the job. A job has at most one: that of a newer state takes the place of one
// before, delivered or not.
#pragma once

#include <string>

#include "jobs/job.h"

namespace gateway::jobs {

// The notification of a record as it stands there; of one that is not planned only the `url` that
// its submit has named, if any.
v1::Notification NotificationOf(const JobRecord& record);
void SetNotification(const v1::Notification& notification, JobRecord& record);

// Plans the notification of the record's state, unless it has been planned already. Without
// `has_room` it is given up at once, because too many wait. Returns whether it changed the record.
bool PlanNotification(JobRecord& record, bool has_room);

// PENDING or GIVEN_UP, if the record's job is one that callers see and has a notification in that
// state; else UNSPECIFIED.
v1::NotificationState NotifyingOf(const JobRecord& record);

// What the receiver knows a repetition by: the same for the same state of the same job, also where
// it is planned a second time.
std::string NotificationId(const std::string& job_id, JobState state);

// The notification as callers see it: named, and without the query of its URL, which may hold a
// secret.
v1::Notification ShownNotification(const JobRecord& record);

}  // namespace gateway::jobs
