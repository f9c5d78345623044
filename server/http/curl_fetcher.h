// CurlFetcher is Fetcher over libcurl, with a handle of its own for each fetch.
#pragma once

#include <cstdint>
#include <string>

#include "http/fetcher.h"

namespace gateway::http {

struct CurlFetcherOptions {
  std::string user_agent = "Mozilla/5.0 (compatible; pictory-gateway/0.1)";
  std::string ca_file;                // as in CurlTransportOptions
  std::string proxy;                  // likewise. A proxy may be inside, and looks up names itself
  std::int64_t bytes_per_second = 0;  // of one fetch; 0: no limit
  // A body that brings less than limits::kFetchLeastBytes a second for so long is broken off.
  Duration stall_timeout = limits::kFetchStallTimeout;
  Duration timeout = limits::kFetchTimeout;  // of all of it
};

class CurlFetcher final : public Fetcher {
 public:
  explicit CurlFetcher(CurlFetcherOptions options);

  FetchEnd Fetch(const FetchRequest& request, FetchSink& sink) override;

 private:
  const CurlFetcherOptions options_;
};

}  // namespace gateway::http
