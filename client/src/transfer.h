// This header holds what sending and fetching a file have in common.
#pragma once

#include <curl/curl.h>

#include <memory>
#include <string>

#include "absl/status/status.h"

namespace pictory_jobs {

struct CleanUp {
  void operator()(CURL* curl) const { curl_easy_cleanup(curl); }
};
using Curl = std::unique_ptr<CURL, CleanUp>;

// Sets where it goes, how long it waits for a connection and without a byte, and that it trusts the
// authorities of this PEM file and no others; empty: the system's.
void Prepare(CURL* curl, const std::string& url, const std::string& ca_file);

// The status of a transfer (`what`: "The upload") that libcurl gave up: UNAVAILABLE, or
// FAILED_PRECONDITION where the same attempt would fail the same way. `detail` may be empty.
absl::Status BrokenOff(const char* what, CURLcode code, const std::string& detail);

}  // namespace pictory_jobs
