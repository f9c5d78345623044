#include "sandbox/json.h"

#include <rapidjson/error/en.h>

#include <charconv>

namespace gateway::sandbox {
namespace {

// The iterative parser takes any depth; what walks the tree afterwards does not.
bool IsTooDeep(std::string_view text) {
  int depth = 0;
  bool in_string = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string) {
      if (c == '\\') {
        ++i;
      } else if (c == '"') {
        in_string = false;
      }
    } else if (c == '"') {
      in_string = true;
    } else if (c == '{' || c == '[') {
      if (++depth > kBodyMaxDepth) return true;
    } else if (c == '}' || c == ']') {
      --depth;
    }
  }
  return false;
}

}  // namespace

std::unique_ptr<Json> ParseJson(std::string_view text, std::string* error) {
  if (IsTooDeep(text)) {
    *error = "nested deeper than " + std::to_string(kBodyMaxDepth);
    return nullptr;
  }
  auto document = std::make_unique<Json>();
  constexpr unsigned kFlags =
      rapidjson::kParseIterativeFlag | rapidjson::kParseValidateEncodingFlag;
  document->Parse<kFlags>(text.data(), text.size());
  if (document->HasParseError()) {
    *error = std::string(rapidjson::GetParseError_En(document->GetParseError())) + " At byte " +
             std::to_string(document->GetErrorOffset()) + ".";
    return nullptr;
  }
  return document;
}

const Value* Find(const Value& object, const char* key) {
  if (!object.IsObject()) return nullptr;
  const auto member = object.FindMember(key);
  if (member == object.MemberEnd() || member->value.IsNull()) return nullptr;
  return &member->value;
}

std::string_view FindText(const Value& object, const char* key) {
  const Value* value = Find(object, key);
  return value != nullptr && value->IsString() ? Text(*value) : std::string_view();
}

std::optional<double> ToNumber(const Value* value) {
  if (value == nullptr) return std::nullopt;
  if (value->IsNumber()) return value->GetDouble();
  if (!value->IsString()) return std::nullopt;
  const std::string_view text = Text(*value);
  double number = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (text.empty() || failed != std::errc() || end != text.data() + text.size() ||
      !std::isfinite(number)) {
    return std::nullopt;
  }
  return number;
}

std::optional<bool> ToBool(const Value* value) {
  if (value == nullptr) return std::nullopt;
  if (value->IsBool()) return value->GetBool();
  if (!value->IsString()) return std::nullopt;
  if (Text(*value) == "true") return true;
  if (Text(*value) == "false") return false;
  return std::nullopt;
}

bool FindBool(const Value& object, const char* key, bool otherwise) {
  return ToBool(Find(object, key)).value_or(otherwise);
}

double FindNumber(const Value& object, const char* key, double otherwise) {
  return ToNumber(Find(object, key)).value_or(otherwise);
}

std::string ToText(const Value& value) { return JsonOut().Put(value).Take(); }

}  // namespace gateway::sandbox
