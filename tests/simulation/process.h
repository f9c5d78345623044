// The gateway under test, as it runs from one start to the next crash: the real domain on simulated
// time, store and Pictory.
#pragma once

#include <memory>

#include "base/work_thread.h"
#include "jobs/core.h"
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
      : broadcaster_([&clock](WorkThread::Slice slice) { RunLater(clock, std::move(slice)); }),
        core_(Options(options), {},
              {.store = store,
               .transport = pictory,
               .broadcaster = broadcaster_,
               .clock = clock,
               .timers = clock,
               .random = random},
              *store.Recover(clock.WallNow())) {
    if (!core_.TakeUp().ok()) std::abort();
  }

  jobs::Hub& hub() { return core_.hub; }
  jobs::Submitter& submitter() { return core_.submitter; }
  jobs::Resolver& resolver() { return core_.resolver; }
  jobs::Adopter& adopter() { return core_.adopter; }
  jobs::Deleter& deleter() { return core_.deleter; }
  jobs::WaitingJobs& waiting() { return core_.waiting; }
  jobs::OwedAnswers& owed() { return core_.owed; }

 private:
  static jobs::CoreOptions Options(const ProcessOptions& options) {
    jobs::CoreOptions core{
        .accounts = {{jobs::kDefaultAccount,
                      {.client = {.api_key = Secret("pictai_k"), .user_agent = "t"},
                       .budget = options.budget}}},
        .spending = options.spending};
    if (options.webhooks) {
      core.submitting.webhook_url = [](const std::string& token) {
        return "https://gateway.example/" + token;
      };
    }
    return core;
  }
  static void RunLater(SimClock& clock, WorkThread::Slice slice) {
    clock.InProcess(std::chrono::microseconds(5), [&clock, slice = std::move(slice)]() mutable {
      if (slice()) RunLater(clock, std::move(slice));
    });
  }

  WorkThread broadcaster_;
  jobs::Core core_;
};

}  // namespace gateway::simulation
