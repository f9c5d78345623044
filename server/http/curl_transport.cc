#include "http/curl_transport.h"
#include "base/limits.h"

#include <curl/curl.h>

#include <fstream>
#include <sstream>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "http/curl_engine.h"
#include "http/request_check.h"

namespace gateway::http {
namespace {

absl::Status GlobalInit() {
  static const CURLcode rc = curl_global_init(CURL_GLOBAL_DEFAULT);
  if (rc == CURLE_OK) return absl::OkStatus();
  return absl::InternalError(absl::StrCat("libcurl: ", curl_easy_strerror(rc)));
}

absl::Status CheckCaFile(const std::string& path) {
  if (path.empty()) return absl::OkStatus();
  std::ifstream file(path, std::ios::binary);
  std::ostringstream content;
  content << file.rdbuf();  // of a directory: fails, where stream iterators would throw
  if (!file.is_open() || content.bad()) {
    return absl::InvalidArgumentError(absl::StrCat("CA file ", path, ": cannot be read"));
  }
  const std::string text = content.str();
  if (text.find("-----BEGIN CERTIFICATE-----") == std::string::npos &&
      text.find("-----BEGIN TRUSTED CERTIFICATE-----") == std::string::npos) {
    return absl::InvalidArgumentError(absl::StrCat("CA file ", path, ": has no PEM certificate"));
  }
  return absl::OkStatus();
}

// The proxy's URL stays out of the messages: it may hold a password.
absl::Status CheckProxy(const std::string& proxy) {
  if (proxy.empty()) return absl::OkStatus();
  for (const char* scheme : {"http://", "https://", "socks5://", "socks5h://"}) {
    if (!absl::StartsWith(proxy, scheme)) continue;
    if (!IsHeaderValue(proxy) || proxy.find(' ') != std::string::npos) break;
    CURLU* const url = curl_url();
    const CURLUcode rc = curl_url_set(url, CURLUPART_URL, proxy.c_str(), CURLU_NON_SUPPORT_SCHEME);
    curl_url_cleanup(url);
    if (rc == CURLUE_OK) return absl::OkStatus();
    break;
  }
  return absl::InvalidArgumentError("proxy: not a URL with scheme http, https, socks5 or socks5h");
}

absl::Status CheckNumbers(const CurlTransportOptions& options) {
  if (options.engines < 1 || options.engines > limits::kCurlEnginesMax) {
    return absl::InvalidArgumentError(
        absl::StrCat("engines must be 1 to ", limits::kCurlEnginesMax));
  }
  for (const int limit : {options.paid_in_flight, options.read_in_flight}) {
    if (limit < options.engines || limit > limits::kUpstreamInFlightMax) {
      return absl::InvalidArgumentError(
          absl::StrCat("transfers in flight must be at least one per engine and at most ",
                       limits::kUpstreamInFlightMax, " a lane"));
    }
  }
  if (options.queue_max < 1) return absl::InvalidArgumentError("queue_max must be positive");
  if (options.connect_timeout <= Duration::zero() || options.stall_timeout <= Duration::zero()) {
    return absl::InvalidArgumentError("the connect and stall timeouts must be positive");
  }
  return absl::OkStatus();
}

absl::Status CheckOptions(const CurlTransportOptions& options) {
  if (absl::Status status = CheckNumbers(options); !status.ok()) return status;
  if (options.user_agent.empty() || !IsHeaderValue(options.user_agent)) {
    return absl::InvalidArgumentError("user agent: is empty or has a control character");
  }
  if (absl::Status status = CheckProxy(options.proxy); !status.ok()) return status;
  return CheckCaFile(options.ca_file);
}

// The n-th of `parts` shares of `whole`; they add up to it.
int ShareOf(int whole, int parts, int n) { return whole / parts + (n < whole % parts ? 1 : 0); }

}  // namespace

absl::StatusOr<std::unique_ptr<CurlTransport>> CurlTransport::Create(CurlTransportOptions options) {
  if (absl::Status status = GlobalInit(); !status.ok()) return status;
  if (!options.whole_urls) {
    auto base = ParseBaseUrl(options.base_url, options.allow_plain_http);
    if (!base.ok()) return base.status();
    options.base_url = base->text;
  }
  if (absl::Status status = CheckOptions(options); !status.ok()) return status;
  std::unique_ptr<CurlTransport> transport(new CurlTransport(std::move(options)));
  const CurlTransportOptions& set = transport->options_;
  for (int i = 0; i < set.engines; ++i) {
    const CurlEngine::Share share{ShareOf(set.paid_in_flight, set.engines, i),
                                  ShareOf(set.read_in_flight, set.engines, i)};
    auto engine = CurlEngine::Create(set, share, transport->counters_);
    if (!engine.ok()) return engine.status();
    transport->engines_.push_back(*std::move(engine));
  }
  return transport;
}

CurlTransport::CurlTransport(CurlTransportOptions options) : options_(std::move(options)) {}

CurlTransport::~CurlTransport() { Stop(); }

void CurlTransport::Stop() {
  // All engines are stopped first, so that they end side by side. A `done` that starts another
  // request then finds every engine still there, and closed.
  for (auto& engine : engines_) engine->Stop();
  for (auto& engine : engines_) engine->Join();
}

void CurlTransport::Start(Request request, Done done) {
  LaneCounters& lane = CountersOf(request.lane);
  std::string problem = CheckRequest(request);
  if (problem.empty() && options_.whole_urls == request.url.empty()) {
    problem = "the transport has its URLs elsewhere";
  }
  if (!problem.empty()) return Refuse(lane, done, std::move(problem));
  if (lane.queued.fetch_add(1, std::memory_order_relaxed) >= options_.queue_max) {
    lane.queued.fetch_sub(1, std::memory_order_relaxed);
    return Refuse(lane, done, "the queue for the upstream is full", /*crowded=*/true);
  }
  const std::uint64_t turn = next_engine_.fetch_add(1, std::memory_order_relaxed);
  PendingRequest pending{std::move(request), std::move(done)};
  if (!engines_[turn % engines_.size()]->Submit(pending)) {
    lane.queued.fetch_sub(1, std::memory_order_relaxed);
    Refuse(lane, pending.done, "shutting down");
  }
}

TransportStats CurlTransport::Stats() const {
  return {.paid = counters_.paid.Read(),
          .read = counters_.read.Read(),
          .loop_stall_max = Duration(counters_.loop_stall_max.load(std::memory_order_relaxed))};
}

LaneCounters& CurlTransport::CountersOf(Lane lane) {
  return lane == Lane::kPaid ? counters_.paid : counters_.read;
}

void CurlTransport::Refuse(LaneCounters& lane, const Done& done, std::string reason, bool crowded) {
  lane.Count(Response::Outcome::kNotSent);
  done(NotSent(std::move(reason), crowded));
}

}  // namespace gateway::http
