#include "rpc/canonical.h"

#include <algorithm>
#include <bit>
#include <cstdint>
#include <string>
#include <vector>

#include "google/protobuf/descriptor.h"
#include "google/protobuf/struct.pb.h"

namespace gateway::rpc {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

void AppendNumber(std::uint64_t value, Sha256Stream& out) {
  char bytes[8];
  for (char& byte : bytes) {
    byte = static_cast<char>(value & 0xff);
    value >>= 8;
  }
  out.Append({bytes, sizeof(bytes)});
}

void AppendLetter(char letter, Sha256Stream& out) { out.Append({&letter, 1}); }

// Appends the value of a field, or of one place in a repeated one; `index` is below 0 for the
// former.
void AppendValue(const Message& message, const FieldDescriptor& field, int index,
                 Sha256Stream& out) {
  const Reflection& reflection = *message.GetReflection();
  const bool one = index < 0;
  const auto integer = [&out](std::int64_t value) {
    AppendLetter('i', out);
    AppendNumber(static_cast<std::uint64_t>(value), out);
  };
  const auto real = [&out](double value) {
    AppendLetter('d', out);
    AppendNumber(std::bit_cast<std::uint64_t>(value), out);
  };
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_INT32:
      return integer(one ? reflection.GetInt32(message, &field)
                         : reflection.GetRepeatedInt32(message, &field, index));
    case FieldDescriptor::CPPTYPE_INT64:
      return integer(one ? reflection.GetInt64(message, &field)
                         : reflection.GetRepeatedInt64(message, &field, index));
    case FieldDescriptor::CPPTYPE_UINT32:
      return integer(one ? reflection.GetUInt32(message, &field)
                         : reflection.GetRepeatedUInt32(message, &field, index));
    case FieldDescriptor::CPPTYPE_UINT64:
      return integer(
          static_cast<std::int64_t>(one ? reflection.GetUInt64(message, &field)
                                        : reflection.GetRepeatedUInt64(message, &field, index)));
    case FieldDescriptor::CPPTYPE_ENUM:
      return integer(one ? reflection.GetEnumValue(message, &field)
                         : reflection.GetRepeatedEnumValue(message, &field, index));
    case FieldDescriptor::CPPTYPE_BOOL:
      return integer(one ? reflection.GetBool(message, &field)
                         : reflection.GetRepeatedBool(message, &field, index));
    case FieldDescriptor::CPPTYPE_DOUBLE:
      return real(one ? reflection.GetDouble(message, &field)
                      : reflection.GetRepeatedDouble(message, &field, index));
    case FieldDescriptor::CPPTYPE_FLOAT:
      return real(one ? reflection.GetFloat(message, &field)
                      : reflection.GetRepeatedFloat(message, &field, index));
    case FieldDescriptor::CPPTYPE_STRING: {
      std::string scratch;
      const std::string& text =
          one ? reflection.GetStringReference(message, &field, &scratch)
              : reflection.GetRepeatedStringReference(message, &field, index, &scratch);
      AppendLetter('s', out);
      return AppendCanonical(text, out);
    }
    case FieldDescriptor::CPPTYPE_MESSAGE:
      AppendLetter('m', out);
      return AppendCanonical(one ? reflection.GetMessage(message, &field)
                                 : reflection.GetRepeatedMessage(message, &field, index),
                             out);
  }
}

// Appends the entries of a map, each with its digest. They are sorted by the digest, which gives an
// order whatever the type of the key.
void AppendMap(const Message& message, const FieldDescriptor& field, int entries,
               Sha256Stream& out) {
  std::vector<std::string> digests;
  digests.reserve(static_cast<std::size_t>(entries));
  for (int i = 0; i < entries; ++i) {
    const Message& entry = message.GetReflection()->GetRepeatedMessage(message, &field, i);
    const FieldDescriptor* const key = entry.GetDescriptor()->map_key();
    const FieldDescriptor* const value = entry.GetDescriptor()->map_value();
    Sha256Stream digest;
    AppendValue(entry, *key, -1, digest);
    AppendValue(entry, *value, -1, digest);
    digests.push_back(digest.Finish());
  }
  std::sort(digests.begin(), digests.end());
  for (const std::string& digest : digests) out.Append(digest);
}

void AppendObject(const google::protobuf::Struct& object, Sha256Stream& out);
void AppendList(const google::protobuf::ListValue& list, Sha256Stream& out);

// Appends a value of a google.protobuf.Struct. Free values are gone through by their own types,
// because reflection makes a second copy of every object's members.
void AppendFree(const google::protobuf::Value& value, Sha256Stream& out) {
  AppendNumber(static_cast<std::uint64_t>(value.kind_case()), out);
  switch (value.kind_case()) {
    case google::protobuf::Value::kNumberValue:
      return AppendNumber(std::bit_cast<std::uint64_t>(value.number_value()), out);
    case google::protobuf::Value::kStringValue:
      return AppendCanonical(value.string_value(), out);
    case google::protobuf::Value::kBoolValue:
      return AppendNumber(value.bool_value() ? 1 : 0, out);
    case google::protobuf::Value::kStructValue:
      return AppendObject(value.struct_value(), out);
    case google::protobuf::Value::kListValue:
      return AppendList(value.list_value(), out);
    case google::protobuf::Value::kNullValue:
    case google::protobuf::Value::KIND_NOT_SET:
      return;
  }
}

void AppendObject(const google::protobuf::Struct& object, Sha256Stream& out) {
  using Member = google::protobuf::Map<std::string, google::protobuf::Value>::value_type;
  std::vector<const Member*> members;
  members.reserve(object.fields().size());
  for (const Member& member : object.fields()) members.push_back(&member);
  std::ranges::sort(members, {},
                    [](const Member* member) { return std::string_view(member->first); });
  AppendNumber(members.size(), out);
  for (const Member* member : members) {
    AppendCanonical(member->first, out);
    AppendFree(member->second, out);
  }
}

void AppendList(const google::protobuf::ListValue& list, Sha256Stream& out) {
  AppendNumber(static_cast<std::uint64_t>(list.values_size()), out);
  for (const google::protobuf::Value& value : list.values()) AppendFree(value, out);
}

}  // namespace

void AppendCanonical(std::string_view text, Sha256Stream& out) {
  AppendNumber(text.size(), out);
  out.Append(text);
}

void AppendCanonical(const Message& message, Sha256Stream& out) {
  if (const auto* object = dynamic_cast<const google::protobuf::Struct*>(&message)) {
    return AppendObject(*object, out);
  }
  if (const auto* list = dynamic_cast<const google::protobuf::ListValue*>(&message)) {
    return AppendList(*list, out);
  }
  if (const auto* value = dynamic_cast<const google::protobuf::Value*>(&message)) {
    return AppendFree(*value, out);
  }
  std::vector<const FieldDescriptor*> fields;
  message.GetReflection()->ListFields(message, &fields);  // the set ones, by number
  AppendNumber(fields.size(), out);
  for (const FieldDescriptor* field : fields) {
    AppendNumber(static_cast<std::uint64_t>(field->number()), out);
    if (!field->is_repeated()) {
      AppendValue(message, *field, -1, out);
      continue;
    }
    const int count = message.GetReflection()->FieldSize(message, field);
    AppendLetter(field->is_map() ? 'p' : 'r', out);
    AppendNumber(static_cast<std::uint64_t>(count), out);
    if (field->is_map()) {
      AppendMap(message, *field, count, out);
    } else {
      for (int i = 0; i < count; ++i) AppendValue(message, *field, i, out);
    }
  }
}

}  // namespace gateway::rpc
