// The command tree is all commands and flags of `pictory`, with their help. What parses a command
// line has it from here.
#pragma once

#include <CLI/CLI.hpp>

#include <memory>
#include <string>
#include <vector>

#include "invocation.h"

namespace pictory_jobs::cli {

// The flags as they are given, before they are checked.
struct Raw {
  Invocation* to = nullptr;
  std::string timeout;
  std::string stream;
  std::string part;
  std::string month;
  std::vector<std::string> labels;
  std::vector<std::string> states;
  std::vector<std::string> kinds;
  std::string color;
  std::string format;  // of a list
  std::string since;
  std::string before;
  std::string help_on;  // `pictory help COMMAND`
};

// Values go into `raw` and its Invocation, which must outlive what is made.
std::unique_ptr<CLI::App> MakeCommandTree(Raw& raw);

}  // namespace pictory_jobs::cli
