#include "app/config_example.h"

#include <CLI/CLI.hpp>
#include <sstream>
#include <string_view>

#include "absl/strings/str_cat.h"
#include "app/flags.h"

namespace gateway::app {
namespace {

constexpr std::size_t kColumns = 100;

constexpr std::string_view kHead =
    "# Settings of pictory-gateway, read at a start only. Each line with a name in it is a "
    "setting\n"
    "# at its default; take off the # in front to change it. A setting without a value has none.\n"
    "# Flags and PICTORY_… variables win over this file. server/docs/operations.md explains "
    "more.\n";

// `text` in lines that begin with `# `.
std::string Commented(const std::string& text) {
  std::string lines = "#";
  std::size_t column = lines.size();
  std::istringstream words(text);
  for (std::string word; words >> word;) {
    if (column + 1 + word.size() > kColumns) {
      absl::StrAppend(&lines, "\n#");
      column = 1;
    }
    absl::StrAppend(&lines, " ", word);
    column += 1 + word.size();
  }
  return lines + "\n";
}

// CLI11 shows a list as [a,b].
std::string Value(const CLI::Option& option) {
  if (option.get_expected_max() == 0) return "false";
  const std::string text = option.get_default_str();
  if (text.empty() || text.front() != '[') return text;
  return text.substr(1, text.size() - 2);
}

}  // namespace

std::string ConfigExample() {
  Config config;
  GatewayFlags flags;
  CLI::App app;
  AddGatewayOptions(app, flags, config);
  std::string file(kHead);
  for (const CLI::Option* option : app.get_options()) {
    if (!option->get_configurable() || option->get_envname().empty()) continue;
    const std::string value = Value(*option);
    absl::StrAppend(&file, "\n", Commented(option->get_description()), "#",
                    option->get_lnames().front(), " =", value.empty() ? "" : " ", value, "\n");
  }
  return file;
}

}  // namespace gateway::app
