// These functions make the calls for the projects of an account, and read their answers. Pure.
#pragma once

#include <string_view>

#include "absl/status/statusor.h"
#include "pictory/free_call.h"
#include "pictory/jobs/v1/project.pb.h"

namespace gateway::pictory {

// One page; `page_token` is empty for the first one.
FreeCall ListProjectsCall(std::string_view page_token);
// UNAVAILABLE if the page is not readable. With `allow_loopback`, http to this machine is a link
// too (the sandbox).
absl::StatusOr<::pictory::jobs::v1::ListProjectsResponse> ReadProjects(std::string_view body,
                                                                       bool allow_loopback);

FreeCall GetProjectCall(std::string_view project_id);
absl::StatusOr<::pictory::jobs::v1::GetProjectResponse> ReadProject(std::string_view body,
                                                                    bool allow_loopback);

}  // namespace gateway::pictory
