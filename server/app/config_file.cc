#include "app/config_file.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <utility>

#include "absl/strings/str_cat.h"
#include "app/text.h"
#include "base/limits.h"

namespace gateway::app {
namespace {

constexpr std::string_view kUtf8Mark = "\xEF\xBB\xBF";

bool IsQuote(char c) { return c == '"' || c == '\''; }

std::string_view WithoutComment(std::string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '#' && (i == 0 || text[i - 1] == ' ' || text[i - 1] == '\t')) {
      return Trimmed(text.substr(0, i));
    }
  }
  return text;
}

// Fills `line.value`; returns what is wrong with it, or "".
std::string ParseValue(std::string_view text, ConfigLine& line) {
  if (!text.empty() && IsQuote(text.front())) {
    const std::size_t end = text.find(text.front(), 1);
    if (end == std::string_view::npos) return "the quote is not closed";
    if (!WithoutComment(Trimmed(text.substr(end + 1))).empty()) {
      return "something follows the closing quote";
    }
    line.quoted = true;
    text = text.substr(1, end - 1);
  } else {
    text = WithoutComment(text);
  }
  if (Trimmed(text).empty()) {
    return "the value is empty; give it one, or remove the line";
  }
  line.value = std::string(text);
  return "";
}

}  // namespace

std::string ConfigFile::Where(const ConfigLine& line) const {
  return absl::StrCat(path, ":", line.number);
}

ConfigFile ParseConfigFile(const std::string& path, std::string_view text) {
  ConfigFile file{.path = path, .lines = {}, .problems = {}};
  TakePrefix(text, kUtf8Mark);
  if (text.find('\0') != std::string_view::npos) {
    file.problems.push_back(path + ": holds a zero byte; it must be text in UTF-8");
    return file;
  }
  std::string section;
  for (int number = 1; !text.empty(); ++number) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view rest = Trimmed(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    if (rest.empty() || rest.front() == '#' || rest.front() == ';') continue;
    ConfigLine line{.number = number, .key = "", .value = "", .quoted = false};
    const auto wrong = [&](const std::string& what) {
      file.problems.push_back(absl::StrCat(file.Where(line), ": ", what));
    };
    if (rest.front() == '[') {
      rest = WithoutComment(rest);
      if (rest.size() < 3 || rest.back() != ']' ||
          rest.find_first_of("[]=", 1) != rest.size() - 1) {
        wrong("a section must be written [name]");
        continue;
      }
      section = std::string(Trimmed(rest.substr(1, rest.size() - 2))) + ".";
      continue;
    }
    const std::size_t equals = rest.find('=');
    if (equals == std::string_view::npos || equals == 0) {
      wrong("is not name=value (what is switched on is written name=true)");
      continue;
    }
    line.key = section + std::string(Trimmed(rest.substr(0, equals)));
    if (std::string why = ParseValue(Trimmed(rest.substr(equals + 1)), line); !why.empty()) {
      wrong(why);
      continue;
    }
    file.lines.push_back(std::move(line));
  }
  return file;
}

absl::StatusOr<ConfigFile> ReadConfigFile(const std::string& path) {
  const auto refuse = [&path](const std::string& why) {
    return absl::InvalidArgumentError(absl::StrCat("--config: cannot read ", path, ": ", why));
  };
  struct stat info{};
  if (stat(path.c_str(), &info) != 0) return refuse(std::strerror(errno));
  if (S_ISDIR(info.st_mode)) return refuse("is a directory");
  std::ifstream stream(path, std::ios::binary);
  if (!stream) return refuse(std::strerror(errno));
  std::string text(limits::kConfigFileMaxBytes + 1, '\0');
  stream.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (stream.bad()) return refuse("the disk does not give it");
  text.resize(static_cast<std::size_t>(stream.gcount()));
  if (text.size() > limits::kConfigFileMaxBytes) return refuse("is too large for settings");
  return ParseConfigFile(path, text);
}

std::vector<std::string> SplitList(std::string_view value) {
  value = Trimmed(value);
  if (value.size() >= 2 && value.front() == '[' && value.back() == ']') {
    value = value.substr(1, value.size() - 2);
  }
  std::vector<std::string> parts;
  constexpr std::string_view kBetween = ", \t";
  for (;;) {
    value.remove_prefix(std::min(value.size(), value.find_first_not_of(kBetween)));
    if (value.empty()) return parts;
    std::string_view part = value.substr(0, value.find_first_of(kBetween));
    value.remove_prefix(part.size());
    if (part.size() >= 2 && IsQuote(part.front()) && part.back() == part.front()) {
      part = part.substr(1, part.size() - 2);
    }
    parts.emplace_back(part);
  }
}

}  // namespace gateway::app
