#include "face/entity_tag.h"

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/sha256.h"
#include "base/stable_bytes.h"

namespace gateway::face {
namespace {

constexpr std::size_t kEstimateBytes = 6;

}  // namespace

std::string TagOfJob(const google::protobuf::Message& answer) {
  const auto* const field = answer.GetDescriptor()->FindFieldByName("job");
  if (field == nullptr || !answer.GetReflection()->HasField(answer, field)) return "";
  const google::protobuf::Message& job = answer.GetReflection()->GetMessage(answer, field);
  const auto* const revision = job.GetDescriptor()->FindFieldByName("revision");
  const auto* const degraded = job.GetDescriptor()->FindFieldByName("upstream_degraded");
  const auto* const estimate = job.GetDescriptor()->FindFieldByName("estimate");
  if (revision == nullptr || degraded == nullptr || estimate == nullptr) return "";
  std::string tag = absl::StrCat("W/\"", job.GetReflection()->GetInt32(job, revision));
  if (job.GetReflection()->GetBool(job, degraded)) tag += "-degraded";
  if (job.GetReflection()->HasField(job, estimate)) {
    Sha256Stream hash;
    hash.Append(StableBytes(job.GetReflection()->GetMessage(job, estimate)));
    absl::StrAppend(&tag, "-", absl::BytesToHexString(hash.Finish().substr(0, kEstimateBytes)));
  }
  return tag + "\"";
}

bool IsKnown(const http::ServerRequest& head, std::string_view tag) {
  const std::string* const known = head.FindHeader("if-none-match");
  if (known == nullptr) return false;
  if (tag.starts_with("W/")) tag.remove_prefix(2);
  for (absl::string_view one : absl::StrSplit(*known, ',')) {
    one = absl::StripAsciiWhitespace(one);
    if (one == "*") return true;
    if (one.substr(0, 2) == "W/") one.remove_prefix(2);
    if (std::string_view(one.data(), one.size()) == tag) return true;
  }
  return false;
}

}  // namespace gateway::face
