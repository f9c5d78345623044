#include "refusal.h"

#include <algorithm>
#include <charconv>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "problem.h"
#include "words.h"

namespace pictory_jobs::cli {
namespace {

// Tells an error's kind by its code, because its name is sometimes that of the command.
bool Is(const CLI::ParseError& error, CLI::ExitCodes kind) {
  return error.get_exit_code() == static_cast<int>(kind);
}

const CLI::App* Chosen(const CLI::App& app) {
  const auto chosen = app.get_subcommands();
  return chosen.empty() ? nullptr : chosen.front();
}

std::vector<const CLI::App*> Commands(const CLI::App& app) {
  return app.get_subcommands([](const CLI::App*) { return true; });
}

// `--limit`, `-o` …
std::vector<std::string> FlagsOf(const CLI::App& app) {
  std::vector<std::string> flags;
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& name : option->get_lnames()) flags.push_back("--" + name);
    for (const std::string& name : option->get_snames()) flags.push_back("-" + name);
  }
  return flags;
}

bool Has(const std::vector<std::string>& words, const std::string& word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

std::string OwnersOf(const CLI::App& app, const std::string& flag) {
  std::string owners;
  for (const CLI::App* command : Commands(app)) {
    if (Has(FlagsOf(*command), flag)) owners += (owners.empty() ? "" : ", ") + command->get_name();
  }
  return owners;
}

std::string NoSuchFlag(const CLI::App& app, const std::string& flag) {
  const CLI::App* chosen = Chosen(app);
  const std::string owners = OwnersOf(app, flag);
  if (chosen != nullptr && Has(FlagsOf(*chosen), flag)) {
    return flag + " belongs behind the command: pictory " + chosen->get_name() + " … " + flag;
  }
  if (!owners.empty()) return flag + " is a flag of " + owners + "; write it behind the command";
  std::vector<std::string> known = FlagsOf(app);
  if (chosen != nullptr) {
    for (const std::string& own : FlagsOf(*chosen)) known.push_back(own);
  }
  const std::string nearest = flag.size() > 2 ? Nearest(flag, known) : "";
  return "there is no flag " + OneLine(flag) +
         (nearest.empty() ? "" : "; did you mean " + nearest + "?");
}

std::string Unexpected(const CLI::App& app) {
  const CLI::App* chosen = Chosen(app);
  for (const std::string& word : app.remaining(true)) {
    if (word.size() > 1 && word.front() == '-') {
      return NoSuchFlag(app, word.substr(0, word.find('=')));
    }
    if (chosen == nullptr) return NoSuchCommand(app, word);
    return chosen->get_name() + ": '" + OneLine(word) +
           "' is one argument too many; quote what has blanks in it";
  }
  return "";
}

// Puts CLI11's words into others where they are not for people.
std::string Reworded(const CLI::App& app, const CLI::ParseError& error) {
  const std::string text = error.what();
  const CLI::App* chosen = Chosen(app);
  const std::string command = chosen == nullptr ? "" : chosen->get_name() + ": ";
  const std::string name = text.substr(0, text.find(':'));
  if (Is(error, CLI::ExitCodes::ExcludesError)) {
    return text.substr(0, text.find(' ')) + " and " + text.substr(text.rfind(' ') + 1) +
           " cannot both be given";
  }
  if (Is(error, CLI::ExitCodes::RequiredError)) {
    return command + text.substr(0, text.find(" is required")) + " is missing";
  }
  if (!Is(error, CLI::ExitCodes::ArgumentMismatch)) return text;
  const std::size_t most = text.find("At Most 1 required but received");
  return most != text.npos ? command + "takes one " + name + " only" : name + ": needs a value";
}

}  // namespace

CLI::Validator AboveZero() {
  return CLI::Validator(
      [](std::string& text) -> std::string {
        int value = 0;
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
        if (error == std::errc() && end == text.data() + text.size() && value > 0) return "";
        return "must be a whole number from 1 to 2147483647, not '" + OneLine(text) + "'";
      },
      "N");
}

void Choose(CLI::Option* option, const std::vector<std::string>& words) {
  option->type_name(absl::StrJoin(words, "|"));
  option->check(CLI::Validator(
      [words](std::string& text) -> std::string {
        if (Has(words, text)) return "";
        const std::vector<std::string> first(words.begin(), words.end() - 1);
        return absl::StrCat("one of ", absl::StrJoin(first, ", "), " and ", words.back(), ", not '",
                            OneLine(text), "'");
      },
      ""));
}

std::vector<std::string> CommandNames(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::App* command : Commands(app)) names.push_back(command->get_name());
  return names;
}

std::string NoSuchCommand(const CLI::App& app, const std::string& word) {
  const std::string nearest = Nearest(word, CommandNames(app));
  return "there is no command '" + OneLine(word) + "'" +
         (nearest.empty() ? "" : "; did you mean " + nearest + "?");
}

std::string WhatIsWrong(const CLI::App& app, const CLI::ParseError& error) {
  // An unknown flag is often the reason why something else is missing.
  const std::string unexpected = Is(error, CLI::ExitCodes::ExtrasError) ||
                                         Is(error, CLI::ExitCodes::RequiredError) ||
                                         Chosen(app) == nullptr
                                     ? Unexpected(app)
                                     : "";
  return unexpected.empty() ? Reworded(app, error) : unexpected;
}

Finished Refusal(const CLI::App& app, const std::string& what, bool json) {
  const CLI::App* chosen = Chosen(app);
  Problem problem = UsageProblem(what);
  problem.hint =
      "See `pictory " +
      (chosen == nullptr || chosen->get_name() == "help" ? "" : chosen->get_name() + " ") +
      "--help`.\n";
  return {kUsage, "", json ? ProblemLine(problem) : ProblemText(problem)};
}

}  // namespace pictory_jobs::cli
