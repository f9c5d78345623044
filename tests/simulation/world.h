// One simulated day: callers who submit, repeat, watch, delete and resolve jobs; a gateway that is
// killed now and then, or several that share a database; a Pictory that misbehaves; and what must
// hold through all of it.
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
#include "simulation/sim_database.h"
#include "simulation/sim_pictory.h"
#include "simulation/sim_shared_store.h"
#include "simulation/sim_store.h"
#include "simulation/umpire.h"

namespace gateway::simulation {

// What is broken on purpose: one of the domain's own safeguards (jobs/guards.h, switched for the
// whole program), or a promise of what it stands on.
struct Bugs {
  StoreBugs store;
  DatabaseBugs database;
  bool sends_late = false;         // a gateway does not ask whether it may still send
  bool transport_lies = false;     // it says NOT_SENT of what it does not know
  bool transport_resends = false;  // it sends a paid request again if no answer comes
  bool one_fingerprint = false;    // every request of a caller looks like its others
  bool new_fingerprints = false;   // no call without a key looks like the one before
  bool one_purse = false;          // the key of one caller pays for all who show one
};

struct WorldOptions {
  std::uint64_t seed = 1;
  int gateways = 1;  // more than one share a database
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
  // Of days with several gateways.
  std::uint64_t stops = 0;    // times a gateway was stopped
  std::uint64_t cuts = 0;     // times a gateway was cut off from the database
  std::uint64_t aways = 0;    // times the database was away, or its standby took over
  double most_of_budget = 0;  // the most that was sent in ten seconds, as a part of the budget
};

// A gateway, through its starts and ends.
struct Seat {
  Seat(int n, SimClock& world, SimPictory& pictory)
      : number(n), clock(world), line(pictory, clock, n) {}

  const int number;
  ProcessClock clock;
  SimPictory::Line line;
  std::unique_ptr<SimSharedStore> store;  // null: it is alone, with a disk
  std::unique_ptr<Process> process;       // null: down
  std::uint64_t starts = 0;
  bool ending = false;
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
  jobs::Store& disk();
  bool several() const { return options_.gateways > 1; }
  // One that answers, any of several; null: none does.
  Process* process();
  // Where a call may arrive, too: one that is stopped, and answers once it goes on.
  Process* door();
  // Whether there is a limit of submits.
  bool limited() const { return process_options_.spending.per_day > 0; }
  // Whether callers were told that the job is UNCONFIRMED, at some time.
  bool WasUnconfirmed(const jobs::JobRecord& record) const {
    return umpire_.WasUnconfirmed(record);
  }
  // Whether this gateway has heard of all that happened up to then.
  bool HasHeard(const Process* process, MonoTime until) const;
  // The account that pays for the callers with this key of Pictory's, and the key that is used. On
  // a day on which callers pay, the process, which must be up, is shown the key: a new one has
  // forgotten all. On others it is the gateway's own.
  std::string ShowKey(Process* process, const std::string& key);
  std::string PayingKey(const std::string& key) const { return callers_pay_ ? key : kOwnKey; }
  bool calm() const { return calm_; }  // the day is over: no more faults
  bool store_fails() const { return store_fails_; }
  bool store_is_busy() const { return store_ != nullptr && store_->is_busy(); }
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
  void Start(Seat& seat);
  void EndProcess(Seat& seat);
  void Crash(Seat& seat, const char* why);
  void Crash(const char* why) { Crash(AnySeat(), why); }
  void EndInOrder(Seat& seat);
  void FailStore();
  Seat& AnySeat();
  Process* Any(bool stopped_too);
  Seat& SeatOf(const Process* process);
  void OnNextWrite(Seat& seat, std::function<void()> then);
  // Of several gateways (world_sharing.cc).
  std::string NameOf(const Seat& seat) const;
  void Share();
  void PlanSharing();
  void Stop(Seat& seat, Duration how_long);
  void Cut(Seat& seat, Duration how_long);
  void LoseDatabase();
  void EndTrouble();
  // For so long, and until all have heard of it, parts of the budget may be of different times.
  void Disturb(Duration how_long);
  void CheckHeld();
  void CheckBudgetOfAll();
  void CheckPaid(int gateway, const std::string& name);
  void CheckSpent();
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
  std::unique_ptr<SimPictory> pictory_;
  Umpire umpire_;
  WayTrouble way_;
  std::vector<std::unique_ptr<Seat>> seats_;
  std::unique_ptr<SimStore> store_;        // of one gateway
  std::unique_ptr<SimDatabase> database_;  // of several
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
  std::uint64_t requests_ = 0;  // that CheckBudgetOfAll has seen
  MonoTime disturbed_until_{};
  MonoTime held_checked_{};  // what disturbed_until_ was then
};

}  // namespace gateway::simulation
