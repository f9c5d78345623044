#include "json/api_value.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <limits>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "google/protobuf/timestamp.pb.h"
#include "google/protobuf/util/time_util.h"
#include "json/numbers.h"

namespace gateway::json {
namespace {

using google::protobuf::EnumValueDescriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

constexpr char kTooManyDigits[] =
    "has more digits than a number can carry; leave some out, or send it as a text";

// The digits of a number without zeros at either end, and the power of ten behind them.
struct Digits {
  std::string digits;
  std::int64_t power = 0;
  bool operator==(const Digits&) const = default;
};

Digits DigitsOf(std::string_view number) {
  constexpr std::int64_t kFar = 1'000'000'000;  // beyond every double, and far from overflow
  Digits found;
  bool fraction = false;
  std::size_t at = 0;
  for (; at < number.size() && number[at] != 'e' && number[at] != 'E'; ++at) {
    if (number[at] == '.') fraction = true;
    if (number[at] < '0' || number[at] > '9') continue;
    if (number[at] != '0' || !found.digits.empty()) found.digits += number[at];
    if (fraction) --found.power;
  }
  while (!found.digits.empty() && found.digits.back() == '0') {
    found.digits.pop_back();
    ++found.power;
  }
  if (found.digits.empty()) return {};
  std::int64_t exponent = 0;
  const bool minus = at + 1 < number.size() && number[at + 1] == '-';
  for (const char c : number.substr(std::min(at, number.size()))) {
    if (c >= '0' && c <= '9') exponent = std::min(kFar, exponent * 10 + (c - '0'));
  }
  found.power += minus ? -exponent : exponent;
  return found;
}

// Whether a double that was read from `text` is the very number.
bool IsWhole(std::string_view text, double value) {
  std::array<char, 32> shortest{};
  const auto end = std::to_chars(shortest.data(), shortest.data() + shortest.size(), value).ptr;
  const std::string_view read(shortest.data(), static_cast<std::size_t>(end - shortest.data()));
  return DigitsOf(text) == DigitsOf(read);
}

std::string ReadDouble(Type type, std::string_view text, double& value) {
  if (type != Type::kNumber && type != Type::kString) return "must be a number";
  switch (type == Type::kNumber ? ConvertDouble(text, value) : ParseDouble(text, value)) {
    case NumberFault::kNotANumber:
      return "must be a number";
    case NumberFault::kOutOfRange:
      return "is a number beyond what fits";
    case NumberFault::kNone:
      break;
  }
  return IsWhole(text, value) ? "" : kTooManyDigits;
}

template <class Int>
std::string ReadInt(Type type, std::string_view text, Int& value) {
  if (type != Type::kNumber && type != Type::kString) return "must be a whole number";
  const char* const end = text.data() + text.size();
  const std::from_chars_result plain = std::from_chars(text.data(), end, value);
  if (plain.ptr == end && plain.ec == std::errc()) return "";
  if (plain.ptr == end && plain.ec == std::errc::result_out_of_range) {
    return "is a number beyond what fits";
  }
  double number = 0;  // 3.0 and 3e0 are whole numbers too
  if (ParseDouble(text, number) == NumberFault::kNotANumber) return "must be a whole number";
  // By its digits, because a double does not hold each whole number.
  const Digits read = DigitsOf(text);
  if (read.power < 0) return "must be a whole number";
  const std::int64_t digits_that_may_fit = std::numeric_limits<Int>::digits10 + 1;
  if (static_cast<std::int64_t>(read.digits.size()) + read.power > digits_that_may_fit) {
    return "is a number beyond what fits";
  }
  const std::string plainly = (text.starts_with('-') ? "-" : "") + read.digits +
                              std::string(static_cast<std::size_t>(read.power), '0');
  value = 0;  // which has no digits
  const auto whole = std::from_chars(plainly.data(), plainly.data() + plainly.size(), value);
  return whole.ec == std::errc::result_out_of_range ? "is a number beyond what fits" : "";
}

std::string ReadEnum(Type type, std::string_view text, const FieldDescriptor& field,
                     const ApiReadOptions& options, int& value) {
  if (type == Type::kNumber) return ReadInt<std::int32_t>(type, text, value);
  if (type != Type::kString) return "must be the name of a value";
  const auto& values = *field.enum_type();
  if (const EnumValueDescriptor* const found = values.FindValueByName(std::string(text))) {
    value = found->number();
    return "";
  }
  std::vector<std::string> known;
  for (int i = 0; i < values.value_count(); ++i) known.push_back(values.value(i)->name());
  std::string nearest = options.nearest == nullptr ? "" : options.nearest(text, known);
  const std::string prefix = known.front().substr(0, known.front().rfind('_') + 1);
  if (nearest.empty() && options.nearest != nullptr) {
    nearest = options.nearest(absl::StrCat(prefix, std::string(text)), known);
  }
  return nearest.empty()
             ? absl::StrCat("is no value of ", values.name())
             : absl::StrCat("is no value of ", values.name(), "; did you mean ", nearest, "?");
}

std::string StoreMessage(Type type, std::string_view text, const FieldDescriptor& field,
                         Message& message) {
  const bool time =
      field.message_type()->full_name() == google::protobuf::Timestamp::descriptor()->full_name();
  if (!time) return "must be an object";
  google::protobuf::Timestamp read;
  if (type != Type::kString ||
      !google::protobuf::util::TimeUtil::FromString(std::string(text), &read)) {
    return "must be a time such as 2026-11-30T09:00:00Z";
  }
  const Reflection& reflection = *message.GetReflection();
  Message& to = field.is_repeated() ? *reflection.AddMessage(&message, &field)
                                    : *reflection.MutableMessage(&message, &field);
  to.CopyFrom(read);
  return "";
}

}  // namespace

std::string StoreApiScalar(Type type, std::string_view decoded, const FieldDescriptor& field,
                           Message& message, const ApiReadOptions& options) {
  const Reflection& reflection = *message.GetReflection();
  const bool adds = field.is_repeated();
  std::string wrong;
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_STRING: {
      if (type != Type::kString) return "must be a string";
      std::string text(decoded);
      if (field.type() == FieldDescriptor::TYPE_BYTES &&
          !absl::Base64Unescape(std::string(decoded), &text) &&
          !absl::WebSafeBase64Unescape(std::string(decoded), &text)) {
        return "must be base64";
      }
      if (adds) {
        reflection.AddString(&message, &field, std::move(text));
      } else {
        reflection.SetString(&message, &field, std::move(text));
      }
      return "";
    }
    case FieldDescriptor::CPPTYPE_BOOL: {
      const bool value = decoded == "true";
      if (type != Type::kBool) return "must be true or false";
      adds ? reflection.AddBool(&message, &field, value)
           : reflection.SetBool(&message, &field, value);
      return "";
    }
    case FieldDescriptor::CPPTYPE_INT32: {
      std::int32_t value = 0;
      wrong = ReadInt(type, decoded, value);
      if (!wrong.empty()) return wrong;
      adds ? reflection.AddInt32(&message, &field, value)
           : reflection.SetInt32(&message, &field, value);
      return "";
    }
    case FieldDescriptor::CPPTYPE_INT64: {
      std::int64_t value = 0;
      wrong = ReadInt(type, decoded, value);
      if (!wrong.empty()) return wrong;
      adds ? reflection.AddInt64(&message, &field, value)
           : reflection.SetInt64(&message, &field, value);
      return "";
    }
    case FieldDescriptor::CPPTYPE_DOUBLE: {
      double value = 0;
      wrong = ReadDouble(type, decoded, value);
      if (!wrong.empty()) return wrong;
      adds ? reflection.AddDouble(&message, &field, value)
           : reflection.SetDouble(&message, &field, value);
      return "";
    }
    case FieldDescriptor::CPPTYPE_ENUM: {
      int value = 0;
      wrong = ReadEnum(type, decoded, field, options, value);
      if (!wrong.empty()) return wrong;
      adds ? reflection.AddEnumValue(&message, &field, value)
           : reflection.SetEnumValue(&message, &field, value);
      return "";
    }
    case FieldDescriptor::CPPTYPE_MESSAGE:
      return StoreMessage(type, decoded, field, message);
    default:
      return "is of a type that cannot be read";  // the API has none; a test says so
  }
}

std::string StoreFreeScalar(Type type, std::string_view decoded, google::protobuf::Value& value) {
  switch (type) {
    case Type::kNull:
      value.set_null_value(google::protobuf::NULL_VALUE);
      return "";
    case Type::kBool:
      value.set_bool_value(decoded == "true");
      return "";
    case Type::kString:
      value.set_string_value(std::string(decoded));
      return "";
    default: {
      double number = 0;
      std::string wrong = ReadDouble(type, decoded, number);
      if (wrong.empty()) value.set_number_value(number);
      return wrong;
    }
  }
}

}  // namespace gateway::json
