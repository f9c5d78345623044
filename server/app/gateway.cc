#include "app/gateway.h"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <functional>
#include <future>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "admin/admin_server.h"
#include "app/account_doors.h"
#include "app/accounts.h"
#include "app/archive.h"
#include "app/backend.h"
#include "app/exit_codes.h"
#include "app/file_watch.h"
#include "app/gauges.h"
#include "app/listening.h"
#include "app/loop_beat.h"
#include "app/memory_plan.h"
#include "app/memory_return.h"
#include "app/notifications.h"
#include "app/observe.h"
#include "app/opened_store.h"
#include "app/pressure_watch.h"
#include "app/self_watch.h"
#include "app/stop_file.h"
#include "app/tenants_watch.h"
#include "app/tls_watch.h"
#include "app/tracing.h"
#include "app/upstream.h"
#include "app/webhooks.h"
#include "base/corrected_clock.h"
#include "base/lag_probe.h"
#include "base/limits.h"
#include "base/memory.h"
#include "base/mutex.h"
#include "base/own_file.h"
#include "base/random.h"
#include "base/shedding.h"
#include "base/timer_thread.h"
#include "base/work_thread.h"
#include "face/face.h"
#include "grpcpp/grpcpp.h"
#include "jobs/core.h"
#include "obs/log.h"
#include "obs/metrics.h"
#include "rpc/acceptor.h"
#include "rpc/refusal_log.h"
#include "rpc/server.h"
#include "sandbox/sandbox.h"
#include "tenants/callers.h"
#include "watch/follower.h"
#include "watch/stream_wheel.h"

namespace gateway::app {
namespace {

using obs::Level;
using obs::Log;

// Whether the method is one of PictoryJobs. This is asked at the end of every call.
bool IsOfJobs(std::string_view method) {
  return method.find('.') == std::string_view::npos && method != "ServerReflectionInfo";
}

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

// In the order of construction; each may use those above it.
struct Gateway::Parts {
  explicit Parts(const Config& c) : config(c) {}

  std::filesystem::path StoreDirectory() const {
    return config.state_dir / (config.sandbox ? "sandbox" : "pictory");
  }
  absl::Status Open(std::function<void()> failed);
  absl::Status OpenUpstream();
  absl::Status OpenArchive();
  bool AllRefused() const;
  tenants::TenantLimits LimitsOf(const std::string& tenant) const;
  tenants::NotifyRules NotifyRulesOf(const std::string& tenant) const;
  jobs::CoreOptions DomainOptions();
  absl::Status StartTracing();
  absl::Status BuildDomain();
  absl::Status TakeUpJobs();
  absl::Status PrepareTls();
  absl::Status Serve();
  absl::Status ServeHttp();
  void Drain(const std::function<void(Duration)>& wait);
  void NoteOwed();
  void WatchSelf();
  void WatchPressure();
  absl::Status Replace(const tenants::DirectoryPtr& directory);
  void WatchFiles();
  void ReadSecrets();
  void ShowCredentials();
  std::string NotReady() const;

  const Config config;
  CorrectedClock clock;
  Random random;
  Shedding shedding{MemoryLimitOf(config, FindMemory())};
  tenants::Callers callers{config.tenants.directory, config.trust, clock};
  obs::Metrics metrics;
  AccountDoors doors{config, clock, metrics};
  std::unique_ptr<sandbox::Sandbox> sandbox;
  OpenedStore kept;
  jobs::Recovered recovered;
  std::unique_ptr<WorkThread> bodies;                // of large submits
  std::unique_ptr<admin::WebhookReceiver> webhooks;  // null: off
  std::unique_ptr<TimerThread> timers;
  std::unique_ptr<Tracing> tracing;  // null: off
  std::unique_ptr<rpc::RefusalLog> refusals;
  std::unique_ptr<WorkThread> broadcaster;
  std::unique_ptr<watch::StreamWheel> wheel;
  std::unique_ptr<Archive> archive;  // null: nothing is archived
  std::unique_ptr<jobs::Core> core;
  std::unique_ptr<Notifications> notifications;
  std::unique_ptr<watch::Follower> follower;
  std::unique_ptr<StopFile> stop_file;
  std::unique_ptr<rpc::Backend> backend;
  std::shared_ptr<rpc::TlsKeys> tls;     // null: no listener has TLS
  std::unique_ptr<TlsInUse> tls_in_use;  // null: as above
  std::unique_ptr<FileWatches> watches;  // of secrets, tenants and certificates
  rpc::OwnCertificate own_certificate;
  std::unique_ptr<rpc::Server> server;
  std::unique_ptr<face::Face> face;            // null: nobody is served over HTTP
  std::atomic<rpc::Server*> serving{nullptr};  // for threads that are older than the server
  std::function<void()> unreachable;
  std::unique_ptr<SelfWatch> self_watch;
  MemoryReturn memory_return;
  std::unique_ptr<PressureWatch> pressure_watch;
  std::unique_ptr<LoopBeat> beat;  // null: nobody waits for it
  std::unique_ptr<admin::AdminServer> admin;
  std::vector<std::string> addresses;
  std::vector<std::string> http_addresses;
  bool drained = false;
  bool held_up = false;
};

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

tenants::TenantLimits Gateway::Parts::LimitsOf(const std::string& tenant) const {
  const tenants::DirectoryPtr directory = callers.directory();
  const auto found = directory->tenants().tenants.find(tenant);
  return found == directory->tenants().tenants.end() ? tenants::TenantLimits{}
                                                     : found->second.limits;
}

tenants::NotifyRules Gateway::Parts::NotifyRulesOf(const std::string& tenant) const {
  const tenants::DirectoryPtr directory = callers.directory();
  const auto found = directory->tenants().tenants.find(tenant);
  return found == directory->tenants().tenants.end() ? tenants::NotifyRules{}
                                                     : found->second.notify;
}

jobs::CoreOptions Gateway::Parts::DomainOptions() {
  jobs::CoreOptions options{
      .spending = config.spending,
      .retention = config.retention,
      .keyless_settle = config.keyless_settle,
  };
  options.limits_of = [this](const std::string& tenant) { return LimitsOf(tenant); };
  options.accounts = doors.Options();
  options.caller_account = [this](const std::string& account, const Secret& key) {
    return doors.OptionsOfCaller(account, key);
  };
  if (archive != nullptr) {
    options.remove_files = [this](const jobs::JobKey& job,
                                  std::function<void(absl::Status)> removed) {
      archive->Remove(job, std::move(removed));
    };
  }
  options.hub.finished_max_bytes = FinishedJobsMaxBytesOf(config, FindMemory());
  jobs::PollerOptions& polling = options.polling;
  polling.in_flight_max = config.max_polls_in_flight;
  polling.shedding = &shedding;
  if (config.sandbox) polling.curve = jobs::PollCurve::Sandbox();
  if (webhooks != nullptr) polling.curve = jobs::WithWebhooks(polling.curve);
  if (config.poll_curve.has_value()) polling.curve = *config.poll_curve;
  jobs::SubmitterOptions& submitting = options.submitting;
  submitting.aside = [this](std::function<void()> work) { bodies->Post(std::move(work)); };
  submitting.sandbox = config.sandbox;
  submitting.send_traceparent = config.send_traceparent;
  if (webhooks != nullptr) {
    submitting.webhook_url = [this](const std::string& token) { return webhooks->UrlFor(token); };
  }
  return options;
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

absl::Status Gateway::Parts::BuildDomain() {
  broadcaster = std::make_unique<WorkThread>("watchers", WorkThread::Rest::kDropped);
  wheel = std::make_unique<watch::StreamWheel>(clock, *timers, *broadcaster);
  bodies = std::make_unique<WorkThread>("request-bodies");
  jobs::CoreEvents events{.upstreams = UpstreamsEvents(),
                          .polls = PollEvents(metrics),
                          .submits = SubmitEvents(metrics, tracing.get()),
                          .resolves = ResolveEvents(metrics),
                          .ended = JobEnded(metrics),
                          .pruned = Pruned(),
                          .renewed = LeasesRenewed(clock),
                          .stopped_for_all = StoppedForAll()};
  events.changed = [this](const jobs::JobRecord& record) {
    if (tracing != nullptr) tracing->JobChanged(record);
  };
  events.taken_up = [this](const jobs::JobRecord& record) {
    if (tracing != nullptr) tracing->JobChanged(record);
    notifications->OnFound(record);
  };
  events.notifying = [this](const jobs::ShardJob& job) { notifications->Follow(job); };
  events.archiving = [this](const jobs::ShardJob& job) {
    if (archive != nullptr) archive->Follow(job);
  };
  events.shards_lost = [this] {
    notifications->DropLost();
    if (archive != nullptr) archive->DropLost();
  };
  events.upstreams.rests = [this, log = std::move(events.upstreams.rests)](
                               const std::string& account, const absl::Status& why) {
    log(account, why);
    ShowCredentials();
  };
  TellWaiting(recovered.unfinished);
  TellSharedAccounts(callers.directory()->tenants());
  core = std::make_unique<jobs::Core>(DomainOptions(), std::move(events),
                                      jobs::CoreGround{.store = *kept.store,
                                                       .transport = doors.transport(),
                                                       .broadcaster = *broadcaster,
                                                       .clock = clock,
                                                       .timers = *timers,
                                                       .random = random},
                                      std::move(recovered));
  if (archive != nullptr) {
    archive->Connect({.shards = core->shards,
                      .ledger = core->ledger,
                      .store = *kept.store,
                      .upstreams = core->upstreams,
                      .clock = clock,
                      .timers = *timers,
                      .random = random});
  }
  auto notifying = Notifications::Start(
      config, [this](const std::string& tenant) { return NotifyRulesOf(tenant); },
      {.shards = core->shards,
       .ledger = core->ledger,
       .store = *kept.store,
       .clock = clock,
       .timers = *timers,
       .random = random});
  if (!notifying.ok()) return notifying.status();
  notifications = *std::move(notifying);
  follower =
      std::make_unique<watch::Follower>(*kept.store, core->hub, clock, *timers, *broadcaster);
  core->ledger.Observe([this](const jobs::JobRecord& record, const jobs::SnapshotPtr& seen) {
    follower->OnChange(record, seen);
  });
  core->ledger.HiddenBy(
      [this](const jobs::JobRecord& record) { follower->OnHiddenChange(record); });
  WatchFiles();
  StopFile::Tell tell;
  if (kept.store->shared()) {
    tell = [this](bool stopped, std::function<void(absl::Status)> told) {
      kept.store->SetStopped(stopped, std::move(told));
    };
  }
  stop_file = std::make_unique<StopFile>(config.state_dir / kStopFileName, core->spending, clock,
                                         *timers, std::move(tell));
  return absl::OkStatus();
}

absl::Status Gateway::Parts::TakeUpJobs() {
  if (absl::Status taken = core->TakeUp(); !taken.ok()) return taken;
  // Until then it is not known whether another gateway stops submits, and they are refused.
  if (kept.store->shared()) core->foreign.AwaitFirst(limits::kStoreReplyMax);
  if (archive != nullptr) archive->Begin(config.retention.finished_kept);
  notifications->Begin();
  if (webhooks != nullptr) {
    webhooks->Serve(
        WebhookEventsOf(metrics, [this](const std::string& token, std::vector<std::string> ids,
                                        admin::WebhookEvents::Done done) {
          core->resolver.OnWebhookCall(token, std::move(ids), std::move(done));
        }));
  }
  return absl::OkStatus();
}

// Makes ready what listeners with TLS need.
absl::Status Gateway::Parts::PrepareTls() {
  if (!config.tls.has_value()) return absl::OkStatus();
  auto own = rpc::MakeOwnCertificate();
  if (!own.ok()) return own.status();
  own_certificate = *std::move(own);
  tls = std::make_shared<rpc::TlsKeys>(config.tls->keys);
  tls->Trust(own_certificate.certificate_pem);
  tls_in_use = std::make_unique<TlsInUse>(config.tls_files, *config.tls, *tls, clock);
  watches->Add(tls_in_use->Watched(), DigestOf(TextsOf(config.tls->keys)));
  return absl::OkStatus();
}

absl::Status Gateway::Parts::Serve() {
  backend = std::make_unique<CoreBackend>(*core, AnswersNameLoopback(config), config.sandbox,
                                          archive.get(), *notifications, kept.away);
  rpc::Domain domain{.hub = core->hub,
                     .store = *kept.store,
                     .wheel = *wheel,
                     .clock = clock,
                     .timers = *timers,
                     .random = random,
                     .backend = *backend,
                     .callers = callers,
                     .feed = *kept.store,
                     .follower = *follower,
                     .estimates = &core->estimates,
                     .shedding = &shedding,
                     .require_request_id = config.require_request_id};
  domain.operated = LogOperated;
  refusals = std::make_unique<rpc::RefusalLog>(
      clock, *timers, [](std::string_view event, std::span<const obs::Field> fields) {
        Log(Level::kInfo, event, fields);
      });
  domain.spans = tracing != nullptr;
  domain.begun = [this](std::string_view method) { metrics.BeginCall(method); };
  domain.ended = [this](const rpc::CallEnd& end) {
    // Of health checks and reflection nothing is told but that they were refused.
    if (!IsOfJobs(end.method)) metrics.BeginCall(end.method);
    metrics.EndCall(end.method, {.code = absl::StatusCodeToString(end.status.code()),
                                 .seconds = std::chrono::duration<double>(end.took).count(),
                                 .received_bytes = end.received_bytes,
                                 .sent_bytes = end.sent_bytes});
    refusals->Tell(end);
    if (tracing != nullptr) tracing->CallEnded(end);
  };

  const MemoryThere memory = FindMemory();
  for (const std::string& warning : MemoryWarnings(config, memory)) {
    Log(Level::kWarn, "memory", {{"advice", warning}});
  }
  rpc::ServerOptions options;
  if (absl::Status prepared = PrepareTls(); !prepared.ok()) return prepared;
  options.listeners = ListenersOf(config.listen);
  options.tls = tls;
  options.reflection = config.reflection;
  options.admission.watches = WatchesMaxOf(config, memory);
  options.admission.health_watches = config.max_health_watches;
  options.concurrent_streams = config.max_streams_per_connection;
  options.intake.memory_bytes = MemoryLimitOf(config, memory);
  // Callers over HTTP have their part of the files to themselves.
  if (!config.http_listen.empty()) {
    options.connection_files_max = rpc::ConnectionFilesMax() - rpc::HttpConnectionsMax();
  }
  auto started = rpc::Server::Start(std::move(options), std::move(domain));
  if (!started.ok()) return started.status();
  server = *std::move(started);
  for (std::size_t i = 0; i < config.listen.size(); ++i) {
    ListenAddress listen = config.listen[i];
    listen.address.port = static_cast<std::uint16_t>(server->ports()[i]);
    addresses.push_back(listen.Target());
    Log(Level::kInfo, "serving",
        {{"grpc", addresses.back()},
         {"callers", listen.security == rpc::Security::kMutualTls ? "show a certificate" : "any"}});
  }
  for (const ListenWarning& warning :
       ListenWarnings(config.listen, grpc::Version(), CallersPay(callers.directory()->tenants()))) {
    Log(Level::kWarn, "listening",
        {{"address", warning.address}, {"reason", warning.reason}, {"advice", warning.advice}});
  }
  if (absl::Status status = ServeHttp(); !status.ok()) return status;
  AddGauges(
      {.config = config,
       .core = *core,
       .callers = callers,
       .doors = doors,
       .server = *server,
       .face = face.get(),
       .shedding = shedding,
       .store_directory = config.memory_store || !config.store.empty() ? "" : StoreDirectory(),
       .store_commits = kept.commits,
       .store_commit_time = kept.commit_time,
       .store_away = kept.away,
       .store_queue = kept.writes_queued,
       .watches_max = WatchesMaxOf(config, memory),
       .certificate_ends = tls_in_use == nullptr ? std::function<WallTime()>()
                                                 : [this] { return tls_in_use->ends(); },
       .tracing = tracing.get(),
       .archive = archive.get(),
       .notifications = *notifications},
      metrics);
  server->SetServing(true);
  serving = server.get();
  ShowCredentials();
  WatchSelf();
  WatchPressure();
  if (config.admin_listen.has_value()) {
    auto side_door =
        admin::AdminServer::Start(config.admin_listen->host, config.admin_listen->port, metrics,
                                  {.not_live = [this] { return self_watch->NotLive(); },
                                   .not_ready = [this] { return NotReady(); }},
                                  config.allowed_hosts);
    if (!side_door.ok()) return side_door.status();
    admin = *std::move(side_door);
    Log(Level::kInfo, "admin", {{"http", admin->authority()}});
    admin->SetReady(true);
  }
  return absl::OkStatus();
}

absl::Status Gateway::Parts::ServeHttp() {
  if (config.http_listen.empty()) return absl::OkStatus();
  face::FaceOptions options;
  options.listeners = ListenersOf(config.http_listen);
  options.connections_max = static_cast<std::size_t>(rpc::HttpConnectionsMax());
  options.rules = {.origins = config.http_origins, .hosts = config.allowed_hosts};
  options.tenant_header = config.trust.tenant_header;
  options.refused = [this](const absl::Status& status, const std::string& peer) {
    refusals->Tell({.method = "HTTP", .status = status, .peer = peer});
  };
  if (tls_in_use != nullptr) {
    auto http = TlsInUse::ForHttp(config.tls->keys);
    if (!http.ok()) return http.status();
    options.tls = http->tls;
    options.mutual = http->mutual;
    tls_in_use->AlsoReplace(*std::move(http));
  }
  auto started = face::Face::Start(std::move(options), *server);
  if (!started.ok()) return started.status();
  face = *std::move(started);
  http_addresses = face->addresses();
  for (const std::string& address : http_addresses) {
    Log(Level::kInfo, "serving", {{"http", address}});
  }
  return absl::OkStatus();
}

// Whether Pictory refuses the credentials of every account. Where there is none, callers pay, and
// each has to see to its own.
bool Gateway::Parts::AllRefused() const {
  const int accounts_open = core->upstreams.size();
  return accounts_open > 0 && core->upstreams.credentials_refused() == accounts_open;
}

// Shows in the health service whether Pictory refuses all credentials. While it does the service
// can do nothing new; the server itself is well.
void Gateway::Parts::ShowCredentials() {
  if (rpc::Server* const shown = serving) shown->SetUsable(!AllRefused());
}

std::string Gateway::Parts::NotReady() const {
  const std::string why = self_watch->NotReady();
  if (!why.empty() || !AllRefused()) return why;
  return "Pictory refuses the gateway's credentials; replace the API key or client secret";
}

void Gateway::Parts::WatchSelf() {
  self_watch = std::make_unique<SelfWatch>(
      SelfWatchOptions{}, server->dial_addresses(), DialWith(own_certificate),
      [this] {
        return ServerProgress{.accepted = server->accepted_connections(),
                              .refused = server->refused_connections(),
                              .calls = server->begun_calls()};
      },
      [this] {
        Log(Level::kError, "unreachable",
            {{"advice",
              "nobody can reach this gateway, so it ends to be started again; all jobs are "
              "stored"}});
        if (unreachable) unreachable();
      });
  self_watch->Start();
}

// The two threads whose lateness is felt first: the domain's timers, and who tells the watchers.
void Gateway::Parts::WatchPressure() {
  const auto timer_lag = std::make_shared<LagProbe>(
      clock, [this](std::function<void()> sign) { timers->At(clock.Now(), std::move(sign)); });
  const auto watcher_lag = std::make_shared<LagProbe>(
      clock, [this](std::function<void()> sign) { broadcaster->Post(std::move(sign)); });
  const std::size_t limit = MemoryLimitOf(config, FindMemory());
  PressureSources sources;
  sources.lag = [timer_lag, watcher_lag] {
    return std::max(timer_lag->Look(), watcher_lag->Look());
  };
  sources.store_queue = kept.writes_queued;
  pressure_watch = std::make_unique<PressureWatch>(
      shedding, PressureGauge(limit / 100 * limits::kPressureMemoryPercent, std::move(sources)));
}

void Gateway::Parts::Drain(const std::function<void(Duration)>& wait) {
  if (std::exchange(drained, true)) return;
  if (admin != nullptr) admin->SetReady(false);
  if (beat != nullptr) beat->Stop();
  if (self_watch != nullptr) self_watch->Stop();
  if (core != nullptr) core->Leave();
  if (server != nullptr) {
    server->SetServing(false);
    if (config.drain_delay > Duration::zero()) wait(config.drain_delay);
    // A caller who still waits for Pictory's answer then is told that the job is UNCONFIRMED,
    // instead of being cut off.
    const Duration told_before =
        std::min<Duration>(limits::kToldBeforeCut, config.drain_timeout / 2);
    timers->At(clock.Now() + config.drain_timeout - told_before,
               [this] { core->submitter.AnswerUnconfirmed(); });
    if (face != nullptr) face->Drain();
    server->Drain(config.drain_timeout);
    if (face != nullptr) face->Finish(limits::kFaceLastAnswersMax);
  }
  // Until now a webhook call could still resolve an unconfirmed job. From here on it would be lost
  // without a word; a refused connection is at least a failure that Pictory or an ingress may
  // answer with a retry.
  if (webhooks != nullptr) webhooks->Stop();
  pressure_watch.reset();
  if (follower != nullptr) follower->Stop();
  if (core != nullptr) core->Stop();
  if (stop_file != nullptr) stop_file->Stop();
  if (watches != nullptr) watches->StopAll();
  if (core != nullptr) {
    // A paid request that was sent is followed to its outcome: that is bounded by its own timeout.
    std::promise<void> idle;
    core->submitter.Drain([&idle] { idle.set_value(); });
    idle.get_future().wait();
  }
  if (core != nullptr) NoteOwed();
  if (notifications != nullptr) notifications->Stop();
  // Only now, when nothing that was paid for waits behind it: its disk may be slow.
  if (archive != nullptr && !archive->Stop()) {
    held_up = true;
    Log(Level::kWarn, "archive_held_up",
        {{"note",
          "the archive's disk does not answer; the gateway ends without it, and goes on "
          "with its files at the next start"}});
  }
  if (tracing != nullptr) tracing->Stop();
  if (timers != nullptr) timers->Stop();
  if (refusals != nullptr) refusals->TellLeftOut();
  admin.reset();  // its metrics ask what ends now
  // The transport answers what is still under way. The object stays until nothing is left that
  // could still start a request: a thread of the store may be about to.
  doors.Stop();
  doors.CloseReader();
  if (kept.store != nullptr) kept.store->Close();
  if (broadcaster != nullptr) broadcaster->Close();
}

// Notes which answers are still owed. All others have arrived, so the next process need not owe
// them.
void Gateway::Parts::NoteOwed() {
  std::promise<void> noted;
  kept.store->EndEpoch(core->owed.StillOwed(),
                       [&noted](const absl::Status&) { noted.set_value(); });
  noted.get_future().wait();
}

absl::StatusOr<std::unique_ptr<Gateway>> Gateway::Start(const Config& config,
                                                        std::function<void()> failed,
                                                        std::function<void()> unreachable) {
  auto parts = std::make_unique<Parts>(config);
  Parts& p = *parts;
  p.unreachable = std::move(unreachable);
  std::unique_ptr<Gateway> gateway(new Gateway(std::move(parts)));
  if (absl::Status own = CheckOwnDirectory(config.state_dir.string()); !own.ok()) return own;
  if (absl::Status status = p.Open(std::move(failed)); !status.ok()) return status;
  if (absl::Status status = p.doors.Read(config.tenants.directory->tenants()); !status.ok()) {
    return status;
  }
  if (absl::Status status = p.OpenUpstream(); !status.ok()) return status;
  if (absl::Status status = p.OpenArchive(); !status.ok()) return status;
  if (absl::Status status = p.StartTracing(); !status.ok()) return status;
  if (absl::Status status = p.BuildDomain(); !status.ok()) return status;
  if (absl::Status status = p.TakeUpJobs(); !status.ok()) return status;
  if (absl::Status status = p.Serve(); !status.ok()) return status;
  return gateway;
}

Gateway::Gateway(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

Gateway::~Gateway() {
  Drain([](Duration) {});
}

void Gateway::ReadSecrets() { parts_->ReadSecrets(); }

void Gateway::BeatWithin(Duration interval, std::function<void()> beat) {
  if (interval <= Duration::zero()) return;
  Parts& p = *parts_;
  p.beat = std::make_unique<LoopBeat>(
      interval / limits::kBeatsPerWatchdog, p.clock, *p.timers,
      [&p](std::function<void()> work) { p.broadcaster->Post(std::move(work)); },
      [&p] { return p.self_watch->NotLive().empty(); }, std::move(beat));
}

void Gateway::Drain(const std::function<void(Duration)>& wait) { parts_->Drain(wait); }

bool Gateway::held_up() const { return parts_->held_up; }

int Gateway::open_calls() const { return parts_->server->open_calls(); }

int Gateway::open_watches() const { return parts_->server->open_watches(); }

const std::vector<std::string>& Gateway::grpc_addresses() const { return parts_->addresses; }

const std::vector<std::string>& Gateway::http_addresses() const { return parts_->http_addresses; }

std::string Gateway::admin_address() const {
  return parts_->admin == nullptr ? "" : parts_->admin->authority();
}

std::string Gateway::webhook_address() const {
  return parts_->webhooks == nullptr ? "" : parts_->webhooks->authority();
}

std::string Gateway::sandbox_url() const {
  return parts_->sandbox == nullptr ? "" : parts_->sandbox->base_url();
}

}  // namespace gateway::app
