// Upstreams holds the gateway's doors to Pictory: one Upstream (jobs/upstream.h) for each account.
//
// A job belongs for ever to the account that made it, so whoever calls Pictory about a job asks for
// the door of that account. Accounts share nothing but what carries their requests: each has its
// own credentials, budget and rest.
//
// An account that is not configured has a door as well. Nothing passes it, and it says why; so jobs
// of an account that was taken out of the settings stay as they are until it is put back.
//
// Thread-safe; no call blocks. What is passed to the constructor must outlive it, and it must
// outlive the calls in flight.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

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

  // `transport` carries the requests of accounts whose options name no other.
  Upstreams(Accounts accounts, http::HttpTransport& transport, const Clock& clock, Timers& timers,
            UpstreamsEvents events);
  Upstreams(const Upstreams&) = delete;
  Upstreams& operator=(const Upstreams&) = delete;

  // The door of an account. It stays until the end, though a newer one may take its place when the
  // account is opened; so it is asked for anew for each call.
  Upstream& Of(const std::string& account);
  bool Has(const std::string& account) const;  // whether it is configured
  // Configures an account from now on, if it is not configured yet. Returns whether it was not.
  bool Open(const std::string& account, UpstreamOptions options);

  // How many of the configured accounts are so.
  int degraded() const;
  int resting() const;
  int credentials_refused() const;
  int size() const;

  // No call that a door makes by itself starts after this; calls of others may.
  void Stop();

 private:
  struct Door {
    bool configured = false;
    std::unique_ptr<Upstream> upstream;
  };

  std::unique_ptr<Upstream> Make(const std::string& account, UpstreamOptions options);
  int Count(bool (Upstream::*is)() const) const;

  http::HttpTransport& transport_;
  const Clock& clock_;
  Timers& timers_;
  const UpstreamsEvents events_;

  mutable Mutex mutex_;
  std::map<std::string, Door> doors_ GUARDED_BY(mutex_);
  // Doors that were closed and have been replaced: somebody may still be asking them.
  std::vector<std::unique_ptr<Upstream>> replaced_ GUARDED_BY(mutex_);
  bool stopped_ GUARDED_BY(mutex_) = false;
};

}  // namespace gateway::jobs
