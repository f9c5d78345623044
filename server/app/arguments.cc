#include "app/arguments.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <string_view>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "app/environment.h"

namespace gateway::app {
namespace {

const std::vector<std::string> kCommands = {"sandbox", "contract", "keygen",
                                            "mcp",     "probe",    "store"};

}  // namespace

std::vector<std::string> EmptyFlags(int argc, const char* const* argv) {
  std::vector<std::string> problems;
  for (int i = 1; i < argc; ++i) {
    const std::string_view text = argv[i];
    if (!text.starts_with("--") || text.find('=') != text.size() - 1) continue;
    problems.push_back(absl::StrCat(std::string(text.substr(0, text.size() - 1)),
                                    ": is empty; give it a value, or leave it out"));
  }
  return problems;
}

std::vector<std::string> UnknownArguments(const CLI::App& app, std::vector<std::string> flags,
                                          const std::vector<std::string>& others) {
  flags.insert(flags.end(), {"--help", "--version"});
  std::vector<std::string> problems;
  std::string command;
  for (const std::string& argument : app.remaining(true)) {
    // An argument that is no flag may be the value of the flag before it.
    if (argument.empty() || argument.front() != '-') {
      if (command.empty()) command = NearestSetting(argument, kCommands);
      continue;
    }
    const std::string flag = argument.substr(0, argument.find('='));
    if (std::find(others.begin(), others.end(), flag) != others.end()) {
      problems.push_back(
          flag + ": is a flag of another command; see --help, sandbox --help and contract --help");
      continue;
    }
    const std::string nearest = NearestSetting(flag, flags);
    problems.push_back(
        absl::StrCat(flag, ": there is no such flag; ",
                     nearest.empty() ? "see --help" : absl::StrCat("did you mean ", nearest, "?")));
  }
  if (problems.empty()) {
    problems.push_back(command.empty()
                           ? absl::StrCat("an argument is no command (they are ",
                                          absl::StrJoin(kCommands, ", "),
                                          "; none is needed to serve) and no flag's value; see "
                                          "--help")
                           : absl::StrCat("there is no such command; did you mean ", command, "?"));
  }
  return problems;
}

std::vector<std::string> MisplacedFlags(const std::vector<std::string>& flags,
                                        const std::string& command) {
  std::vector<std::string> problems;
  for (const std::string& flag : flags) {
    problems.push_back(absl::StrCat(flag, ": stands before the command ", command,
                                    ", which reads only what stands behind it; see ", command,
                                    " --help"));
  }
  return problems;
}

std::string Reworded(const CLI::App& app, const CLI::ParseError& error) {
  for (const CLI::App* command : app.get_subcommands()) {
    if (error.get_name() != "RequiredError" || command->get_require_subcommand_min() == 0) continue;
    std::vector<std::string> words;
    for (const CLI::App* word : command->get_subcommands([](const CLI::App*) { return true; })) {
      words.push_back(absl::StrCat(command->get_name(), " ", word->get_name()));
    }
    return absl::StrCat(command->get_name(), ": says not what to do; write ",
                        absl::StrJoin(words, " or "), ", and see ", words.front(), " --help");
  }
  const std::string text = error.what();
  if (error.get_name() == "ArgumentMismatch" && absl::EndsWith(text, " missing")) {
    return text.substr(0, text.find(':')) + ": needs a value";
  }
  return text;
}

}  // namespace gateway::app
