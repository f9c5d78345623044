// A Message is one message of JSON-RPC 2.0, as the Model Context Protocol has it; and these
// functions read it and write what answers it. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

#include "google/protobuf/struct.pb.h"

namespace gateway::mcp {

// The codes of errors: those of JSON-RPC, and those that the protocol of 2026-07-28 adds.
enum class ErrorCode : std::int16_t {
  kParse = -32700,
  kInvalidRequest = -32600,
  kMethodNotFound = -32601,
  kInvalidParams = -32602,
  kInternal = -32603,
  kHeaderMismatch = -32020,
  kVersionUnknown = -32022,
};

struct Message {
  std::string id;      // as JSON; empty: a notification
  std::string method;  // empty: a response
  google::protobuf::Struct params;
  google::protobuf::Value result;  // of a response; unset if it is an error

  bool IsResponse() const { return method.empty(); }
  bool IsNotification() const { return id.empty(); }
};

// What a text is that is no message. `id` is `null` where none could be read.
struct NoMessage {
  ErrorCode code = ErrorCode::kParse;
  std::string why;
  std::string id = "null";
};

std::variant<Message, NoMessage> ReadMessage(std::string_view text);

// One line of JSON each, without its end. `id`, `result` and `data` are JSON; `data` may be empty.
std::string ResultLine(std::string_view id, std::string_view result);
std::string ErrorLine(std::string_view id, ErrorCode code, std::string_view message,
                      std::string_view data = "");
std::string RequestLine(std::string_view id, std::string_view method, std::string_view params);

// What stands under a key: "" and nullptr if there is nothing, or something of another type.
std::string TextAt(const google::protobuf::Struct& object, const std::string& key);
const google::protobuf::Struct* ObjectAt(const google::protobuf::Struct* object,
                                         const std::string& key);

// A value, and an object, as JSON.
std::string JsonOf(const google::protobuf::Value& value);
std::string JsonOf(const google::protobuf::Struct& object);

}  // namespace gateway::mcp
