// A StreamCall is a call with many answers: the one way all server streams of jobs are served.
//
//   identify (rpc/identity.h) → admit → parse → check → the method's own stream → one end
//
// A StreamCall carries what a stream (watch/stream.h) decides, and owns it until the call is over.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "grpcpp/server_context.h"
#include "grpcpp/support/byte_buffer.h"
#include "grpcpp/support/server_callback.h"
#include "rpc/admission.h"
#include "rpc/caller.h"
#include "rpc/handlers.h"
#include "rpc/peer.h"
#include "rpc/status.h"
#include "rpc/trace.h"
#include "rpc/wire.h"
#include "watch/stream.h"

namespace gateway::rpc {

using StreamReactor = grpc::ServerWriteReactor<grpc::ByteBuffer>;

// Ends a stream that was refused, and tells the domain.
StreamReactor* RefuseStream(std::string_view method, const grpc::CallbackServerContext& context,
                            const grpc::Status& refusal, const Domain& domain);

// A StreamCall deletes itself.
template <class Stream>
class StreamCall final : public StreamReactor, public watch::StreamSink {
 public:
  // `make(sink)` makes the shared stream, which is on the wheel from then on.
  template <class Make>
  StreamCall(std::string_view method, grpc::CallbackServerContext* context,
             std::size_t received_bytes, TraceContext trace, Admission::Ticket ticket,
             const Domain& domain, const Make& make)
      : method_(method),
        context_(context),
        received_bytes_(received_bytes),
        trace_(std::move(trace)),
        ticket_(std::move(ticket)),
        domain_(domain),
        begun_(domain.clock.Now()),
        stream_(make(static_cast<watch::StreamSink&>(*this))) {
    // The metadata go at once, so that the caller knows it is served even if there is nothing to
    // say yet.
    StartSendInitialMetadata();
    domain.wheel.Add(stream_, stream_->FirstTick());
  }
  const std::shared_ptr<Stream>& stream() const { return stream_; }

  void Write(jobs::Frame frame) override {
    served_ = true;
    sent_bytes_ += frame->size();
    writing_ = ToBuffer(std::move(frame));
    StartWrite(&writing_);
  }
  void Finish(absl::Status status) override {
    const std::string peer = status.ok() ? "" : PeerName(*context_, domain_);
    domain_.Ended({.method = method_,
                   .status = status,
                   .took = domain_.clock.Now() - begun_,
                   .received_bytes = received_bytes_,
                   .sent_bytes = sent_bytes_,
                   .peer = peer,
                   .served = served_,
                   .trace = &trace_});
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
  const std::size_t received_bytes_;
  const TraceContext trace_;
  const Admission::Ticket ticket_;
  const Domain& domain_;
  const MonoTime begun_;
  grpc::ByteBuffer writing_;
  bool served_ = false;  // one operation at a time uses it and the next
  std::size_t sent_bytes_ = 0;
  const std::shared_ptr<Stream> stream_;
};

// `check(request)` says what is wrong with it. `make(caller, request, sink)` makes the shared
// stream, and `begin(stream, caller, request, domain)` gives it what it is to send, now or later.
template <class Request, class Check, class Make, class Begin>
StreamReactor* ServeStream(std::string_view method, grpc::CallbackServerContext* context,
                           const tenants::PrincipalPtr& principal, const grpc::ByteBuffer* bytes,
                           Admission::Ticket ticket, const Admission& admission,
                           const Domain& domain, const Check& check, const Make& make,
                           const Begin& begin) {
  const auto refuse = [&](const absl::Status& refusal) {
    Free(*bytes);
    return RefuseStream(method, *context, ToGrpc(refusal), domain);
  };
  if (!ticket) return RefuseStream(method, *context, ticket.refusal(), domain);
  if (admission.draining()) return refuse(admission.DrainStatus());
  TraceContext trace = TraceOf(*context, /*begins=*/false, domain);
  const Caller caller = CallerOf(*context, principal, trace, domain);
  const absl::StatusOr<std::shared_ptr<Request>> request = Parse<Request>(*bytes);
  if (!request.ok()) return refuse(request.status());
  const std::size_t received_bytes = LengthOf(*bytes);
  Free(*bytes);
  if (absl::Status bad = check(**request); !bad.ok()) return refuse(bad);

  const auto make_stream = [&](watch::StreamSink& sink) { return make(caller, **request, sink); };
  using Stream = typename decltype(make_stream(std::declval<watch::StreamSink&>()))::element_type;
  auto* call = new StreamCall<Stream>(method, context, received_bytes, std::move(trace),
                                      std::move(ticket), domain, make_stream);
  // The call may end, and be gone, while its stream begins.
  begin(std::shared_ptr<Stream>(call->stream()), caller, **request, domain);
  return call;
}

}  // namespace gateway::rpc
