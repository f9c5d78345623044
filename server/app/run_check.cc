#include <cstdio>
#include <set>
#include <string>
#include <vector>

#include "app/accounts.h"
#include "app/exit_codes.h"
#include "app/run.h"
#include "app/tls_watch.h"
#include "app/tracing.h"
#include "app/upstream.h"
#include "http/curl_transport.h"

namespace gateway::app {
namespace {

// What a start would refuse of a configuration that was read.
absl::Status Check(const Config& config) {
  const auto accounts = AccountsOf(config, config.tenants.directory->tenants());
  if (!accounts.ok()) return accounts.status();
  std::set<std::string> urls = {config.base_url};
  for (const AccountSetup& account : *accounts) {
    if (!account.base_url.empty()) urls.insert(account.base_url);
  }
  for (const std::string& url : urls) {
    const auto transport = http::CurlTransport::Create(TransportOptionsOf(config, url));
    if (!transport.ok()) return transport.status();
  }
  if (!config.otlp_endpoint.empty()) {
    const absl::Status collector = Tracing::Check(config.otlp_endpoint, config.ca_file);
    if (!collector.ok()) return collector;
  }
  if (config.http_listen.empty() || !config.tls.has_value()) return absl::OkStatus();
  return TlsInUse::ForHttp(config.tls->keys).status();
}

}  // namespace

int RunCheck(const Config& config) {
  if (const absl::Status wrong = Check(config); !wrong.ok()) {
    std::fprintf(stderr, "pictory-gateway: %s\n", std::string(wrong.message()).c_str());
    return kWrongSettings;
  }
  std::puts(
      "The settings are right, and so are the files that they name. Nothing was started; what is "
      "in the state directory, a store and an archive was not looked at.");
  return 0;
}

}  // namespace gateway::app
