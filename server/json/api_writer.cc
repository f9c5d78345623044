#include "json/api_writer.h"

#include <map>
#include <vector>

#include "absl/strings/escaping.h"
#include "google/protobuf/timestamp.pb.h"
#include "google/protobuf/util/time_util.h"
#include "json/free_value.h"

namespace gateway::json {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

void WriteInner(const Message& message, const FieldDescriptor& field, Writer& out) {
  if (field.message_type()->full_name() == "google.protobuf.Timestamp") {
    google::protobuf::Timestamp time;
    time.CopyFrom(message);
    return out.String(google::protobuf::util::TimeUtil::ToString(time));
  }
  const FreeKind free = FreeKindOf(field);
  if (free == FreeKind::kNone) return WriteApi(message, out);
  if (!WriteFreeValue(message.SerializeAsString(), free, out)) out.Null();
}

// One value: the field's own, or its element `index`.
void WriteValue(const Message& message, const FieldDescriptor& field, int index, Writer& out) {
  const Reflection& r = *message.GetReflection();
  const bool listed = index >= 0;
  const auto* const f = &field;
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_STRING: {
      std::string scratch;
      const std::string& text = listed ? r.GetRepeatedStringReference(message, f, index, &scratch)
                                       : r.GetStringReference(message, f, &scratch);
      if (field.type() == FieldDescriptor::TYPE_BYTES) return out.String(absl::Base64Escape(text));
      return out.String(text);
    }
    case FieldDescriptor::CPPTYPE_BOOL:
      return out.Bool(listed ? r.GetRepeatedBool(message, f, index) : r.GetBool(message, f));
    case FieldDescriptor::CPPTYPE_INT32:
      return out.Int(listed ? r.GetRepeatedInt32(message, f, index) : r.GetInt32(message, f));
    case FieldDescriptor::CPPTYPE_INT64:
      return out.String(
          std::to_string(listed ? r.GetRepeatedInt64(message, f, index) : r.GetInt64(message, f)));
    case FieldDescriptor::CPPTYPE_DOUBLE:
      return out.Double(listed ? r.GetRepeatedDouble(message, f, index) : r.GetDouble(message, f));
    case FieldDescriptor::CPPTYPE_ENUM: {
      const int number =
          listed ? r.GetRepeatedEnumValue(message, f, index) : r.GetEnumValue(message, f);
      const auto* const value = field.enum_type()->FindValueByNumber(number);
      if (value == nullptr) return out.Int(number);
      return out.String(value->name());
    }
    case FieldDescriptor::CPPTYPE_MESSAGE:
      return WriteInner(listed ? r.GetRepeatedMessage(message, f, index) : r.GetMessage(message, f),
                        field, out);
    default:
      return out.Null();  // the API has no such type; a test says so
  }
}

void WriteMap(const Message& message, const FieldDescriptor& field, Writer& out) {
  const Reflection& r = *message.GetReflection();
  const auto* const key = field.message_type()->map_key();
  const auto* const value = field.message_type()->map_value();
  std::map<std::string, const Message*> sorted;
  for (int i = 0; i < r.FieldSize(message, &field); ++i) {
    const Message& entry = r.GetRepeatedMessage(message, &field, i);
    sorted[entry.GetReflection()->GetString(entry, key)] = &entry;
  }
  out.StartObject();
  for (const auto& [name, entry] : sorted) {
    out.Key(name);
    WriteValue(*entry, *value, -1, out);
  }
  out.EndObject();
}

}  // namespace

void WriteApi(const Message& message, Writer& out) {
  const Reflection& reflection = *message.GetReflection();
  const auto& type = *message.GetDescriptor();
  out.StartObject();
  for (int i = 0; i < type.field_count(); ++i) {
    const FieldDescriptor& field = *type.field(i);
    if (field.has_presence() && !reflection.HasField(message, &field)) continue;
    out.Key(field.json_name());
    if (field.is_map()) {
      WriteMap(message, field, out);
    } else if (field.is_repeated()) {
      out.StartArray();
      const int size = reflection.FieldSize(message, &field);
      for (int index = 0; index < size; ++index) WriteValue(message, field, index, out);
      out.EndArray();
    } else {
      WriteValue(message, field, -1, out);
    }
  }
  out.EndObject();
}

std::string ApiJson(const Message& message) {
  std::string json;
  Writer out(json);
  WriteApi(message, out);
  return json;
}

}  // namespace gateway::json
