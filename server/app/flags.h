// The options of all commands: their names, variables, what each may be, and their help.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "app/config.h"
#include "app/notifications.h"
#include "app/pictory_flags.h"
#include "app/webhooks.h"
#include "base/limits.h"

namespace CLI {
class App;
}

namespace gateway::app {

// The options that the commands which serve have.
struct CommonFlags {
  std::string log_level = "info";
  std::string log_format = "auto";
  std::string ready_file;
};

// The raw texts of `pictory-gateway`'s options, before they mean anything.
struct GatewayFlags {
  CommonFlags common;
  PictoryFlags pictory;
  WebhookFlags webhooks;
  NotifyFlags notify;
  std::string config_file;
  bool check_settings = false;
  std::vector<std::string> listen = {"127.0.0.1:50051"};
  std::vector<std::string> http_listen;
  std::string admin_listen = "127.0.0.1:8081";
  std::string trusted_proxies;
  std::string tenant_header;
  std::string state_dir;
  std::string store;
  std::string store_file;
  std::string reflection = "on";
  double keyless_settle_seconds = std::chrono::duration<double>(limits::kKeylessSettle).count();
  int keep_jobs_days = limits::kFinishedJobKept / std::chrono::days(1);
  int keep_request_ids_days = limits::kRequestIdKept / std::chrono::days(1);
  double drain_delay_seconds = 0;
  double drain_timeout_seconds = std::chrono::duration<double>(limits::kDrainDeadline).count();
};

// The raw texts of the options of `pictory-gateway sandbox`.
struct SandboxFlags {
  CommonFlags common;
  std::string listen = SandboxConfig().listen.ToString();
  std::string state_dir;
  std::string api_key_file;
  bool no_ffmpeg = false;
};

// The raw texts of the options of `pictory-gateway contract`.
struct ContractFlags {
  PictoryFlags pictory;
  bool live = false;
  std::string state_dir;
  double poll_seconds = std::chrono::duration<double>(limits::kContractPollEvery).count();
};

// Adds the options of `pictory-gateway`. `config` takes the values that need no further checks.
// `flags` and `config` must outlive `app`.
void AddGatewayOptions(CLI::App& app, GatewayFlags& flags, Config& config);
void AddSandboxOptions(CLI::App& app, SandboxFlags& flags, SandboxConfig& config);
void AddContractOptions(CLI::App& app, ContractFlags& flags, ContractConfig& config);

}  // namespace gateway::app
