// These options say how a Client connects, waits and tries again. They are plain values: copy and
// share them freely.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

namespace pictory_jobs {

// A Pacing gives retries their randomness and their waiting. Replace it to test or simulate without
// waiting. Both functions are called from whatever thread makes the call, several at once.
struct Pacing {
  // Returns a random number in [0, 1).
  std::function<double()> uniform;
  // Waits so long. False if `stop` asked to end before that.
  std::function<bool(std::chrono::nanoseconds, const std::stop_token& stop)> wait;

  static Pacing Real();
};

// A call is repeated only if it failed with UNAVAILABLE or the way to the gateway broke
// (BrokenConnection in status.h; not where its own deadline passed), after the time the gateway
// names in RetryInfo or else 0.2–5 s with full jitter. A submit keeps its request_id, so that a
// repetition never becomes a second job; Resolve and Delete are repeated only where the gateway
// says that nothing was done.
struct RetryOptions {
  int max_attempts = 5;  // the first one counts; 1 never repeats
  // Most time spent between the attempts of one call. A gateway that asks for more ends the call.
  std::chrono::nanoseconds max_wait = std::chrono::seconds(30);
  // Also repeat after RESOURCE_EXHAUSTED, if the gateway says (RetryInfo) when it is worth it.
  bool when_exhausted = false;
};

// PEM text, not file names.
struct TlsOptions {
  std::string ca_pem;    // empty: the system's roots
  std::string cert_pem;  // with key_pem: the client's own certificate
  std::string key_pem;
};

struct ClientOptions {
  // Unset: no TLS, unless the target begins with `https://`.
  std::optional<TlsOptions> tls;
  // Sent with every call, such as {"authorization", "Bearer …"}. The keys are in lower case.
  std::vector<std::pair<std::string, std::string>> metadata;
  // The caller's own API key of Pictory's, for a gateway whose callers pay; sent with every call.
  // It goes nowhere in plain text: the target must have TLS, or be on this machine.
  std::string pictory_key;
  // Put before the library's own in the user-agent.
  std::string user_agent;
  // A gRPC service config, as JSON: the file PictoryJobs_SERVICE_CONFIG of the CMake package, which
  // adds round robin, health checks and waiting for a gateway that is away. What it repeats comes
  // on top of `retry`.
  std::string service_config;
  // Deadline of one attempt of a call that is not a watch.
  std::chrono::milliseconds call_timeout = std::chrono::seconds(60);
  RetryOptions retry;
  // Watches never share a connection with other calls, which the gateway's limit on concurrent
  // streams would leave waiting behind them. After so many another connection is opened.
  int watches_per_connection = 100;
  // Unset: Pacing::Real().
  std::optional<Pacing> pacing;
};

// What one call may ask for differently from its Client.
struct CallOptions {
  std::optional<std::chrono::milliseconds> timeout;
  std::optional<RetryOptions> retry;
  // Ends the call with CANCELLED. A submit cancelled on its way may still have become a job: the
  // same request_id finds out.
  std::stop_token stop;
};

}  // namespace pictory_jobs
