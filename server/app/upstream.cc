#include "app/upstream.h"

#include "absl/strings/str_cat.h"
#include "app/pictory_flags.h"
#include "base/limits.h"
#include "obs/log.h"
#include "pictory/kinds.h"
#include "pictory/url_rules.h"
#include "tenants/tenants.h"

namespace gateway::app {

bool AnswersNameLoopback(const Config& config) {
  if (config.sandbox) return true;
  return pictory::UrlProblem(config.base_url, /*allow_loopback=*/true).empty() &&
         !pictory::UrlProblem(config.base_url, /*allow_loopback=*/false).empty();
}

namespace {

// How an account proves itself to the embedded sandbox.
std::string InSandbox(const char* known, const std::string& account) {
  return account == tenants::kDefaultAccount ? known : absl::StrCat(known, "_", account);
}

}  // namespace

pictory::ClientOptions ClientOptionsOf(const Config& config, const std::string& account) {
  pictory::ClientOptions options;
  options.allow_loopback_urls = AnswersNameLoopback(config);
  options.max_job_reply_bytes = static_cast<std::size_t>(config.max_job_reply_mib) * limits::kMiB;
  if (config.auth == pictory::AuthMode::kKey) {
    options.api_key = config.sandbox ? Secret(InSandbox(kSandboxKey, account)) : config.api_key;
  } else if (config.sandbox) {
    options.oauth = pictory::OAuthOptions{.client_id = InSandbox(kSandboxClient, account),
                                          .client_secret = Secret(kSandboxClient),
                                          .user_id = kSandboxClient};
  } else {
    options.oauth = pictory::OAuthOptions{.client_id = config.client_id,
                                          .client_secret = config.client_secret,
                                          .user_id = config.user_id};
  }
  return options;
}

http::CurlTransportOptions TransportOptionsOf(const Config& config, const std::string& base_url) {
  http::CurlTransportOptions options;
  options.base_url = base_url;
  options.ca_file = config.ca_file;
  options.proxy = config.proxy;
  options.engines = config.upstream_engines;
  // As many as may be under way together, so that none waits behind those of another tenant.
  options.read_in_flight =
      config.max_polls_in_flight + limits::kSubmitsInFlightMax + limits::kLooksOfAllInFlightMax;
  options.allow_plain_http = true;  // to loopback hosts only
  return options;
}

pictory::TranslateOptions TranslateOptionsOf(const Config& config) {
  return {.versions = config.api_versions, .allow_loopback_urls = config.sandbox};
}

void LogUpstream(const Config& config, const std::string& base_url) {
  std::string versions;
  for (const pictory::KindFacts& kind : pictory::Kinds()) {
    versions.append(versions.empty() ? "" : " ").append(kind.word).append("=");
    versions.append(VersionWord(config, kind.kind));
  }
  const bool oauth = config.auth == pictory::AuthMode::kOAuth;
  obs::Log(obs::Level::kInfo, "upstream",
           {{"base_url", base_url},
            {"auth", oauth ? "oauth" : "key"},
            {"user_id", oauth && (config.sandbox || !config.user_id.empty())},
            {"api_versions", versions}});
}

}  // namespace gateway::app
