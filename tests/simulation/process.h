// The gateway under test, as it runs from one start to the next crash: the real domain, wired as the
// program wires it, on simulated time, store and Pictory.
#pragma once

#include <memory>

#include "jobs/broadcaster.h"
#include "jobs/deleter.h"
#include "jobs/hub.h"
#include "jobs/ledger.h"
#include "jobs/owed_answers.h"
#include "jobs/poller.h"
#include "jobs/reconciler.h"
#include "jobs/retention.h"
#include "jobs/spending.h"
#include "jobs/submitter.h"
#include "jobs/upstream.h"
#include "simulation/sim_clock.h"
#include "simulation/sim_pictory.h"
#include "simulation/sim_store.h"

namespace gateway::simulation {

struct ProcessOptions {
  jobs::BudgetOptions budget;
  jobs::SpendingLimits spending;
  bool webhooks = true;
};

class Process {
 public:
  // Recovers, then serves.
  Process(const ProcessOptions& options, SimClock& clock, SimStore& store, SimPictory& pictory,
          Random& random)
      : upstream_({.client = {.api_key = Secret("pictai_k"), .user_agent = "t"}, .budget = options.budget}, pictory,
                  clock, clock, {}),
        spending_(options.spending, clock),
        broadcaster_([&clock](jobs::Broadcaster::Slice slice) { RunLater(clock, std::move(slice)); }),
        hub_({}, store, broadcaster_),
        ledger_(store, hub_),
        owed_(limits::kKeylessSettle, clock),
        poller_({}, upstream_, ledger_, store, clock, clock, random,
                jobs::PollEvents{.replied = nullptr,
                                 .contradicted = nullptr,
                                 .storing = [this](jobs::JobRecord& record) { owed_.Note(record); }}),
        reconciler_(upstream_, ledger_, store, hub_, poller_, clock, clock, {}),
        deleter_(upstream_, ledger_, store, clock),
        retention_({}, ledger_, clock, clock, nullptr) {
    ledger_.Observe([this](const jobs::JobRecord& record, const jobs::SnapshotPtr& seen) {
      poller_.OnChange(record, seen);
    });
    ledger_.Observe([this](const jobs::JobRecord& record, const jobs::SnapshotPtr&) { reconciler_.OnChange(record); });
    hub_.SetWatchersChanged([this](const std::string& tenant, const std::string& id, std::size_t count) {
      poller_.SetWatched(tenant, id, count > 0);
    });
    auto recovered = store.Recover(clock.WallNow());
    spending_.Recover(recovered->spent, jobs::StartTime(recovered->asked, clock.WallNow()));
    poller_.Recover(recovered->asked);
    owed_.Recover(recovered->owed);
    jobs::SubmitterOptions submitting;
    submitting.epoch = recovered->epoch;
    if (options.webhooks) {
      submitting.webhook_url = [](const std::string& token) { return "https://gateway.example/" + token; };
    }
    submitter_ = std::make_unique<jobs::Submitter>(
        std::move(submitting), upstream_, spending_, owed_, ledger_, store, hub_, clock, clock, random,
        jobs::SubmitEvents{.replied = nullptr, .hinted = [this](const jobs::JobKey& job, const std::string& id) {
                             reconciler_.OnHint(job, id);
                           }});
    reconciler_.Recall(recovered->hints);
    const absl::Status read = store.ReadUnfinished([&](const jobs::JobRecord& record) {
      reconciler_.OnChange(record);
      poller_.FollowRecovered(record, hub_.Publish(record), recovered->unfinished);
    });
    if (!read.ok()) std::abort();
    retention_.Start(recovered->asked.answered);
  }

  jobs::Hub& hub() { return hub_; }
  jobs::Submitter& submitter() { return *submitter_; }
  jobs::Reconciler& reconciler() { return reconciler_; }
  jobs::Deleter& deleter() { return deleter_; }
  jobs::OwedAnswers& owed() { return owed_; }

 private:
  static void RunLater(SimClock& clock, jobs::Broadcaster::Slice slice) {
    clock.InProcess(std::chrono::microseconds(5), [&clock, slice = std::move(slice)]() mutable {
      if (slice()) RunLater(clock, std::move(slice));
    });
  }

  jobs::Upstream upstream_;
  jobs::Spending spending_;
  jobs::Broadcaster broadcaster_;
  jobs::Hub hub_;
  jobs::Ledger ledger_;
  jobs::OwedAnswers owed_;
  jobs::Poller poller_;
  jobs::Reconciler reconciler_;
  jobs::Deleter deleter_;
  jobs::Retention retention_;
  std::unique_ptr<jobs::Submitter> submitter_;
};

}  // namespace gateway::simulation
