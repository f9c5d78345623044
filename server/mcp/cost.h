// CostOf tells what a submit may cost before it is sent.
#pragma once

#include <optional>

#include "absl/status/statusor.h"
#include "google/protobuf/message.h"
#include "pictory_jobs/client.h"

namespace gateway::mcp {

// Pictory's AI credits, at most; unset where only Pictory can know: of a project, of a template,
// and of a preview that has not ended. The gateway reserves as much (pictory/credits.h). A render
// looks at its preview, by one call. An error is the gateway's, or says what is wrong with the
// request.
absl::StatusOr<std::optional<double>> CostOf(const google::protobuf::Message& request,
                                             const pictory_jobs::Client& client);

}  // namespace gateway::mcp
