#include "json/proto_writer.h"

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "json/proto_plan.h"
#include "json/splice.h"

namespace gateway::json {

namespace pb = ::google::protobuf;
namespace v1 = ::pictory::jobs::v1;

namespace {

using Field = pb::FieldDescriptor;

// Walks one message. False once something cannot be written; `fault` and `path` then tell.
class MessageWriter {
 public:
  explicit MessageWriter(Writer& out) : out_(out) {}

  bool Value(const pb::Message& message, const MessagePlan& plan) {
    if (plan.items() != nullptr) return List(message, *message.GetReflection(), *plan.items());
    out_.StartObject();
    if (!Fields(message, plan)) return false;
    out_.EndObject();
    return true;
  }

  bool Fields(const pb::Message& message, const MessagePlan& plan) {
    const pb::Reflection& reflection = *message.GetReflection();
    for (const FieldPlan& field : plan.fields()) {
      if (field.repeated || field.map) {
        if (!field.IsMember() || reflection.FieldSize(message, field.field) == 0) continue;
        out_.KeyAsIs(field.quoted_key);
        if (!(field.map ? Map(message, reflection, field) : List(message, reflection, field))) {
          return Inside(field);
        }
      } else if (reflection.HasField(message, field.field)) {
        if (!Single(message, reflection, field)) return Inside(field);
      }
    }
    return true;
  }

  absl::Status Result() const {
    return absl::InvalidArgumentError(absl::StrCat(path_, path_.empty() ? "" : ": ", fault_));
  }

 private:
  bool Fail(const char* what) {
    fault_ = what;
    return false;
  }
  // The path grows from the inside out, and only when something is wrong.
  bool Inside(const FieldPlan& field) {
    const bool dot = !path_.empty() && path_[0] != '[';
    path_ = absl::StrCat(field.field->name(), dot ? "." : "", path_);
    return false;
  }
  bool InsideElement(int index) {
    const bool dot = !path_.empty() && path_[0] != '[';
    path_ = absl::StrCat("[", index, "]", dot ? "." : "", path_);
    return false;
  }

  bool String(const std::string& value) {
    out_.String(value);
    return out_.ok() || Fail("the text is not valid UTF-8");
  }
  bool Double(double value) {
    out_.Double(value);
    return out_.ok() || Fail("JSON has no such number");
  }

  bool Single(const pb::Message& message, const pb::Reflection& reflection,
              const FieldPlan& field) {
    std::string scratch;
    switch (field.role) {
      case v1::FIELD_ROLE_UNSPECIFIED:
        break;
      case v1::FIELD_ROLE_RAW_JSON: {
        const std::string& raw = reflection.GetStringReference(message, field.field, &scratch);
        if (raw.empty()) return Fail("the JSON text is empty");
        out_.KeyAsIs(field.quoted_key);
        out_.Raw(raw);
        return true;
      }
      case v1::FIELD_ROLE_SPLICE: {
        const std::string& raw = reflection.GetStringReference(message, field.field, &scratch);
        const absl::StatusOr<std::string_view> members = Members(raw);
        if (!members.ok()) return Fail("a JSON object is expected");
        out_.Members(*members);
        return true;
      }
      default:
        return true;
    }
    out_.KeyAsIs(field.quoted_key);
    switch (field.type) {
      case Field::CPPTYPE_STRING:
        return String(reflection.GetStringReference(message, field.field, &scratch));
      case Field::CPPTYPE_DOUBLE:
        return Double(reflection.GetDouble(message, field.field));
      case Field::CPPTYPE_INT32:
        out_.Int(reflection.GetInt32(message, field.field));
        return true;
      case Field::CPPTYPE_BOOL:
        out_.Bool(reflection.GetBool(message, field.field));
        return true;
      case Field::CPPTYPE_MESSAGE:
        return Value(reflection.GetMessage(message, field.field), *field.message);
      default:
        return Fail("the mapping does not know this type");
    }
  }

  bool List(const pb::Message& message, const pb::Reflection& reflection, const FieldPlan& field) {
    out_.StartArray();
    const int size = reflection.FieldSize(message, field.field);
    for (int i = 0; i < size; ++i) {
      if (!Element(message, reflection, field, i)) return InsideElement(i);
    }
    out_.EndArray();
    return true;
  }

  bool Element(const pb::Message& message, const pb::Reflection& reflection,
               const FieldPlan& field, int i) {
    switch (field.type) {
      case Field::CPPTYPE_MESSAGE:
        return Value(reflection.GetRepeatedMessage(message, field.field, i), *field.message);
      case Field::CPPTYPE_STRING: {
        std::string scratch;
        return String(
            reflection.GetRepeatedStringReference(message, field.field, i, &scratch));
      }
      case Field::CPPTYPE_DOUBLE:
        return Double(reflection.GetRepeatedDouble(message, field.field, i));
      case Field::CPPTYPE_INT32:
        out_.Int(reflection.GetRepeatedInt32(message, field.field, i));
        return true;
      case Field::CPPTYPE_BOOL:
        out_.Bool(reflection.GetRepeatedBool(message, field.field, i));
        return true;
      default:
        return Fail("the mapping does not know this type");
    }
  }

  bool Map(const pb::Message& message, const pb::Reflection& reflection, const FieldPlan& field) {
    const Field* key = field.field->message_type()->map_key();
    const Field* value = field.field->message_type()->map_value();
    std::vector<std::pair<std::string, std::string>> entries;
    for (int i = 0; i < reflection.FieldSize(message, field.field); ++i) {
      const pb::Message& entry = reflection.GetRepeatedMessage(message, field.field, i);
      entries.emplace_back(entry.GetReflection()->GetString(entry, key),
                           entry.GetReflection()->GetString(entry, value));
    }
    std::sort(entries.begin(), entries.end());
    out_.StartObject();
    for (const auto& [name, text] : entries) {
      out_.Key(name);
      if (!String(text)) return false;
    }
    out_.EndObject();
    return true;
  }

  Writer& out_;
  const char* fault_ = "";
  std::string path_;
};

}  // namespace

absl::Status WriteMessage(const pb::Message& message, std::string& out) {
  Writer writer(out);
  MessageWriter walk(writer);
  if (!walk.Value(message, PlanOf(message.GetDescriptor()))) return walk.Result();
  return absl::OkStatus();
}

absl::StatusOr<std::string> ToJson(const pb::Message& message) {
  std::string out;
  const absl::Status status = WriteMessage(message, out);
  if (!status.ok()) return status;
  return out;
}

absl::Status WriteFields(const pb::Message& message, Writer& writer) {
  MessageWriter walk(writer);
  if (!walk.Fields(message, PlanOf(message.GetDescriptor()))) return walk.Result();
  return absl::OkStatus();
}

}  // namespace gateway::json
