// A unary call has one answer, which may come from any thread. All unary methods are served in this
// one way.
//
//   identify (rpc/identity.h) → admit → parse → the method's own step → one answer
//
// A large request is parsed, and the method's step taken, on the reader's thread.
//
// Whoever is first answers: the method, the caller's cancel, or the deadline we set for callers
// that have none. The others find the call answered.
#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <string_view>
#include <utility>

#include "absl/status/statusor.h"
#include "base/mutex.h"
#include "grpcpp/support/byte_buffer.h"
#include "grpcpp/support/server_callback.h"
#include "rpc/admission.h"
#include "rpc/caller.h"
#include "rpc/handlers.h"
#include "rpc/request_reader.h"
#include "rpc/tenant_gates.h"
#include "rpc/trace.h"
#include "rpc/wire.h"

namespace gateway::rpc {

// A Reply is the caller's end of a unary call. Copies are the same end, and may outlive the call.
// Thread-safe.
class Reply {
 public:
  // `context` is asked until the call is answered.
  Reply(std::string_view method, const grpc::CallbackServerContext& context,
        std::size_t received_bytes, TraceContext trace, const Domain& domain);

  // Notes the caller's own name for the call, for those who are told how it ended.
  void Note(std::string_view request_id) const;

  void operator()(absl::Status error) const;
  void operator()(jobs::Frame frame) const;
  // Answers a submit. Trailing metadata say whose job it is, if not the call's own, and `source` is
  // told whether the answer has arrived.
  void operator()(jobs::Frame frame, jobs::AnswerSource source) const;
  void operator()(const google::protobuf::MessageLite& message) const;

  // Set once the caller is gone.
  std::shared_ptr<std::atomic<bool>> cancelled() const;
  // Answers for a method that has not answered by then; `kind` decides what its caller can do.
  void AnswerBy(MonoTime deadline, Admission::Kind kind) const;
  // Returns what the library is to be given for the call. It is called once, after the method's
  // step. The answer may be there already or come later; `ticket` is held until the call is over.
  grpc::ServerUnaryReactor* Carry(grpc::CallbackServerContext* context, grpc::ByteBuffer* response,
                                  Admission::Ticket ticket) const;

 private:
  friend class LateCall;
  struct Shared;
  void Send(absl::StatusOr<grpc::ByteBuffer> answer, jobs::AnswerSource source = {}) const;
  std::shared_ptr<Shared> shared_;
};

// Ends a call that was not let in.
grpc::ServerUnaryReactor* RefuseUnary(std::string_view method, grpc::CallbackServerContext* context,
                                      const grpc::Status& refusal, const Domain& domain);

// A place at the tenant's gate for the bytes of a large request; null: none is needed.
absl::StatusOr<TenantGates::Place> RoomFor(const grpc::ByteBuffer& request,
                                           const tenants::Principal& principal,
                                           const Domain& domain);

// Counts the bytes of a large request beyond the life of its call; null if it is small.
absl::StatusOr<std::shared_ptr<void>> HoldLarge(const Domain& domain, std::size_t bytes);

// `serve(caller, std::shared_ptr<Request>, reply)` answers, now or later. It is copied. The request
// is of the type of `prototype`, which lasts as long as the process.
template <class Request, class Serve>
grpc::ServerUnaryReactor* ServeUnary(std::string_view method, grpc::CallbackServerContext* context,
                                     const tenants::PrincipalPtr& principal,
                                     const grpc::ByteBuffer* request, grpc::ByteBuffer* response,
                                     Admission& admission, RequestReader& reader,
                                     const Domain& domain, const Serve& serve,
                                     Admission::Kind kind = Admission::Kind::kCall,
                                     const Request& prototype = Request::default_instance()) {
  Admission::Ticket ticket = admission.Enter(kind, Admission::WhoIs(*principal));
  if (!ticket) {
    return RefuseUnary(method, context, ticket.refusal(), domain);
  }
  const TraceContext trace = TraceOf(*context, kind == Admission::Kind::kSubmit, domain);
  const Reply reply(method, *context, LengthOf(*request), trace, domain);
  const Caller caller = CallerOf(*context, principal, trace, domain);
  absl::StatusOr<TenantGates::Place> place = RoomFor(*request, *principal, domain);
  if (!place.ok()) {
    Free(*request);
    reply(place.status());
  } else {
    ticket.Keep(*std::move(place));
    reader.Read<Request>(
        *request, reply.cancelled(),
        [caller, reply, serve](absl::StatusOr<std::shared_ptr<Request>> message) {
          if (!message.ok()) return reply(message.status());
          serve(caller, *std::move(message), reply);
        },
        prototype);
    if (!caller.own_deadline) reply.AnswerBy(caller.deadline, kind);
  }
  return reply.Carry(context, response, std::move(ticket));
}

}  // namespace gateway::rpc
