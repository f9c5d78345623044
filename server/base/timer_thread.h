// TimerThread is Timers on a thread of its own: a binary heap with lazy deletion.
//
// Thread-safe. The destructor drops what has not fired and joins; no callback runs after it.
#pragma once

#include <thread>
#include <unordered_map>
#include <vector>

#include "base/clock.h"
#include "base/mutex.h"

namespace gateway {

class TimerThread final : public Timers {
 public:
  explicit TimerThread(const Clock& clock);
  ~TimerThread() override;
  TimerThread(const TimerThread&) = delete;
  TimerThread& operator=(const TimerThread&) = delete;

  Id At(MonoTime when, std::function<void()> callback) override;
  bool Cancel(Id id) override;

  // Drops what has not fired, waits for a running callback, and fires nothing any more.
  void Stop();

 private:
  struct Due {
    MonoTime when;
    Id id;
    bool operator<(const Due& other) const {  // std::push_heap keeps the largest on top
      return when != other.when ? when > other.when : id > other.id;
    }
  };

  void Run();

  const Clock& clock_;
  Mutex mutex_;
  CondVar wake_;
  std::vector<Due> heap_ GUARDED_BY(mutex_);
  std::unordered_map<Id, std::function<void()>> callbacks_ GUARDED_BY(mutex_);
  Id last_id_ GUARDED_BY(mutex_) = kNone;
  bool stopping_ GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace gateway
