// One simulated day: callers who submit, repeat, watch, delete and resolve jobs; a gateway that is
// killed now and then; a Pictory that misbehaves; and what must hold through all of it.
//
// Everything follows from the seed. Single-threaded; worlds share nothing.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "jobs/guards.h"
#include "simulation/caller.h"
#include "simulation/process.h"
#include "simulation/sim_clock.h"
#include "simulation/sim_pictory.h"
#include "simulation/sim_store.h"

namespace gateway::simulation {

// What is broken on purpose: one of the domain's own safeguards (jobs/guards.h, switched for the
// whole program), or a promise of what it stands on.
struct Bugs {
  StoreBugs store;
  bool transport_lies = false;     // it says NOT_SENT of what it does not know
  bool transport_resends = false;  // it sends a paid request again if no answer comes
  bool one_fingerprint = false;    // every request of a caller looks like its others
  bool new_fingerprints = false;   // no call without a key looks like the one before
  bool one_purse = false;          // the key of one caller pays for all who show one
};

struct WorldOptions {
  std::uint64_t seed = 1;
  int requests = 200;
  Duration length = std::chrono::hours(24);
  Bugs bugs;
  bool tell = false;  // every event of note, to stderr
};

struct Statistics {
  std::uint64_t accepted = 0;  // jobs at Pictory
  std::uint64_t crashes = 0;
  std::uint64_t ends = 0;         // in order
  std::uint64_t silences = 0;     // of more than a week
  std::uint64_t busy = 0;         // times in which the store refused most writes
  std::uint64_t unconfirmed = 0;  // jobs that were UNCONFIRMED at some time
  std::uint64_t watches = 0;
  std::uint64_t webhook_calls = 0;
  std::uint64_t by_pictory_id = 0;  // reads that Pictory's id of the job has led to a job
  std::uint64_t waited = 0;         // submits that were told to wait for another job
  std::uint64_t cancelled = 0;      // of them, before they were sent
  std::uint64_t swallowed = 0;      // answers that arrived nowhere, although the gateway thinks so
};

class World {
 public:
  explicit World(const WorldOptions& options);
  ~World();

  // The first thing that must not be, in words; nullopt if all went well.
  std::optional<std::string> Run();
  const Statistics& statistics() const { return statistics_; }

  // For the callers.
  SimClock& clock() { return clock_; }
  const Bugs& bugs() const { return options_.bugs; }
  SimPictory& pictory() { return *pictory_; }
  jobs::Store& disk() { return store_.disk(); }
  Process* process() { return process_.get(); }  // null: down
  // The account that pays for the callers with this key of Pictory's, and the key that is used. On
  // a day on which callers pay, the process, which must be up, is shown the key: a new one has
  // forgotten all. On others it is the gateway's own.
  std::string ShowKey(const std::string& key);
  std::string PayingKey(const std::string& key) const { return callers_pay_ ? key : kOwnKey; }
  bool calm() const { return calm_; }  // the day is over: no more faults
  bool store_fails() const { return store_fails_; }
  bool store_is_busy() const { return store_.is_busy(); }
  // Does so on some days only, and not in the calm.
  void MakeStoreBusy(Duration how_long);
  bool is_busy_day() const { return busy_day_; }
  // This long ago, or longer, the process that runs now was called back with the token.
  bool WasCalledBack(const std::string& token, Duration ago) const;
  Statistics& statistics() { return statistics_; }
  bool Chance(double probability);
  Duration Between(Duration least, Duration most);
  void Fail(const std::string& what);
  void Tell(const std::string& what);

 private:
  Weather DrawWeather();
  void Start();
  void EndProcess();
  void Crash(const char* why);
  void EndInOrder();
  void FailStore();
  void KeepSilent();
  void KillInTheNextWrite();
  void PlanDay();
  void ResolveUnconfirmeds(Duration older_than);
  void OnWebhookCall(const std::string& token, const std::string& pictory_job_id);
  void CheckBudget();
  void CheckEnd();

  const WorldOptions options_;
  std::mt19937_64 random_;
  SimClock clock_;
  Random gateway_random_;
  ProcessOptions process_options_;
  SimStore store_;
  std::unique_ptr<SimPictory> pictory_;
  std::unique_ptr<Process> process_;  // null: down
  std::vector<std::unique_ptr<Caller>> callers_;
  const bool busy_day_ = Chance(0.5);
  const bool callers_pay_;
  bool calm_ = false;
  bool store_fails_ = false;
  struct Heard {
    MonoTime when;
    std::uint64_t crashes;
    bool answered = false;  // so that it must outlive a crash
  };
  std::map<std::string, Heard> webhook_calls_;  // by token, the first
  std::optional<std::string> failure_;
  Statistics statistics_;
};

}  // namespace gateway::simulation
