// These functions say what a submit without a request_id does about equal ones that other processes
// with the same store have begun. What this process has begun itself, OwedAnswers knows exactly; of
// another's submits there are only the records. Pure.
//
// Two processes may begin equal submits at the same moment, and neither sees the other's record.
// So each records its intent first and then looks: whoever is stored second sees the first. Of two
// that see each other the one with the later job_id gives way. The one with the earlier job_id does
// not know whether it was seen, so it waits until the other has given way, or goes on, and then it
// gives way itself. Nothing is sent before a look that has found no other, so of two that send both
// would have to be stored after the other's last look.
#pragma once

#include <vector>

#include "jobs/job.h"
#include "jobs/owed_answers.h"

namespace gateway::jobs {

// Whether an equal submit may be a repetition of the one that another process has recorded so: it
// is under way or waits, or it was sent and its answer is not known to have arrived. What has ended
// without being sent has cost nothing, and who asks for it anew wants it made.
bool MayBeRepeated(const JobRecord& record);

// The one of these records whose job an equal submit gets: the first of those that are further than
// an intent and have not ended, else the first that has ended, else the first. Null if there is
// none.
const JobRecord* FirstToRepeat(const std::vector<JobRecord>& found);

// As what a submit goes on that gets the job of this record.
OwedAnswers::Id AsRepeated(const JobRecord& record);

// What becomes of a recorded intent, with the equal submits that were found after it was stored.
struct Contest {
  enum class End {
    kGoOn,       // there is no other
    kLookAgain,  // the other may give way, or go on
    kGiveWay,    // to the other
  };
  End end = End::kGoOn;
  const JobRecord* other = nullptr;  // one of those found
};
Contest ContestOf(const JobRecord& intent, const std::vector<JobRecord>& found);

}  // namespace gateway::jobs
