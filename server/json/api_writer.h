// WriteApi writes a message of the gateway's own API as proto JSON: lowerCamelCase keys, enums by
// name, 64-bit integers as strings, bytes in base64, and fields without presence always there, so
// that no 0, `false` or empty list has to be guessed. Keys of maps and free values are sorted.
//
// It is not what Pictory is sent (json/proto_writer.h). Pure and thread-safe.
#pragma once

#include <string>

#include "google/protobuf/message.h"
#include "json/writer.h"

namespace gateway::json {

// Appends an object to what is being written.
void WriteApi(const google::protobuf::Message& message, Writer& out);

// The same in a string of its own.
std::string ApiJson(const google::protobuf::Message& message);

}  // namespace gateway::json
