#include "rpc/metadata.h"

#include <string_view>

#include "base/errors.h"
#include "base/limits.h"

namespace gateway::rpc {
namespace {

constexpr std::string_view kBinary = "-bin";
constexpr std::size_t kEntryBytes = 32;

bool IsBinary(grpc::string_ref name) {
  return name.size() >= kBinary.size() &&
         std::string_view(name.data(), name.size()).substr(name.size() - kBinary.size()) == kBinary;
}

}  // namespace

std::size_t MetadataBytes(const std::multimap<grpc::string_ref, grpc::string_ref>& metadata) {
  std::size_t bytes = 0;
  for (const auto& [name, value] : metadata) {
    const std::size_t sent = IsBinary(name) ? (value.size() * 4 + 2) / 3 : value.size();
    bytes += name.size() + sent + kEntryBytes;
  }
  return bytes;
}

absl::Status CheckMetadata(const grpc::ServerContextBase& context) {
  const std::size_t bytes = MetadataBytes(context.client_metadata());
  if (bytes <= limits::kMetadataMaxBytes) return absl::OkStatus();
  return errors::MetadataTooLarge(bytes, limits::kMetadataMaxBytes);
}

}  // namespace gateway::rpc
