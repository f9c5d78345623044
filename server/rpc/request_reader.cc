#include "rpc/request_reader.h"

namespace gateway::rpc {

absl::StatusOr<RequestReader::Held> RequestReader::HoldMessage(
    const grpc::ByteBuffer& bytes, bool bytes_held, const google::protobuf::Descriptor& type) {
  const absl::StatusOr<std::size_t> memory = CheckBounds(bytes, type);
  if (!memory.ok()) return memory.status();
  const std::size_t counted = bytes.Valid() ? bytes.Length() : 0;
  if (*memory <= counted + limits::kSmallRequestMaxBytes) return Held();
  Held held = intake_.Hold(*memory - counted, bytes_held ? counted : 0);
  if (held == nullptr) return intake_.HoldRefusal();
  return held;
}

}  // namespace gateway::rpc
