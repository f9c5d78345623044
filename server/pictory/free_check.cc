#include "pictory/free_check.h"

#include <cmath>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/errors.h"
#include "base/limits.h"
#include "google/protobuf/struct.pb.h"

namespace gateway::pictory {
namespace {

namespace v1 = ::pictory::jobs::v1;
using google::protobuf::ListValue;
using google::protobuf::Struct;
using google::protobuf::Value;

class FreeCheck {
 public:
  FreeCheck(std::string_view raw, Violations& violations) : raw_(raw), violations_(violations) {}

  void Any(const Value& value, const Path& path) {
    if (violations_.full()) return;
    switch (value.kind_case()) {
      case Value::kNumberValue:
        return Number(value.number_value(), path);
      case Value::kStructValue:
        return Object(value.struct_value(), path);
      case Value::kListValue:
        return List(value.list_value(), path);
      case Value::kNullValue:
      case Value::kStringValue:
      case Value::kBoolValue:
        return;
      case Value::KIND_NOT_SET:
        return Add(path, "says nothing: null is a value of its own");
    }
  }

  void Object(const Struct& object, const Path& path) {
    for (const auto& [key, value] : object.fields()) Any(value, Under(path, key));
  }

  void List(const ListValue& list, const Path& path) {
    for (int i = 0; i < list.values_size(); ++i) Any(list.values(i), Item(Under(path, ""), i));
  }

  void Add(const Path& path, std::string description) {
    violations_.Add(errors::Clean(path.Text()), std::move(description));
  }

 private:
  // What is at least 2^53, either way, is whole.
  void Number(double number, const Path& path) {
    if (!std::isfinite(number)) {
      Add(path, "must be a finite number");
    } else if (std::fabs(number) > limits::kExactWholeMax) {
      Add(path,
          absl::StrCat("is a number beyond ±", static_cast<std::int64_t>(limits::kExactWholeMax),
                       " (2^53 - 1), which may have lost digits on its way here: send the "
                       "JSON text in ",
                       std::string(raw_), ", or the number as a text"));
    }
  }

  std::string_view raw_;
  Violations& violations_;
};

}  // namespace

void CheckFreeValue(const Path& path, const google::protobuf::Message& value, v1::JsonType expected,
                    std::string_view raw, Violations& violations) {
  FreeCheck check(raw, violations);
  if (const auto* object = dynamic_cast<const Struct*>(&value)) return check.Object(*object, path);
  if (const auto* list = dynamic_cast<const ListValue*>(&value)) return check.List(*list, path);
  const auto& any = dynamic_cast<const Value&>(value);
  const bool fits = any.has_string_value() || any.has_number_value();
  if (expected == v1::JSON_TYPE_TEXT_OR_NUMBER && !fits) {
    return check.Add(path, "must be a text or a number");
  }
  check.Any(any, path);
}

}  // namespace gateway::pictory
