#include "app/webhooks.h"

#include <CLI/CLI.hpp>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/limits.h"
#include "http/request_check.h"
#include "obs/log.h"

namespace gateway::app {
namespace {

constexpr char kKeyFile[] = "webhook.key";
// The length of what the receiver puts behind the URL: a slash, a token of 32 digits, a dot and a
// MAC of 64.
constexpr std::size_t kSealedBytes = 1 + 32 + 1 + 64;
constexpr std::size_t kPublicUrlMaxBytes = limits::kWebhookUrlMaxBytes - kSealedBytes;

absl::Status Wrong(std::string_view flag, std::string_view why) {
  return absl::InvalidArgumentError(absl::StrCat(std::string(flag), ": ", std::string(why)));
}

}  // namespace

void AddWebhookFlags(CLI::App& app, WebhookFlags& flags) {
  app.add_option("--webhook-listen", flags.listen,
                 "HTTP listener for Pictory's webhook calls when jobs have ended; 'off' for none. "
                 "It takes nothing but hints that only Pictory can give, so others may reach it")
      ->envname("PICTORY_WEBHOOK_LISTEN")
      ->capture_default_str();
  app.add_option("--webhook-url", flags.url,
                 "https URL under which Pictory reaches that listener, by an ingress; with the "
                 "built-in sandbox its own address will do")
      ->envname("PICTORY_WEBHOOK_URL");
}

absl::Status CompleteWebhooks(const WebhookFlags& flags, Config& config) {
  config.webhook_listen.reset();
  if (flags.listen != "off") {
    absl::StatusOr<Address> address = ParseAddress(flags.listen);
    if (!address.ok()) return Wrong("--webhook-listen", std::string(address.status().message()));
    config.webhook_listen = *address;
  }
  config.webhook_url.clear();
  if (flags.url.empty()) return absl::OkStatus();
  absl::StatusOr<http::BaseUrl> url = http::ParseBaseUrl(flags.url, true);
  if (!url.ok()) {
    std::string why(url.status().message());
    if (constexpr std::string_view kPrefix = "base URL: "; why.rfind(kPrefix, 0) == 0) {
      why.erase(0, kPrefix.size());
    }
    return Wrong("--webhook-url", why);
  }
  if (url->text.size() > kPublicUrlMaxBytes) {
    return Wrong("--webhook-url", absl::StrCat("must have at most ", kPublicUrlMaxBytes,
                                               " bytes, for Pictory takes ",
                                               limits::kWebhookUrlMaxBytes, " in all"));
  }
  config.webhook_url = std::move(url->text);
  return absl::OkStatus();
}

absl::Status CheckWebhooks(const Config& config) {
  if (!config.webhook_listen.has_value()) {
    if (config.webhook_url.empty()) return absl::OkStatus();
    return Wrong("--webhook-url",
                 "nobody would listen there; set --webhook-listen too, to the address that the "
                 "ingress forwards to");
  }
  if (!config.webhook_url.empty()) return absl::OkStatus();
  if (!config.sandbox) {
    return Wrong("--webhook-listen",
                 "Pictory must be told where to call; set --webhook-url to the public https URL "
                 "that leads there");
  }
  if (config.webhook_listen->IsLoopback()) return absl::OkStatus();
  return Wrong("--webhook-listen",
               "the sandbox calls plain http on loopback only; listen on 127.0.0.1, or set "
               "--webhook-url too");
}

absl::StatusOr<std::unique_ptr<admin::WebhookReceiver>> ListenForWebhooks(
    const Config& config, const std::filesystem::path& directory, jobs::Store& store) {
  if (!config.webhook_listen.has_value()) return nullptr;
  auto seal = admin::WebhookSeal::FromFile(directory / kKeyFile);
  if (!seal.ok()) return seal.status();
  if (store.sharing().shared()) {
    auto shared = store.sharing().ShareSecret(kKeyFile, seal->key().Reveal());
    if (!shared.ok()) return shared.status();
    seal = admin::WebhookSeal(Secret(*std::move(shared)));
  }
  auto receiver = admin::WebhookReceiver::Listen({.address = config.webhook_listen->host,
                                                  .port = config.webhook_listen->port,
                                                  .public_url = config.webhook_url,
                                                  .host_names = config.allowed_hosts},
                                                 *std::move(seal));
  if (!receiver.ok()) return receiver.status();
  obs::Log(obs::Level::kInfo, "webhooks",
           {{"http", (*receiver)->authority()}, {"url", (*receiver)->url()}});
  return receiver;
}

}  // namespace gateway::app
