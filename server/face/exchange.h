// An Exchange takes one request over HTTP to its method and the answer back.
//
//   head → call begins → body → message → call has it → its answer as JSON, events or a file
//
// The call begins with the head, so who may not call is refused before the body is read, and the
// server's bounds of time and memory hold for a body that is still arriving.
//
// Thread-safe. The connection keeps it while it reads the body, and so does the call.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "base/mutex.h"
#include "base/work_thread.h"
#include "face/inside_call.h"
#include "face/request_of.h"
#include "face/routes.h"
#include "grpcpp/generic/generic_stub.h"
#include "http/server.h"
#include "http/server_message.h"

namespace gateway::face {

// What all exchanges need. It outlives them.
struct ExchangeGround {
  grpc::GenericStub& stub;
  rpc::InsideCalls& calls;
  WorkThread& bodies;  // makes messages of large ones
  std::size_t body_max_bytes;
  // What a caller is told of how a call ended: in a drain the library has words of its own.
  std::function<absl::Status(absl::Status)> status_of;
};

class Exchange final : public std::enable_shared_from_this<Exchange> {
 public:
  using Next = http::BodySink::Next;

  // `dress` adds to each answer what every one has.
  Exchange(const ExchangeGround& ground, Routes::Found found, QueryPairs query,
           http::ServerRequest head, std::function<void(http::ServerResponse&)> dress);
  // Begins the call. Called once, before everything else.
  void Start(HeadFacts facts);

  // As of a BodySink, on the server's thread.
  void WhenReady(std::function<void()> ready);
  Next Begin();
  Next Take(std::string_view piece);
  void Answer(const http::Responder& responder);
  // The connection has let go of it. Nothing is done if it has asked for the answer before.
  void GiveUp();

 private:
  // What came of the request: a message for the call, or why not.
  void SendRequest(const std::string& body) EXCLUDES(mutex_);
  void BeginCall(HeadFacts facts) EXCLUDES(mutex_);
  void OnFirst(InsideCall::Next next) EXCLUDES(mutex_);
  void OnOnly(grpc::ByteBuffer message) EXCLUDES(mutex_);
  void OnFile(const grpc::ByteBuffer& message) EXCLUDES(mutex_);
  void OnEnd(const absl::Status& status) EXCLUDES(mutex_);
  void AskAgainFrom(std::int64_t offset) EXCLUDES(mutex_);
  void Respond(http::ServerResponse response) EXCLUDES(mutex_);
  void RespondInstead(http::ServerResponse response) EXCLUDES(mutex_);
  http::ServerResponse JsonResponse(const grpc::ByteBuffer& message) const;
  std::shared_ptr<InsideCall> call() const EXCLUDES(mutex_);

  const ExchangeGround& ground_;
  const Routes::Found found_;
  const QueryPairs query_;
  const http::ServerRequest head_;  // without a body
  const std::function<void(http::ServerResponse&)> dress_;
  const bool streams_;
  const bool file_;
  HeadFacts facts_;                                     // for a second call
  std::unique_ptr<google::protobuf::Message> request_;  // of a file, once it is made
  std::atomic<std::int64_t> begins_at_{0};              // of a file: where it is asked for from
  mutable Mutex mutex_;
  std::shared_ptr<InsideCall> call_ GUARDED_BY(mutex_);
  std::string body_ GUARDED_BY(mutex_);
  std::function<void()> ready_
      GUARDED_BY(mutex_);  // is called if the answer is there before the body
  std::uint64_t too_large_ GUARDED_BY(mutex_) = 0;  // how large, as far as that is known
  std::optional<http::Responder> responder_ GUARDED_BY(mutex_);
  std::optional<http::ServerResponse> response_ GUARDED_BY(mutex_);  // before there is a responder
  bool over_ GUARDED_BY(mutex_) = false;                             // it was answered
  bool asked_ GUARDED_BY(mutex_) = false;                            // for the answer
};

}  // namespace gateway::face
