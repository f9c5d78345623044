// Core makes and connects all of the domain: everything about jobs between the store, the transport
// to Pictory and the callers. The program, the simulator and the tests that need all of it share
// this one wiring.
//
// Its members are used directly; each is thread-safe, and its header says what it does. What is
// passed to the constructor must outlive the core, and the core must outlive all calls in flight.
#pragma once

#include <atomic>
#include <functional>
#include <utility>

#include "absl/status/status.h"
#include "base/clock.h"
#include "base/random.h"
#include "base/work_thread.h"
#include "jobs/account_desk.h"
#include "jobs/adopter.h"
#include "jobs/caller_accounts.h"
#include "jobs/deleter.h"
#include "jobs/estimates.h"
#include "jobs/foreign_changes.h"
#include "jobs/hub.h"
#include "jobs/ledger.h"
#include "jobs/owed_answers.h"
#include "jobs/poller.h"
#include "jobs/preview_editor.h"
#include "jobs/resolver.h"
#include "jobs/retention.h"
#include "jobs/shard_keeper.h"
#include "jobs/shards.h"
#include "jobs/spending.h"
#include "jobs/store.h"
#include "jobs/submitter.h"
#include "jobs/upload_desk.h"
#include "jobs/upstreams.h"
#include "jobs/waiting_jobs.h"

namespace gateway::jobs {

struct CoreOptions {
  Upstreams::Accounts accounts;
  CallerAccounts::OptionsOf caller_account{};  // null: no caller shows a key
  HubOptions hub{};
  PollerOptions polling{};
  SubmitterOptions submitting{};  // its epoch and active_jobs are set here
  SpendingLimits spending{};
  Spending::LimitsOf limits_of{};  // null: no tenant has limits of its own
  RetentionOptions retention{};
  Duration keyless_settle = limits::kKeylessSettle;
  // Null: the files of results are not archived.
  Deleter::RemoveFiles remove_files{};
};

// For logs and metrics; each may be empty.
struct CoreEvents {
  UpstreamsEvents upstreams{};
  PollEvents polls{};      // `storing` is set here
  SubmitEvents submits{};  // `hinted` is set here
  ResolveEvents resolves{};
  // Of each job, once, in the process that has stored its end.
  std::function<void(const Job&)> ended{};
  // Of each change that callers see.
  std::function<void(const JobRecord&)> changed{};
  // Of each job that has not ended and is taken up, at the start or with a shard.
  std::function<void(const JobRecord&)> taken_up{};
  // Of each job whose notification is to be delivered, or that is archiving, and that is taken up
  // so.
  Leases::TakeName notifying{};
  Leases::TakeName archiving{};
  std::function<void()> shards_lost{};        // Core::shards says which there are
  std::function<void(std::size_t)> pruned{};  // how many at a time
  // After each renewal of the leases of a store that several processes share.
  std::function<void(const Holding&)> renewed{};
  // Another process with this store has stopped submits; empty: they are allowed again.
  std::function<void(const std::string& by)> stopped_for_all{};
};

// What the core stands on. All of it must outlive the core.
struct CoreGround {
  Store& store;
  http::HttpTransport& transport;  // of accounts that have no other
  WorkThread& broadcaster;
  const Clock& clock;
  Timers& timers;
  Random& random;
};

class Core {
 public:
  // `recovered` is what the store has told of the process before.
  Core(CoreOptions options, CoreEvents events, CoreGround ground, Recovered recovered);
  Core(const Core&) = delete;
  Core& operator=(const Core&) = delete;

  // Takes up the jobs that have not ended, on the caller's thread; with a store that several
  // processes share, those of this process's shards, as these come. Called once, before the first
  // call; no webhook call may come before it.
  absl::Status TakeUp();

  // The tenant's jobs that have not ended, those aside that are being submitted.
  std::size_t active_jobs(const std::string& tenant) const;

  // What a tenant has used of its limits: of a store that several processes share, what all of them
  // have, or what was heard last if the store cannot be asked.
  struct Use {
    Spending::Spent24h spent;
    std::size_t active_jobs = 0;
  };
  void FindUse(const std::string& tenant, std::function<void(const Use&)> done);

  // Whether an account has jobs that have not ended.
  bool has_jobs(const std::string& account) const;

  // The process is about to end: other processes with its store, if there are any, look after all
  // jobs from now on. Calls go on as before; what watchers here see comes from the others.
  void Leave();

  // Nothing starts on its own after this: no poll, no question to Pictory, no pruning. Submits go
  // on; see Submitter::Drain.
  void Stop();

  // The members stand in the order in which they depend on each other.
  Shards shards;
  Upstreams upstreams;
  Hub hub;
  Ledger ledger;
  Estimates estimates;
  Adopter adopter;
  OwedAnswers owed;
  Spending spending;
  Poller poller;
  Resolver resolver;
  WaitingJobs waiting;
  Submitter submitter;
  CallerAccounts callers;
  UploadDesk uploads;
  AccountDesk accounts;
  PreviewEditor previews;
  Deleter deleter;
  Retention retention;
  ForeignChanges foreign;
  ShardKeeper keeper;

 private:
  SubmitterOptions WithCounts(SubmitterOptions options, std::int64_t epoch);
  UpstreamsEvents WithBack(UpstreamsEvents events);
  PollEvents WithNotes(PollEvents events);
  SubmitEvents WithHints(SubmitEvents events);
  ForeignChanges::Events WhatOthersDo();
  ShardEvents WhatMoves();
  // Takes up a job that has not ended.
  void TakeUpJob(const JobRecord& record);
  absl::Status TakeUpNames();
  void OnRenewed(const Holding& holding);

  CoreGround ground_;
  const std::int64_t epoch_;
  bool told_stopped_ = false;  // that somebody stops submits: as the feed said last, for its thread
  const std::function<void(const JobRecord&)> changed_;
  const std::function<void(const JobRecord&)> taken_up_;
  const Leases::TakeName notifying_;
  const Leases::TakeName archiving_;
  const std::function<void()> shards_lost_;
  const std::function<void(const Holding&)> renewed_;
  const std::function<void(const std::string&)> stopped_for_all_;
  Recovered recovered_;
};

}  // namespace gateway::jobs
