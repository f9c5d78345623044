// The gRPC end of a server stream: carries what a stream object decides (see jobs/watch_stream.h),
// and owns it until the call is over.
#pragma once

#include <memory>
#include <string_view>
#include <utility>

#include "grpcpp/server_context.h"
#include "grpcpp/support/byte_buffer.h"
#include "grpcpp/support/server_callback.h"
#include "jobs/watch_stream.h"
#include "rpc/admission.h"
#include "rpc/handlers.h"
#include "rpc/status.h"
#include "rpc/wire.h"

namespace gateway::rpc {

using StreamReactor = grpc::ServerWriteReactor<grpc::ByteBuffer>;

// A stream that is refused.
class RefusedStream final : public StreamReactor {
 public:
  explicit RefusedStream(const grpc::Status& status) { Finish(status); }
  void OnDone() override { delete this; }
};

// Tells the domain, too.
inline StreamReactor* RefuseStream(std::string_view method,
                                   const grpc::CallbackServerContext& context,
                                   const grpc::Status& refusal, const Domain& domain) {
  domain.Ended({.method = method, .status = FromGrpc(refusal), .peer = context.peer()});
  return new RefusedStream(refusal);
}

// `Stream` has OnWriteDone(bool) and OnCancel(), which lead to one Finish. Deletes itself.
template <class Stream>
class StreamCall final : public StreamReactor, public jobs::WatchSink {
 public:
  // `make(sink)` makes the shared stream.
  template <class Make>
  StreamCall(std::string_view method, grpc::CallbackServerContext* context,
             Admission::Ticket ticket, const Domain& domain, const Make& make)
      : method_(method),
        context_(context),
        ticket_(std::move(ticket)),
        domain_(domain),
        begun_(domain.clock.Now()),
        stream_(make(static_cast<jobs::WatchSink&>(*this))) {
    // At once, so that the caller knows it is served even if there is nothing to say yet.
    StartSendInitialMetadata();
  }
  const std::shared_ptr<Stream>& stream() const { return stream_; }

  void Write(jobs::Frame frame) override {
    served_ = true;
    writing_ = ToBuffer(std::move(frame));
    StartWrite(&writing_);
  }
  void Finish(absl::Status status) override {
    domain_.Ended({.method = method_,
                   .status = status,
                   .took = domain_.clock.Now() - begun_,
                   .peer = status.ok() ? std::string() : context_->peer(),
                   .served = served_});
    StreamReactor::Finish(ToGrpc(status));  // `this` may be gone after it
  }
  void TryCancel() override { context_->TryCancel(); }

  void OnWriteDone(bool ok) override {
    writing_.Clear();
    stream_->OnWriteDone(ok);
  }
  void OnCancel() override { stream_->OnCancel(); }
  void OnDone() override { delete this; }

 private:
  const std::string_view method_;
  grpc::CallbackServerContext* const context_;
  const Admission::Ticket ticket_;
  const Domain& domain_;
  const MonoTime begun_;
  grpc::ByteBuffer writing_;
  bool served_ = false;  // one operation at a time uses it
  const std::shared_ptr<Stream> stream_;
};

}  // namespace gateway::rpc
