#include "rpc/wire.h"

#include <string>
#include <utility>

#include "base/stable_bytes.h"
#include "google/protobuf/io/zero_copy_stream_impl_lite.h"
#include "grpcpp/support/proto_buffer_reader.h"
#include "grpcpp/support/slice.h"
#include "rpc/wire_bounds.h"

namespace gateway::rpc {
namespace {

// Below this, copying is cheaper than counting references.
constexpr std::size_t kCopyBelowBytes = 512;

// `read(stream)` is given the bytes; false if it says so, or they cannot be read.
template <class Read>
bool WithStream(const grpc::ByteBuffer& bytes, const Read& read) {
  grpc::ByteBuffer shared(bytes);  // the reader wants one it may change
  if (!shared.Valid()) {
    google::protobuf::io::ArrayInputStream nothing(nullptr, 0);
    return read(nothing);
  }
  grpc::ProtoBufferReader reader(&shared);
  return reader.status().ok() && read(reader) && reader.status().ok();
}

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
  return ToBuffer(std::make_shared<const std::string>(StableBytes(message)));
}

bool Parse(const grpc::ByteBuffer& bytes, google::protobuf::MessageLite& message) {
  return WithStream(bytes, [&message](google::protobuf::io::ZeroCopyInputStream& stream) {
    return message.ParseFromZeroCopyStream(&stream);
  });
}

absl::StatusOr<std::size_t> CheckBounds(const grpc::ByteBuffer& bytes,
                                        const google::protobuf::Descriptor& type) {
  const std::size_t size = bytes.Valid() ? bytes.Length() : 0;
  WireFindings found;
  const bool read = WithStream(bytes, [&](google::protobuf::io::ZeroCopyInputStream& stream) {
    found = CheckWire(stream, size, type);
    return found.readable;
  });
  if (!read) return errors::Unparsable(type.full_name());
  if (!found.violations.empty()) return errors::Invalid(std::move(found.violations));
  return found.memory_bytes;
}

// The library hands out a const pointer to what it made for this call alone.
void Free(const grpc::ByteBuffer& request) { const_cast<grpc::ByteBuffer&>(request).Clear(); }

}  // namespace gateway::rpc
