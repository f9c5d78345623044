// CurlTransportOptions says how the curl transport reaches Pictory. It holds values only.
#pragma once

#include <cstddef>
#include <string>

#include "base/clock.h"
#include "base/limits.h"

namespace gateway::http {

// PaidGuards says what keeps libcurl from sending a paid request twice. libcurl repeats a request
// by itself when a reused connection dies before its first answer byte. Either guard alone prevents
// that; tests take one away to prove the other.
enum class PaidGuards {
  kBoth,
  kFreshConnectionOnly,  // every paid request has a connection of its own
  kSingleSendOnly,       // the second transmission of a request is aborted
  kNone,
};

struct CurlTransportOptions {
  // https://host[:port][/path], without user, query or fragment.
  std::string base_url;
  // There is no base_url: each request names a whole URL.
  bool whole_urls = false;
  // Says what program calls, in the one form that filters of "unknown clients" let pass.
  std::string user_agent = "Mozilla/5.0 (compatible; pictory-gateway/0.1)";
  // The PEM bundle to trust instead of the system's; empty: the system's.
  std::string ca_file;
  // A URL with http://, https://, socks5:// or socks5h://. Empty: no proxy. The environment is
  // never asked.
  std::string proxy;
  // Lets base_url be http://, and then only to a loopback host.
  bool allow_plain_http = false;

  // Threads, 1 to 64. Each takes its share of the two limits below, which must be at least as many.
  int engines = 1;
  // Transfers, and so connections, at a time over all engines; the rest wait.
  int paid_in_flight = limits::kSubmitsInFlightMax;
  int read_in_flight = limits::kPollsInFlightMax;
  // Requests waiting per lane over all engines; one more is refused.
  std::size_t queue_max = limits::kUpstreamQueueMax;

  Duration connect_timeout = limits::kConnectTimeout;  // name lookup and TLS included
  // An answer that has begun and then brings less than a byte a second for this long is given up.
  // Silence before the first byte is bounded by the request's own timeout only: a submit over which
  // Pictory thinks for longer than this must not become UNCONFIRMED by that. Whole seconds.
  Duration stall_timeout = std::chrono::seconds(10);

  PaidGuards paid_guards = PaidGuards::kBoth;  // anything else in tests only
};

}  // namespace gateway::http
