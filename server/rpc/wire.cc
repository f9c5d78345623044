#include "rpc/wire.h"

#include <string>
#include <utility>

#include "grpcpp/support/proto_buffer_reader.h"
#include "grpcpp/support/slice.h"

namespace gateway::rpc {
namespace {

// Below this, copying is cheaper than counting references.
constexpr std::size_t kCopyBelowBytes = 512;

}  // namespace

grpc::ByteBuffer ToBuffer(jobs::Frame frame) {
  if (frame->size() < kCopyBelowBytes) {
    const grpc::Slice slice(frame->data(), frame->size());
    return grpc::ByteBuffer(&slice, 1);
  }
  const std::string& bytes = *frame;
  auto* owner = new jobs::Frame(std::move(frame));
  const grpc::Slice slice(
      const_cast<char*>(bytes.data()), bytes.size(),
      [](void* held) { delete static_cast<jobs::Frame*>(held); }, owner);
  return grpc::ByteBuffer(&slice, 1);
}

grpc::ByteBuffer ToBuffer(const google::protobuf::MessageLite& message) {
  return ToBuffer(std::make_shared<const std::string>(message.SerializeAsString()));
}

bool Parse(const grpc::ByteBuffer& bytes, google::protobuf::MessageLite& message) {
  grpc::ByteBuffer shared(bytes);  // the reader wants one it may change
  if (!shared.Valid()) return message.ParseFromString(std::string());
  grpc::ProtoBufferReader reader(&shared);
  return reader.status().ok() && message.ParseFromZeroCopyStream(&reader) && reader.status().ok();
}

// The library hands out a const pointer to what it made for this call alone.
void Free(const grpc::ByteBuffer& request) { const_cast<grpc::ByteBuffer&>(request).Clear(); }

}  // namespace gateway::rpc
