#include "app/gateway_parts.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "app/accounts.h"
#include "app/listening.h"
#include "app/observe.h"
#include "app/tenants_watch.h"
#include "app/upstream.h"
#include "obs/log.h"

namespace gateway::app {
namespace {

using obs::Level;
using obs::Log;

absl::StatusOr<std::unique_ptr<sandbox::Sandbox>> StartSandbox(const Config& config) {
  sandbox::SandboxOptions options;
  options.port = config.sandbox_port;
  options.speed = config.sandbox_speed;
  options.state_dir = config.state_dir / "sandbox" / "pictory";
  options.api_key = kSandboxKey;
  options.client_id = kSandboxClient;
  options.accounts = true;
  return sandbox::Sandbox::Start(std::move(options));
}

}  // namespace

absl::Status Gateway::Parts::Open(std::function<void()> failed) {
  auto opened = OpenStore(config, StoreDirectory(), std::move(failed));
  if (!opened.ok()) return opened.status();
  kept = *std::move(opened);
  clock.SetAhead(kept.ahead);
  auto found = kept.store->Recover(clock.WallNow());
  if (!found.ok()) return found.status();
  recovered = *std::move(found);
  Log(Level::kInfo, "store_open",
      {{kept.kind, kept.place}, {"unfinished_jobs", recovered.unfinished_jobs()}});
  return absl::OkStatus();
}

absl::Status Gateway::Parts::OpenUpstream() {
  std::string base_url = config.base_url;
  if (config.sandbox) {
    auto started = StartSandbox(config);
    if (!started.ok()) return started.status();
    sandbox = *std::move(started);
    base_url = sandbox->base_url();
    Log(config.sandbox_by_default ? Level::kWarn : Level::kInfo, "sandbox",
        {{"base_url", base_url},
         {"note",
          config.sandbox_by_default
              ? "no Pictory credentials were given, so jobs go to the built-in sandbox; set "
                "PICTORY_API_KEY, --api-key-file or --auth=oauth for the real service"
              : "jobs go to the built-in sandbox; nothing is billed"}});
    TellLostPorts(sandbox->lost_ports(), "--sandbox-port");
  }
  if (absl::Status connected = doors.Connect(base_url); !connected.ok()) return connected;
  LogUpstream(config, base_url);
  auto receiver = ListenForWebhooks(config, StoreDirectory(), *kept.store);
  if (!receiver.ok()) return receiver.status();
  webhooks = *std::move(receiver);
  return absl::OkStatus();
}

absl::Status Gateway::Parts::OpenArchive() {
  if (config.archive.directory.empty()) return absl::OkStatus();
  auto opened = Archive::Open(
      config, {.base_urls = doors.BaseUrls(), .share_of = [this](const std::string& tenant) {
                 return LimitsOf(tenant).archive_bytes;
               }});
  if (!opened.ok()) return opened.status();
  archive = *std::move(opened);
  return absl::OkStatus();
}

// The spans of jobs begin with the domain.
absl::Status Gateway::Parts::StartTracing() {
  timers = std::make_unique<TimerThread>(clock);
  if (config.otlp_endpoint.empty()) return absl::OkStatus();
  auto started = Tracing::Start(config.otlp_endpoint, config.ca_file, clock, *timers, random);
  if (!started.ok()) return started.status();
  tracing = *std::move(started);
  Log(Level::kInfo, "tracing", {{"otlp_endpoint", config.otlp_endpoint}});
  return absl::OkStatus();
}

// Takes a newer document. Those who watch and may not any longer are told at once.
absl::Status Gateway::Parts::Replace(const tenants::DirectoryPtr& directory) {
  if (absl::Status may = callers.MayReplace(*directory); !may.ok()) return may;
  absl::Status notify = CheckNotify(directory->tenants(), config.sandbox);
  if (!notify.ok()) return notify;
  const absl::StatusOr<std::size_t> opened = doors.OpenNew(directory->tenants());
  if (!opened.ok()) return opened.status();
  if (*opened > 0) ShowCredentials();
  absl::Status replaced = callers.Replace(directory);
  if (replaced.ok()) TellSharedAccounts(directory->tenants());
  rpc::Server* const server_now = serving;
  if (replaced.ok() && server_now != nullptr) server_now->RecheckWatches();
  return replaced;
}

void Gateway::Parts::WatchFiles() {
  watches = std::make_unique<FileWatches>(clock, *timers);
  doors.Watch(core->upstreams, *watches);
  if (config.tenants_file.empty()) return;
  watches->Add(
      WatchedTenants(config.tenants_file,
                     [this](const tenants::DirectoryPtr& directory) { return Replace(directory); }),
      config.tenants.digest);
}

void Gateway::Parts::ReadSecrets() {
  Log(Level::kInfo, "reloaded",
      {{"secret", watches->Look("secret", "none is in a file")},
       {"tls", watches->Look("tls", "no listener has it")},
       {"tenants", watches->Look("tenants", "there is no such file")},
       {"note", "flags, variables and the config file are read at a start only"}});
}

}  // namespace gateway::app
