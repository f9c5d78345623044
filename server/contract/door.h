// A Door is the gateway's own door to a Pictory account (jobs/upstream.h), for who asks one thing
// after the other and waits for each answer.
//
// Each call keeps the account's pace. It also gives what came over the wire, because what Pictory
// is known to do is about that.
#pragma once

#include <memory>
#include <string>

#include "contract/guarded_transport.h"
#include "jobs/upstream.h"

namespace gateway::contract {

// What all doors of a run share. All of it must outlive them.
struct Ways {
  http::HttpTransport& transport;
  const Clock& clock;
  Timers& timers;
};

class Door {
 public:
  Door(const Ways& ways, jobs::UpstreamOptions options);
  ~Door();
  Door(const Door&) = delete;
  Door& operator=(const Door&) = delete;

  struct Free {
    absl::StatusOr<std::string> body;  // as the gateway reads the answer
    http::Response raw;
  };
  Free Ask(pictory::FreeCall call);
  Free Get(std::string path);
  // The same for what is no free call: it is let through once.
  Free Change(pictory::FreeCall call);

  struct Job {
    pictory::JobReply reply;
    http::Response raw;
  };
  Job GetJob(const std::string& id, jobs::v1::JobKind kind);

  struct Paid {
    pictory::SubmitReply reply;
    http::Response raw;
  };
  // Gets what Pay needs. An error says why nothing can be sent.
  absl::StatusOr<pictory::Authorization> Authorize();
  // Sends a paid request, once.
  Paid Pay(pictory::Submission submission, const pictory::Authorization& authorization);

  const pictory::TranslateOptions& translate() const { return upstream_->translate(); }
  http::Response token() const { return transport_.last_token(); }

 private:
  // Waits until the account may be asked again.
  jobs::Upstream::Turn Turn(jobs::Purpose purpose);

  const Clock& clock_;
  GuardedTransport transport_;
  const jobs::UpstreamPtr upstream_;
};

}  // namespace gateway::contract
