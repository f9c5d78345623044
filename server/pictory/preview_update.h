// These functions check an UpdatePreview and make Pictory's call of it. Pure.
#pragma once

#include <string_view>

#include "absl/status/statusor.h"
#include "pictory/free_call.h"
#include "pictory/jobs/v1/pictory_jobs.pb.h"
#include "pictory/violations.h"

namespace gateway::pictory {

// Checks that elements are given in one of the two ways, and that each of the typed ones has an id:
// Pictory passes over what names no element without a word.
void CheckPreviewUpdate(const ::pictory::jobs::v1::UpdatePreviewRequest& request,
                        Violations& violations);

// The call of a request that passed, for the preview with this id of Pictory's. INVALID_ARGUMENT if
// the body grows beyond limits::kRequestMaxBytes.
absl::StatusOr<FreeCall> PreviewUpdate(const ::pictory::jobs::v1::UpdatePreviewRequest& request,
                                       std::string_view pictory_job_id);

}  // namespace gateway::pictory
