// The gateway under test, as it runs from one start to the next crash: the real domain on simulated
// time, store and Pictory.
#pragma once

#include <functional>
#include <string>
#include <utility>

#include "base/work_thread.h"
#include "jobs/core.h"
#include "simulation/sim_clock.h"

namespace gateway::simulation {

struct ProcessOptions {
  jobs::BudgetOptions budget;
  jobs::SpendingLimits spending;
  bool webhooks = true;
  std::function<void(const jobs::Snapshot&)>
      polled{};  // hears of each reply to a poll; may be null
};

inline constexpr char kOwnKey[] = "pictai_k";

class Process {
 public:
  // Recovers, then serves.
  Process(const ProcessOptions& options, ProcessClock& clock, jobs::Store& store,
          http::HttpTransport& pictory, Random& random)
      : clock_(clock),
        broadcaster_([&clock](WorkThread::Slice slice) { RunLater(clock, std::move(slice)); }),
        core_(Options(options), Events(options),
              {.store = store,
               .transport = pictory,
               .broadcaster = broadcaster_,
               .clock = clock,
               .timers = clock,
               .random = random},
              *store.Recover(clock.WallNow())) {
    if (!core_.TakeUp().ok()) std::abort();
  }

  // A call arrives: at once, or once the process goes on that is stopped.
  void Call(std::function<void()> call) {
    if (!clock_.stopped()) return call();
    clock_.In(Duration(0), std::move(call));
  }
  // For what a caller does while the process has its answer.
  ProcessClock& clock() { return clock_; }

  jobs::Hub& hub() { return core_.hub; }
  jobs::Submitter& submitter() { return core_.submitter; }
  jobs::Resolver& resolver() { return core_.resolver; }
  jobs::Adopter& adopter() { return core_.adopter; }
  jobs::Deleter& deleter() { return core_.deleter; }
  jobs::WaitingJobs& waiting() { return core_.waiting; }
  jobs::OwedAnswers& owed() { return core_.owed; }
  // Its part of the budget of its own account.
  double part() { return core_.upstreams.Of(jobs::kDefaultAccount)->requests_per_second(); }
  // What happens in order at the end: first this, then, before the store is closed, Stop.
  void Leave() { core_.Leave(); }
  void Stop() { core_.Stop(); }
  // The account of a caller's key, which is open from now on.
  std::string ShowKey(const std::string& key) {
    absl::StatusOr<std::string> account = core_.callers.Show(Secret(key));
    if (!account.ok()) std::abort();  // there are few keys
    return *std::move(account);
  }

 private:
  static jobs::CoreOptions Options(const ProcessOptions& options) {
    const auto account_of = [budget = options.budget](const Secret& key) {
      jobs::UpstreamOptions account;
      account.client = {.api_key = key, .user_agent = "t"};
      account.budget = budget;
      return account;
    };
    jobs::CoreOptions core;
    core.accounts.emplace(jobs::kDefaultAccount, account_of(Secret(kOwnKey)));
    core.caller_account = [account_of](const std::string&, const Secret& key) {
      return account_of(key);
    };
    core.spending = options.spending;
    if (options.webhooks) {
      core.submitting.webhook_url = [](const std::string& token) {
        return "https://gateway.example/" + token;
      };
    }
    return core;
  }
  static jobs::CoreEvents Events(const ProcessOptions& options) {
    jobs::CoreEvents events;
    if (options.polled) {
      events.polls.replied = [polled = options.polled](const jobs::Snapshot& job, const auto&) {
        polled(job);
      };
    }
    return events;
  }
  static void RunLater(ProcessClock& clock, WorkThread::Slice slice) {
    clock.In(std::chrono::microseconds(5), [&clock, slice = std::move(slice)]() mutable {
      if (slice()) RunLater(clock, std::move(slice));
    });
  }

  ProcessClock& clock_;
  WorkThread broadcaster_;
  jobs::Core core_;
};

}  // namespace gateway::simulation
