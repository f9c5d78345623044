// NextCall plans the next call of something that is done again and again: at most one call is
// planned, and none after Stop().
//
// It is thread-safe, and may be used under its owner's lock.
#pragma once

#include <functional>
#include <utility>

#include "base/clock.h"
#include "base/mutex.h"

namespace gateway {

class NextCall {
 public:
  // `timers` must outlive this.
  explicit NextCall(Timers& timers) : timers_(timers) {}
  ~NextCall() { Stop(); }
  NextCall(const NextCall&) = delete;
  NextCall& operator=(const NextCall&) = delete;

  // Plans a call, instead of the one that is planned, if any. Does nothing after Stop().
  void At(MonoTime when, std::function<void()> call) {
    MutexLock lock(mutex_);
    Cancel();
    if (!stopped_) timer_ = timers_.At(when, std::move(call));
  }

  // Plans no call after this; a call that is due may just be beginning.
  void Stop() {
    MutexLock lock(mutex_);
    stopped_ = true;
    Cancel();
  }

 private:
  void Cancel() REQUIRES(mutex_) {
    if (timer_ != Timers::kNone) timers_.Cancel(std::exchange(timer_, Timers::kNone));
  }

  Timers& timers_;
  Mutex mutex_;
  Timers::Id timer_ GUARDED_BY(mutex_) = Timers::kNone;
  bool stopped_ GUARDED_BY(mutex_) = false;
};

}  // namespace gateway
