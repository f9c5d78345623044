#include "pictory/project_calls.h"

#include "absl/strings/str_cat.h"
#include "base/ids.h"
#include "base/limits.h"
#include "json/path_table.h"
#include "pictory/reading.h"
#include "pictory/result_links.h"

namespace gateway::pictory {
namespace {

namespace v1 = ::pictory::jobs::v1;

constexpr char kProjects[] = "/v2/projects";

}  // namespace

FreeCall ListProjectsCall(std::string_view page_token) {
  FreeCall call;
  call.path = kProjects;
  if (!page_token.empty()) absl::StrAppend(&call.path, "?pagekey=", PercentEncode(page_token));
  call.max_reply_bytes = limits::kListAnswerMaxBytes;
  return call;
}

absl::StatusOr<v1::ListProjectsResponse> ReadProjects(std::string_view body, bool allow_loopback) {
  constexpr std::string_view kWhat = "list of projects";
  static const auto* const kCaptured = new json::PathTable({"items", "pageKey"});
  json::ReadOptions options = FreeReading();
  options.capture = kCaptured;
  v1::ListProjectsResponse page;
  const absl::StatusOr<json::ReadStats> read = json::Read(body, &page, options);
  if (!read.ok()) return Unreadable(kWhat, std::string(read.status().message()));
  const json::Captured& items = read->captured[0];
  const json::Captured& key = read->captured[1];
  if (items.type != json::Type::kArray) return Unreadable(kWhat, "no items");
  // A key that cannot be given back would end the list before its end.
  const bool end = !key.present() || key.type == json::Type::kNull;
  if (!end && (!key.scalar() || key.text.size() > limits::kPageTokenMaxBytes)) {
    return Unreadable(kWhat, "its pageKey is none");
  }
  if (!end) page.set_next_page_token(key.text);
  for (v1::Project& project : *page.mutable_projects()) ClearBadLinks(project, allow_loopback);
  return page;
}

FreeCall GetProjectCall(std::string_view project_id) {
  FreeCall call;
  call.path = absl::StrCat(kProjects, "/", PercentEncode(project_id));
  call.max_reply_bytes = limits::kFreeReplyMaxBytes;
  return call;
}

absl::StatusOr<v1::GetProjectResponse> ReadProject(std::string_view body, bool allow_loopback) {
  v1::GetProjectResponse response;
  const absl::StatusOr<json::ReadStats> read =
      json::Read(body, response.mutable_project(), FreeReading());
  if (!read.ok()) return Unreadable("project", std::string(read.status().message()));
  if (read->message_type != json::Type::kObject) return Unreadable("project", "no object");
  ClearBadLinks(*response.mutable_project(), allow_loopback);
  KeepWhole(body, *response.mutable_project_json(), response);
  return response;
}

}  // namespace gateway::pictory
