// CurlTransport is HttpTransport over libcurl: it has engines with a thread each, and deals
// requests to them in turn.
//
// It is thread-safe except for its destruction, which comes after the last Start of others.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "http/curl_options.h"
#include "http/transport.h"
#include "http/transport_stats.h"

namespace gateway::http {

class CurlEngine;

class CurlTransport final : public HttpTransport {
 public:
  // INVALID_ARGUMENT for a setting that cannot work, naming it; nothing is sent yet. The first call
  // in the process initialises libcurl.
  static absl::StatusOr<std::unique_ptr<CurlTransport>> Create(CurlTransportOptions options);

  ~CurlTransport() override;  // Stop

  void Start(Request request, Done done) override;

  // Answers requests that still wait with kNotSent and ends those in flight: kUnknown, or kNotSent
  // if they never reached a connection. Each of their `done` has been called when Stop returns; for
  // a request that comes later `done` is called inside Start. Stop is called by one thread, and not
  // in a `done`; a second time it does nothing.
  void Stop();

  TransportStats Stats() const;

 private:
  explicit CurlTransport(CurlTransportOptions options);
  LaneCounters& CountersOf(Lane lane);
  void Refuse(LaneCounters& lane, const Done& done, std::string reason, bool crowded = false);

  const CurlTransportOptions options_;
  TransportCounters counters_;
  std::atomic<std::uint64_t> next_engine_{0};
  std::vector<std::unique_ptr<CurlEngine>> engines_;
};

}  // namespace gateway::http
