// The Pictory accounts of the settings, made ready to be called.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "app/config.h"
#include "app/secret_file.h"
#include "base/secret.h"
#include "jobs/upstream.h"
#include "tenants/tenants.h"

namespace gateway::app {

struct AccountSetup {
  std::string name;
  std::string base_url;           // empty: the gateway's
  jobs::UpstreamOptions options;  // without a transport
  SecretOrigin secret_file;       // where the secret came from; no path: from a variable
  Secret secret;                  // what the file said
};

// Whether an account of the document, or without one of a tenant, has the flags' credentials.
bool UsesFlags(const tenants::Tenants& document);

// Whether the callers of some tenant pay.
bool CallersPay(const tenants::Tenants& document);

// Errors about an account, which they name.
absl::Status WrongAccount(const std::string& account, std::string_view why);
// Two names for one account at Pictory are refused: nobody could tell whose its jobs are.
absl::Status SameAccount(const std::string& account, const std::string& other);
absl::Status CheckOneNameEach(const std::vector<AccountSetup>& setups);

// The account of a caller's key, which has all but the key from the flags. With the embedded
// sandbox it is one of the sandbox's.
jobs::UpstreamOptions OptionsOfKey(const Config& config, const std::string& account,
                                   const Secret& key);

// The accounts of the document. What an account does not say is as the flags have it. The account
// `default` may have the flags' credentials; with the embedded sandbox every account is one of the
// sandbox's. Reads the files of the secrets; an error names the account and the file.
absl::StatusOr<std::vector<AccountSetup>> AccountsOf(const Config& config,
                                                     const tenants::Tenants& document);

// The same without the accounts that are open already, whose files are not looked at. Pipes are
// refused, because reading one would wait for a writer.
absl::StatusOr<std::vector<AccountSetup>> NewAccountsOf(
    const Config& config, const tenants::Tenants& document,
    const std::function<bool(const std::string& account)>& is_open);

}  // namespace gateway::app
