// Between the bytes of a call and messages. Every method is served on raw bytes: so admission comes
// before parsing, bytes that are no message get an error of ours, and a job that was serialised
// once is sent as it is.
#pragma once

#include <memory>

#include "absl/status/statusor.h"
#include "base/errors.h"
#include "google/protobuf/message_lite.h"
#include "grpcpp/support/byte_buffer.h"
#include "jobs/snapshot.h"

namespace gateway::rpc {

// Shares the frame's bytes unless they are few.
grpc::ByteBuffer ToBuffer(jobs::Frame frame);
grpc::ByteBuffer ToBuffer(const google::protobuf::MessageLite& message);

bool Parse(const grpc::ByteBuffer& bytes, google::protobuf::MessageLite& message);

// Frees a request that was parsed: the library would keep its bytes until the call is over, for hours
// if it is a watch.
void Free(const grpc::ByteBuffer& request);

// UNPARSABLE_REQUEST if the bytes are no such message.
template <class Message>
absl::StatusOr<std::shared_ptr<Message>> Parse(const grpc::ByteBuffer& bytes) {
  auto message = std::make_shared<Message>();
  if (!Parse(bytes, *message)) return errors::Unparsable(Message::descriptor()->full_name());
  return message;
}

}  // namespace gateway::rpc
