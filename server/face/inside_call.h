// An InsideCall is one call of the gateway's own gRPC methods, made for a caller over HTTP. It goes
// through the library's in-process transport (rpc/inside_calls.h), so nothing of it is done twice.
//
// It begins before its request is there, as a call over the network does: who may not call is
// refused without the request. Each message of the answer is taken when it is asked for, so a slow
// caller slows the stream and fills nothing.
//
// Thread-safe. The call keeps itself until it has ended.
#pragma once

#include <grpcpp/generic/generic_stub.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "base/clock.h"
#include "base/mutex.h"
#include "grpcpp/client_context.h"
#include "grpcpp/support/byte_buffer.h"
#include "grpcpp/support/client_callback.h"
#include "rpc/inside_calls.h"

namespace gateway::face {

// What the caller's head says, in the words of gRPC.
struct CallHead {
  std::string path;  // /package.Service/Method
  std::vector<std::pair<std::string, std::string>> metadata;
  std::optional<Duration> deadline;  // from now; unset: the server's own
  rpc::InsideCalls::FactsPtr facts;
};

class InsideCall final : public grpc::ClientBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>,
                         public std::enable_shared_from_this<InsideCall> {
 public:
  // The next message, or the end.
  struct Next {
    std::optional<grpc::ByteBuffer> message;
    absl::Status status;  // of the end
  };

  // `stub` and `calls` must outlive the call. Values of the metadata must be legal.
  static std::shared_ptr<InsideCall> Begin(grpc::GenericStub& stub, rpc::InsideCalls& calls,
                                           const CallHead& head);

  // One of the two is called, once.
  void Send(grpc::ByteBuffer request);
  // For a request that cannot be made into a message: the server refuses the call with this status,
  // and tells of it as of all its refusals.
  void Refuse(absl::Status why);

  // Gives the next message, on any thread, inside the call too. One at a time may be asked for.
  void Take(std::function<void(Next)> take);
  // Nothing more is wanted. What was asked for is given its end all the same.
  void Cancel();
  // Whether the call has ended and was not asked for that yet.
  bool ended() const;
  // Once the end was given: trailing metadata, "" if there is none of that name.
  std::string Trailing(const std::string& name) const;

  // For Begin.
  InsideCall(rpc::InsideCalls& calls, const CallHead& head);
  ~InsideCall() override;

  // Of the library.
  void OnReadDone(bool ok) override;
  void OnDone(const grpc::Status& status) override;

 private:
  bool EnterSending();
  void Give();

  grpc::ClientContext context_;
  const std::unique_ptr<rpc::InsideCalls::Loan> loan_;
  grpc::ByteBuffer reading_;  // the library's, while it reads
  grpc::ByteBuffer request_;
  mutable Mutex mutex_;
  std::shared_ptr<InsideCall> self_ GUARDED_BY(mutex_);  // until it has ended
  std::function<void(Next)> take_ GUARDED_BY(mutex_);
  std::optional<grpc::ByteBuffer> ready_ GUARDED_BY(mutex_);
  std::optional<absl::Status> status_ GUARDED_BY(mutex_);
  bool reading_on_ GUARDED_BY(mutex_) = true;  // the library is reading, or has nothing more
  bool released_ GUARDED_BY(mutex_) = false;   // the library may end the call
  bool cancelled_ GUARDED_BY(mutex_) = false;
};

}  // namespace gateway::face
