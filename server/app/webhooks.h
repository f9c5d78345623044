// The options about webhooks, and the listener they ask for.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "admin/webhook_receiver.h"
#include "app/config.h"

namespace CLI {
class App;
}

namespace gateway::app {

// Their raw texts, before they mean anything.
struct WebhookFlags {
  std::string listen = "off";
  std::string url;
};

// `flags` must outlive `app`.
void AddWebhookFlags(CLI::App& app, WebhookFlags& flags);

// Fills what the texts say, each for itself. INVALID_ARGUMENT, naming the option.
absl::Status CompleteWebhooks(const WebhookFlags& flags, Config& config);

// Whether they fit each other and the rest of `config`, of which it is known by now whether the
// sandbox is used.
absl::Status CheckWebhooks(const Config& config);

// Bound, but not serving yet; null if webhooks are off. The key is kept beside the jobs of
// `directory`.
absl::StatusOr<std::unique_ptr<admin::WebhookReceiver>> ListenForWebhooks(
    const Config& config, const std::filesystem::path& directory);

}  // namespace gateway::app
