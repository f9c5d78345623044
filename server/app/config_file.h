// A config file is what --config names: one name=value on each line. Pure but for ReadConfigFile.
//
// Blank lines and those that begin with # or ; say nothing. A value may stand in '…' or "…";
// outside of them a # at its beginning or after a blank begins a comment. `[api-version]` puts
// `api-version.` before the names of the lines below it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace gateway::app {

struct ConfigLine {
  int number = 0;  // from 1
  std::string key;
  std::string value;    // never empty
  bool quoted = false;  // in the file
};

struct ConfigFile {
  std::string path;  // as it was given
  std::vector<ConfigLine> lines;
  std::vector<std::string> problems;  // `path:3: what is wrong`; the lines' texts stay out of them

  // `path:3`
  std::string Where(const ConfigLine& line) const;
};

// Reads a file's text. Whatever is wrong with `text` is among the problems. The function does not
// know which keys there are.
ConfigFile ParseConfigFile(const std::string& path, std::string_view text);

// INVALID_ARGUMENT if it cannot be read, or is no file that a person would have written.
absl::StatusOr<ConfigFile> ReadConfigFile(const std::string& path);

// The values that a list is made of: `a, b`, `a b` or `["a", "b"]`.
std::vector<std::string> SplitList(std::string_view value);

}  // namespace gateway::app
