#include "app/gateway_parts.h"

#include <algorithm>
#include <chrono>
#include <span>
#include <string_view>
#include <utility>

#include "app/accounts.h"
#include "app/backend.h"
#include "app/gauges.h"
#include "app/listening.h"
#include "app/memory_plan.h"
#include "app/observe.h"
#include "app/self_dial.h"
#include "app/upstream.h"
#include "base/lag_probe.h"
#include "base/limits.h"
#include "grpcpp/grpcpp.h"
#include "obs/log.h"
#include "rpc/acceptor.h"

namespace gateway::app {
namespace {

using obs::Level;
using obs::Log;

// Whether the method is one of PictoryJobs. This is asked at the end of every call.
bool IsOfJobs(std::string_view method) {
  return method.find('.') == std::string_view::npos && method != "ServerReflectionInfo";
}

}  // namespace

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

// What calls are served with. Of health checks and reflection nothing is told but that they were
// refused.
rpc::Domain Gateway::Parts::DomainOfCalls() {
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
  domain.spans = tracing != nullptr;
  domain.begun = [this](std::string_view method) { metrics.BeginCall(method); };
  domain.ended = [this](const rpc::CallEnd& end) {
    if (!IsOfJobs(end.method)) metrics.BeginCall(end.method);
    metrics.EndCall(end.method, {.code = absl::StatusCodeToString(end.status.code()),
                                 .seconds = std::chrono::duration<double>(end.took).count(),
                                 .received_bytes = end.received_bytes,
                                 .sent_bytes = end.sent_bytes});
    refusals->Tell(end);
    if (tracing != nullptr) tracing->CallEnded(end);
  };
  return domain;
}

rpc::ServerOptions Gateway::Parts::OptionsOfServer() const {
  const MemoryThere memory = FindMemory();
  rpc::ServerOptions options;
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
  return options;
}

absl::Status Gateway::Parts::Serve() {
  backend = std::make_unique<CoreBackend>(*core, AnswersNameLoopback(config), config.sandbox,
                                          archive.get(), *notifications, kept.away);
  refusals = std::make_unique<rpc::RefusalLog>(
      clock, *timers, [](std::string_view event, std::span<const obs::Field> fields) {
        Log(Level::kInfo, event, fields);
      });
  for (const std::string& warning : MemoryWarnings(config, FindMemory())) {
    Log(Level::kWarn, "memory", {{"advice", warning}});
  }
  if (absl::Status prepared = PrepareTls(); !prepared.ok()) return prepared;
  auto started = rpc::Server::Start(OptionsOfServer(), DomainOfCalls());
  if (!started.ok()) return started.status();
  server = *std::move(started);
  TellListening();
  if (absl::Status status = ServeHttp(); !status.ok()) return status;
  ShowGauges();
  server->SetServing(true);
  serving = server.get();
  ShowCredentials();
  WatchSelf();
  WatchPressure();
  return ServeAdmin();
}

// Notes the addresses with their real ports, and warns of what is wrong with them.
void Gateway::Parts::TellListening() {
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
}

void Gateway::Parts::ShowGauges() {
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
       .watches_max = WatchesMaxOf(config, FindMemory()),
       .file_watches = *watches,
       .tls = tls_in_use.get(),
       .tracing = tracing.get(),
       .archive = archive.get(),
       .notifications = *notifications},
      metrics);
}

absl::Status Gateway::Parts::ServeAdmin() {
  if (!config.admin_listen.has_value()) return absl::OkStatus();
  auto started =
      admin::AdminServer::Start(config.admin_listen->host, config.admin_listen->port, metrics,
                                {.not_live = [this] { return self_watch->NotLive(); },
                                 .not_ready = [this] { return NotReady(); }},
                                config.allowed_hosts);
  if (!started.ok()) return started.status();
  admin = *std::move(started);
  Log(Level::kInfo, "admin", {{"http", admin->authority()}});
  admin->SetReady(true);
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

}  // namespace gateway::app
