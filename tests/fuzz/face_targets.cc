#include "fuzz/face_targets.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <string>

#include "base/ids.h"
#include "base/limits.h"
#include "face/routes.h"
#include "face/url_text.h"
#include "fuzz/promises.h"
#include "json/api_reader.h"
#include "json/api_writer.h"
#include "pictory/did_you_mean.h"
#include "pictory/jobs/v1/pictory_jobs.pb.h"

namespace gateway::fuzz {
namespace {

namespace v1 = ::pictory::jobs::v1;

bool HasControl(std::string_view text) {
  return std::any_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

}  // namespace

void HttpTarget(std::string_view input) {
  static const auto* const routes = new face::Routes(
      *v1::ListJobsRequest::descriptor()->file()->FindServiceByName("PictoryJobs"));
  const std::size_t mark = std::min(input.find('?'), input.size());
  const std::string_view path = input.substr(0, mark);
  for (const char* const method : {"GET", "POST", "DELETE"}) {
    const face::Routes::Found found = routes->Find(method, path);
    Must(found.route != nullptr || found.captures.empty(), "nothing is taken of what is not there");
    for (const auto& [field, text] : found.captures) {
      Must(!text.empty() && text != "." && text != "..", "an id is no step in a path");
      Must(!HasControl(text), "an id has no control characters");
      Must(face::PercentDecoded(PercentEncode(text)) == text, "an id can be written again");
    }
  }
  const auto pairs = face::ReadQuery(input.substr(std::min(mark + 1, input.size())));
  if (!pairs.has_value()) return;
  std::string again;
  for (const auto& [name, value] : *pairs) {
    Must(!name.empty() && !HasControl(name) && !HasControl(value), "parameters are plain text");
    again += (again.empty() ? "" : "&") + PercentEncode(name) + "=" + PercentEncode(value);
  }
  Must(face::ReadQuery(again) == pairs, "a query can be written again");
}

void ApiBody(std::string_view input) {
  std::unique_ptr<google::protobuf::Message> request;
  switch (TakeByte(input) % 3) {
    case 0:
      request = std::make_unique<v1::CreatePreviewRequest>();
      break;
    case 1:
      request = std::make_unique<v1::SummarizeRequest>();
      break;
    default:
      request = std::make_unique<v1::ListJobsRequest>();
  }
  constexpr json::ApiReadOptions kOptions{.nearest = pictory::ClosestWord};
  const auto wrong = json::ReadApi(input, *request, kOptions);
  Must(wrong.size() <= limits::kViolationsMax, "mistakes are bounded");
  if (!wrong.empty()) return;
  const std::unique_ptr<google::protobuf::Message> again(request->New());
  Must(json::ReadApi(json::ApiJson(*request), *again, kOptions).empty(),
       "what was read can be written and read again");
  Must(json::ApiJson(*again) == json::ApiJson(*request), "and is the same");
}

}  // namespace gateway::fuzz
