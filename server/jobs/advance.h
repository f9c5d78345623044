// What a poll's answer makes of a job: a pure function from (record, reply, now) to the next record.
//
// State never moves back and a final state stays. A reply that says nothing about the job changes
// nothing. Time alone can change a job too: it becomes stale, and in the end EXPIRED.
#pragma once

#include "base/clock.h"
#include "jobs/job.h"
#include "pictory/job_reply.h"

namespace gateway::jobs {

struct Advanced {
  JobRecord record;
  bool visible = false;  // what callers see has changed; the revision has risen
  bool store = false;    // the record must be written, even if callers see no change
  bool contradiction = false;  // a final job was told another end: worth a metric, nothing else
};

Advanced Advance(const JobRecord& record, const pictory::JobReply& reply, WallTime now);

}  // namespace gateway::jobs
