// Settings finds where each setting of a command comes from: a flag, else a PICTORY_… variable,
// else a line of the config file, else its default.
//
// CLI11 knows the options and what each may be, and reads the flags. What it makes of variables and
// files is too loose for settings that guard money (it takes an empty variable for none, of two
// lines it takes one, and it does not say where a wrong value stands), so Settings reads those,
// with CLI11's checks.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "app/config_file.h"
#include "app/environment.h"
#include "app/given.h"

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace gateway::app {

class Settings {
 public:
  // Takes all options of `app`, which must outlive the object. Hides the variables' names from
  // CLI11, which would read them while it parses.
  explicit Settings(CLI::App& app);
  // Shows the variables' names again, for --help.
  void ShowVariables();

  // What all settings are called: `PICTORY_MAX_WATCHES`, `--max-watches`.
  std::vector<std::string> variables() const;
  std::vector<std::string> flags() const;

  // After CLI11 has parsed the command line:

  // The flags on it, in order of their names.
  std::vector<std::string> given_flags() const;
  // What a flag or its variable says, unchecked; "" if neither is there.
  std::string Text(std::string_view flag, const Variables& variables) const;
  // Checks every value wherever it stands, also one that does not count, and leaves the one that
  // counts in the options' targets. Returns what is wrong, a line each.
  std::vector<std::string> Apply(const Variables& variables, const ConfigFile& file);

  // After Apply:

  // The settings that are not left at their defaults, in order of the names.
  std::vector<GivenSetting> given() const;
  // A message that begins with a flag, changed for an operator who set that elsewhere: it then
  // begins with the variable, or with the file, line and key.
  std::string Located(const std::string& message) const;

 private:
  using Values = std::vector<std::string>;
  struct Setting {
    CLI::Option* option = nullptr;
    std::string name;      // max-watches
    std::string variable;  // PICTORY_MAX_WATCHES
    Values values;         // the ones that count; none: the default
    std::string source;    // as in GivenSetting
    std::string where;     // `--max-watches`, `PICTORY_MAX_WATCHES`, `gateway.conf:3: max-watches`
    int line = 0;          // of the file, if it is there
  };

  Setting* Find(std::string_view name);
  std::string UnknownKey(const std::string& key) const;
  void ApplyFile(const ConfigFile& file, std::vector<std::string>& problems);
  // Checks `values` and lets them count from now on.
  void Set(Setting& setting, Values values, std::string source, std::string where,
           std::vector<std::string>& problems);

  std::vector<Setting> settings_;  // in order of the names
};

}  // namespace gateway::app
