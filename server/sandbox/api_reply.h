// An ApiReply is an answer of Pictory's. These functions make those that are not results:
// acceptance and the shapes of refusal.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "http/server_message.h"
#include "sandbox/field_checker.h"

namespace gateway::sandbox {

struct ApiReply {
  int status = 200;
  std::string body;  // JSON; empty for 204
  std::string content_type = "application/json";
  int retry_after_seconds = 0;                       // 0: no such header
  std::shared_ptr<http::BodySource> long_body = {};  // if set, sent instead of `body`
};

// Where the id of a new job stands in an answer: every API version has its own place.
enum class IdPlace {
  kDataCamel,   // data.jobId: v2
  kDataSnake,   // data.job_id: v1
  kTopAndData,  // jobId and data.job_id: v1 storyboards
};
ApiReply Accepted(std::string_view job_id, IdPlace place);
ApiReply Done();                                              // {"success":true}
ApiReply InvalidBody(const std::vector<FieldError>& fields);  // 400 with `fields`
ApiReply InvalidBody(std::string_view field, std::string_view why);
ApiReply Refused(std::string_view code, std::string_view message);  // 400 without `fields`
ApiReply UnknownJob(std::string_view id);                           // 404 with "5000" JOB_NOT_FOUND
ApiReply UnknownProject(std::string_view id);                       // 404
ApiReply Unauthorized();                                            // 401
ApiReply Forbidden();                                               // 403, JSON
// `why` says of which bound of the sandbox's; Pictory's own are not known.
ApiReply TooLarge(std::string_view why);
ApiReply TooManyRequests(int retry_after_seconds);  // 429
ApiReply NoSuchRoute();                             // 404
ApiReply WrongMethod();                             // 405
ApiReply BlockedByBotFilter();                      // 403, an HTML page
ApiReply Broken(std::string_view why);              // 500

}  // namespace gateway::sandbox
