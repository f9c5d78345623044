#include "sandbox/json.h"

#include <rapidjson/error/en.h>

#include <charconv>

#include "base/json_numbers.h"

namespace gateway::sandbox {
namespace {

// Finds what RapidJSON wrongly lets pass, or "": nesting that its iterative parser takes but
// nothing afterwards does, and the second half of a surrogate pair on its own, of which it would
// make broken UTF-8.
std::string FindTrap(std::string_view text) {
  int depth = 0;
  bool in_string = false;
  std::size_t pair_ends = 0;  // just behind an escape that is the first half of a pair
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (!in_string) {
      if (c == '"') in_string = true;
      if (c == '}' || c == ']') --depth;
      if ((c == '{' || c == '[') && ++depth > kBodyMaxDepth) {
        return "nested deeper than " + std::to_string(kBodyMaxDepth);
      }
    } else if (c == '"') {
      in_string = false;
    } else if (c == '\\') {
      const std::string_view escape = text.substr(i, 4);
      const bool wide = escape.size() == 4 && escape[1] == 'u' && (escape[2] | 0x20) == 'd';
      const std::string_view fourth = wide ? escape.substr(3) : std::string_view();
      const bool second = wide && fourth.find_first_of("cdefCDEF") == 0;
      const bool first = wide && fourth.find_first_of("89abAB") == 0;
      if (second && pair_ends != i) return "half of a surrogate pair";
      if (first) pair_ends = i + 6;
      ++i;
    }
  }
  return "";
}

}  // namespace

std::unique_ptr<Json> ParseJson(std::string_view text, std::string* error) {
  *error = FindTrap(text);
  if (!error->empty()) return nullptr;
  auto document = std::make_unique<Json>();
  constexpr unsigned kFlags =
      rapidjson::kParseIterativeFlag | rapidjson::kParseValidateEncodingFlag;
  const std::string within = WithNumbersWithinDouble(text);
  document->Parse<kFlags>(within.data(), within.size());
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
