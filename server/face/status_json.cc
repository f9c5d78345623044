#include "face/status_json.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <string_view>
#include <utility>

#include "base/errors.h"
#include "base/payloads.h"
#include "json/api_writer.h"
#include "json/writer.h"
#include "pictory/jobs/internal/v1/error_details.pb.h"

namespace gateway::face {
namespace {

namespace details = ::pictory::jobs::internal::v1;

constexpr std::string_view kTypePrefix = "type.googleapis.com/google.rpc.";

struct ReasonStatus {
  std::string_view reason;
  int status;
};
constexpr std::array kByReason = {
    ReasonStatus{"REQUEST_TOO_LARGE", 413},  ReasonStatus{"METADATA_TOO_LARGE", 431},
    ReasonStatus{"REQUEST_COMPRESSED", 415}, ReasonStatus{"REQUEST_LATE", 408},
    ReasonStatus{"METHOD_NOT_ALLOWED", 405}, ReasonStatus{"NOT_JSON", 415},
    ReasonStatus{"NOT_ACCEPTABLE", 406},     ReasonStatus{"RANGE_NOT_THERE", 416},
    ReasonStatus{"HOST_UNKNOWN", 421}};

// A duration as proto JSON has it.
std::string DelayText(const details::Delay& delay) {
  std::string text = std::to_string(delay.seconds());
  if (delay.nanos() > 0) {
    std::string fraction = std::to_string(1'000'000'000 + delay.nanos()).substr(1);
    fraction.erase(fraction.find_last_not_of('0') + 1);
    text += "." + fraction;
  }
  return text + "s";
}

// The members of one detail, if it is of a type that this program makes.
std::string MembersOf(std::string_view type, const std::string& bytes) {
  const auto written = [&bytes](auto message) -> std::string {
    if (!message.ParseFromString(bytes)) return "";
    const std::string json = json::ApiJson(message);
    return json.substr(1, json.size() - 2);
  };
  if (type == "ErrorInfo") return written(details::ErrorInfo());
  if (type == "BadRequest") return written(details::BadRequest());
  if (type == "QuotaFailure") return written(details::QuotaFailure());
  if (type == "ResourceInfo") return written(details::ResourceInfo());
  if (type == "RetryInfo") {
    details::RetryInfo retry;
    if (!retry.ParseFromString(bytes)) return "";
    return "\"retryDelay\":\"" + DelayText(retry.retry_delay()) + "\"";
  }
  return "";
}

}  // namespace

int HttpStatusOf(const absl::Status& status) {
  const std::string reason = errors::Reason(status);
  const auto* const found =
      std::find_if(kByReason.begin(), kByReason.end(),
                   [&reason](const ReasonStatus& row) { return row.reason == reason; });
  if (found != kByReason.end()) return found->status;
  switch (status.code()) {
    case absl::StatusCode::kOk:
      return 200;
    case absl::StatusCode::kCancelled:
      return 499;
    case absl::StatusCode::kInvalidArgument:
    case absl::StatusCode::kFailedPrecondition:
    case absl::StatusCode::kOutOfRange:
      return 400;
    case absl::StatusCode::kUnauthenticated:
      return 401;
    case absl::StatusCode::kPermissionDenied:
      return 403;
    case absl::StatusCode::kNotFound:
      return 404;
    case absl::StatusCode::kAlreadyExists:
    case absl::StatusCode::kAborted:
      return 409;
    case absl::StatusCode::kResourceExhausted:
      return 429;
    case absl::StatusCode::kUnimplemented:
      return 501;
    case absl::StatusCode::kUnavailable:
      return 503;
    case absl::StatusCode::kDeadlineExceeded:
      return 504;
    default:
      return 500;
  }
}

std::string StatusJson(const absl::Status& status) {
  std::string text;
  json::Writer out(text);
  out.StartObject();
  out.Key("code");
  out.Int(static_cast<int>(status.code()));
  out.Key("message");
  out.String({status.message().data(), status.message().size()});
  out.Key("details");
  out.StartArray();
  for (const auto& [url, bytes] : Payloads(status)) {
    if (!std::string_view(url).starts_with(kTypePrefix)) continue;
    const std::string members = MembersOf(std::string_view(url).substr(kTypePrefix.size()), bytes);
    if (members.empty()) continue;
    out.StartObject();
    out.Key("@type");
    out.String(url);
    out.Members(members);
    out.EndObject();
  }
  out.EndArray();
  out.EndObject();
  return text;
}

http::ServerResponse ErrorResponse(const absl::Status& status) {
  const int code = HttpStatusOf(status);
  http::ServerResponse response =
      http::TextResponse(code, "application/json", StatusJson(status) + "\n");
  if (const Duration delay = errors::RetryDelay(status); delay > Duration::zero()) {
    const auto seconds = std::chrono::ceil<std::chrono::seconds>(delay).count();
    response.headers.push_back({"Retry-After", std::to_string(seconds)});
  }
  if (code == 401) response.headers.push_back({"WWW-Authenticate", "Bearer"});
  return response;
}

}  // namespace gateway::face
