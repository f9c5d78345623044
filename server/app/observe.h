// These functions turn what the domain tells of itself into log lines and counts. The functions
// that they return hold `metrics`, which must outlive them, and may be called from any thread.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "admin/webhook_receiver.h"
#include "app/tracing.h"
#include "base/clock.h"
#include "base/corrected_clock.h"
#include "jobs/poller.h"
#include "jobs/resolver.h"
#include "jobs/store.h"
#include "jobs/submitter.h"
#include "jobs/upstreams.h"
#include "obs/metrics.h"
#include "rpc/handlers.h"
#include "tenants/tenants.h"

namespace gateway::app {

jobs::PollEvents PollEvents(obs::Metrics& metrics);
// `tracing` may be null; else it must outlive them.
jobs::SubmitEvents SubmitEvents(obs::Metrics& metrics, Tracing* tracing);
jobs::ResolveEvents ResolveEvents(obs::Metrics& metrics);
// Hands webhook calls on to `webhook_called`.
admin::WebhookEvents WebhookEventsOf(
    obs::Metrics& metrics,
    std::function<void(const std::string& token, std::vector<std::string> pictory_job_ids,
                       admin::WebhookEvents::Done done)>
        webhook_called);
std::function<void(const absl::Status& fetched, Duration life)> TokenFetched(obs::Metrics& metrics);
jobs::UpstreamsEvents UpstreamsEvents();
std::function<void(std::size_t)> Pruned();
// Sets the clock by that of a store which several gateways share, and writes a line whenever there
// are more or fewer of them, or this one looks after more or fewer shards.
std::function<void(const jobs::Holding&)> LeasesRenewed(CorrectedClock& clock);
// Writes a line when another gateway with the same store has stopped submits, or allows them again.
std::function<void(const std::string& by)> StoppedForAll();
// Says how many jobs wait until callers show the keys of their accounts; writes nothing if none
// does.
void TellWaiting(const std::vector<jobs::Unfinished>& unfinished);
// Names the tenants that share an account and therefore have no `operate`, a line an account.
void TellSharedAccounts(const tenants::Tenants& document);
// Warns that links of earlier results lead nowhere, and says what helps. Writes nothing if all
// ports are those of the last time.
void TellLostPorts(const std::vector<std::uint16_t>& ports, const char* setting);
// Writes one line for every operate call: who decided what over which job, and what became of it.
void LogOperated(const rpc::Operated& operated);
// Writes one line and adds one count for every job that has ended, however it did.
std::function<void(const jobs::Job&)> JobEnded(obs::Metrics& metrics);

}  // namespace gateway::app
