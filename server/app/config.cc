#include "app/config.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <optional>
#include <sstream>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "app/arguments.h"
#include "app/command_tree.h"
#include "app/complete.h"
#include "app/config_file.h"
#include "app/environment.h"
#include "app/exit_codes.h"
#include "app/secret_file.h"
#include "app/settings.h"

namespace gateway::app {
namespace {

// Variables of other programs of this project: the command line's and the example clients'.
constexpr const char* kVariablesOfOthers[] = {"PICTORY_GATEWAY", "PICTORY_GATEWAY_KEY",
                                              "PICTORY_CALLER_KEY", "PICTORY_PROTOS"};

// Takes out variables that Kubernetes set for a Service under the name of a setting, such as
// PICTORY_SANDBOX_PORT for a Service called pictory-sandbox. Nobody can have meant such a variable
// as a setting, for a pod's own one would stand in its place.
std::vector<std::string> RemoveServiceLinks(Variables& variables,
                                            const std::vector<std::string>& known) {
  std::vector<std::string> removed;
  for (const std::string& name : known) {
    const auto found = variables.find(name);
    if (found == variables.end() || !IsServiceLink(name, found->second)) continue;
    removed.push_back(name);
    variables.erase(found);
  }
  return removed;
}

std::vector<GivenSetting> GivenSecrets(const Variables& variables) {
  std::vector<GivenSetting> given;
  for (const SecretSource& secret : kSecretSources) {
    if (variables.count(std::string(secret.variable)) == 0) continue;
    const std::string_view name = secret.flag.substr(2);  // api-key-file
    given.push_back(
        {std::string(name.substr(0, name.rfind('-'))), "set", std::string(secret.variable)});
  }
  return given;
}

// `help`, `help sandbox` (or another command) and `version` are what people type for the flags of
// these names. CLI11 reads arguments from the last to the first.
std::vector<std::string> Arguments(int argc, const char* const* argv) {
  std::vector<std::string> words(argv + 1, argv + argc);
  if (!words.empty() && words[0] == "help") {
    words.erase(words.begin());
    words.push_back("--help");
  } else if (words == std::vector<std::string>{"version"}) {
    words[0] = "--version";
  }
  std::reverse(words.begin(), words.end());
  return words;
}

// One command line, its environment and its file, on the way to a configuration.
class Reading {
 public:
  Reading(int argc, const char* const* argv);
  Parsed Result();

 private:
  void ReadFlags(int argc, const char* const* argv);
  void ReadVariables();
  void ReadFile();
  void CheckSeen();
  GivenSettings Given() const;

  bool sandbox() const { return tree_.sandbox->parsed(); }
  bool contract() const { return tree_.contract->parsed(); }
  const Settings& own() const {
    return sandbox() ? *sandbox_settings_ : contract() ? *contract_settings_ : *gateway_settings_;
  }
  Settings& own() { return const_cast<Settings&>(std::as_const(*this).own()); }
  absl::Status Complete();
  // The flags of the commands that this one is not.
  std::vector<std::string> OtherFlags() const;
  void Report(const std::vector<std::string>& problems) {
    problems_.insert(problems_.end(), problems.begin(), problems.end());
  }

  CommandTree tree_;
  std::optional<Settings> gateway_settings_;
  std::optional<Settings> sandbox_settings_;
  std::optional<Settings> contract_settings_;

  Variables variables_ = ProcessVariables();
  std::vector<std::string> ignored_;
  std::vector<std::string> problems_;
  std::optional<std::string> help_;  // or the version; all that was asked for
};

Reading::Reading(int argc, const char* const* argv) {
  gateway_settings_.emplace(tree_.app);
  sandbox_settings_.emplace(*tree_.sandbox);
  contract_settings_.emplace(*tree_.contract);
  ReadFlags(argc, argv);
  if (help_.has_value() || tree_.keygen->parsed() || tree_.probe->parsed() || tree_.mcp->parsed() ||
      tree_.store->parsed()) {
    return;
  }
  ReadVariables();
  if (problems_.empty()) ReadFile();
}

void Reading::ReadFlags(int argc, const char* const* argv) {
  Report(EmptyFlags(argc, argv));
  if (!problems_.empty()) return;
  try {
    tree_.app.parse(Arguments(argc, argv));
    if (sandbox() || contract()) {
      std::vector<std::string> misplaced = gateway_settings_->given_flags();
      if (tree_.flags.check_settings) misplaced.emplace_back("--check-settings");
      Report(MisplacedFlags(misplaced, sandbox() ? "sandbox" : "contract"));
    }
  } catch (const CLI::ExtrasError&) {
    Report(UnknownArguments(tree_.app, own().flags(), OtherFlags()));
  } catch (const CLI::Success& asked) {
    gateway_settings_->ShowVariables();
    sandbox_settings_->ShowVariables();
    contract_settings_->ShowVariables();
    std::ostringstream out;
    tree_.app.exit(asked, out, out);
    help_ = out.str();
  } catch (const CLI::ParseError& error) {
    Report({Reworded(tree_.app, error)});
  }
}

void Reading::ReadVariables() {
  std::vector<std::string> known = gateway_settings_->variables();
  for (const Settings* more : {&*sandbox_settings_, &*contract_settings_}) {
    for (const std::string& name : more->variables()) known.push_back(name);
  }
  std::sort(known.begin(), known.end());
  known.erase(std::unique(known.begin(), known.end()), known.end());
  ignored_ = RemoveServiceLinks(variables_, known);
  const std::vector<std::string> own_ones = own().variables();
  for (const std::string& name : known) {
    const bool ours = std::find(own_ones.begin(), own_ones.end(), name) != own_ones.end();
    if (!ours && variables_.count(name) > 0) ignored_.push_back(name);
  }
  for (const SecretSource& secret : kSecretSources) known.emplace_back(secret.variable);
  known.insert(known.end(), std::begin(kVariablesOfOthers), std::end(kVariablesOfOthers));
  Report(CheckVariables(variables_, known));
}

void Reading::ReadFile() {
  const std::string path = own().Text("--config", variables_);
  absl::StatusOr<ConfigFile> file = path.empty() ? ConfigFile() : ReadConfigFile(path);
  Report(own().Apply(variables_, file.ok() ? *file : ConfigFile()));
  if (!file.ok()) Report({own().Located(std::string(file.status().message()))});
}

std::vector<std::string> Reading::OtherFlags() const {
  std::vector<std::string> flags;
  for (const Settings* each : {&*gateway_settings_, &*sandbox_settings_, &*contract_settings_}) {
    if (each == &own()) continue;
    for (const std::string& flag : each->flags()) flags.push_back(flag);
  }
  return flags;
}

absl::Status Reading::Complete() {
  if (sandbox()) return CompleteSandbox(tree_.sandbox_flags, variables_, tree_.sandbox_config);
  if (contract()) return CompleteContract(tree_.contract_flags, variables_, tree_.contract_config);
  return CompleteGateway(tree_.flags, variables_, tree_.config);
}

// Everybody on this machine can read the command line in the list of processes.
void Reading::CheckSeen() {
  for (const GivenSetting& setting : own().given()) {
    if (setting.name != "proxy" || setting.source != "flag") continue;
    const Config& config = contract() ? tree_.contract_config.account : tree_.config;
    if (config.proxy.find('@') == std::string::npos) continue;
    Report(
        {"--proxy: holds a user's name or password, which others see in the list of processes; "
         "set PICTORY_PROXY, or name a file that has it with --config"});
  }
}

GivenSettings Reading::Given() const {
  GivenSettings given{.settings = own().given(), .ignored = ignored_};
  for (GivenSetting& secret : GivenSecrets(variables_)) given.settings.push_back(std::move(secret));
  std::sort(given.settings.begin(), given.settings.end(),
            [](const GivenSetting& a, const GivenSetting& b) { return a.name < b.name; });
  return given;
}

Parsed Reading::Result() {
  Parsed parsed;
  if (help_.has_value()) {
    parsed.text = *help_;
    return parsed;
  }
  if (problems_.empty() && tree_.keygen->parsed()) {
    parsed.text = KeygenText(tree_.keygen_flags);
    return parsed;
  }
  if (problems_.empty() && tree_.probe->parsed()) {
    parsed.probe = tree_.probe_flags;
    return parsed;
  }
  if (problems_.empty() && tree_.mcp->parsed()) {
    parsed.mcp = tree_.mcp_flags;
    return parsed;
  }
  if (problems_.empty() && tree_.store->parsed()) {
    parsed.store_copy = tree_.store_copy_flags;
    return parsed;
  }
  CheckSeen();
  if (problems_.empty()) {
    if (const absl::Status status = Complete(); !status.ok())
      Report({own().Located(std::string(status.message()))});
  }
  if (!problems_.empty()) {
    parsed.exit_code = kWrongSettings;
    for (const std::string& problem : problems_) {
      absl::StrAppend(&parsed.text, "pictory-gateway: ", problem, "\n");
    }
  } else if (sandbox()) {
    tree_.sandbox_config.given = Given();
    parsed.sandbox = std::move(tree_.sandbox_config);
  } else if (contract()) {
    parsed.contract = std::move(tree_.contract_config);
  } else {
    tree_.config.given = Given();
    (tree_.flags.check_settings ? parsed.check : parsed.gateway) = std::move(tree_.config);
  }
  return parsed;
}

}  // namespace

Parsed ParseCommandLine(int argc, const char* const* argv) { return Reading(argc, argv).Result(); }

}  // namespace gateway::app
