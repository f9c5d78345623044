// Gateway::Parts are the objects of the program, and how they are brought up and connected. Only
// the sources of Gateway include this: gateway_ground.cc has what the domain stands on,
// gateway_domain.cc the domain, gateway_serving.cc who reaches it, and gateway.cc the beginning and
// the end.
#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "admin/admin_server.h"
#include "app/account_doors.h"
#include "app/archive.h"
#include "app/config.h"
#include "app/file_watch.h"
#include "app/gateway.h"
#include "app/loop_beat.h"
#include "app/memory_plan.h"
#include "app/memory_return.h"
#include "app/notifications.h"
#include "app/opened_store.h"
#include "app/pressure_watch.h"
#include "app/self_watch.h"
#include "app/stop_file.h"
#include "app/tls_watch.h"
#include "app/tracing.h"
#include "app/webhooks.h"
#include "base/corrected_clock.h"
#include "base/memory.h"
#include "base/random.h"
#include "base/shedding.h"
#include "base/timer_thread.h"
#include "base/work_thread.h"
#include "face/face.h"
#include "jobs/core.h"
#include "obs/metrics.h"
#include "rpc/refusal_log.h"
#include "rpc/server.h"
#include "sandbox/sandbox.h"
#include "tenants/callers.h"
#include "watch/follower.h"
#include "watch/stream_wheel.h"

namespace gateway::app {

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
  rpc::Domain DomainOfCalls();
  rpc::ServerOptions OptionsOfServer() const;
  absl::Status Serve();
  void TellListening();
  absl::Status ServeHttp();
  void ShowGauges();
  absl::Status ServeAdmin();
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

}  // namespace gateway::app
