#include "pictory/job_name.h"

#include <string_view>

#include "base/clean_text.h"
#include "base/ids.h"
#include "base/limits.h"
#include "json/first_scalar.h"
#include "json/path_table.h"
#include "pictory/bindings.h"

namespace gateway::pictory {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

// A text of the message; empty if it has no such field.
std::string TextOf(const Message& message, const std::string& name) {
  const FieldDescriptor* const field = message.GetDescriptor()->FindFieldByName(name);
  return field == nullptr ? "" : message.GetReflection()->GetString(message, field);
}

std::string VideoNameIn(const Message& request) {
  static const auto* const kVideoName = new json::PathTable({"videoName"});
  const FieldDescriptor* const arm = ArmOf(request);
  if (arm == nullptr || RoleOf(arm) != ::pictory::jobs::v1::FIELD_ROLE_BODY) return "";
  const auto* const reflection = request.GetReflection();
  if (arm->cpp_type() == FieldDescriptor::CPPTYPE_STRING) {
    return json::FirstScalar(reflection->GetString(request, arm), *kVideoName);
  }
  return TextOf(reflection->GetMessage(request, arm), "video_name");
}

std::string FileNameIn(std::string_view url) {
  url = url.substr(0, url.find_first_of("?#"));
  const std::size_t host = url.find("://");
  const std::size_t slash = url.rfind('/');
  if (host == url.npos || slash < host + 3) return "";
  return PercentDecode(url.substr(slash + 1));
}

}  // namespace

std::string JobNameIn(const Message& request) {
  std::string name = VideoNameIn(request);
  if (name.empty()) name = FileNameIn(TextOf(request, "file_url"));
  return CleanText(name, limits::kJobNameMaxBytes);
}

}  // namespace gateway::pictory
