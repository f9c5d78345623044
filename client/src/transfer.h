// This header holds what sending and fetching a file have in common.
#pragma once

#include <curl/curl.h>

#include <memory>

namespace pictory_jobs {

inline constexpr long kConnectSeconds = 15;
inline constexpr long kStalledSeconds = 60;  // without a byte

struct CleanUp {
  void operator()(CURL* curl) const { curl_easy_cleanup(curl); }
};
using Curl = std::unique_ptr<CURL, CleanUp>;

}  // namespace pictory_jobs
