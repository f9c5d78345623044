// A TimedStream is one stream from the gateway whose reads have a time limit. A completion queue of
// its own gives that without another thread.
#pragma once

#include <grpcpp/grpcpp.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <utility>

#include "absl/status/status.h"
#include "core.h"

namespace pictory_jobs {

enum class StreamRead { kMessage, kTimeout, kEnd };

template <class Request, class Response>
class TimedStream {
 public:
  using Reader = grpc::ClientAsyncReader<Response>;
  using Begin = std::unique_ptr<Reader> (Core::Stub::*)(grpc::ClientContext*, const Request&,
                                                        grpc::CompletionQueue*);

  TimedStream(Core& core, Core::Stub& stub, Begin begin, const Request& request,
              const std::stop_token& stop)
      : cancel_(stop, [this] { context_.TryCancel(); }) {
    core.Prepare(context_);
    reader_ = (stub.*begin)(&context_, request, &queue_);
    reader_->StartCall(this);
    pending_ = true;
  }

  ~TimedStream() {
    context_.TryCancel();
    if (pending_) Wait(std::nullopt);
    if (!finished_) Finish().IgnoreError();
    queue_.Shutdown();
    while (Wait(std::nullopt)) {
    }
  }

  TimedStream(const TimedStream&) = delete;
  TimedStream& operator=(const TimedStream&) = delete;

  // After kMessage the message is in message() until the next call.
  StreamRead Next(std::chrono::nanoseconds limit) {
    const std::chrono::steady_clock::time_point until = std::chrono::steady_clock::now() + limit;
    while (alive_) {
      if (!pending_) {
        reader_->Read(&message_, this);
        pending_ = reading_ = true;
      }
      if (!Wait(until - std::chrono::steady_clock::now())) return StreamRead::kTimeout;
      if (alive_ && std::exchange(reading_, false)) return StreamRead::kMessage;
    }
    return StreamRead::kEnd;
  }

  Response& message() { return message_; }

  // Is called after kEnd only.
  absl::Status Finish() {
    finished_ = true;
    grpc::Status status;
    reader_->Finish(&status, this);
    pending_ = true;
    Wait(std::nullopt);
    return FromGrpc(status);
  }

 private:
  // Waits for the operation under way; false if the limit came first, or nothing can come any more.
  bool Wait(std::optional<std::chrono::nanoseconds> limit) {
    void* tag = nullptr;
    bool ok = false;
    gpr_timespec until = gpr_inf_future(GPR_CLOCK_MONOTONIC);
    if (limit) {
      until = gpr_time_add(
          gpr_now(GPR_CLOCK_MONOTONIC),
          gpr_time_from_nanos(std::max<std::chrono::nanoseconds::rep>(0, limit->count()),
                              GPR_TIMESPAN));
    }
    if (queue_.AsyncNext(&tag, &ok, until) != grpc::CompletionQueue::GOT_EVENT) return false;
    pending_ = false;
    alive_ = alive_ && ok;
    return true;
  }

  grpc::ClientContext context_;
  grpc::CompletionQueue queue_;
  Response message_;
  std::unique_ptr<Reader> reader_;
  bool pending_ = false;
  bool reading_ = false;
  bool alive_ = true;
  bool finished_ = false;
  // This is the last member, so that it is gone before what it cancels.
  std::stop_callback<std::function<void()>> cancel_;
};

}  // namespace pictory_jobs
