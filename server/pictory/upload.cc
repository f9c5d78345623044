#include "pictory/upload.h"

#include <algorithm>
#include <charconv>

#include "absl/strings/str_cat.h"
#include "base/errors.h"
#include "base/limits.h"
#include "base/media_type.h"
#include "pictory/client.h"
#include "pictory/envelope.h"
#include "pictory/http_reply.h"
#include "pictory/url_rules.h"

namespace gateway::pictory {
namespace {

namespace v1 = ::pictory::jobs::v1;

bool IsFileName(std::string_view name) {
  return name != "." && name != ".." && std::none_of(name.begin(), name.end(), [](char c) {
           return static_cast<unsigned char>(c) < 0x20 || c == 0x7F || c == '/' || c == '\\';
         });
}

// How long a signed URL lives: as Pictory documents, unless the URL itself, as S3 signs them, says
// less.
std::chrono::seconds LifeOf(std::string_view signed_url) {
  constexpr std::string_view kKey = "X-Amz-Expires=";
  const std::size_t at = signed_url.find(kKey);
  if (at == std::string_view::npos) return limits::kSignedUrlLife;
  const std::string_view text = signed_url.substr(at + kKey.size());
  std::int64_t seconds = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (read.ec != std::errc() || seconds <= 0) return limits::kSignedUrlLife;
  return std::min<std::chrono::seconds>(std::chrono::seconds(seconds), limits::kSignedUrlLife);
}

absl::Status Unusable(std::string_view what) {
  return errors::UpstreamUnreachable(
      absl::StrCat("unusable answer to a request for an upload: ", std::string(what)),
      limits::kUpstreamRetryLater, errors::Call::kFree);
}

}  // namespace

void CheckUpload(const v1::CreateUploadRequest& request, Violations& violations) {
  const std::string& name = request.file_name();
  if (name.empty()) {
    violations.Add("file_name", "is required");
  } else if (name.size() > limits::kFileNameMaxBytes) {
    violations.Add("file_name",
                   absl::StrCat("must be at most ", limits::kFileNameMaxBytes, " bytes long"));
  } else if (!IsFileName(name)) {
    violations.Add("file_name", "must be a file's name, without folders or control characters");
  }
  if (!request.content_type().empty()) {
    if (!IsContentType(request.content_type())) {
      violations.Add("content_type", "must be a type and a subtype, such as video/mp4");
    }
  } else if (!name.empty() && !MediaTypeOf(name).has_value()) {
    violations.Add("content_type",
                   "is required where the file's name does not show it, as talk.mp4 does");
  }
}

std::string ContentTypeOf(const v1::CreateUploadRequest& request) {
  if (!request.content_type().empty()) return request.content_type();
  const std::optional<MediaType> type = MediaTypeOf(request.file_name());
  return type.has_value() ? std::string(type->content_type) : "";
}

absl::StatusOr<v1::CreateUploadResponse> ReadUploadReply(const http::Response& response,
                                                         std::string_view content_type,
                                                         WallTime asked, bool allow_loopback) {
  const bool complete = response.outcome == http::Response::Outcome::kComplete;
  if (complete && response.status == 404) {
    return errors::UpstreamRefused(absl::StatusCode::kFailedPrecondition, "UPSTREAM_REFUSED",
                                   "Pictory offers no uploads (HTTP 404)", "", 404, {});
  }
  const absl::Status status = ReadCallStatus(response, asked);
  if (!status.ok()) return status;
  v1::CreateUploadResponse answer;
  const absl::StatusOr<Envelope> envelope = ReadEnvelope(response.body, &answer);
  if (!envelope.ok()) return Unusable("not readable");
  const std::string where =
      UrlProblem(answer.signed_url(), allow_loopback, limits::kSignedUrlMaxBytes);
  if (!where.empty()) return Unusable("its signed URL " + where);
  const std::string file = UrlProblem(answer.file_url(), allow_loopback);
  if (!file.empty()) return Unusable("its file URL " + file);
  answer.set_content_type(std::string(content_type));
  const WallTime until = asked + LifeOf(answer.signed_url());
  answer.mutable_expire_time()->set_seconds(
      std::chrono::floor<std::chrono::seconds>(until).time_since_epoch().count());
  return answer;
}

}  // namespace gateway::pictory
