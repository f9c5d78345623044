// What Get Job answers. Pure.
#pragma once

#include <memory>
#include <string>

#include "http/server_message.h"
#include "sandbox/job.h"

namespace gateway::sandbox {

// `origin`: where this sandbox is reached, such as "http://127.0.0.1:8090"; every URL in a result
// begins with it.
std::string JobReply(const Job& job, const JobState& state, const std::string& origin);
// The reply instead that is too long to be made at once; nullptr if this one is not.
std::shared_ptr<http::BodySource> LongReply(const Job& job, const JobState& state);
// The same as one item of List Jobs, which carries the id inside `data`. Of a long transcript only
// the beginning.
std::string JobListItem(const Job& job, const JobState& state, const std::string& origin);

// The renderParams of a preview, with its edits.
std::unique_ptr<Json> RenderParams(const Job& preview, const std::string& origin);

}  // namespace gateway::sandbox
