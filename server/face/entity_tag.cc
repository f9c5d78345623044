#include "face/entity_tag.h"

#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/str_split.h"

namespace gateway::face {

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
