// These functions tell what a media store's answer to a PUT means. Pure.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"

namespace pictory_jobs::cli {

// The first byte that is still missing, by `Range: bytes=0-n` of a 308; 0 without one. Unset if it
// makes no sense for a file of that size.
std::optional<std::int64_t> NextByte(std::string_view range, std::int64_t size);

// The status for an answer that is neither success nor progress: UNAVAILABLE where another attempt
// may help. Of the body only S3's code and message are told, never what it repeats of the request.
absl::Status RefusedBy(long http_status, std::string_view body);

// How long to wait before attempt number `failures` + 1: 0.5 s doubling to 15 s, jittered; not less
// than the store asked for, of which at most a minute counts. `uniform` is in [0, 1).
std::chrono::milliseconds UploadDelay(int failures, double uniform, std::chrono::seconds asked);

}  // namespace pictory_jobs::cli
