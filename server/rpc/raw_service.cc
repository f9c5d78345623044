#include "rpc/raw_service.h"

#include <grpc/byte_buffer.h>
#include <grpc/grpc.h>
#include <grpcpp/impl/codegen/server_callback_handlers.h>
#include <grpcpp/impl/rpc_service_method.h>

#include <string>
#include <string_view>
#include <utility>

#include "base/errors.h"
#include "rpc/identity.h"
#include "rpc/metadata.h"
#include "rpc/peer.h"
#include "rpc/status.h"
#include "rpc/trace.h"
#include "rpc/unread.h"

namespace gateway::rpc {
namespace {

using grpc::internal::MethodHandler;
using UnaryHandler = grpc::internal::CallbackUnaryHandler<grpc::ByteBuffer, grpc::ByteBuffer>;
using StreamHandler =
    grpc::internal::CallbackServerStreamingHandler<grpc::ByteBuffer, grpc::ByteBuffer>;

struct RawMethod {
  std::string name;
  RawService::UnaryMethod serve_unary;  // one of the two is null
  RawService::StreamMethod serve_stream;
  std::size_t max_bytes;
  RawService::Role role;
  Intake& intake;
  const Domain& domain;
};

// A Request reads one request and hands it to the method's handler, which the library has for
// methods whose request it read itself. The operation that reads and the intake hold it.
class Request final : public grpc_completion_queue_functor,
                      public Intake::Arrival,
                      public std::enable_shared_from_this<Request> {
 public:
  Request(const MethodHandler::HandlerParameter& call, const RawMethod& method)
      : grpc_completion_queue_functor{},
        call_(call.call),
        context_(call.server_context),
        over_(call.call_requester),
        method_(method) {
    functor_run = [](grpc_completion_queue_functor* self, int) {
      static_cast<Request*>(self)->OnRead();
    };
    // It runs on the library's thread, as what the library has read itself: a hop costs as much as
    // a call.
    inlineable = 1;
  }

  void Read() {
    // The metadata are checked at once, so that nothing of that size waits, and nothing is read for
    // who may not call.
    if (method_.role.has_value() && method_.domain.begun) method_.domain.begun(method_.name);
    if (const absl::Status metadata = CheckMetadata(*context_); !metadata.ok()) {
      return Answer(ToGrpc(metadata), Duration::zero());
    }
    if (method_.role.has_value()) {
      absl::StatusOr<tenants::PrincipalPtr> principal =
          LetIn(*context_, method_.name, *method_.role, method_.domain);
      if (!principal.ok()) return Answer(ToGrpc(principal.status()), Duration::zero());
      principal_ = *std::move(principal);
    }
    self_ = shared_from_this();
    // If it were refused meanwhile, the call would go while it is still read from.
    grpc_call* const call = call_->call();
    grpc_call_ref(call);
    method_.intake.Begin(self_);
    grpc_op read{};
    read.op = GRPC_OP_RECV_MESSAGE;
    read.data.recv_message.recv_message = &message_;
    const grpc_call_error started = grpc_call_start_batch(
        call, &read, 1, static_cast<grpc_completion_queue_functor*>(this), nullptr);
    if (started != GRPC_CALL_OK) OnRead();
  }

  void Refuse(const grpc::Status& status) override {
    Answer(status, method_.domain.clock.Now() - begun());
  }

  std::string Peer() const override { return PeerAddress(PeerName(*context_, method_.domain)); }

 private:
  void Answer(const grpc::Status& status, Duration took) {
    UnaryHandler refuse([&status](grpc::CallbackServerContext* context, const grpc::ByteBuffer*,
                                  grpc::ByteBuffer*) {
      grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
      reactor->Finish(status);
      return reactor;
    });
    const TraceContext trace = TraceSent(*context_);
    const std::string peer = PeerName(*context_, method_.domain);
    method_.domain.Ended({.method = method_.name,
                          .status = FromGrpc(status),
                          .took = took,
                          .peer = peer,
                          .trace = &trace});
    Run(refuse, nullptr);
  }

  // If there is no message, the caller sent none, or is gone. It is served as an empty one, as the
  // library does.
  void OnRead() {
    const std::shared_ptr<Request> self = std::move(self_);
    grpc_call* const call = call_->call();
    if (method_.intake.End(*this)) {
      Serve();
    } else if (message_ != nullptr) {
      grpc_byte_buffer_destroy(message_);
    }
    grpc_call_unref(call);
  }

  void Serve() {
    if (message_ == nullptr) {
      const absl::Status refusal = RefusalInside(*context_, method_.domain);
      if (!refusal.ok()) return Refuse(ToGrpc(refusal));
    }
    if (message_ != nullptr && message_->data.raw.compression != GRPC_COMPRESS_NONE) {
      return Reject(ToGrpc(errors::RequestCompressed()));
    }
    const std::size_t size = message_ == nullptr ? 0 : grpc_byte_buffer_length(message_);
    if (size > method_.max_bytes) {
      return Reject(ToGrpc(errors::RequestTooLarge(size, method_.max_bytes)));
    }
    if (method_.serve_stream) {
      StreamHandler serve(
          [this](grpc::CallbackServerContext* context, const grpc::ByteBuffer* request) {
            return method_.serve_stream(context, principal_, request);
          });
      return Run(serve, message_);
    }
    Unread* const unread = method_.domain.unread;
    UnaryHandler serve([this, unread](grpc::CallbackServerContext* context,
                                      const grpc::ByteBuffer* request, grpc::ByteBuffer* response) {
      grpc::ServerUnaryReactor* const reactor =
          method_.serve_unary(context, principal_, request, response);
      // The call is answered already, but nothing of that is sent before this function returns.
      if (unread != nullptr && dynamic_cast<LateReactor*>(reactor) == nullptr) {
        unread->Add(answer_, call_->call());
      }
      return reactor;
    });
    if (unread != nullptr) {
      over_ = [self = shared_from_this(), over = std::move(over_), unread] {
        unread->Remove(self->answer_);
        over();
      };
    }
    Run(serve, message_);
  }

  void Reject(const grpc::Status& status) {
    grpc_byte_buffer_destroy(message_);
    Refuse(status);
  }

  // Takes `message`. The call may be over when it returns.
  void Run(MethodHandler& handler, grpc_byte_buffer* message) {
    grpc::Status parsed;
    void* data = nullptr;
    void* const request = handler.Deserialize(call_->call(), message, &parsed, &data);
    handler.RunHandler({call_, context_, request, parsed, data, std::move(over_)});
  }

  grpc::internal::Call* const call_;  // lasts as long as the call
  grpc::ServerContextBase* const context_;
  std::function<void()> over_;
  const RawMethod& method_;
  tenants::PrincipalPtr principal_;  // null where nobody asks
  grpc_byte_buffer* message_ = nullptr;
  std::shared_ptr<Request> self_;  // until it is read
  Unread::Answer answer_;          // of a call that is answered at once
};

class ReadingHandler final : public MethodHandler {
 public:
  explicit ReadingHandler(RawMethod method) : method_(std::move(method)) {}

  void RunHandler(const HandlerParameter& call) override {
    std::make_shared<Request>(call, method_)->Read();
  }

 private:
  const RawMethod method_;
};

grpc::internal::RpcServiceMethod* Streamed(const char* path, RawMethod method) {
  using grpc::internal::RpcServiceMethod;
  auto* streamed = new RpcServiceMethod(path, grpc::internal::RpcMethod::BIDI_STREAMING,
                                        new ReadingHandler(std::move(method)));
  streamed->SetServerApiType(RpcServiceMethod::ApiType::RAW_CALL_BACK);
  return streamed;
}

// What follows the last slash; the health service's methods have its name in front.
std::string NameIn(std::string_view path) {
  const std::string name(path.substr(path.rfind('/') + 1));
  return path.find("Health/") == std::string_view::npos ? name : "Health." + name;
}

}  // namespace

void RawService::Add(const char* path, std::size_t max_bytes, Role role, UnaryMethod serve) {
  AddMethod(
      Streamed(path, {NameIn(path), std::move(serve), {}, max_bytes, role, intake_, domain_}));
}

void RawService::Add(const char* path, std::size_t max_bytes, Role role, StreamMethod serve) {
  AddMethod(
      Streamed(path, {NameIn(path), {}, std::move(serve), max_bytes, role, intake_, domain_}));
}

}  // namespace gateway::rpc
