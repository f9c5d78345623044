// These functions say which files of a job's result are archived, and what a record tells of them.
// Pure.
//
// A plan is made once, in the write by which the job becomes SUCCEEDED (jobs/ledger.h), so that no
// crash loses it. What becomes of its files is written later, and changes nothing else of the job.
#pragma once

#include <string>
#include <vector>

#include "jobs/job.h"
#include "jobs/job_key.h"

namespace gateway::jobs {

// The archive of a job; without files if nothing of the job is archived.
v1::Archive ArchiveOf(const Job& job);
void SetArchive(const v1::Archive& archive, Job& job);

// Plans the files of a result: one, PENDING, for each URL in it whose field says how the file is
// called (`archived_as`). Does nothing if the job has not SUCCEEDED, has no such URL, or has an
// archive already.
void PlanArchive(Job& job);

// Has `job` go on with the archive of `adopted`, which it takes over: what is kept stays kept, and
// stands under the other's name until it is brought under this one's. A result that was read anew,
// as one of another kind, has another plan, and what is kept becomes part of it.
void TakeOverArchive(const Job& adopted, Job& job);

// The names under which files of a job may stand: its own first, then those that it has taken over.
std::vector<JobKey> PlacesOf(const std::string& tenant, const std::string& job_id,
                             const v1::Archive& archive);

// The URL of a planned file; empty if the result has none.
std::string UrlOf(const Job& job, const v1::ArchivedFile& file);

// Whether something is still to be done for the record: files of a job that callers see are to be
// fetched, or brought under its name; or those of a job that was deleted are to be removed.
bool IsArchiving(const JobRecord& record);

// The file that a caller asks for by its name, or the mp4 or picture by none; null if there is
// none.
const v1::ArchivedFile* FindFile(const v1::Archive& archive, const std::string& name);

}  // namespace gateway::jobs
