#include "app/accounts.h"

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "app/upstream.h"
#include "base/limits.h"

namespace gateway::app {

absl::Status WrongAccount(const std::string& account, std::string_view why) {
  return absl::InvalidArgumentError(absl::StrCat("account ", account, ": ", std::string(why)));
}

absl::Status SameAccount(const std::string& account, const std::string& other) {
  return WrongAccount(account, absl::StrCat("has the same credentials as ", other,
                                            "; give one Pictory account one name"));
}

namespace {

jobs::BudgetOptions BudgetOf(const Config& config) {
  jobs::BudgetOptions budget;
  if (config.sandbox) {
    budget.requests_per_second = limits::kSandboxBudgetPerSecond;
    budget.burst = limits::kSandboxBudgetPerSecond;
  }
  if (config.requests_per_second > 0) budget.requests_per_second = config.requests_per_second;
  if (config.burst > 0) budget.burst = config.burst;
  return budget;
}

bool HasCredentials(const tenants::Account& account) {
  return !account.api_key_file.empty() || !account.client_secret_file.empty();
}

using IsOpen = std::function<bool(const std::string& account)>;

absl::Status TakeSecret(const std::string& path, std::string_view setting, bool pipes,
                        AccountSetup& setup) {
  std::error_code ignored;
  if (!pipes && std::filesystem::is_fifo(path, ignored)) {
    return WrongAccount(setup.name,
                        absl::StrCat(path, " is a pipe, which is read at a start only"));
  }
  absl::StatusOr<Secret> secret = ReadSecretFile(setting, path);
  if (!secret.ok()) return WrongAccount(setup.name, std::string(secret.status().message()));
  setup.secret = *std::move(secret);
  setup.secret_file = {.flag = std::string(setting), .path = path};
  return absl::OkStatus();
}

absl::Status TakeCredentials(const tenants::Account& account, bool pipes, AccountSetup& setup) {
  pictory::ClientOptions& client = setup.options.client;
  if (!account.api_key_file.empty()) {
    if (absl::Status read = TakeSecret(account.api_key_file, "api_key_file", pipes, setup);
        !read.ok()) {
      return read;
    }
    client.oauth.reset();
    client.api_key = setup.secret;
    return absl::OkStatus();
  }
  absl::Status read = TakeSecret(account.client_secret_file, "client_secret_file", pipes, setup);
  if (!read.ok()) return read;
  client.api_key = Secret();
  client.oauth = pictory::OAuthOptions{
      .client_id = account.client_id, .client_secret = setup.secret, .user_id = account.user_id};
  return absl::OkStatus();
}

}  // namespace

bool CallersPay(const tenants::Tenants& document) {
  return std::any_of(document.tenants.begin(), document.tenants.end(),
                     [](const auto& tenant) { return tenant.second.callers_pay; });
}

bool UsesFlags(const tenants::Tenants& document) {
  const auto account = document.accounts.find(tenants::kDefaultAccount);
  if (account != document.accounts.end()) return !HasCredentials(account->second);
  const bool anybody = !document.identities && !document.tenants.contains(tenants::kDefaultTenant);
  return anybody || document.tenants.empty() ||
         std::any_of(document.tenants.begin(), document.tenants.end(), [](const auto& tenant) {
           return !tenant.second.callers_pay && tenant.second.account == tenants::kDefaultAccount;
         });
}

namespace {

// The account of the flags, which is the only one without a document of tenants. By another name it
// is what is common to all accounts.
AccountSetup AccountOfFlags(const Config& config, const std::string& name) {
  AccountSetup setup{.name = name};
  setup.options.client = ClientOptionsOf(config, name);
  setup.options.budget = BudgetOf(config);
  setup.options.translate = TranslateOptionsOf(config);
  if (!config.sandbox) {
    setup.secret_file = config.secret_file;
    setup.secret = config.auth == pictory::AuthMode::kOAuth ? config.client_secret : config.api_key;
  }
  return setup;
}

}  // namespace

jobs::UpstreamOptions OptionsOfKey(const Config& config, const std::string& account,
                                   const Secret& key) {
  jobs::UpstreamOptions options = AccountOfFlags(config, account).options;
  if (config.sandbox) return options;
  options.client.oauth.reset();
  options.client.api_key = key;
  return options;
}

absl::Status CheckOneNameEach(const std::vector<AccountSetup>& setups) {
  for (std::size_t i = 0; i < setups.size(); ++i) {
    for (std::size_t j = i + 1; j < setups.size(); ++j) {
      if (setups[i].secret == setups[j].secret && setups[i].base_url == setups[j].base_url) {
        return SameAccount(setups[j].name, setups[i].name);
      }
    }
  }
  return absl::OkStatus();
}

namespace {

absl::StatusOr<std::vector<AccountSetup>> Find(const Config& config,
                                               const tenants::Tenants& document,
                                               const IsOpen& is_open, bool pipes) {
  std::vector<AccountSetup> setups;
  const std::string by_flags = tenants::kDefaultAccount;
  if (!document.accounts.contains(by_flags) && !is_open(by_flags)) {
    AccountSetup setup = AccountOfFlags(config, by_flags);
    const bool given = config.sandbox || !setup.secret.empty();
    if (UsesFlags(document) && !given) {
      return WrongAccount(by_flags, "has no credentials; set them, or give each tenant an account");
    }
    // Where callers pay it is there for the jobs that were made with it before.
    if (UsesFlags(document) || (given && CallersPay(document))) {
      setups.push_back(std::move(setup));
    }
  }
  for (const auto& [name, account] : document.accounts) {
    if (is_open(name)) continue;
    AccountSetup setup = AccountOfFlags(config, name);
    for (const auto& [kind, version] : account.api_versions) {
      setup.options.translate.versions[kind] = version;
    }
    jobs::BudgetOptions& budget = setup.options.budget;
    if (account.requests_per_second > 0) budget.requests_per_second = account.requests_per_second;
    if (account.burst > 0) budget.burst = account.burst;
    if (!config.sandbox) {
      setup.base_url = account.base_url;
      if (HasCredentials(account)) {
        absl::Status taken = TakeCredentials(account, pipes, setup);
        if (!taken.ok()) return taken;
      } else if (name != by_flags || setup.secret.empty()) {
        return WrongAccount(name,
                            "has no credentials; give it api_key_file, or client_id and "
                            "client_secret_file");
      }
    }
    setups.push_back(std::move(setup));
  }
  return setups;
}

}  // namespace

absl::StatusOr<std::vector<AccountSetup>> AccountsOf(const Config& config,
                                                     const tenants::Tenants& document) {
  const auto none = [](const std::string&) { return false; };
  absl::StatusOr<std::vector<AccountSetup>> setups = Find(config, document, none, /*pipes=*/true);
  if (!setups.ok() || config.sandbox) return setups;
  if (absl::Status each = CheckOneNameEach(*setups); !each.ok()) return each;
  return setups;
}

absl::StatusOr<std::vector<AccountSetup>> NewAccountsOf(const Config& config,
                                                        const tenants::Tenants& document,
                                                        const IsOpen& is_open) {
  return Find(config, document, is_open, /*pipes=*/false);
}

}  // namespace gateway::app
