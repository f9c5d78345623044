#include "jobs/core.h"

namespace gateway::jobs {
Core::Core(CoreOptions options, CoreEvents events, CoreGround ground, Recovered recovered)
    : upstreams(std::move(options.accounts), ground.transport, ground.clock, ground.timers,
                WithBack(std::move(events.upstreams))),
      hub(options.hub, ground.store, ground.broadcaster),
      ledger(ground.store, ground.store, hub),
      estimates(limits::kStallPolls * options.polling.curve.max_unwatched, ground.store,
                ground.clock),
      adopter(options.submitting.sandbox, upstreams, ledger, ground.store, hub, ground.clock,
              ground.random),
      owed(options.keyless_settle, ground.clock),
      spending(options.spending, ground.clock, std::move(options.limits_of)),
      poller(std::move(options.polling), upstreams, ledger, ground.store, ground.clock,
             ground.timers, ground.random, WithNotes(std::move(events.polls))),
      resolver(upstreams, ledger, ground.store, ground.store, hub, poller, ground.clock,
               ground.timers, std::move(events.resolves)),
      waiting(spending, ledger, ground.store, hub, ground.clock, ground.timers),
      submitter(WithCounts(std::move(options.submitting), recovered.epoch), upstreams, spending,
                owed, waiting, ledger, ground.store, ground.store, hub, adopter, ground.clock,
                ground.timers, ground.random, WithHints(std::move(events.submits))),
      callers(
          std::move(options.caller_account),
          [this](const std::string& account) { return has_jobs(account); }, upstreams,
          ground.clock),
      uploads(upstreams, ground.clock),
      accounts(upstreams, ground.clock),
      previews(accounts),
      deleter(upstreams, ledger, ground.store, ground.clock, std::move(options.remove_files)),
      retention(options.retention, ledger, ground.clock, ground.timers, std::move(events.pruned)),
      ground_(ground),
      changed_(std::move(events.changed)),
      recovered_(std::move(recovered)) {
  hub.SetEnded([this, ended = std::move(events.ended)](const JobRecord& record) {
    estimates.OnEnded(record);
    if (ended) ended(record.job);
  });
  hub.SetWatchersChanged(
      [this](const std::string& tenant, const std::string& job_id, std::size_t count) {
        poller.SetWatched(tenant, job_id, count > 0);
      });
  ledger.Observe([this](const JobRecord& record, const SnapshotPtr& seen) {
    if (seen != nullptr) spending.OnChange(record);
    poller.OnChange(record, seen);
    if (seen != nullptr) resolver.OnChange(record);
    waiting.OnChange(record, seen);
    if (seen != nullptr && !seen->final()) estimates.OnTenant(record.job.tenant);
    if (seen != nullptr && changed_) changed_(record);
  });
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
  return options;
}

std::size_t Core::active_jobs(const std::string& tenant) const {
  return poller.followed_of(tenant) + resolver.unconfirmed_of(tenant) + waiting.waiting_of(tenant);
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

// Notes in each change of a record that is stored whether its answer has arrived.
PollEvents Core::WithNotes(PollEvents events) {
  events.storing = [this](JobRecord& record) { owed.Note(record); };
  return events;
}

SubmitEvents Core::WithHints(SubmitEvents events) {
  events.hinted = [this](const JobKey& job, const std::string& pictory_job_id) {
    resolver.OnHint(job, pictory_job_id);
  };
  return events;
}

absl::Status Core::TakeUp() {
  absl::Status read = ground_.store.ReadUnfinished([this](const JobRecord& record) {
    resolver.OnChange(record);
    waiting.FollowRecovered(record);
    poller.FollowRecovered(record, hub.Publish(record));
    if (changed_) changed_(record);
  });
  if (read.ok()) retention.Start(Latest(recovered_.asked).answered);
  if (read.ok()) waiting.Start();
  for (const Unfinished& some : recovered_.unfinished) estimates.OnTenant(some.tenant);
  return read;
}

void Core::Stop() {
  poller.Stop();
  upstreams.Stop();
  retention.Stop();
  resolver.Stop();
  waiting.Stop();
  estimates.Stop();
}

}  // namespace gateway::jobs
