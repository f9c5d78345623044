#include "json/splice.h"

#include "absl/status/status.h"

namespace gateway::json {
namespace {

constexpr std::string_view kSpace = " \t\r\n";

struct Braces {
  std::size_t open;
  std::size_t close;
  std::string_view inside;
};

absl::StatusOr<Braces> Find(std::string_view object) {
  const std::size_t open = object.find_first_not_of(kSpace);
  const std::size_t close = object.find_last_not_of(kSpace);
  if (open == std::string_view::npos || open == close || object[open] != '{' ||
      object[close] != '}') {
    return absl::InvalidArgumentError("a JSON object is expected");
  }
  std::string_view inside = object.substr(open + 1, close - open - 1);
  const std::size_t first = inside.find_first_not_of(kSpace);
  if (first == std::string_view::npos) {
    inside = {};
  } else {
    inside = inside.substr(first, inside.find_last_not_of(kSpace) - first + 1);
  }
  return Braces{open, close, inside};
}

}  // namespace

absl::StatusOr<std::string_view> Members(std::string_view object) {
  const absl::StatusOr<Braces> braces = Find(object);
  if (!braces.ok()) return braces.status();
  return braces->inside;
}

absl::StatusOr<std::string> Splice(std::string_view object, std::string_view members) {
  const absl::StatusOr<Braces> braces = Find(object);
  if (!braces.ok()) return braces.status();
  if (members.empty()) return std::string(object);
  std::string out;
  out.reserve(object.size() + members.size() + 1);
  out.append(object.substr(0, braces->close));
  if (!braces->inside.empty()) out.push_back(',');
  out.append(members);
  out.append(object.substr(braces->close));
  return out;
}

}  // namespace gateway::json
