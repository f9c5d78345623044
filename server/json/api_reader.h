// ReadApi reads proto JSON into a message of the gateway's own API, strictly: what is not known, or
// not what the field takes, is refused and not dropped, because it was meant.
//
// A member is a field by its json_name or by its name in the .proto, and may be there once in
// either. Numbers may stand in strings; null is as if the member were not there, but for a free
// value. No number loses digits on its way into a double. The text must keep the strict rules of
// json/check.h. More messages, free values or elements than a request may hold are refused as they
// come, so that a text takes no more memory than the request that it means; the other bounds are
// for whoever takes the request.
//
// The functions are pure and thread-safe.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "base/errors.h"
#include "google/protobuf/message.h"
#include "json/check.h"

namespace gateway::json {

struct ApiReadOptions {
  // The known word that a mistyped one may have been meant to be; "" if there is none.
  std::string (*nearest)(std::string_view word, const std::vector<std::string>& known) = nullptr;
};

// Merges `text` into `message`. Returns what is wrong, each under its place in JSON
// (`scenes[2].x`); the message is then unspecified. If the text is no JSON, that is the only one,
// with no place.
std::vector<errors::Violation> ReadApi(std::string_view text, google::protobuf::Message& message,
                                       const ApiReadOptions& options = {});

// Reads the text of one value, as it stands in a path or a query: a string without its quotes, a
// number, `true`, the name of an enum. Empty if it was stored, else what is wrong with it.
// Messages, but for Timestamp, have no such text.
std::string ReadApiText(std::string_view text, const google::protobuf::FieldDescriptor& field,
                        google::protobuf::Message& message, const ApiReadOptions& options = {});

}  // namespace gateway::json
