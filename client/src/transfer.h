// This header holds what sending and fetching a file have in common.
#pragma once

#include <curl/curl.h>

#include <memory>
#include <string>

#include "absl/status/status.h"

namespace pictory_jobs {

inline constexpr long kConnectSeconds = 15;
inline constexpr long kStalledSeconds = 60;  // without a byte

struct CleanUp {
  void operator()(CURL* curl) const { curl_easy_cleanup(curl); }
};
using Curl = std::unique_ptr<CURL, CleanUp>;

// Has it trust the authorities of this PEM file and no others; empty: the system's.
void Trust(CURL* curl, const std::string& ca_file);

// The status of a transfer (`what`: "The upload") that libcurl gave up: UNAVAILABLE, or
// FAILED_PRECONDITION where the same attempt would fail the same way. `detail` may be empty.
absl::Status BrokenOff(const char* what, CURLcode code, const std::string& detail);

}  // namespace pictory_jobs
