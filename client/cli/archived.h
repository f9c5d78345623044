// These functions bring a file from the gateway's archive, where a Download would go to its URL.
#pragma once

#include "absl/status/status.h"
#include "pictory_jobs/client.h"
#include "pictory_jobs/download.h"

namespace pictory_jobs::cli {

// The file of the archive that this name asks for, or the job's mp4 or picture; null if the archive
// does not have it, or not yet.
const v1::ArchivedFile* FindArchived(const Job& job, const std::string& name);

// As FetchFile and StreamFile; `download` needs no URL. A file is compared with its SHA-256, before
// it gets its name if it gets one: DATA_LOSS if it is another. Besides those of a Download there
// are the errors of ReadArchivedFile.
absl::Status FetchArchived(const Client& client, const CallOptions& call, const Job& job,
                           const v1::ArchivedFile& file, const Download& download);
absl::Status StreamArchived(const Client& client, const CallOptions& call, const Job& job,
                            const v1::ArchivedFile& file, const Download& download);

}  // namespace pictory_jobs::cli
