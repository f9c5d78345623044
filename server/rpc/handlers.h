// The Domain is what the calls need of the rest of the gateway. The app fills it; tests put in what
// they like.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "base/clock.h"
#include "base/random.h"
#include "base/shedding.h"
#include "base/trace_context.h"
#include "jobs/estimates.h"
#include "jobs/hub.h"
#include "jobs/store.h"
#include "rpc/backend.h"
#include "tenants/callers.h"
#include "watch/follower.h"
#include "watch/stream_wheel.h"

namespace gateway::rpc {

class InsideCalls;
class LargeAnswers;
class OpenWatches;
class TenantGates;
class Unread;

// How a call ended. It is valid for as long as somebody is told of it.
struct CallEnd {
  std::string_view method;
  const absl::Status& status;
  Duration took{};
  std::size_t received_bytes = 0;  // of its messages; 0 of what was refused unread
  std::size_t sent_bytes = 0;
  std::string_view
      peer{};  // as the library names it; of calls that ended well mostly not asked for
  std::string_view request_id{};  // of a submit, once it was read
  bool served = false;            // a stream that had brought something
  // Where in which trace it was; null: in none, or nobody has looked.
  const TraceContext* trace = nullptr;
};

// What a caller with the role `operate` has done, or tried to. It is valid for as long as somebody
// is told of it.
struct Operated {
  std::string_view method;
  std::string_view tenant;
  std::string_view caller;  // the principal's name
  std::string_view peer;
  std::string_view job;         // as the caller named it
  std::string_view what{};      // that was decided, where the method leaves a choice
  std::string_view before{};    // the job's state; empty: there is no such job
  std::string_view after{};     // the same; empty if it was refused
  std::string_view trace_id{};  // empty: in no trace
  const absl::Status& status;
};

// Everything here must outlive the server. Functions are called from gRPC's threads and must not
// block; an answer may come on any thread, inside the call too, and comes exactly once.
struct Domain {
  jobs::Hub& hub;
  jobs::Jobs& store;
  watch::StreamWheel& wheel;
  const Clock& clock;
  Timers& timers;
  Random& random;
  Backend& backend;
  const tenants::Callers& callers;  // who may call
  jobs::Feed& feed;
  watch::Follower& follower;

  // Tells when jobs may end; null: nobody does.
  jobs::Estimates* estimates = nullptr;
  // What is refused under pressure; null: nothing ever is.
  Shedding* shedding = nullptr;
  // Submits without a request_id are refused.
  bool require_request_id = false;
  // Bounds what each tenant has at once. The server sets it.
  TenantGates* gates = nullptr;
  // Knows the open watches. The server sets it.
  OpenWatches* open_watches = nullptr;
  // Notes answers that are ready and wait for their callers. The server sets it; null: nobody
  // looks.
  Unread* unread = nullptr;
  // Knows who is served by inside calls. The server sets it; null: there are none.
  const InsideCalls* inside = nullptr;
  // Counts the bytes of large answers. The server sets it.
  std::shared_ptr<LargeAnswers> large_answers{};
  // Counts bytes of a submit beyond those of its request. The server sets it.
  std::function<absl::StatusOr<std::shared_ptr<void>>(std::size_t bytes)> hold{};
  // Calls get spans of their own, and those that submit begin a trace if they come in none.
  bool spans = false;
  // Is told when a call of the API has begun, for metrics. Null: nobody wants to know.
  std::function<void(std::string_view method)> begun{};
  // Is told when a call has ended, for metrics and the log. Null: nobody wants to know. Of
  // reflection and of health checks only refusals are told.
  std::function<void(const CallEnd& end)> ended{};
  // Is told of each operate call, for the audit. Null: nobody wants to know.
  std::function<void(const Operated& operated)> operated{};
  void Ended(const CallEnd& end) const {
    if (ended) ended(end);
  }
};

}  // namespace gateway::rpc
