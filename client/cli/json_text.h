// These functions read the text of JSON files: whether it is JSON, where it is wrong, and where its
// values stand. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "google/protobuf/message.h"

namespace pictory_jobs::cli {

struct JsonError {
  int line = 0;    // from 1
  int column = 0;  // from 1, in characters
  std::string what;
};

// The first mistake in `text`, unset for a complete JSON value in valid UTF-8. Nesting of any depth
// is read without recursion.
std::optional<JsonError> CheckJson(std::string_view text);

struct JsonMember {
  std::string key;
  std::string_view value;  // its bytes, within the text given
  std::string_view whole;  // those of `"key": value`
};

// The members of an object, in order. `text` has passed CheckJson and is an object.
std::vector<JsonMember> MembersOf(std::string_view text);

// The kind of a checked value: one of `{ [ " n t f 0`.
char JsonKind(std::string_view text);

// The value of a checked text; unset if it has another type, or (Integer) does not fit.
std::optional<std::string> JsonString(std::string_view text);
std::optional<int> JsonInteger(std::string_view text);
std::optional<double> JsonNumber(std::string_view text);
// Whether a checked number is the one that a double holds of it: it has no more digits than that.
bool FitsDouble(std::string_view number);
// Where the first number stands that no double holds as it is written, such as `a.b[2]`; unset if
// there is none. `text` has passed CheckJson.
std::optional<std::string> FirstUnfitNumber(std::string_view text);
// The values of an array.
std::vector<std::string_view> ElementsOf(std::string_view text);

// The same bytes for the same checked value, however it is spelled: without spaces, and with one
// spelling of each text and number. The members of an object stay in their order.
std::string Canonical(std::string_view text);

// Proto JSON on one line: camelCase, enums by name, fields without presence always there.
std::string ToJsonLine(const google::protobuf::Message& message);

// An object of this program's own, on one line, in the order given.
class JsonObject {
 public:
  // Adds a text; an empty one is left out. Bytes that are no UTF-8 become `?`.
  JsonObject& Text(const char* key, const std::string& value);
  JsonObject& Number(const char* key, double value);
  JsonObject& Integer(const char* key, std::int64_t value);
  JsonObject& Raw(const char* key, const std::string& json);

  std::string Done() const { return "{" + members_ + "}"; }

 private:
  std::string members_;
};

}  // namespace pictory_jobs::cli
