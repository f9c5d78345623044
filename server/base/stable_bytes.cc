#include "base/stable_bytes.h"

#include <tuple>

#include "google/protobuf/io/coded_stream.h"
#include "google/protobuf/io/zero_copy_stream_impl_lite.h"

namespace gateway {

std::string StableBytes(const google::protobuf::MessageLite& message) {
  std::string bytes;
  bytes.reserve(message.ByteSizeLong());
  google::protobuf::io::StringOutputStream to(&bytes);
  google::protobuf::io::CodedOutputStream out(&to);
  out.SetSerializationDeterministic(true);
  std::ignore = message.SerializePartialToCodedStream(&out);
  out.Trim();  // what it has reserved and not used
  return bytes;
}

}  // namespace gateway
