// JSON for the sandbox: a bounded reader and a small writer over RapidJSON.
//
// The sandbox shares no JSON code with the gateway, so that a mistake there is not repeated here.
#pragma once

#include <rapidjson/document.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <cmath>
#include <concepts>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace gateway::sandbox {

using Value = rapidjson::Value;
using Json = rapidjson::Document;

inline constexpr int kBodyMaxDepth = 64;

// Null on failure, with `error` for people: bad syntax, bad UTF-8, nested too deep. A number that
// no double holds is read as the nearest one.
std::unique_ptr<Json> ParseJson(std::string_view text, std::string* error);

inline std::string_view Text(const Value& value) {
  return {value.GetString(), value.GetStringLength()};
}
// The member, or nullptr if `object` is no object, lacks it, or it is null.
const Value* Find(const Value& object, const char* key);
// "" unless the member is a string.
std::string_view FindText(const Value& object, const char* key);
// Numbers, and numbers written as strings, which Pictory's own samples send.
std::optional<double> ToNumber(const Value* value);
// Booleans, and "true" or "false" as strings.
std::optional<bool> ToBool(const Value* value);
bool FindBool(const Value& object, const char* key, bool otherwise);
double FindNumber(const Value& object, const char* key, double otherwise);
// The value as compact JSON text.
std::string ToText(const Value& value);

// Writes one JSON text front to back.
class JsonOut {
 public:
  JsonOut& Object() { return writer_.StartObject(), *this; }
  JsonOut& EndObject() { return writer_.EndObject(), *this; }
  JsonOut& Array() { return writer_.StartArray(), *this; }
  JsonOut& EndArray() { return writer_.EndArray(), *this; }
  JsonOut& Key(std::string_view key) {
    return writer_.Key(key.data(), static_cast<rapidjson::SizeType>(key.size())), *this;
  }
  JsonOut& Put(std::string_view text) {
    return writer_.String(text.data(), static_cast<rapidjson::SizeType>(text.size())), *this;
  }
  JsonOut& Put(const char* text) { return Put(std::string_view(text)); }
  JsonOut& Put(const std::string& text) { return Put(std::string_view(text)); }
  template <std::integral T>
  JsonOut& Put(T value) {
    if constexpr (std::same_as<T, bool>) {
      writer_.Bool(value);
    } else {
      writer_.Int64(static_cast<std::int64_t>(value));
    }
    return *this;
  }
  // Rounded to milliseconds: every double here is a time or a ratio.
  JsonOut& Put(double number) { return writer_.Double(std::round(number * 1000) / 1000), *this; }
  JsonOut& Put(std::nullptr_t) { return writer_.Null(), *this; }
  JsonOut& Put(const Value& value) { return value.Accept(writer_), *this; }
  // `text` is one valid JSON value.
  JsonOut& Raw(std::string_view text) {
    return writer_.RawValue(text.data(), text.size(), rapidjson::kObjectType), *this;
  }
  template <typename T>
  JsonOut& Field(std::string_view key, const T& value) {
    return Key(key).Put(value);
  }
  std::string Take() const { return {buffer_.GetString(), buffer_.GetSize()}; }

 private:
  rapidjson::StringBuffer buffer_;
  rapidjson::Writer<rapidjson::StringBuffer> writer_{buffer_};
};

}  // namespace gateway::sandbox
