// The options about webhooks, and the listener they ask for.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "admin/webhook_receiver.h"
#include "app/config.h"
#include "jobs/store.h"

namespace CLI {
class App;
}

namespace gateway::app {

// The raw texts of these options, before they are checked.
struct WebhookFlags {
  std::string listen = "off";
  std::string url;
};

// `flags` must outlive `app`.
void AddWebhookFlags(CLI::App& app, WebhookFlags& flags);

// Fills in what the texts say, each for itself. An error is INVALID_ARGUMENT and names the option.
absl::Status CompleteWebhooks(const WebhookFlags& flags, Config& config);

// Checks that the options about webhooks fit each other and the rest of `config`, in which it is
// decided by now whether the sandbox is used.
absl::Status CheckWebhooks(const Config& config);

// Returns a receiver that is bound, but does not serve yet; null if webhooks are off. The key is
// kept beside the jobs in `directory`; gateways that share a store have one key, which it keeps, so
// that a webhook call may reach any of them.
absl::StatusOr<std::unique_ptr<admin::WebhookReceiver>> ListenForWebhooks(
    const Config& config, const std::filesystem::path& directory, jobs::Store& store);

}  // namespace gateway::app
