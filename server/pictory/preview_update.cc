#include "pictory/preview_update.h"

#include <memory>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/errors.h"
#include "base/ids.h"
#include "base/limits.h"
#include "json/proto_writer.h"
#include "pictory/raw_check.h"

namespace gateway::pictory {
namespace {

namespace v1 = ::pictory::jobs::v1;

constexpr char kByteOrderMark[] = "\xEF\xBB\xBF";

// The typed elements as Pictory's array.
absl::Status WriteElements(const v1::UpdatePreviewRequest& request, std::string& json) {
  json = "[";
  for (const v1::PreviewElement& element : request.elements()) {
    if (json.size() > 1) json += ',';
    if (absl::Status written = json::WriteMessage(element, json); !written.ok()) return written;
  }
  json += ']';
  return absl::OkStatus();
}

}  // namespace

void CheckPreviewUpdate(const v1::UpdatePreviewRequest& request, Violations& violations) {
  const std::string& raw = request.elements_json();
  if (request.elements().empty() && raw.empty()) {
    violations.Add("elements", "is required: the elements to change, here or as elements_json");
  } else if (!request.elements().empty() && !raw.empty()) {
    violations.Add("elements_json", "cannot stand together with elements");
  }
  for (int i = 0; i < request.elements_size() && !violations.full(); ++i) {
    if (request.elements(i).id().empty()) {
      violations.Add(Under(Item("elements", i), "id"),
                     "is required: the id that the preview's renderParams give the element");
    }
  }
  if (raw.empty()) return;
  if (raw.starts_with(kByteOrderMark)) {
    violations.Add("elements_json", "must not begin with a byte order mark");
    return;
  }
  // Callers have their elements from a result of Pictory's.
  if (!CheckRawValue("elements_json", raw, json::Type::kArray, violations, nullptr,
                     json::Reading::kForgiving)) {
    return;
  }
  if (IsEmptyArray(raw)) violations.Add("elements_json", "must not be empty");
}

absl::StatusOr<FreeCall> PreviewUpdate(const v1::UpdatePreviewRequest& request,
                                       std::string_view pictory_job_id) {
  std::string body = request.elements_json();
  if (body.empty()) {
    if (absl::Status written = WriteElements(request, body); !written.ok()) return written;
  }
  if (body.size() > limits::kRequestMaxBytes) {
    return errors::Invalid("elements",
                           absl::StrCat("makes a body of ", body.size(), " bytes; at most ",
                                        limits::kRequestMaxBytes, " are sent to Pictory"));
  }
  FreeCall call;
  call.method = "PUT";
  call.path = absl::StrCat("/v2/video/storyboard/", PercentEncode(pictory_job_id), "/elements");
  call.body = std::make_shared<const std::string>(std::move(body));
  return call;
}

}  // namespace gateway::pictory
