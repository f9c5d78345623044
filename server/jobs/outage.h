// Notices that Pictory answers nobody any more, or refuses the credentials, and lets its account
// rest until it does no longer.
//
// The door to Pictory (jobs/upstream.h) notes each answer in the account. After several in a row
// that did not come, or one 401, a call is made that costs nothing and concerns no job; only if
// that is not answered or refused, too, does the account rest, and the call is repeated until it is
// taken. So neither jobs that Pictory cannot answer for nor one kind of call that fails can stop
// all the others.
//
// Thread-safe. Everything passed to the constructor must outlive it and, after Stop(), the call
// that may be in flight.
#pragma once

#include <functional>

#include "absl/status/status.h"
#include "base/clock.h"
#include "base/mutex.h"
#include "base/next_call.h"
#include "jobs/account.h"
#include "pictory/client.h"

namespace gateway::jobs {

class OutageWatch {
 public:
  // Before anything is sent. `changed`, for the log: why it rests from now on, or OK. Under no
  // lock.
  OutageWatch(Account& account, pictory::PictoryClient& client, const Clock& clock, Timers& timers,
              std::function<void(const absl::Status& why)> changed);
  ~OutageWatch();
  OutageWatch(const OutageWatch&) = delete;
  OutageWatch& operator=(const OutageWatch&) = delete;

  // Makes the call now, because the credentials are others.
  void AskNow();

  // No call starts after this.
  void Stop();

 private:
  void Suspect();
  void Probe();
  void OnProbed(const absl::Status& status);

  Account& account_;
  pictory::PictoryClient& client_;
  const Clock& clock_;
  const std::function<void(const absl::Status&)> changed_;

  Mutex mutex_;
  bool probing_ GUARDED_BY(mutex_) =
      false;  // from a call on until it, or one of its repeats, is answered
  bool asking_ GUARDED_BY(mutex_) = false;              // a call is under way
  bool ask_again_ GUARDED_BY(mutex_) = false;           // as soon as it is answered
  MonoTime next_ GUARDED_BY(mutex_) = MonoTime::min();  // no call starts before
  bool stopped_ GUARDED_BY(mutex_) = false;
  NextCall again_;
};

}  // namespace gateway::jobs
