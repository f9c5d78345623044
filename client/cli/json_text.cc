#include "json_text.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>
#include <google/protobuf/util/json_util.h>
#include <google/protobuf/util/type_resolver.h>
#include <google/protobuf/util/type_resolver_util.h>
#include <rapidjson/document.h>
#include <rapidjson/encodedstream.h>
#include <rapidjson/error/en.h>
#include <rapidjson/memorystream.h>
#include <rapidjson/reader.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "base/clean_text.h"
#include "base/json_numbers.h"
#include "base/stable_bytes.h"
#include "words.h"

namespace pictory_jobs::cli {
namespace {

constexpr char kTypeUrlPrefix[] = "type.googleapis.com";

bool IsSpace(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

std::size_t SkipSpace(std::string_view text, std::size_t at) {
  while (at < text.size() && IsSpace(text[at])) ++at;
  return at;
}

// The place behind the string that begins at `at`.
std::size_t SkipString(std::string_view text, std::size_t at) {
  for (++at; at < text.size() && text[at] != '"'; ++at) {
    if (text[at] == '\\') ++at;
  }
  return std::min(at + 1, text.size());
}

// The place behind the value that begins at `at`. The text is known to be JSON, so brackets need
// only be counted.
std::size_t SkipValue(std::string_view text, std::size_t at) {
  int depth = 0;
  while (at < text.size()) {
    const char c = text[at];
    if (c == '"') {
      at = SkipString(text, at);
    } else if (c == '{' || c == '[') {
      ++depth;
      ++at;
    } else if (c == '}' || c == ']') {
      if (depth == 0) break;
      --depth;
      ++at;
    } else if (depth == 0) {
      while (at < text.size() && !IsSpace(text[at]) && text[at] != ',' && text[at] != '}' &&
             text[at] != ']') {
        ++at;
      }
    } else {
      ++at;
    }
    if (depth == 0) break;
  }
  return at;
}

rapidjson::Document Parse(std::string_view text) {
  rapidjson::Document document;
  const std::string within = gateway::WithNumbersWithinDouble(text);
  document.Parse<rapidjson::kParseIterativeFlag | rapidjson::kParseFullPrecisionFlag>(
      within.data(), within.size());
  return document;
}

// A number as its digits, without zeros at either end, and the power of ten behind them. Both are
// empty and 0 for zero.
struct Decimal {
  std::string digits;
  std::int64_t power = 0;
  bool operator==(const Decimal&) const = default;
};

Decimal DecimalOf(std::string_view number) {
  constexpr std::int64_t kFar = 1'000'000'000;  // beyond every double, and far from overflow
  Decimal decimal;
  bool fraction = false;
  std::size_t at = 0;
  for (; at < number.size() && number[at] != 'e' && number[at] != 'E'; ++at) {
    if (number[at] == '.') {
      fraction = true;
    } else if (number[at] >= '0' && number[at] <= '9') {
      if (number[at] != '0' || !decimal.digits.empty()) decimal.digits += number[at];
      if (fraction) --decimal.power;
    }
  }
  while (!decimal.digits.empty() && decimal.digits.back() == '0') {
    decimal.digits.pop_back();
    ++decimal.power;
  }
  if (decimal.digits.empty()) return {};
  if (at == number.size()) return decimal;
  const bool minus = at + 1 < number.size() && number[at + 1] == '-';
  std::int64_t exponent = 0;
  for (const char c : number.substr(at + 1)) {
    if (c >= '0' && c <= '9') exponent = std::min(kFar, exponent * 10 + (c - '0'));
  }
  decimal.power += minus ? -exponent : exponent;
  return decimal;
}

std::string Quoted(std::string_view text) {
  rapidjson::StringBuffer buffer;
  rapidjson::Writer<rapidjson::StringBuffer> writer(buffer);
  writer.String(text.data(), static_cast<rapidjson::SizeType>(text.size()));
  return std::string(buffer.GetString(), buffer.GetSize());
}

using Writer = rapidjson::Writer<rapidjson::StringBuffer>;

// Writes a number without a fraction as an integer.
struct CanonicalWriter : Writer {
  using Writer::Writer;
  bool Double(double value) {
    constexpr double kExact = 9007199254740992;  // 2^53
    if (std::abs(value) > kExact || std::trunc(value) != value) return Writer::Double(value);
    return Writer::Int64(static_cast<std::int64_t>(value));
  }
};

// Keeps the way from the outermost value to the one that is read, and ends the reading at the first
// number that no double holds.
class UnfitNumberFinder
    : public rapidjson::BaseReaderHandler<rapidjson::UTF8<>, UnfitNumberFinder> {
 public:
  bool Default() { return Pass(); }
  bool RawNumber(const char* digits, rapidjson::SizeType size, bool) {
    if (FitsDouble({digits, size})) return Pass();
    found_ = true;
    return false;
  }
  bool Key(const char* key, rapidjson::SizeType size, bool) {
    way_.back().key.assign(key, size);
    return true;
  }
  bool StartObject() { return Enter(false); }
  bool StartArray() { return Enter(true); }
  bool EndObject(rapidjson::SizeType) { return Leave(); }
  bool EndArray(rapidjson::SizeType) { return Leave(); }

  std::optional<std::string> Found() const {
    if (!found_) return std::nullopt;
    std::string where;
    for (const Step& step : way_) {
      if (step.in_list) {
        absl::StrAppend(&where, "[", step.index, "]");
      } else {
        absl::StrAppend(&where, where.empty() ? "" : ".", step.key);
      }
    }
    return where;
  }

 private:
  struct Step {
    bool in_list = false;
    std::size_t index = 0;  // in a list
    std::string key;        // in an object
  };
  bool Enter(bool list) {
    way_.push_back({list, 0, ""});
    return true;
  }
  bool Leave() {
    way_.pop_back();
    return Pass();
  }
  bool Pass() {
    if (!way_.empty()) ++way_.back().index;
    return true;
  }

  std::vector<Step> way_;
  bool found_ = false;
};

}  // namespace

std::optional<std::string> FirstUnfitNumber(std::string_view text) {
  constexpr unsigned kFlags =
      rapidjson::kParseIterativeFlag | rapidjson::kParseNumbersAsStringsFlag;
  // A number beyond every double is read as another one here, and refused by who makes a message.
  const std::string within = gateway::WithNumbersWithinDouble(text);
  rapidjson::MemoryStream bytes(within.data(), within.size());
  UnfitNumberFinder finder;
  rapidjson::Reader reader;
  reader.Parse<kFlags>(bytes, finder);
  return finder.Found();
}

std::string Canonical(std::string_view text) {
  constexpr unsigned kFlags = rapidjson::kParseIterativeFlag | rapidjson::kParseFullPrecisionFlag;
  const std::string within = gateway::WithNumbersWithinDouble(text);
  rapidjson::MemoryStream bytes(within.data(), within.size());
  rapidjson::StringBuffer buffer;
  CanonicalWriter writer(buffer);
  rapidjson::Reader reader;
  reader.Parse<kFlags>(bytes, writer);
  return std::string(buffer.GetString(), buffer.GetSize());
}

std::optional<JsonError> CheckJson(std::string_view text) {
  constexpr unsigned kFlags = rapidjson::kParseIterativeFlag |
                              rapidjson::kParseValidateEncodingFlag |
                              rapidjson::kParseNumbersAsStringsFlag;
  const std::string within = gateway::WithNumbersWithinDouble(text);  // valid JSON goes on as it is
  rapidjson::MemoryStream bytes(within.data(), within.size());
  rapidjson::EncodedInputStream<rapidjson::UTF8<>, rapidjson::MemoryStream> stream(bytes);
  rapidjson::BaseReaderHandler<> ignore;
  rapidjson::Reader reader;
  const rapidjson::ParseResult result = reader.Parse<kFlags>(stream, ignore);
  if (!result.IsError()) return std::nullopt;
  const bool encoding = result.Code() == rapidjson::kParseErrorStringInvalidEncoding;
  JsonError error{
      1, 1, encoding ? "A string is not valid UTF-8." : rapidjson::GetParseError_En(result.Code())};
  for (std::size_t i = 0; i < std::min(result.Offset(), text.size()); ++i) {
    if (text[i] == '\n') {
      ++error.line;
      error.column = 1;
    } else if ((static_cast<unsigned char>(text[i]) & 0xC0) != 0x80) {
      ++error.column;
    }
  }
  return error;
}

std::vector<JsonMember> MembersOf(std::string_view text) {
  std::vector<JsonMember> members;
  std::size_t at = SkipSpace(text, SkipSpace(text, 0) + 1);
  while (at < text.size() && text[at] == '"') {
    const std::size_t begin = at;
    const std::size_t key_end = SkipString(text, at);
    JsonMember member{JsonString(text.substr(at, key_end - at)).value_or(""), {}, {}};
    at = SkipSpace(text, SkipSpace(text, key_end) + 1);  // over the colon
    const std::size_t value_end = SkipValue(text, at);
    member.value = text.substr(at, value_end - at);
    member.whole = text.substr(begin, value_end - begin);
    members.push_back(std::move(member));
    at = SkipSpace(text, value_end);
    if (at < text.size() && text[at] == ',') at = SkipSpace(text, at + 1);
  }
  return members;
}

std::vector<std::string_view> ElementsOf(std::string_view text) {
  std::vector<std::string_view> elements;
  std::size_t at = SkipSpace(text, SkipSpace(text, 0) + 1);
  while (at < text.size() && text[at] != ']') {
    const std::size_t end = SkipValue(text, at);
    elements.push_back(text.substr(at, end - at));
    at = SkipSpace(text, end);
    if (at < text.size() && text[at] == ',') at = SkipSpace(text, at + 1);
  }
  return elements;
}

char JsonKind(std::string_view text) {
  const std::size_t at = SkipSpace(text, 0);
  if (at >= text.size()) return 'n';
  const char c = text[at];
  return c == '-' || (c >= '0' && c <= '9') ? '0' : c;
}

std::optional<std::string> JsonString(std::string_view text) {
  const rapidjson::Document value = Parse(text);
  if (!value.IsString()) return std::nullopt;
  return std::string(value.GetString(), value.GetStringLength());
}

std::optional<int> JsonInteger(std::string_view text) {
  const rapidjson::Document value = Parse(text);
  if (value.IsInt()) return value.GetInt();
  return std::nullopt;
}

std::optional<double> JsonNumber(std::string_view text) {
  const rapidjson::Document value = Parse(text);
  if (value.IsNumber()) return value.GetDouble();
  return std::nullopt;
}

bool FitsDouble(std::string_view number) {
  const std::optional<double> value = JsonNumber(number);
  if (!value || !std::isfinite(*value)) return false;
  std::array<char, 32> shortest;
  const auto end = std::to_chars(shortest.data(), shortest.data() + shortest.size(), *value).ptr;
  return DecimalOf(number) == DecimalOf({shortest.data(), end});
}

namespace {

// protobuf has given this option another name since 3.21.
template <typename Options>
void PrintDefaults(Options& options) {
  if constexpr (requires { options.always_print_primitive_fields; }) {
    options.always_print_primitive_fields = true;
  } else {
    options.always_print_fields_with_no_presence = true;
  }
}

}  // namespace

std::string ToJsonLine(const google::protobuf::Message& message) {
  google::protobuf::util::JsonPrintOptions options;
  PrintDefaults(options);
  // The JSON is made by way of bytes, because MessageToJsonString has the labels of one job in
  // another order each time.
  static auto* const types = google::protobuf::util::NewTypeResolverForDescriptorPool(
      kTypeUrlPrefix, google::protobuf::DescriptorPool::generated_pool());
  std::string line;
  const bool written = google::protobuf::util::BinaryToJsonString(
                           types, absl::StrCat(kTypeUrlPrefix, "/", message.GetTypeName()),
                           gateway::StableBytes(message), &line, options)
                           .ok();
  return written ? line : "{}";
}

JsonObject& JsonObject::Text(const char* key, const std::string& value) {
  if (value.empty()) return *this;
  // A hint has several lines, which do no harm within quotes.
  std::string clean;
  for (std::string_view rest = value; !rest.empty();) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    clean += gateway::CleanText(rest.substr(0, end));
    if (end < rest.size()) clean += '\n';
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return Raw(key, Quoted(clean));
}

JsonObject& JsonObject::Number(const char* key, double value) {
  return Raw(key, cli::Number(value));
}

JsonObject& JsonObject::Integer(const char* key, std::int64_t value) {
  return Raw(key, absl::StrCat(value));
}

JsonObject& JsonObject::Raw(const char* key, const std::string& json) {
  absl::StrAppend(&members_, members_.empty() ? "" : ",", Quoted(key), ":", json);
  return *this;
}

}  // namespace pictory_jobs::cli
