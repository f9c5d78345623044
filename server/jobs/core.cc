#include "jobs/core.h"

#include <future>

namespace gateway::jobs {
namespace {

// An event that may be empty, as one that can be called.
template <class... Of>
std::function<void(Of...)> Called(std::function<void(Of...)> event) {
  if (event) return event;
  return [](Of...) {};
}

}  // namespace

Core::Core(CoreOptions options, CoreEvents events, CoreGround ground, Recovered recovered)
    : shards(!ground.store.sharing().shared(), ground.clock),
      upstreams(std::move(options.accounts), ground.transport, ground.clock, ground.timers,
                WithBack(std::move(events.upstreams))),
      hub(options.hub, ground.store, ground.broadcaster),
      ledger(ground.store, ground.store, hub),
      estimates(limits::kStallPolls * options.polling.curve.max_unwatched, ground.store,
                ground.clock),
      adopter(options.submitting.sandbox, shards, upstreams, ledger, ground.store, hub,
              ground.clock, ground.random),
      owed(options.keyless_settle, ground.clock),
      spending(options.spending, ground.clock, std::move(options.limits_of),
               shards.alone() ? Spending::By::kThis : Spending::By::kStore),
      poller(std::move(options.polling), shards, upstreams, ledger, ground.store, ground.clock,
             ground.timers, ground.random, WithNotes(std::move(events.polls))),
      resolver(shards, upstreams, ledger, ground.store, ground.store.sharing(), ground.store, hub,
               poller, ground.clock, ground.timers, std::move(events.resolves)),
      waiting(shards, spending, ledger, ground.store, hub, ground.clock, ground.timers),
      submitter(WithCounts(std::move(options.submitting), recovered.epoch), shards, upstreams,
                spending, owed, waiting, ledger, ground.store, ground.store.sharing(), ground.store,
                hub, adopter, ground.clock, ground.timers, ground.random,
                WithHints(std::move(events.submits))),
      callers(
          std::move(options.caller_account),
          [this](const std::string& account) { return has_jobs(account); }, upstreams,
          ground.clock),
      uploads(upstreams, ground.clock),
      accounts(upstreams, ground.clock),
      previews(accounts),
      deleter(upstreams, ledger, ground.store, ground.clock, std::move(options.remove_files)),
      retention(options.retention, shards, ledger, ground.clock, ground.timers,
                std::move(events.pruned)),
      foreign(shards, ground.store, ground.store, ledger, hub, ground.clock, ground.timers,
              WhatOthersDo()),
      keeper(shards, ground.store, ground.store.sharing(), ground.clock, ground.timers,
             WhatMoves()),
      ground_(ground),
      epoch_(recovered.epoch),
      changed_(Called(std::move(events.changed))),
      taken_up_(Called(std::move(events.taken_up))),
      notifying_(Called(std::move(events.notifying))),
      archiving_(Called(std::move(events.archiving))),
      shards_lost_(Called(std::move(events.shards_lost))),
      renewed_(std::move(events.renewed)),
      stopped_for_all_(std::move(events.stopped_for_all)),
      recovered_(std::move(recovered)) {
  hub.SetEnded([this](const JobRecord& record) { estimates.OnEnded(record); });
  ledger.ObserveEnds([this, ended = std::move(events.ended)](const JobRecord& record, bool known) {
    spending.OnEnded(record);
    if (ended && !known) ended(record.job);
  });
  hub.SetWatchersChanged(
      [this](const std::string& tenant, const std::string& job_id, std::size_t count) {
        poller.SetWatched(tenant, job_id, count > 0);
      });
  ledger.Observe(
      [this](const JobRecord& record, const SnapshotPtr& seen) {
        poller.OnChange(record, seen);
        if (seen != nullptr) resolver.OnChange(record);
      },
      Ledger::Of::kAnyProcess);
  ledger.Observe([this](const JobRecord& record, const SnapshotPtr& seen) {
    waiting.OnChange(record, seen);
    if (seen != nullptr && !seen->final()) estimates.OnTenant(record.job.tenant);
    if (seen != nullptr) changed_(record);
  });
  if (!shards.alone()) {
    spending.SetStoppedForAll(true);  // until the store has told whether somebody stops submits
    ground.store.sharing().LimitWith(
        [this](const std::string& tenant) { return spending.LimitsOfSubmit(tenant); });
    hub.SetCurrent([this](const Snapshot& job) { return shards.Holds(job.shard); });
    ledger.Observe(
        [this](const JobRecord& record, const SnapshotPtr&) { foreign.OnOwnChange(record); });
    ledger.HiddenBy([this](const JobRecord& record) { foreign.OnOwnChange(record); });
    ledger.Observe(
        [this](const JobRecord& record, const SnapshotPtr& seen) {
          const bool waits = seen != nullptr && record.job.state == v1::JOB_STATE_WAITING;
          waits ? waiting.FollowRecovered(record) : waiting.OnChange(record, seen);
        },
        Ledger::Of::kOtherProcesses);
  }
  waiting.SendWith([this](JobRecord record, double credits_held, WaitingJobs::Sent sent) {
    submitter.SendWaiting(std::move(record), credits_held, std::move(sent));
  });
  owed.Recover(std::move(recovered_.owed));
  spending.Recover(std::move(recovered_.spent),
                   StartTime(Latest(recovered_.asked), ground.clock.WallNow()));
  poller.Recover(recovered_.asked, recovered_.unfinished);
  resolver.Recall(std::move(recovered_.hints));
}

SubmitterOptions Core::WithCounts(SubmitterOptions options, std::int64_t epoch) {
  options.epoch = epoch;
  options.active_jobs = [this](const std::string& tenant) { return active_jobs(tenant); };
  options.has_many = [this](const std::string& account) {
    return !shards.alone() && poller.BudgetDecides(account);
  };
  return options;
}

std::size_t Core::active_jobs(const std::string& tenant) const {
  return poller.followed_of(tenant) + resolver.unconfirmed_of(tenant) + waiting.waiting_of(tenant);
}

void Core::FindUse(const std::string& tenant, std::function<void(const Use&)> done) {
  Use known{.spent = spending.spent_today(tenant), .active_jobs = active_jobs(tenant)};
  if (shards.alone()) return done(known);
  ground_.store.sharing().FindSpent(
      tenant, [known, done = std::move(done)](
                  const absl::StatusOr<std::vector<SpentTotal>>& totals) mutable {
        if (totals.ok() && !totals->empty()) {
          const SpentTotal& total = totals->front();
          known.spent = Spending::Told(known.spent, total);
          known.active_jobs = static_cast<std::size_t>(total.active);
        }
        done(known);
      });
}

bool Core::has_jobs(const std::string& account) const {
  return poller.followed_at(account) > 0 || resolver.unconfirmed_at(account) > 0 ||
         waiting.waiting_at(account) > 0;
}

// Notes when Pictory can be asked again, by either of the words for it.
UpstreamsEvents Core::WithBack(UpstreamsEvents events) {
  events.rests = [this, tell = std::move(events.rests)](const std::string& account,
                                                        const absl::Status& why) {
    if (why.ok()) estimates.OnBack(account);
    if (tell) tell(account, why);
  };
  events.degraded_changed = [this, tell = std::move(events.degraded_changed)](
                                const std::string& account, bool degraded) {
    if (!degraded) estimates.OnBack(account);
    if (tell) tell(account, degraded);
  };
  return events;
}

// Notes in each change of a record that is stored whether its answer has arrived. What became of
// another process's answer only that one knows.
PollEvents Core::WithNotes(PollEvents events) {
  events.storing = [this](JobRecord& record) {
    if (!shards.alone() && record.owner_epoch != epoch_) return;
    owed.Note(record, /*maybe_taken_over=*/!shards.alone() && record.delivery == Delivery::kLost);
  };
  return events;
}

SubmitEvents Core::WithHints(SubmitEvents events) {
  events.hinted = [this](const JobKey& job, const std::string& pictory_job_id) {
    resolver.OnHint(job, pictory_job_id);
  };
  return events;
}

ForeignChanges::Events Core::WhatOthersDo() {
  return {.begun = [this] { keeper.Start(); },
          .missed = [this] { keeper.ReadAnew(); },
          .hinted =
              [this](const JobKey& job) {
                poller.Hint(job.tenant, job.id);
                resolver.RecallHints(job);
              },
          .stopped =
              [this](const std::string& by) {
                const bool was = std::exchange(told_stopped_, !by.empty());
                spending.SetStoppedForAll(told_stopped_);
                if (stopped_for_all_ && told_stopped_ != was) stopped_for_all_(by);
              },
          .shared = [this](int sharers) { keeper.OnSharers(sharers); }};
}

ShardEvents Core::WhatMoves() {
  return {.found = [this](const JobRecord& record) { TakeUpJob(record); },
          .notifying = [this](ShardJob job) { notifying_(std::move(job)); },
          .archiving = [this](ShardJob job) { archiving_(std::move(job)); },
          .lost =
              [this] {
                poller.DropLost();
                waiting.DropLost();
                shards_lost_();
              },
          .renewed = [this](const Holding& holding) { OnRenewed(holding); }};
}

void Core::OnRenewed(const Holding& holding) {
  upstreams.ShareWith(holding.processes);
  ground_.store.sharing().FindSpent(std::nullopt,
                                    [this](const absl::StatusOr<std::vector<SpentTotal>>& totals) {
                                      if (totals.ok()) spending.TakeTotals(*totals);
                                    });
  // What was looked at here for a moment is another process's to look after.
  resolver.DropLost();
  hub.DropUnwatched([this](const Snapshot& job) { return !shards.Has(job.shard); });
  waiting.LookAgain();
  if (!holding.owed.empty()) owed.Recover(holding.owed);
  if (renewed_) renewed_(holding);
}

void Core::TakeUpJob(const JobRecord& record) {
  const SnapshotPtr seen = hub.Publish(record);
  if (seen->revision > record.job.revision) return;  // it has changed since it was read
  resolver.OnChange(record);
  waiting.FollowRecovered(record);
  poller.FollowRecovered(record, seen);
  taken_up_(record);
}

// On the caller's thread.
absl::Status Core::TakeUpNames() {
  std::promise<absl::Status> notifying, archiving;
  ground_.store.ReadNotifying(shards.All(), notifying_,
                              [&](absl::Status read) { notifying.set_value(std::move(read)); });
  ground_.store.ReadArchiving(shards.All(), archiving_,
                              [&](absl::Status read) { archiving.set_value(std::move(read)); });
  absl::Status read = notifying.get_future().get();
  read.Update(archiving.get_future().get());
  return read;
}

absl::Status Core::TakeUp() {
  absl::Status read = absl::OkStatus();
  if (shards.alone()) {
    read = ground_.store.ReadUnfinished([this](const JobRecord& record) { TakeUpJob(record); });
    if (read.ok()) read = TakeUpNames();
  } else {
    foreign.Start();
  }
  if (read.ok()) retention.Start(Latest(recovered_.asked).answered);
  if (read.ok()) waiting.Start();
  for (const Unfinished& some : recovered_.unfinished) estimates.OnTenant(some.tenant);
  return read;
}

void Core::Leave() {
  if (!shards.alone()) keeper.Leave();
}

void Core::Stop() {
  foreign.Stop();
  keeper.Stop();
  poller.Stop();
  upstreams.Stop();
  retention.Stop();
  resolver.Stop();
  waiting.Stop();
  estimates.Stop();
}

}  // namespace gateway::jobs
