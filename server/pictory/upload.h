// These functions check and read the one call by which Pictory is asked for a place for a caller's
// own file. Pure.
//
// The signed URL in the answer is a secret: no error or log line holds it.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "base/clock.h"
#include "http/transport.h"
#include "pictory/jobs/v1/pictory_jobs.pb.h"
#include "pictory/violations.h"

namespace gateway::pictory {

// Checks that there is a file's name without folders, and a content type or a name that shows it.
void CheckUpload(const ::pictory::jobs::v1::CreateUploadRequest& request, Violations& violations);

// The content type of a request that passed: what the caller says, else what the name shows.
std::string ContentTypeOf(const ::pictory::jobs::v1::CreateUploadRequest& request);

// Makes the answer to the caller. A place that a client could not, or should not, send to is
// UNAVAILABLE: both URLs must be https, or, with `allow_loopback`, on this machine. `asked` is when
// Pictory was.
absl::StatusOr<::pictory::jobs::v1::CreateUploadResponse> ReadUploadReply(
    const http::Response& response, std::string_view content_type, WallTime asked,
    bool allow_loopback);

}  // namespace gateway::pictory
