// OutageWatch notices that Pictory answers no call any more, or refuses the credentials. It then
// lets the account rest until that is over.
//
// Upstream (jobs/upstream.h) notes each answer in the account. After several in a row that did not
// come, or one 401, OutageWatch makes a probe: a call that costs nothing and concerns no job. Only
// if the probe gets no answer, or is refused too, does the account rest, and the probe is repeated
// until Pictory answers it. So neither jobs about which Pictory cannot answer nor one kind of call
// that fails can stop all the others.
//
// A refused probe is made once more, limits::kCredentialsConfirmAfter later, before the account
// rests, and it does not rest if Pictory has meanwhile accepted the credentials of any other call:
// a refusal may stray, and one kind of call may always be refused.
//
// Thread-safe. Everything passed to the constructor must outlive it and the call that may be in
// flight.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>

#include "absl/status/status.h"
#include "base/clock.h"
#include "base/limits.h"
#include "base/mutex.h"
#include "base/next_call.h"
#include "jobs/account.h"
#include "pictory/client.h"

namespace gateway::jobs {

class OutageWatch {
 public:
  // Made before anything is sent. `changed`, for the log, gets why the account rests from now on,
  // or OK; it is called under no lock. What `owner` returns is held while a call is in flight.
  OutageWatch(Account& account, pictory::PictoryClient& client, const Clock& clock, Timers& timers,
              std::function<void(const absl::Status& why)> changed,
              std::function<std::shared_ptr<const void>()> owner = nullptr);
  ~OutageWatch();
  OutageWatch(const OutageWatch&) = delete;
  OutageWatch& operator=(const OutageWatch&) = delete;

  // Probes now, because the credentials are others.
  void AskNow();

  // No probe starts after this.
  void Stop();

 private:
  void Suspect();
  void Probe();
  void OnProbed(const absl::Status& status);
  // After a refused probe: whether it is the first, so that another one decides; then that is made.
  bool AsksOnceMore();

  Account& account_;
  pictory::PictoryClient& client_;
  const Clock& clock_;
  const std::function<void(const absl::Status&)> changed_;
  const std::function<std::shared_ptr<const void>()> owner_;

  Mutex mutex_;
  bool probing_ GUARDED_BY(mutex_) =
      false;  // from a call on until it, or one of its repeats, is answered
  bool asking_ GUARDED_BY(mutex_) = false;     // a call is under way
  bool ask_again_ GUARDED_BY(mutex_) = false;  // as soon as it is answered
  // Set from a first refused probe until the next one is answered: what account_.spoken() was.
  std::optional<std::uint64_t> first_refusal_ GUARDED_BY(mutex_);
  MonoTime next_ GUARDED_BY(mutex_) = MonoTime::min();  // no call starts before
  bool stopped_ GUARDED_BY(mutex_) = false;
  NextCall again_;
};

}  // namespace gateway::jobs
