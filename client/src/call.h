// Call makes one unary call with its attempts.
#pragma once

#include <chrono>
#include <optional>
#include <stop_token>
#include <utility>

#include "absl/status/statusor.h"
#include "attempts.h"
#include "backoff.h"
#include "core.h"

namespace pictory_jobs {

inline absl::Status StoppedByCaller() {
  return absl::CancelledError("The caller stopped the call");
}

// Whether the deadline of an attempt has passed, as far as two clocks may differ.
inline bool OutOfTime(const grpc::ClientContext& context) {
  return std::chrono::system_clock::now() + std::chrono::milliseconds(50) >= context.deadline();
}

// Sets deadline and metadata of one attempt.
inline void Prepare(const Core& core, const CallOptions& call, grpc::ClientContext& context) {
  core.Prepare(context);
  context.set_deadline(std::chrono::system_clock::now() +
                       call.timeout.value_or(core.options().call_timeout));
}

// `attempt(grpc::ClientContext&)` is one attempt, and returns its status.
template <class Attempt>
absl::Status CallUntilOver(Core& core, const CallOptions& call, Repeatable repeatable,
                           const Attempt& attempt) {
  Backoff backoff(call.retry.value_or(core.options().retry), repeatable, core.pacing());
  bool open = false;
  const auto failed = [&open](absl::Status status) {
    return open ? MarkOpen(std::move(status)) : status;
  };
  for (;;) {
    if (call.stop.stop_requested()) return failed(StoppedByCaller());
    absl::Status status;
    bool out_of_time = false;
    {
      grpc::ClientContext context;
      Prepare(core, call, context);
      const std::stop_callback cancel(call.stop, [&context] { context.TryCancel(); });
      status = FromGrpc(attempt(context));
      out_of_time = OutOfTime(context);
    }
    if (status.ok()) return status;
    open = open || LeavesOpen(status);
    if (call.stop.stop_requested()) return failed(StoppedByCaller());
    const std::optional<std::chrono::nanoseconds> wait = backoff.Next(status, out_of_time);
    if (!wait) return failed(status);
    if (!core.pacing().wait(*wait, call.stop)) return failed(StoppedByCaller());
  }
}

template <class Response, class Request, class Method>
absl::StatusOr<Response> Call(Core& core, Method method, const Request& request,
                              const CallOptions& call, Repeatable repeatable) {
  Response response;
  const absl::Status status =
      CallUntilOver(core, call, repeatable, [&](grpc::ClientContext& context) {
        return (core.stub().*method)(&context, request, &response);
      });
  if (!status.ok()) return status;
  return response;
}

}  // namespace pictory_jobs
