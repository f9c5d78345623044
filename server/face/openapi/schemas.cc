#include "face/openapi/schemas.h"

#include "pictory/jobs/v1/annotations.pb.h"

namespace gateway::face {
namespace {

namespace v1 = ::pictory::jobs::v1;
using google::protobuf::Descriptor;
using google::protobuf::EnumDescriptor;
using google::protobuf::FieldDescriptor;

// `Job` of pictory.jobs.v1.Job, `GetUsageResponse.Count` of a message in a message.
std::string ShortName(const std::string& full_name, const std::string& package) {
  return full_name.substr(package.empty() ? 0 : package.size() + 1);
}

void Text(json::Writer& out, std::string_view key, std::string_view value) {
  if (value.empty()) return;
  out.Key(key);
  out.String(value);
}

void Number(json::Writer& out, std::string_view key, std::int64_t value) {
  out.Key(key);
  out.Int(value);
}

}  // namespace

void Schemas::Refer(const Descriptor& message, json::Writer& out) {
  const std::string name = ShortName(message.full_name(), message.file()->package());
  messages_[name] = &message;
  Text(out, "$ref", place_ + name);
}

void Schemas::Enum(const EnumDescriptor& values, json::Writer& out) {
  const std::string name = ShortName(values.full_name(), values.file()->package());
  enums_[name] = &values;
  Text(out, "$ref", place_ + name);
}

void Schemas::Message(const FieldDescriptor& field, json::Writer& out) {
  const std::string& name = field.message_type()->full_name();
  if (name == "google.protobuf.Timestamp") {
    Text(out, "type", "string");
    Text(out, "format", "date-time");
  } else if (name == "google.protobuf.Struct") {
    Text(out, "type", "object");
  } else if (name == "google.protobuf.ListValue") {
    Text(out, "type", "array");
  } else if (name != "google.protobuf.Value") {
    Refer(*field.message_type(), out);
  }
}

// One value of the field, or one element of its list.
void Schemas::One(const FieldDescriptor& field, json::Writer& out) {
  const int max_bytes = field.options().GetExtension(v1::bound).max_bytes();
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_STRING:
      Text(out, "type", "string");
      if (field.type() == FieldDescriptor::TYPE_BYTES) Text(out, "contentEncoding", "base64");
      if (max_bytes > 0) Number(out, "maxLength", max_bytes);
      return;
    case FieldDescriptor::CPPTYPE_BOOL:
      return Text(out, "type", "boolean");
    case FieldDescriptor::CPPTYPE_INT32:
      Text(out, "type", "integer");
      Text(out, "format", "int32");
      Number(out, "minimum", -2147483648LL);
      return Number(out, "maximum", 2147483647);
    case FieldDescriptor::CPPTYPE_INT64:
      Text(out, "type", "string");
      return Text(out, "pattern", "^-?[0-9]{1,19}$");
    case FieldDescriptor::CPPTYPE_DOUBLE:
      return Text(out, "type", "number");
    case FieldDescriptor::CPPTYPE_ENUM:
      return Enum(*field.enum_type(), out);
    default:
      return Message(field, out);
  }
}

void Schemas::Field(const FieldDescriptor& field, bool described, json::Writer& out) {
  const v1::FieldBound& bound = field.options().GetExtension(v1::bound);
  out.StartObject();
  if (field.is_map()) {
    Text(out, "type", "object");
    if (bound.max_items() > 0) Number(out, "maxProperties", bound.max_items());
    out.Key("additionalProperties");
    out.StartObject();
    Text(out, "type", "string");
    if (bound.max_bytes() > 0) Number(out, "maxLength", bound.max_bytes());
    out.EndObject();
  } else if (field.is_repeated()) {
    Text(out, "type", "array");
    if (bound.max_items() > 0) Number(out, "maxItems", bound.max_items());
    out.Key("items");
    out.StartObject();
    One(field, out);
    out.EndObject();
  } else {
    One(field, out);
  }
  if (described) Text(out, "description", CommentOf(field));
  out.EndObject();
}

void Schemas::Object(const Descriptor& message, const std::set<std::string>& without,
                     json::Writer& out) {
  Text(out, "type", "object");
  Text(out, "description", CommentOf(message));
  out.Key("properties");
  out.StartObject();
  for (int i = 0; i < message.field_count(); ++i) {
    const FieldDescriptor& field = *message.field(i);
    if (without.contains(field.name())) continue;
    out.Key(field.json_name());
    Field(field, true, out);
  }
  out.EndObject();
  // What is misspelt is refused.
  out.Key("additionalProperties");
  out.Bool(false);
}

void Schemas::WriteAll(json::Writer& out) {
  // A schema may refer to others, so some come while they are written.
  std::map<std::string, std::string> written;
  for (bool more = true; more;) {
    more = false;
    const auto messages = messages_;
    for (const auto& [name, message] : messages) {
      if (written.contains(name)) continue;
      more = true;
      json::Writer one(written[name]);
      one.StartObject();
      Object(*message, {}, one);
      one.EndObject();
    }
  }
  for (const auto& [name, values] : enums_) {
    json::Writer one(written[name]);
    one.StartObject();
    Text(one, "type", "string");
    std::string text = CommentOf(*values);
    one.Key("enum");
    one.StartArray();
    for (int i = 0; i < values->value_count(); ++i) {
      one.String(values->value(i)->name());
      const std::string comment = CommentOf(*values->value(i));
      if (!comment.empty()) text += "\n\n`" + values->value(i)->name() + "`: " + comment;
    }
    one.EndArray();
    Text(one, "description", text);
    one.EndObject();
  }
  for (const auto& [name, schema] : written) {
    out.Key(name);
    out.Raw(schema);
  }
}

}  // namespace gateway::face
