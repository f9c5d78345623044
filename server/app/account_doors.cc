#include "app/account_doors.h"

#include <algorithm>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "app/observe.h"
#include "app/secret_watch.h"
#include "app/upstream.h"
#include "obs/log.h"

namespace gateway::app {

AccountDoors::AccountDoors(const Config& config, const Clock& clock, obs::Metrics& metrics)
    : config_(config), clock_(clock), metrics_(metrics) {}

absl::Status AccountDoors::Read(const tenants::Tenants& document) {
  absl::StatusOr<std::vector<AccountSetup>> setups = AccountsOf(config_, document);
  if (!setups.ok()) return setups.status();
  setups_ = *std::move(setups);
  MutexLock lock(mutex_);
  for (const AccountSetup& setup : setups_) known_[setup.name] = {setup.base_url, setup.secret};
  return absl::OkStatus();
}

absl::Status AccountDoors::Connect(const std::string& base_url) {
  base_url_ = base_url;
  std::set<std::string> urls = {""};  // accounts that say no other may come later
  for (const AccountSetup& setup : setups_) urls.insert(setup.base_url);
  for (const std::string& url : urls) {
    auto made =
        http::CurlTransport::Create(TransportOptionsOf(config_, url.empty() ? base_url : url));
    if (!made.ok()) return made.status();
    transports_[url] = std::make_unique<Transport>(*std::move(made), clock_, metrics_);
  }
  return absl::OkStatus();
}

std::vector<std::string> AccountDoors::BaseUrls() const {
  std::vector<std::string> urls;
  for (const auto& [url, unused] : transports_) urls.push_back(url.empty() ? base_url_ : url);
  return urls;
}

// What an account's calls need of the gateway.
jobs::UpstreamOptions AccountDoors::Connected(jobs::UpstreamOptions options) {
  options.client.reader = &reader_;
  options.client.token_fetched = TokenFetched(metrics_);
  return options;
}

jobs::UpstreamOptions AccountDoors::OptionsOf(const AccountSetup& setup) {
  jobs::UpstreamOptions options = Connected(setup.options);
  options.transport = &transports_.at(setup.base_url)->metered;
  return options;
}

jobs::Upstreams::Accounts AccountDoors::Options() {
  jobs::Upstreams::Accounts accounts;
  for (const AccountSetup& setup : setups_) accounts[setup.name] = OptionsOf(setup);
  return accounts;
}

jobs::UpstreamOptions AccountDoors::OptionsOfCaller(const std::string& account, const Secret& key) {
  return Connected(OptionsOfKey(config_, account, key));
}

void AccountDoors::Watch(jobs::Upstreams& upstreams, FileWatches& watches) {
  upstreams_ = &upstreams;
  watches_ = &watches;
  for (const AccountSetup& setup : setups_) WatchSecret(setup);
}

void AccountDoors::WatchSecret(const AccountSetup& setup) {
  if (setup.secret_file.path.empty() || IsPipe(setup.secret_file.path)) return;
  watches_->Add(WatchedSecret(setup.secret_file,
                              [this, account = setup.name](const Secret& secret) {
                                return ReplaceSecret(account, secret);
                              }),
                DigestOf({setup.secret.Reveal()}));
}

// After a change Pictory is asked at once, so that the log tells whether Pictory takes the new
// secret, and submits need not wait if it refused the old one.
absl::Status AccountDoors::ReplaceSecret(const std::string& account, const Secret& secret) {
  {
    MutexLock lock(mutex_);
    Known& own = known_[account];
    for (const auto& [name, other] : known_) {
      if (name == account || other.base_url != own.base_url) continue;
      if (other.secret == secret) return SameAccount(account, name);
    }
    own.secret = secret;
  }
  upstreams_->Of(account)->ReplaceSecret(secret);
  return absl::OkStatus();
}

absl::Status AccountDoors::CheckNew(const tenants::Tenants& document,
                                    const std::vector<AccountSetup>& setups) {
  for (const auto& [name, account] : document.accounts) {
    const auto known = known_.find(name);
    if (config_.sandbox || known == known_.end()) continue;
    if (known->second.base_url == account.base_url) continue;
    return WrongAccount(name, absl::StrCat("its base_url is other than at the start; restart the "
                                           "gateway to use ",
                                           account.base_url.empty() ? "the gateway's" : "it"));
  }
  for (const AccountSetup& setup : setups) {
    if (!transports_.contains(setup.base_url)) {
      return WrongAccount(setup.name, absl::StrCat("base_url ", setup.base_url,
                                                   " is new; restart the gateway to use it"));
    }
    for (const auto& [name, other] : known_) {
      const bool same = !config_.sandbox && name != setup.name &&
                        other.base_url == setup.base_url && other.secret == setup.secret;
      if (same) return SameAccount(setup.name, name);
    }
  }
  return config_.sandbox ? absl::OkStatus() : CheckOneNameEach(setups);
}

absl::StatusOr<std::size_t> AccountDoors::OpenNew(const tenants::Tenants& document) {
  absl::StatusOr<std::vector<AccountSetup>> found = NewAccountsOf(
      config_, document, [this](const std::string& account) { return upstreams_->Has(account); });
  if (!found.ok()) return found.status();
  {
    MutexLock lock(mutex_);
    if (absl::Status may = CheckNew(document, *found); !may.ok()) return may;
    for (const AccountSetup& setup : *found) known_[setup.name] = {setup.base_url, setup.secret};
  }
  for (const AccountSetup& setup : *found) {
    if (!upstreams_->Open(setup.name, OptionsOf(setup))) continue;
    obs::Log(obs::Level::kInfo, "account_opened", {{"account", setup.name}});
    WatchSecret(setup);
  }
  return found->size();
}

Duration AccountDoors::LoopStallMax() const {
  Duration longest{0};
  for (const auto& [url, transport] : transports_) {
    longest = std::max<Duration>(longest, transport->curl->Stats().loop_stall_max);
  }
  return longest;
}

void AccountDoors::Stop() {
  for (const auto& [url, transport] : transports_) transport->curl->Stop();
}

}  // namespace gateway::app
