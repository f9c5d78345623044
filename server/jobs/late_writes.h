// LateWrites keeps writes that the store was too busy to take, and has each tried again after a
// while: the longer, the more often it failed.
//
// It is for what is known and must not be lost, such as the answer to a paid request. While the
// program ends, each write is tried a few times more, and then given up. A store that has failed
// takes nothing any more, and the program ends; nothing is kept then.
//
// Thread-safe; writes are tried on the thread of the timers. What is passed to the constructor must
// outlive this object and, after End(), the calls in flight.
#pragma once

#include <functional>
#include <map>

#include "absl/status/status.h"
#include "base/clock.h"
#include "base/mutex.h"

namespace gateway::jobs {

class LateWrites {
 public:
  LateWrites(const Clock& clock, Timers& timers) : clock_(clock), timers_(timers) {}
  ~LateWrites();
  LateWrites(const LateWrites&) = delete;
  LateWrites& operator=(const LateWrites&) = delete;

  // How often the store refused one write. Its owner keeps it.
  struct Tries {
    int failures = 0;
    int at_end = 0;  // of them, after End()
  };

  // Takes what the store said to a write, and has `again` called later. Returns false if there is
  // nothing to try again: it was stored, or the record has changed or gone meanwhile, or the store
  // has failed, or it was tried limits::kLateWritesAtEnd times after End().
  bool Keep(const absl::Status& stored, Tries& tries, std::function<void()> again);

  // Has everything that is kept tried at once. From now on each write is tried a few times only.
  void End();

 private:
  struct Late {
    Timers::Id timer = Timers::kNone;
    std::function<void()> again;
  };

  void Try(int id);

  const Clock& clock_;
  Timers& timers_;
  Mutex mutex_;
  std::map<int, Late> late_ GUARDED_BY(mutex_);  // in the order they came
  int last_id_ GUARDED_BY(mutex_) = 0;
  bool ended_ GUARDED_BY(mutex_) = false;
};

}  // namespace gateway::jobs
