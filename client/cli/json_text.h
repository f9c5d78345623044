// JSON files: are they JSON, where are they wrong, and which bytes are whose. Pure.
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

// Of a checked value; unset if it is none, or (Integer) does not fit.
std::optional<std::string> JsonString(std::string_view text);
std::optional<int> JsonInteger(std::string_view text);
std::optional<double> JsonNumber(std::string_view text);
// The values of an array.
std::vector<std::string_view> ElementsOf(std::string_view text);

// Proto JSON on one line: camelCase, enums by name, fields without presence always there.
std::string ToJsonLine(const google::protobuf::Message& message);

// `{"jobId":…,"file":…}` and a newline: what was saved where.
std::string FileLine(const std::string& job_id, const std::string& path);
// `{"file":…,"fileUrl":…,"contentType":…,"sizeBytes":…}` and a newline.
std::string UploadedLine(const std::string& path, const std::string& url,
                         const std::string& content_type, std::int64_t size_bytes);

}  // namespace pictory_jobs::cli
