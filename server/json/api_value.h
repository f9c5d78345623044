// StoreApiScalar stores one scalar of proto JSON in a field. Private to json/.
#pragma once

#include <string>
#include <string_view>

#include "google/protobuf/descriptor.h"
#include "google/protobuf/message.h"
#include "google/protobuf/struct.pb.h"
#include "json/api_reader.h"
#include "json/check.h"

namespace gateway::json {

// Sets the field, or adds to it if it is repeated. `decoded` is the value of a string, or a number
// or word as written. Empty if that went well, else what is wrong.
std::string StoreApiScalar(Type type, std::string_view decoded,
                           const google::protobuf::FieldDescriptor& field,
                           google::protobuf::Message& message, const ApiReadOptions& options);

// The same for a free value.
std::string StoreFreeScalar(Type type, std::string_view decoded, google::protobuf::Value& value);

}  // namespace gateway::json
