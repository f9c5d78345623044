// Advance says what the answer to a poll makes of a job. It is a pure function from (record, reply,
// now) to the next record.
//
// The state never moves back, and a final state stays. A reply that says nothing about the job
// changes nothing. A reply that is not understood changes the job's message, and only if the new
// message differs from the one before. Time alone can change a job too, if Pictory could be asked:
// the job becomes stale, and in the end EXPIRED.
#pragma once

#include <vector>

#include "base/clock.h"
#include "jobs/asked.h"
#include "jobs/job.h"
#include "pictory/job_reply.h"

namespace gateway::jobs {

struct Advanced {
  JobRecord record;
  bool visible = false;        // what callers see has changed; the revision has risen
  bool store = false;          // the record must be written, even if callers see no change
  bool contradiction = false;  // a final job was told another end: worth a metric, nothing else
};

// `asked` counts this reply already, if the reply was an answer.
Advanced Advance(const JobRecord& record, const pictory::JobReply& reply, WallTime now,
                 const Asked& asked);

// Advances the job as if Pictory had answered all the time.
inline Advanced Advance(const JobRecord& record, const pictory::JobReply& reply, WallTime now) {
  return Advance(record, reply, now, {.answered = now, .since = {}});
}

// The parts of the reply's result that are stored with what the reply has made of a record: all of
// them once the job has ended, else none.
std::vector<pictory::JobResult::Part> PartsToStore(const JobRecord& advanced,
                                                   const pictory::JobReply& reply);

}  // namespace gateway::jobs
