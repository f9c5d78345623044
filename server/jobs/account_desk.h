// AccountDesk asks Pictory about what is the account's and no job's: projects, templates, charges.
// What it is told is not kept.
//
// Thread-safe; what is passed to the constructor must outlive it and its calls in flight.
#pragma once

#include <functional>
#include <string>

#include "absl/status/statusor.h"
#include "base/clock.h"
#include "jobs/owner.h"
#include "jobs/upstreams.h"
#include "pictory/free_call.h"

namespace gateway::jobs {

class AccountDesk {
 public:
  struct Answer {
    std::string body;
    bool allow_loopback = false;  // in its URLs: the sandbox's
  };
  using Done = std::function<void(absl::StatusOr<Answer>)>;

  AccountDesk(Upstreams& upstreams, const Clock& clock) : upstreams_(upstreams), clock_(clock) {}

  // Makes a free call with the owner's account. To look (kLook) takes one of the account's looks,
  // which are few, and is refused if there is none now; a change (kChange) waits in the line of
  // submits as long as a submit may.
  void Ask(const Owner& owner, Purpose purpose, pictory::FreeCall call, Done done);

  // Looks twice, one after the other. Both looks are taken before anything is sent, so that who
  // asks again after a refusal does not begin anew each time.
  struct Both {
    Answer first;
    Answer second;
  };
  using BothDone = std::function<void(absl::StatusOr<Both>)>;
  void LookTwice(const Owner& owner, pictory::FreeCall first, pictory::FreeCall second,
                 BothDone done);

 private:
  Upstreams& upstreams_;
  const Clock& clock_;
};

}  // namespace gateway::jobs
