#include "json/free_value.h"

#include <algorithm>
#include <bit>
#include <string>
#include <utility>
#include <vector>

#include "json/wire_reader.h"

namespace gateway::json {
namespace {

bool WriteAny(std::string_view wire, Writer& out) {
  WireReader in(wire);
  if (!in.Next()) return false;
  switch (in.number()) {
    case free_value::kNull:
      out.Null();
      return true;
    case free_value::kNumber:
      out.Double(std::bit_cast<double>(in.bits()));
      return out.ok();
    case free_value::kText:
      out.String(in.bytes());
      return out.ok();
    case free_value::kBool:
      out.Bool(in.bits() != 0);
      return true;
    case free_value::kObject:
      return WriteFreeValue(in.bytes(), FreeKind::kObject, out);
    case free_value::kList:
      return WriteFreeValue(in.bytes(), FreeKind::kList, out);
    default:
      return false;
  }
}

bool WriteObject(std::string_view wire, Writer& out) {
  std::vector<std::pair<std::string_view, std::string_view>> members;
  for (WireReader in(wire); in.Next();) {
    auto& [key, value] = members.emplace_back();
    for (WireReader entry(in.bytes()); entry.Next();) {
      (entry.number() == free_value::kKey ? key : value) = entry.bytes();
    }
  }
  std::sort(members.begin(), members.end());
  out.StartObject();
  for (const auto& [key, value] : members) {
    out.Key(key);
    if (!WriteAny(value, out)) return false;
  }
  out.EndObject();
  return out.ok();
}

bool WriteList(std::string_view wire, Writer& out) {
  out.StartArray();
  for (WireReader in(wire); in.Next();) {
    if (!WriteAny(in.bytes(), out)) return false;
  }
  out.EndArray();
  return true;
}

}  // namespace

FreeKind FreeKindOf(const google::protobuf::FieldDescriptor& field) {
  const google::protobuf::Descriptor* const type = field.message_type();
  if (type == nullptr) return FreeKind::kNone;
  switch (type->well_known_type()) {
    case google::protobuf::Descriptor::WELLKNOWNTYPE_VALUE:
      return FreeKind::kAny;
    case google::protobuf::Descriptor::WELLKNOWNTYPE_STRUCT:
      return FreeKind::kObject;
    case google::protobuf::Descriptor::WELLKNOWNTYPE_LISTVALUE:
      return FreeKind::kList;
    default:
      return FreeKind::kNone;
  }
}

bool WriteFreeValue(std::string_view wire, FreeKind kind, Writer& out) {
  switch (kind) {
    case FreeKind::kAny:
      return WriteAny(wire, out);
    case FreeKind::kObject:
      return WriteObject(wire, out);
    case FreeKind::kList:
      return WriteList(wire, out);
    case FreeKind::kNone:
      return false;
  }
  return false;
}

}  // namespace gateway::json
