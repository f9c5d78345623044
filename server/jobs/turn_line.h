// TurnLine lets those wait who want a turn for a submit (jobs/upstream.h) while the account's
// budget has none, or there is no place for the request (jobs/places.h).
//
// There is one line a tenant, and the lines are served in turn: a tenant with a thousand submits
// waiting delays one with a single submit by one turn. A tenant whose requests have all the places
// that they may have is passed over. A wait that cannot succeed in time is refused at once. How
// many wait is bounded by the calls that are let in.
//
// Thread-safe; no call blocks. Waiters are told on the thread of the timers, under no lock; those
// that are refused at once are told inside the call.
#pragma once

#include <cstddef>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/mutex.h"
#include "base/next_call.h"
#include "jobs/account.h"
#include "jobs/places.h"

namespace gateway::jobs {

class TurnLine {
 public:
  // `account` is the one whose share of submits is waited for, and `name` what it is called. What
  // is passed in by reference must outlive the line.
  TurnLine(Account& account, std::string name, std::shared_ptr<Places> places, const Clock& clock,
           Timers& timers)
      : account_(account),
        name_(std::move(name)),
        places_(std::move(places)),
        clock_(clock),
        next_(timers),
        next_freed_(timers) {}
  ~TurnLine() { places_->Forget(this); }
  TurnLine(const TurnLine&) = delete;
  TurnLine& operator=(const TurnLine&) = delete;

  // What came of a wait.
  struct End {
    Places::Place place;   // of who has a turn; null: there was none before `give_up`, or the
                           // account rests
    bool crowded = false;  // there was none because no place was free
  };
  using Done = std::function<void(End)>;
  void Wait(const std::string& tenant, MonoTime give_up, Done done);

  // Whether somebody waits, so that nobody else may take a turn.
  bool busy() const;

 private:
  struct Waiter {
    MonoTime give_up;
    Done done;
  };
  using Line = std::list<Waiter>;
  using Lines = std::map<std::string, Line>;
  struct Told {
    Done done;
    End end;
  };

  // When one more waiter of this tenant would have its turn.
  MonoTime TurnAt(const Line& line, MonoTime now) REQUIRES(mutex_);
  void TellAll(std::vector<Told>& told) REQUIRES(mutex_);
  void TellLate(MonoTime now, std::vector<Told>& told) REQUIRES(mutex_);
  void TakeTurns(std::vector<Told>& told) REQUIRES(mutex_);
  Places::Holder HolderOf(const std::string& tenant) const { return {name_, tenant}; }
  // The line whose turn it is, of those for which there is a place; the end if there is none.
  Lines::iterator NextLine() REQUIRES(mutex_);
  // When a turn may be there to be taken; never now.
  MonoTime TurnTime(MonoTime now);
  void ArmBy(MonoTime at) REQUIRES(mutex_);
  void Serve() EXCLUDES(mutex_);

  Account& account_;
  const std::string name_;
  const std::shared_ptr<Places> places_;
  const Clock& clock_;
  mutable Mutex mutex_;
  Lines lines_ GUARDED_BY(mutex_);       // by tenant; none is empty
  std::string last_ GUARDED_BY(mutex_);  // the tenant served last
  std::size_t waiting_ GUARDED_BY(mutex_) = 0;
  MonoTime armed_for_ GUARDED_BY(mutex_) = MonoTime::max();  // max: not at all
  NextCall next_;                                            // for budget, and for who gives up
  NextCall next_freed_;                                      // because a place has become free
};

}  // namespace gateway::jobs
