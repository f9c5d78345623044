#include "app/settings.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <iterator>
#include <set>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "app/secret_file.h"
#include "app/text.h"

namespace gateway::app {
namespace {

bool IsFlag(const CLI::Option& option) { return option.get_expected_max() == 0; }
bool IsList(const CLI::Option& option) {
  return option.get_expected_max() >= CLI::detail::expected_max_vector_size;
}

// Checks a switch here, because CLI11 takes 10x for true.
std::string CheckSwitch(const std::string& text) {
  static const std::set<std::string> words = {"true",  "on",  "yes", "enable",  "1",
                                              "false", "off", "no",  "disable", "0"};
  if (words.count(absl::AsciiStrToLower(text)) > 0) return "";
  return absl::StrCat("must be true or false, not '", text, "'");
}

std::string CheckNotEmpty(const std::string& text) {
  if (!Trimmed(text).empty()) return "";
  return "is empty; give it a value, or leave it out";
}

// Takes the option's name off, with which CLI11 begins its messages.
std::string WithoutName(const CLI::Option& option, std::string_view message) {
  TakePrefix(message, option.get_name() + ": ");
  return std::string(message);
}

// A setting as the log may show it: credentials and account names are not for logs, and a URL may
// hold a password.
std::string Shown(const std::string& name, const std::vector<std::string>& values) {
  if (name == "client-id" || name == "user-id") return "set";
  if (name == "notify-url") return "set";  // all of it may be a secret between it and its owner
  std::string shown = absl::StrJoin(values, ", ");
  if (const std::size_t at = shown.rfind('@'); at != std::string::npos) {
    const std::size_t scheme = shown.find("://");
    const std::size_t begin = scheme < at ? scheme + 3 : 0;
    shown.replace(begin, at - begin, "…");
  }
  return shown;
}

}  // namespace

Settings::Settings(CLI::App& app) {
  for (CLI::Option* option : app.get_options()) {
    if (!option->get_configurable() && option->get_envname().empty()) continue;  // --help
    Setting setting;
    setting.option = option;
    setting.name = option->get_lnames().front();
    setting.variable = option->get_envname();
    option->envname("");
    const auto check = IsFlag(*option) ? CheckSwitch : CheckNotEmpty;
    option->check(CLI::Validator([check](std::string& text) { return check(text); }, ""));
    // If an option is given twice, Apply says so in words.
    if (!IsList(*option)) option->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
    settings_.push_back(std::move(setting));
  }
  std::sort(settings_.begin(), settings_.end(),
            [](const Setting& a, const Setting& b) { return a.name < b.name; });
}

void Settings::ShowVariables() {
  for (Setting& setting : settings_) setting.option->envname(setting.variable);
}

std::vector<std::string> Settings::variables() const {
  std::vector<std::string> names;
  for (const Setting& setting : settings_) {
    if (!setting.variable.empty()) names.push_back(setting.variable);
  }
  return names;
}

std::vector<std::string> Settings::flags() const {
  std::vector<std::string> names;
  for (const Setting& setting : settings_) names.push_back("--" + setting.name);
  return names;
}

std::vector<std::string> Settings::given_flags() const {
  std::vector<std::string> names;
  for (const Setting& setting : settings_) {
    if (setting.option->count() > 0) names.push_back("--" + setting.name);
  }
  return names;
}

std::string Settings::Text(std::string_view flag, const Variables& variables) const {
  for (const Setting& setting : settings_) {
    if (flag != "--" + setting.name) continue;
    if (setting.option->count() > 0) return setting.option->results().back();
    const auto found = variables.find(setting.variable);
    return found == variables.end() ? "" : found->second;
  }
  return "";
}

std::vector<std::string> Settings::Apply(const Variables& variables, const ConfigFile& file) {
  std::vector<Values> flags;  // before the rest takes their place in the options
  for (const Setting& setting : settings_) flags.push_back(setting.option->results());
  std::vector<std::string> problems = file.problems;
  ApplyFile(file, problems);
  for (std::size_t i = 0; i < settings_.size(); ++i) {
    Setting& setting = settings_[i];
    const auto variable = variables.find(setting.variable);
    if (variable != variables.end() && CheckNotEmpty(variable->second).empty()) {
      Set(setting, IsList(*setting.option) ? SplitList(variable->second) : Values{variable->second},
          setting.variable, setting.variable, problems);
    }
    if (flags[i].empty()) continue;
    const std::string flag = "--" + setting.name;
    if (flags[i].size() > 1 && !IsList(*setting.option)) {
      problems.push_back(flag + ": is given twice; say it once");
    }
    Set(setting, std::move(flags[i]), "flag", flag, problems);
  }
  return problems;
}

void Settings::ApplyFile(const ConfigFile& file, std::vector<std::string>& problems) {
  std::map<Setting*, Values> lists;
  for (const ConfigLine& line : file.lines) {
    Setting* const setting = Find(line.key);
    if (setting == nullptr || !setting->option->get_configurable()) {
      problems.push_back(absl::StrCat(file.Where(line), ": ", UnknownKey(line.key)));
      continue;
    }
    const std::string where = absl::StrCat(file.Where(line), ": ", line.key);
    if (IsList(*setting->option)) {  // may be repeated, and is the sum of its lines
      Values& list = lists[setting];
      for (std::string& value : line.quoted ? Values{line.value} : SplitList(line.value)) {
        list.push_back(std::move(value));
      }
      Set(*setting, list, file.Where(line), where, problems);
    } else if (setting->line != 0) {
      problems.push_back(
          absl::StrCat(where, ": line ", setting->line, " sets it already; keep one of them"));
    } else {
      setting->line = line.number;
      Set(*setting, {line.value}, file.Where(line), where, problems);
    }
  }
}

void Settings::Set(Setting& setting, Values values, std::string source, std::string where,
                   std::vector<std::string>& problems) {
  setting.values = values;
  setting.source = std::move(source);
  setting.where = std::move(where);
  try {
    setting.option->clear();
    setting.option->add_result(std::move(values));
    setting.option->run_callback();
  } catch (const CLI::ParseError& error) {
    problems.push_back(
        absl::StrCat(setting.where, ": ", WithoutName(*setting.option, error.what())));
  }
}

Settings::Setting* Settings::Find(std::string_view name) {
  const auto found = std::find_if(settings_.begin(), settings_.end(),
                                  [name](const Setting& setting) { return setting.name == name; });
  return found == settings_.end() ? nullptr : &*found;
}

// The message repeats only a key that is like one of ours: any other may be a piece of a secret.
std::string Settings::UnknownKey(const std::string& key) const {
  constexpr char kUnknown[] = "there is no such setting; ";
  std::vector<std::string> names;
  for (const Setting& setting : settings_) {
    if (setting.option->get_configurable()) names.push_back(setting.name);
  }
  for (const SecretSource& secret : kSecretSources) {
    if (NearestSetting(key, {std::string(secret.variable)}).empty()) continue;
    return absl::StrCat(key, ": ", kUnknown, "a secret is not kept here: set ",
                        std::string(secret.variable), ", or name its file");
  }
  const std::size_t dot = key.find('.');
  if (dot != std::string::npos &&
      std::find(names.begin(), names.end(), key.substr(dot + 1)) != names.end()) {
    return absl::StrCat(key, ": ", kUnknown, "move it above the section [", key.substr(0, dot),
                        "]");
  }
  const std::string nearest = NearestSetting(key, names);
  if (nearest.empty()) return absl::StrCat(kUnknown, "see --help");
  return absl::StrCat(key, ": ", kUnknown, "did you mean ", nearest, "?");
}

std::vector<GivenSetting> Settings::given() const {
  std::vector<GivenSetting> all;
  for (const Setting& setting : settings_) {
    if (setting.values.empty()) continue;
    all.push_back({setting.name, Shown(setting.name, setting.values), setting.source});
  }
  return all;
}

std::string Settings::Located(const std::string& message) const {
  for (const Setting& setting : settings_) {
    const std::string flag = absl::StrCat("--", setting.name, ":");
    if (setting.where.empty() || message.rfind(flag, 0) != 0) continue;
    return absl::StrCat(setting.where, message.substr(flag.size() - 1));
  }
  return message;
}

}  // namespace gateway::app
