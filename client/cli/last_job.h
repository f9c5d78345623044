// The last job that this user has submitted at a server, for `@last`. It is kept in the folder of
// the XDG state (`$XDG_STATE_HOME/pictory`, else `~/.local/state/pictory`), one file for each
// server. A file is replaced as a whole, so that whoever submits at the same time leaves one of the
// ids and never a mixture.
#pragma once

#include <optional>
#include <string>

namespace pictory_jobs::cli {

// Remembers the job. A folder that cannot be written is no reason to fail: nothing is remembered
// then.
void RememberLastJob(const std::string& server, const std::string& job_id);

std::optional<std::string> LastJob(const std::string& server);

}  // namespace pictory_jobs::cli
