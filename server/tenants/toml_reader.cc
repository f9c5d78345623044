#include "tenants/toml_reader.h"

#include <algorithm>
#include <utility>

#include "base/errors.h"
#include "base/limits.h"
#include "pictory/did_you_mean.h"

namespace gateway::tenants {
namespace {

using absl::Status;

// The first line that has a letter beyond ASCII in front of its comment, or a text over several
// lines; 0: none has. What the library makes of such a letter is undefined if it stands outside
// quotes, and where those are the library alone knows. No text that may stand in the file has
// lines.
int FirstOddLine(std::string_view text) {
  int line = 1;
  char quote = 0;  // 0: outside; '#': in a comment
  for (std::size_t at = text.starts_with("\xef\xbb\xbf") ? 3 : 0; at < text.size(); ++at) {
    const char c = text[at];
    if (c == '\n') {
      ++line;
      quote = 0;
    } else if (static_cast<unsigned char>(c) >= 0x80 && quote != '#') {
      return line;
    } else if (quote == 0) {
      const std::string_view three = text.substr(at, 3);
      if (three == "\"\"\"" || three == "'''") return line;
      if (c == '#' || c == '"' || c == '\'') quote = c;
    } else if (quote == '"' && c == '\\') {
      if (at + 1 < text.size() && text[at + 1] != '\n') ++at;
    } else if (c == quote && c != '#') {
      quote = 0;
    }
  }
  return 0;
}

}  // namespace

std::string Shown(std::string_view text) {
  return absl::StrCat("\"", errors::Clean(text.substr(0, limits::kSettingShownMaxBytes)), "\"");
}

std::string DidYouMean(std::string_view word, const std::vector<std::string>& known) {
  const std::string nearest = pictory::ClosestWord(word, known);
  if (!nearest.empty()) return absl::StrCat("; did you mean ", nearest, "?");
  std::string names;
  for (const std::string& name : known) {
    absl::StrAppend(&names, names.empty() ? "; there are: " : ", ", name);
  }
  return known.empty() || known.size() > 20 ? "" : names;
}

absl::StatusOr<toml::table> TomlReader::Parse(std::string_view text, std::size_t max_bytes) const {
  if (text.size() > max_bytes) {
    return WrongFile(absl::StrCat("is larger than ", max_bytes, " bytes"));
  }
  if (const int line = FirstOddLine(text); line != 0) {
    return absl::InvalidArgumentError(
        absl::StrCat(name_, ":", line,
                     ": has a letter beyond ASCII, or a text over several lines; write such a "
                     "letter as \\u and its number, and each text in quotes on one line"));
  }
  toml::parse_result parsed = toml::parse(text, std::string_view(name_));
  if (!parsed) {
    const toml::parse_error& error = parsed.error();
    return absl::InvalidArgumentError(
        absl::StrCat(name_, ":", error.source().begin.line,
                     ": is no TOML: ", errors::Clean(error.description())));
  }
  return std::move(parsed).table();
}

Status TomlReader::Members(const Node& node, const std::string& path,
                           const std::vector<Member>& members) const {
  const toml::table* const table = node.as_table();
  if (table == nullptr) return Wrong(node, path, ": must be a table, [", path, "]");
  const std::string prefix = path.empty() ? "" : path + ".";
  std::vector<std::string> names;
  for (const Member& member : members) names.push_back(member.name);
  for (const auto& [key, value] : *table) {
    const std::string_view word = key.str();
    if (std::find(names.begin(), names.end(), word) != names.end()) continue;
    return Wrong(value, prefix, errors::Clean(word), ": there is no such setting",
                 DidYouMean(word, names));
  }
  for (const Member& member : members) {
    const Node* const found = table->get(member.name);
    if (found == nullptr) continue;
    if (Status read = member.take(*found, prefix + member.name); !read.ok()) return read;
  }
  return absl::OkStatus();
}

Status TomlReader::Each(const Node& node, const std::string& path, const Take& take) const {
  const toml::array* const array = node.as_array();
  if (array == nullptr) return Wrong(node, path, ": must be an array, [ … ]");
  std::size_t i = 0;
  for (const Node& element : *array) {
    const std::string at = absl::StrCat(path, "[", i++, "]");
    if (Status read = take(element, at); !read.ok()) return read;
  }
  return absl::OkStatus();
}

TomlReader::Take TomlReader::String(std::string& out) const {
  return [this, &out](const Node& node, const std::string& path) -> Status {
    const auto* const text = node.as_string();
    if (text == nullptr) return Wrong(node, path, ": must be a text in quotes");
    if (text->get().empty())
      return Wrong(node, path, ": is empty; give it a value, or leave it out");
    for (const char c : text->get()) {
      if (static_cast<unsigned char>(c) < ' ' || c == '\x7f') {
        return Wrong(node, path, ": has a control character");
      }
    }
    out = text->get();
    return absl::OkStatus();
  };
}

TomlReader::Take TomlReader::Decimal(double& out) const {
  return [this, &out](const Node& node, const std::string& path) -> Status {
    const auto* const whole = node.as_integer();
    const auto* const decimal = node.as_floating_point();
    const double value = whole != nullptr     ? static_cast<double>(whole->get())
                         : decimal != nullptr ? decimal->get()
                                              : -1;
    if (!(value >= 0.01 && value <= 1e6)) {
      return Wrong(node, path, ": must be a number from 0.01 to 1000000");
    }
    out = value;
    return absl::OkStatus();
  };
}

TomlReader::Take TomlReader::Switch(bool& out) const {
  return [this, &out](const Node& node, const std::string& path) -> Status {
    const auto* const value = node.as_boolean();
    if (value == nullptr) return Wrong(node, path, ": must be true or false");
    out = value->get();
    return absl::OkStatus();
  };
}

}  // namespace gateway::tenants
