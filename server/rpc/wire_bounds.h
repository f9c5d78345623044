// CheckWire sees in the bytes of a request whether it holds more than it may, before it is parsed.
//
// Two bytes on the wire can become a message of hundreds in memory. So the bytes are walked first,
// once, without keeping anything: the elements of each list, the bytes of each text, messages at
// any depth, and fields that nobody here knows are counted, and more than their bounds is refused.
// The bound of a field stands beside it in the .proto; those of the request as a whole are in
// base/limits.h.
//
// Pure and thread-safe; not to be asked from a static initialiser, where options still read as
// empty.
#pragma once

#include <cstddef>
#include <vector>

#include "base/errors.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/io/zero_copy_stream.h"

namespace gateway::rpc {

// The bounds of one field. They are zero where there is nothing to bound: a single number has no
// items and no bytes. Of a free value the items are the values in it, at any depth.
struct FieldBounds {
  std::size_t max_items = 0;
  std::size_t max_bytes = 0;
  std::size_t max_key_bytes = 0;
};
// The bounds that the field declares. A field that should declare some and does not, as in messages
// of others, gets those of a small one.
FieldBounds BoundsOf(const google::protobuf::FieldDescriptor& field);

struct WireFindings {
  // False: the bytes are no message.
  bool readable = true;
  // What exceeds its bound. The first list or map that is too long ends the search.
  std::vector<errors::Violation> violations;
  // About what the message takes in memory once it is parsed.
  std::size_t memory_bytes = 0;
};

// `size` bytes of a message of the type. Takes time in proportion to them.
WireFindings CheckWire(google::protobuf::io::ZeroCopyInputStream& bytes, std::size_t size,
                       const google::protobuf::Descriptor& type);

}  // namespace gateway::rpc
