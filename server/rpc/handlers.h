// The Domain is what the calls need of the rest of the gateway. The app fills it; tests put in what
// they like.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "base/clock.h"
#include "base/random.h"
#include "grpcpp/server_context.h"
#include "jobs/hub.h"
#include "jobs/store.h"
#include "rpc/backend.h"
#include "watch/stream_wheel.h"

namespace gateway::rpc {

class LargeAnswers;
class Unread;

// How a call ended. It is valid for as long as somebody is told of it.
struct CallEnd {
  std::string_view method;
  const absl::Status& status;
  Duration took{};
  std::string_view
      peer{};  // as the library names it; of calls that ended well mostly not asked for
  std::string_view request_id{};  // of a submit, once it was read
  bool served = false;            // a stream that had brought something
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

  // Submits without a request_id are refused.
  bool require_request_id = false;
  // The tenant of a call, or why it is refused; null: everybody is `default`.
  std::function<absl::StatusOr<std::string>(const grpc::CallbackServerContext&)> identify{};
  // Notes answers that are ready and wait for their callers. The server sets it; null: nobody
  // looks.
  Unread* unread = nullptr;
  // Counts the bytes of large answers. The server sets it.
  std::shared_ptr<LargeAnswers> large_answers{};
  // Counts bytes of a submit beyond those of its request. The server sets it.
  std::function<absl::StatusOr<std::shared_ptr<void>>(std::size_t bytes)> hold{};
  // Is told when a call has ended, for metrics and the log. Null: nobody wants to know. Of
  // reflection and of health checks only refusals are told.
  std::function<void(const CallEnd& end)> ended{};
  void Ended(const CallEnd& end) const {
    if (ended) ended(end);
  }
};

}  // namespace gateway::rpc
