#include "app/gateway_parts.h"

#include <algorithm>
#include <utility>

#include "app/accounts.h"
#include "app/observe.h"
#include "base/limits.h"
#include "base/memory.h"

namespace gateway::app {

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
  if (kept.store->sharing().shared()) {
    tell = [this](bool stopped, std::function<void(absl::Status)> told) {
      kept.store->sharing().SetStopped(stopped, std::move(told));
    };
  }
  stop_file = std::make_unique<StopFile>(config.state_dir / kStopFileName, core->spending, clock,
                                         *timers, std::move(tell));
  return absl::OkStatus();
}

absl::Status Gateway::Parts::TakeUpJobs() {
  if (absl::Status taken = core->TakeUp(); !taken.ok()) return taken;
  // What was needed to read them lies between them in the heap.
  ReturnFreeMemory();
  // Until then it is not known whether another gateway stops submits, and they are refused.
  if (kept.store->sharing().shared()) core->foreign.AwaitFirst(limits::kStoreReplyMax);
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

}  // namespace gateway::app
