// TurnLine lets those wait who want a turn for a submit (jobs/upstream.h) while the account's
// budget has none.
//
// There is one line a tenant, and the lines are served in turn: a tenant with a thousand submits
// waiting delays one with a single submit by one turn. A wait that cannot succeed in time is
// refused at once. How many wait is bounded by the calls that are let in.
//
// Thread-safe; no call blocks. Waiters are told on the thread of the timers, under no lock; those
// that are refused at once are told inside the call.
#pragma once

#include <cstddef>
#include <functional>
#include <list>
#include <map>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/mutex.h"
#include "base/next_call.h"
#include "jobs/account.h"

namespace gateway::jobs {

class TurnLine {
 public:
  // `account` is the one whose share of submits is waited for. What is passed in must outlive the
  // line.
  TurnLine(Account& account, const Clock& clock, Timers& timers)
      : account_(account), clock_(clock), next_(timers) {}
  ~TurnLine() { next_.Stop(); }
  TurnLine(const TurnLine&) = delete;
  TurnLine& operator=(const TurnLine&) = delete;

  // Tells `done` whether a turn was taken for it. It was not if there was none before `give_up`, or
  // if the account rests.
  using Done = std::function<void(bool taken)>;
  void Wait(const std::string& tenant, MonoTime give_up, Done done);

  // Whether somebody waits, so that nobody else may take a turn.
  bool busy() const;

 private:
  struct Waiter {
    MonoTime give_up;
    Done done;
  };
  using Line = std::list<Waiter>;
  struct Told {
    Done done;
    bool taken;
  };

  // When one more waiter of this tenant would have its turn.
  MonoTime TurnAt(const Line& line, MonoTime now) REQUIRES(mutex_);
  void TellAll(std::vector<Told>& told) REQUIRES(mutex_);
  void TellLate(MonoTime now, std::vector<Told>& told) REQUIRES(mutex_);
  void TakeTurns(std::vector<Told>& told) REQUIRES(mutex_);
  // When a turn may be there to be taken; never now.
  MonoTime TurnTime(MonoTime now);
  void ArmBy(MonoTime at) REQUIRES(mutex_);
  void Serve() EXCLUDES(mutex_);

  Account& account_;
  const Clock& clock_;
  mutable Mutex mutex_;
  std::map<std::string, Line> lines_ GUARDED_BY(mutex_);  // by tenant; none is empty
  std::string last_ GUARDED_BY(mutex_);                   // the tenant served last
  std::size_t waiting_ GUARDED_BY(mutex_) = 0;
  MonoTime armed_for_ GUARDED_BY(mutex_) = MonoTime::max();  // max: not at all
  NextCall next_;
};

}  // namespace gateway::jobs
