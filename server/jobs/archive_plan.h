// These functions say which files of a job's result are archived, and what a record tells of them.
// Pure.
//
// A plan is made once, in the write by which the job becomes SUCCEEDED (jobs/ledger.h), so that no
// crash loses it. What becomes of its files is written later, and changes nothing else of the job.
#pragma once

#include <string>
#include <vector>

#include "jobs/job.h"

namespace gateway::jobs {

// The archive of a job; without files if nothing of the job is archived.
v1::Archive ArchiveOf(const Job& job);
void SetArchive(const v1::Archive& archive, Job& job);

// Plans the files of a result: one, PENDING, for each URL in it whose field says how the file is
// called (`archived_as`). Does nothing if the job has not SUCCEEDED, has no such URL, or has an
// archive already.
void PlanArchive(Job& job);

// The URL of a planned file; empty if the result has none.
std::string UrlOf(const Job& job, const v1::ArchivedFile& file);

// Whether callers see the job, and files of it are still to be fetched.
bool IsArchiving(const JobRecord& record);

// The file that a caller asks for by its name, or the mp4 or picture by none; null if there is
// none.
const v1::ArchivedFile* FindFile(const v1::Archive& archive, const std::string& name);

}  // namespace gateway::jobs
