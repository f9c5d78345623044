// Where each setting of a command comes from: a flag, else a PICTORY_… variable, else a line of the
// config file, else its default.
//
// CLI11 knows the options and what each may be; it reads the flags. What it makes of variables and
// files is too loose for settings that guard money (an empty variable is none, of two lines one
// counts, a wrong value does not say where it stands), so that is done here, with CLI11's checks.
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
  // Of all options of `app`, which must outlive it. Hides the variables' names from CLI11, which
  // would read them while it parses.
  explicit Settings(CLI::App& app);
  // Shows them again, for --help.
  void ShowVariables();

  // What all settings are called: `PICTORY_MAX_WATCHES`, `--max-watches`.
  std::vector<std::string> variables() const;
  std::vector<std::string> flags() const;

  // After CLI11 has parsed the command line:

  // The flags on it, in order of their names.
  std::vector<std::string> given_flags() const;
  // What a flag or its variable says, unchecked; "" if neither is there.
  std::string Text(std::string_view flag, const Variables& variables) const;
  // Checks every value wherever it stands, also one that does not count, and leaves in the options'
  // targets the one that does. What is wrong, a line each.
  std::vector<std::string> Apply(const Variables& variables, const ConfigFile& file);

  // After Apply:

  // What is not left at its default, in order of the names.
  std::vector<GivenSetting> given() const;
  // A message that begins with a flag, for whoever set that elsewhere: with the variable, or the
  // file, line and key.
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
