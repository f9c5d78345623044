#include "app/environment.h"
#include "base/limits.h"

#include <unistd.h>

#include <algorithm>
#include <regex>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "app/text.h"
#include "pictory/did_you_mean.h"

namespace gateway::app {
namespace {

// Makes `max-watches` of `--max-watches` and of `PICTORY_MAX_WATCHES`.
std::string Core(std::string_view word) {
  std::string core = absl::AsciiStrToLower(std::string(word));
  std::replace(core.begin(), core.end(), '_', '-');
  std::string_view rest = core;
  while (TakePrefix(rest, "-")) {
  }
  if (TakePrefix(rest, "pictory")) TakePrefix(rest, "-");
  return std::string(rest);
}

// The name as it would be with our beginning, if it looks meant for us; else "".
std::string OurName(const std::string& name, const std::vector<std::string>& known) {
  constexpr std::size_t kWord = sizeof "PICTORY" - 1;
  if (absl::StartsWithIgnoreCase(name, "PICTORY")) {
    const char next = name.size() > kWord ? name[kWord] : '\0';
    if (next == '_' || next == '-' || next == '.') return name;
    return next == '\0' || NearestSetting(name, known).empty() ? "" : name;  // PICTORYAPIKEY
  }
  // PICTROY_MAX_WATCHES: a name with another beginning and exactly the end of one of ours is not so
  // by chance.
  const std::size_t end = name.find('_');
  if (end == std::string::npos) return "";
  if (pictory::ClosestWord(name.substr(0, end), {"PICTORY"}).empty()) return "";
  const std::string ours = "PICTORY_" + absl::AsciiStrToUpper(name.substr(end + 1));
  return std::find(known.begin(), known.end(), ours) == known.end() ? "" : ours;
}

// A variable's name may hold anything, so it is cleaned before it is shown.
std::string Shown(const std::string& name) {
  std::string shown = name.substr(0, limits::kSettingShownMaxBytes);
  std::replace_if(shown.begin(), shown.end(), [](char c) { return c < ' ' || c > '~'; }, '?');
  return shown;
}

}  // namespace

Variables ProcessVariables() {
  Variables variables;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string_view text = *entry;
    const std::size_t equals = text.find('=');
    if (equals == std::string_view::npos) continue;
    variables.emplace(text.substr(0, equals), text.substr(equals + 1));
  }
  return variables;
}

bool IsServiceLink(std::string_view name, std::string_view value) {
  struct Shape {
    std::regex name, value;
  };
  static const std::string before = "[A-Z][A-Z0-9_]*";
  static const std::string protocol = "(TCP|UDP|SCTP)";
  static const std::regex number("[0-9]{1,5}");
  static const std::regex host("[0-9A-Fa-f.:]+");
  static const std::regex url("(tcp|udp|sctp)://\\S+:[0-9]{1,5}");
  static const Shape shapes[] = {
      {std::regex(before + "_SERVICE_HOST"), host},
      {std::regex(before + "_SERVICE_PORT(_[A-Z0-9_]+)?"), number},
      {std::regex(before + "_PORT"), url},
      {std::regex(before + "_PORT_[0-9]{1,5}_" + protocol), url},
      {std::regex(before + "_PORT_[0-9]{1,5}_" + protocol + "_PROTO"), std::regex("tcp|udp|sctp")},
      {std::regex(before + "_PORT_[0-9]{1,5}_" + protocol + "_PORT"), number},
      {std::regex(before + "_PORT_[0-9]{1,5}_" + protocol + "_ADDR"), host}};
  if (name.size() > limits::kServiceLinkMaxBytes || value.size() > limits::kServiceLinkMaxBytes)
    return false;
  return std::any_of(std::begin(shapes), std::end(shapes), [&](const Shape& shape) {
    return std::regex_match(name.begin(), name.end(), shape.name) &&
           std::regex_match(value.begin(), value.end(), shape.value);
  });
}

std::vector<std::string> CheckVariables(const Variables& variables,
                                        const std::vector<std::string>& known) {
  std::vector<std::string> problems;
  for (const auto& [name, value] : variables) {
    if (std::find(known.begin(), known.end(), name) != known.end()) {
      if (Trimmed(value).empty()) {
        problems.push_back(absl::StrCat(name, ": is set, but empty; give it a value, or unset it"));
      }
      continue;
    }
    const std::string ours = OurName(name, known);
    if (ours.empty() || IsServiceLink(name, value)) continue;
    const std::string nearest = NearestSetting(ours, known);
    problems.push_back(absl::StrCat(
        Shown(name), ": there is no such setting; ",
        nearest.empty() ? "unset it, or see --help" : absl::StrCat("did you mean ", nearest, "?")));
  }
  return problems;
}

std::string NearestSetting(std::string_view word, const std::vector<std::string>& known) {
  std::vector<std::string> cores;
  for (const std::string& name : known) cores.push_back(Core(name));
  const std::string core = Core(word);
  // PICTORY_GATEWAY_MAX_WATCHES: the program's name is no part of a setting's name.
  std::string_view shorter = core;
  TakePrefix(shorter, "gateway-");
  for (const std::string_view tried : {std::string_view(core), shorter}) {
    const std::string nearest = pictory::ClosestWord(tried, cores);
    const auto found = std::find(cores.begin(), cores.end(), nearest);
    if (!nearest.empty()) return known[static_cast<std::size_t>(found - cores.begin())];
  }
  return "";
}

}  // namespace gateway::app
