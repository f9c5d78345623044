// Callers that do not read their answer.
#pragma once

#include <grpcpp/generic/generic_stub.h>

#include <memory>
#include <string>

#include "base/mutex.h"
#include "rpc/rpc_house.h"

namespace gateway::test {

// A call that sends its request and opens no window for the answer.
class Deaf final : public grpc::ClientBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer> {
 public:
  Deaf(const std::shared_ptr<grpc::Channel>& channel, const std::string& method,
       const std::string& request)
      : stub_(channel), slice_(request), request_(&slice_, 1) {
    stub_.PrepareBidiStreamingCall(&context_, method, {}, this);
    StartWriteLast(&request_, {});
    StartCall();
  }
  // Reads after all, until the end of the call.
  void Listen() {
    StartRead(&answer_);
    MutexLock lock(mutex_);
    const auto is_done = [this]() REQUIRES(mutex_) { return is_done_; };
    done_.wait(mutex_, is_done);
  }
  void OnDone(const grpc::Status&) override {
    MutexLock lock(mutex_);
    is_done_ = true;
    done_.notify_all();
  }

 private:
  grpc::GenericStub stub_;
  grpc::ClientContext context_;
  const grpc::Slice slice_;
  grpc::ByteBuffer request_;
  grpc::ByteBuffer answer_;
  Mutex mutex_;
  CondVar done_;
  bool is_done_ GUARDED_BY(mutex_) = false;
};

// A channel whose calls open no window before they read.
inline std::shared_ptr<grpc::Channel> NarrowChannel(RpcHouse& house) {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetInt(GRPC_ARG_HTTP2_BDP_PROBE, 0);
  arguments.SetInt(GRPC_ARG_HTTP2_STREAM_LOOKAHEAD_BYTES, 5);  // the least there is
  return grpc::CreateCustomChannel(house.server->addresses()[0], grpc::InsecureChannelCredentials(),
                                   arguments);
}

}  // namespace gateway::test
