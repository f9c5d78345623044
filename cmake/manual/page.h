// A page of the manual, in the language of man(7), made of the help of a command: what the help
// says is written once.
#pragma once

#include <CLI/CLI.hpp>

#include <string>

namespace manual {

struct Edition {
  std::string section;  // 1 or 8
  std::string version;
  std::string date;
};

// What a page is called: `pictory-list`, for `pictory list`.
std::string PageName(const std::string& command);

// Whether a command has more to say than fits beside its name.
bool DeservesPage(const CLI::App& app);

// `command` is how it is called, `pictory list`. Pure.
std::string Page(const CLI::App& app, const std::string& command, const Edition& edition);

}  // namespace manual
