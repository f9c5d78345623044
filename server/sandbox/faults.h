// FaultRules holds rules that say which requests go wrong, and how. They are deterministic:
// counted, or drawn from the sandbox's seed. Thread-safe.
//
// A rule, as posted to /sandbox/faults:
//   {"match": {"method": "POST", "path_prefix": "/v2/video", "job": "<id in the path>"},
//    "skip": 2, "times": 3, "probability": 0.1, "act": true,
//    "fault": {"type": "reset", "after_bytes": 10}}
// Everything but `fault.type` is optional. The first `skip` matching requests pass; then `times`
// are hit (all, if not given), each with `probability`. The first rule that hits wins.
//
// A path_prefix of /media/ is about the files of results, as a CDN has them; no other rule is.
//
// `act` says whether the sandbox does what the request asks before its answer goes wrong: whether a
// job is made that the caller never hears of. Types, with their settings and defaults:
//   act by default          delay {ms 1000}, reset {after_bytes 0}, close_after_read,
//                           trickle {bytes 1, interval_ms 50}, wrong_length {extra 100},
//                           never_answer, bad_json, gzip_bomb {bytes 256 MiB}, cut_upload
//                           {after_bytes 0}, no_resume, strict_content_type,
//                           restatus {status 200}: the honest answer under another HTTP status
//   do not act by default   status {status 503, body, retry_after}, body {status 200, body,
//                           content_type}, redirect {status 302, location}, huge_body
//                           {bytes 100 MiB}
// Any of them may carry `retry_after`.
//
// Other types are about the webhook call of a job. They are drawn once a job with a webhook is
// accepted, and count apart from requests: `match` is then about the submit, and `job` the new
// job's id, if it is known beforehand.
//   webhook_lost, webhook_twice {calls 2}, webhook_late {ms 1000},
//   webhook_after_next: held until another job's call has been answered,
//   webhook_early: instead of at the job's end, and before the submit is answered
// Examples:
//   an unknown job told with HTTP 200, the other reading of Pictory's pages:
//     {"match": {"path_prefix": "/v1/jobs/"}, "fault": {"type": "restatus", "status": 200}}
//   an empty 200: {"fault": {"type": "body"}}
//   a proxy's page: {"fault": {"type": "body", "status": 502, "body": "<html>…",
//                              "content_type": "text/html"}}
#pragma once

#include <cstdint>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "base/mutex.h"
#include "http/server_message.h"
#include "sandbox/json.h"

namespace gateway::sandbox {

struct Fault {
  enum class Type {
    kDelay,
    kReset,
    kCloseAfterRead,
    kTrickle,
    kWrongLength,
    kNeverAnswer,
    kBadJson,
    kGzipBomb,
    kRestatus,
    kStatus,
    kBody,
    kRedirect,
    kHugeBody,
    kCutUpload,
    kNoResume,
    kStrictContentType,
    kWebhookLost,
    kWebhookTwice,
    kWebhookLate,
    kWebhookAfterNext,
    kWebhookEarly,
  };
  Type type = Type::kDelay;
  bool act = true;
  std::int64_t number = 0;  // ms, bytes…: the type's first number
  std::int64_t interval_ms = 0;
  int status = 200;
  std::string text;  // body or location
  std::string content_type;
  std::string retry_after;  // empty: none
};

struct FaultRule {
  std::uint64_t id = 0;
  std::string method;       // empty: any
  std::string path_prefix;  // with or without /pictoryapis; empty: any
  std::string job;          // empty: any
  std::uint64_t skip = 0;
  std::optional<std::uint64_t> times;
  double probability = 1;
  Fault fault;
  std::uint64_t matched = 0;
  std::uint64_t hit = 0;
  std::mt19937_64 random;
};

class FaultRules {
 public:
  explicit FaultRules(std::uint64_t seed) : seed_(seed) {}

  // Adds a rule and returns its id. Unknown keys and types are refused: a misspelt fault that never
  // happens would make a test pass for nothing.
  absl::StatusOr<std::uint64_t> Add(const Value& rule);
  void Clear();
  // Draws the fault for this request, and counts it. `path` is below /pictoryapis. Only rules count
  // whose path_prefix begins with `least`.
  std::optional<Fault> Draw(std::string_view method, std::string_view path,
                            std::string_view least = "");
  // Draws the fault for the webhook call of the job that this request made.
  std::optional<Fault> DrawWebhook(std::string_view method, std::string_view path,
                                   std::string_view job);
  std::string List() const;  // a JSON array
  std::uint64_t total_hits() const;

 private:
  std::optional<Fault> DrawOf(bool webhook, std::string_view method, std::string_view path,
                              std::string_view job, std::string_view least);

  const std::uint64_t seed_;
  mutable Mutex mutex_;
  std::uint64_t last_id_ GUARDED_BY(mutex_) = 0;
  std::uint64_t total_hits_ GUARDED_BY(mutex_) = 0;
  std::vector<FaultRule> rules_ GUARDED_BY(mutex_);
};

// Three types are for uploads only (uploads.h): cut_upload breaks the connection once so many bytes
// of a body have come, no_resume answers as a store does that cannot go on, strict_content_type
// refuses another Content-Type than the signed one.
//
// Spoil makes of the honest answer (an empty one if the fault does not act) what goes out.
void Spoil(const Fault& fault, http::ServerResponse* response, http::Delivery* delivery);

}  // namespace gateway::sandbox
