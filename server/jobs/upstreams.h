// Upstreams holds the gateway's doors to Pictory: one Upstream (jobs/upstream.h) for each account.
//
// A job belongs for ever to the account that made it, so whoever calls Pictory about a job asks for
// the door of that account. Accounts share nothing but what carries their requests, with its places
// (jobs/places.h): each has its own credentials, budget and rest.
//
// An account that is not open has a door as well. Nothing passes it, and it says why; so jobs of an
// account that was taken out of the settings, or whose key no caller has shown, stay as they are
// until it is opened.
//
// Thread-safe; no call blocks. What is passed to the constructor must outlive it, and it must
// outlive the calls in flight.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "base/clock.h"
#include "base/mutex.h"
#include "jobs/upstream.h"

namespace gateway::jobs {

// The same as UpstreamEvents, with the name of the account.
struct UpstreamsEvents {
  std::function<void(const std::string& account, const absl::Status& why)> rests;
  std::function<void(const std::string& account, bool degraded)> degraded_changed;
};

class Upstreams {
 public:
  using Accounts = std::map<std::string, UpstreamOptions>;
  // The operator's are in the settings, and stay open; a caller's may be closed.
  enum class Whose { kOperators, kCallers };

  // `transport` carries the requests of accounts whose options name no other.
  Upstreams(Accounts accounts, http::HttpTransport& transport, const Clock& clock, Timers& timers,
            UpstreamsEvents events);
  Upstreams(const Upstreams&) = delete;
  Upstreams& operator=(const Upstreams&) = delete;

  // The door of an account. A newer one may take its place, so it is asked for anew for each call.
  UpstreamPtr Of(const std::string& account);
  bool Has(const std::string& account) const;  // whether it is open
  // Opens an account from now on, if it is not open yet. Returns whether it was not.
  bool Open(const std::string& account, UpstreamOptions options, Whose whose = Whose::kOperators);
  // What each account may be asked is for so many processes from now on, in equal parts.
  void ShareWith(int processes);
  // Closes the account of a caller, unless it is in use at this moment. Returns whether it did.
  bool Close(const std::string& account);

  // Whether what watchers of the account's jobs see may lag.
  bool IsDegraded(const std::string& account) const;

  // How many of the operator's accounts are so. What callers show says nothing of the gateway.
  int degraded() const;
  int resting() const;
  int credentials_refused() const;
  int size() const;

  // How each of them may be asked now, by account.
  std::map<std::string, Account::Pace> paces() const;

  // No call that a door makes by itself starts after this; calls of others may.
  void Stop();

 private:
  struct Door {
    bool open = false;
    Whose whose = Whose::kOperators;
    UpstreamPtr upstream{};
  };

  UpstreamPtr Make(const std::string& account, UpstreamOptions options) REQUIRES(mutex_);
  // Lets go of a door on the thread of the timers, where none of its own is just beginning.
  void LetGo(UpstreamPtr door);
  int Count(bool (Upstream::*is)() const) const;

  http::HttpTransport& transport_;
  const Clock& clock_;
  Timers& timers_;
  const UpstreamsEvents events_;

  std::atomic<int> processes_{1};
  mutable Mutex mutex_;
  std::map<std::string, Door> doors_ GUARDED_BY(mutex_);
  // Doors of callers' accounts that are not open, as far as they were asked for lately.
  std::map<std::string, UpstreamPtr> closed_ GUARDED_BY(mutex_);
  // By what carries the requests.
  std::map<const http::HttpTransport*, SharedPlaces> places_ GUARDED_BY(mutex_);
  bool stopped_ GUARDED_BY(mutex_) = false;
};

}  // namespace gateway::jobs
