// These functions stand between the bytes of a call and messages. Every method is served on raw
// bytes: so admission comes before parsing, bytes that are no message get an error of ours, and a
// job that was serialised once is sent as it is.
#pragma once

#include <cstddef>
#include <memory>

#include "absl/status/statusor.h"
#include "base/errors.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/message_lite.h"
#include "grpcpp/support/byte_buffer.h"
#include "jobs/snapshot.h"

namespace gateway::rpc {

// The buffer shares the frame's bytes unless they are few.
grpc::ByteBuffer ToBuffer(jobs::Frame frame);
grpc::ByteBuffer ToBuffer(const google::protobuf::MessageLite& message);

bool Parse(const grpc::ByteBuffer& bytes, google::protobuf::MessageLite& message);

// About what a message of this type takes in memory; INVALID_ARGUMENT if it holds more than a
// request may (rpc/wire_bounds.h), UNPARSABLE_REQUEST if the bytes are no message.
absl::StatusOr<std::size_t> CheckBounds(const grpc::ByteBuffer& bytes,
                                        const google::protobuf::Descriptor& type);

inline std::size_t LengthOf(const grpc::ByteBuffer& bytes) {
  return bytes.Valid() ? bytes.Length() : 0;
}

// Frees a request that was parsed: the library would keep its bytes until the call is over, for
// hours if it is a watch.
void Free(const grpc::ByteBuffer& request);

// A request, within its bounds; or why not.
template <class Message>
absl::StatusOr<std::shared_ptr<Message>> Parse(const grpc::ByteBuffer& bytes) {
  const absl::StatusOr<std::size_t> within = CheckBounds(bytes, *Message::descriptor());
  if (!within.ok()) return within.status();
  auto message = std::make_shared<Message>();
  if (!Parse(bytes, *message)) return errors::Unparsable(Message::descriptor()->full_name());
  return message;
}

}  // namespace gateway::rpc
