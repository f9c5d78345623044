#include "app/accounts.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "app/upstream.h"
#include "base/limits.h"

namespace gateway::app {
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

absl::Status TakeSecret(const std::string& path, std::string_view setting, AccountSetup& setup) {
  absl::StatusOr<Secret> secret = ReadSecretFile(setting, path);
  if (!secret.ok()) {
    return absl::Status(secret.status().code(),
                        absl::StrCat("account ", setup.name, ": ", secret.status().message()));
  }
  setup.secret = *std::move(secret);
  setup.secret_file = {.flag = std::string(setting), .path = path};
  return absl::OkStatus();
}

absl::Status TakeCredentials(const tenants::Account& account, AccountSetup& setup) {
  pictory::ClientOptions& client = setup.options.client;
  if (!account.api_key_file.empty()) {
    if (absl::Status read = TakeSecret(account.api_key_file, "api_key_file", setup); !read.ok()) {
      return read;
    }
    client.oauth.reset();
    client.api_key = setup.secret;
    return absl::OkStatus();
  }
  absl::Status read = TakeSecret(account.client_secret_file, "client_secret_file", setup);
  if (!read.ok()) return read;
  client.api_key = Secret();
  client.oauth = pictory::OAuthOptions{
      .client_id = account.client_id, .client_secret = setup.secret, .user_id = account.user_id};
  return absl::OkStatus();
}

}  // namespace

bool UsesFlags(const tenants::Tenants& document) {
  const auto account = document.accounts.find(tenants::kDefaultAccount);
  if (account != document.accounts.end()) return !HasCredentials(account->second);
  return document.accounts.empty() ||
         std::any_of(document.tenants.begin(), document.tenants.end(), [](const auto& tenant) {
           return tenant.second.account == tenants::kDefaultAccount;
         });
}

AccountSetup AccountOfFlags(const Config& config) {
  AccountSetup setup{.name = tenants::kDefaultAccount};
  setup.options.client = ClientOptionsOf(config);
  setup.options.budget = BudgetOf(config);
  setup.options.translate = TranslateOptionsOf(config);
  if (!config.sandbox) {
    setup.secret_file = config.secret_file;
    setup.secret = config.auth == pictory::AuthMode::kOAuth ? config.client_secret : config.api_key;
  }
  return setup;
}

absl::StatusOr<std::vector<AccountSetup>> AccountsOf(const Config& config,
                                                     const tenants::Tenants& document) {
  std::vector<AccountSetup> setups;
  if (UsesFlags(document) && !document.accounts.contains(tenants::kDefaultAccount)) {
    setups.push_back(AccountOfFlags(config));
  }
  for (const auto& [name, account] : document.accounts) {
    AccountSetup setup = AccountOfFlags(config);
    setup.name = name;
    for (const auto& [kind, version] : account.api_versions) {
      setup.options.translate.versions[kind] = version;
    }
    jobs::BudgetOptions& budget = setup.options.budget;
    if (account.requests_per_second > 0) budget.requests_per_second = account.requests_per_second;
    if (account.burst > 0) budget.burst = account.burst;
    if (!config.sandbox) {
      setup.base_url = account.base_url;
      if (HasCredentials(account)) {
        if (absl::Status taken = TakeCredentials(account, setup); !taken.ok()) return taken;
      } else if (name != tenants::kDefaultAccount || config.sandbox_by_default) {
        return absl::InvalidArgumentError(
            absl::StrCat("account ", name,
                         " has no credentials; give it api_key_file, or client_id and "
                         "client_secret_file"));
      }
    }
    setups.push_back(std::move(setup));
  }
  return setups;
}

}  // namespace gateway::app
