#include "sandbox/api_reply.h"

namespace gateway::sandbox {
namespace {

ApiReply Message(int status, std::string_view message) {
  return {status, JsonOut().Object().Field("message", message).EndObject().Take()};
}

}  // namespace

ApiReply Accepted(std::string_view job_id, IdPlace place) {
  JsonOut out;
  out.Object().Field("success", true);
  if (place == IdPlace::kTopAndData) out.Field("jobId", job_id);
  out.Key("data").Object().Field(place == IdPlace::kDataCamel ? "jobId" : "job_id", job_id);
  return {200, out.EndObject().EndObject().Take()};
}

ApiReply Done() { return {200, R"({"success":true})"}; }

ApiReply InvalidBody(const std::vector<FieldError>& fields) {
  JsonOut out;
  out.Object().Field("code", "INVALID_REQUEST_BODY");
  out.Field("message", "Request body is invalid.").Key("fields").Array();
  for (const FieldError& field : fields) {
    out.Object().Field("name", field.name).Field("errors", field.errors).EndObject();
  }
  return {400, out.EndArray().EndObject().Take()};
}

ApiReply InvalidBody(std::string_view field, std::string_view why) {
  return InvalidBody({{std::string(field), "\"" + std::string(field) + "\" " + std::string(why)}});
}

ApiReply Refused(std::string_view code, std::string_view message) {
  JsonOut out;
  out.Object().Field("code", code).Field("message", message);
  return {400, out.EndObject().Take()};
}

ApiReply UnknownJob(std::string_view id) {
  JsonOut out;
  out.Object().Field("job_id", id).Field("success", false).Key("data").Object();
  out.Field("error_code", "5000").Field("error_message", "JOB_NOT_FOUND");
  return {404, out.EndObject().EndObject().Take()};
}

ApiReply UnknownProject(std::string_view id) {
  return Message(404, "Project " + std::string(id) + " not found");
}

ApiReply Unauthorized() { return Message(401, "Unauthorized"); }

ApiReply Forbidden() { return Message(403, "Forbidden"); }

ApiReply TooLarge(std::string_view why) {
  return Message(413, "Request Entity Too Large: " + std::string(why));
}

ApiReply TooManyRequests(int retry_after_seconds) {
  ApiReply reply = Message(429, "Too Many Requests");
  reply.retry_after_seconds = retry_after_seconds;
  return reply;
}

ApiReply NoSuchRoute() { return Message(404, "Not Found"); }
ApiReply WrongMethod() { return Message(405, "Method Not Allowed"); }
ApiReply Broken(std::string_view why) {
  return Message(500, "Internal server error: " + std::string(why));
}

ApiReply BlockedByBotFilter() {
  return {403,
          "<!DOCTYPE html>\n<html lang=\"en\"><head><title>Access denied</title></head><body>"
          "<h1>Error 1010</h1><p>The owner of this website has banned your access based on your "
          "browser's signature.</p><p>error code: 1010</p></body></html>\n",
          "text/html; charset=UTF-8"};
}

}  // namespace gateway::sandbox
