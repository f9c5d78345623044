// Schemas writes the JSON schemas of messages and enums, and remembers which it was asked for. It
// is not thread-safe.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "google/protobuf/descriptor.h"
#include "json/writer.h"

namespace gateway::face {

// What the .proto says above a message, a field, a method and so on; "" if nothing.
template <class Descriptor>
std::string CommentOf(const Descriptor& of);

class Schemas {
 public:
  // `place` is where WriteAll's members will stand in the document.
  explicit Schemas(std::string place = "#/components/schemas/") : place_(std::move(place)) {}

  // Members of an object that is a reference to the schema of a message or enum.
  void Refer(const google::protobuf::Descriptor& message, json::Writer& out);
  // The schema of one field's value, with its comment if `described`.
  void Field(const google::protobuf::FieldDescriptor& field, bool described, json::Writer& out);
  // The members of an object's schema, without the fields named in `without`.
  void Object(const google::protobuf::Descriptor& message, const std::set<std::string>& without,
              json::Writer& out);
  // All schemas that were referred to, as members of an object, in the order of their names.
  void WriteAll(json::Writer& out);

 private:
  void One(const google::protobuf::FieldDescriptor& field, json::Writer& out);
  void Message(const google::protobuf::FieldDescriptor& field, json::Writer& out);
  void Enum(const google::protobuf::EnumDescriptor& values, json::Writer& out);

  const std::string place_;
  std::map<std::string, const google::protobuf::Descriptor*> messages_;
  std::map<std::string, const google::protobuf::EnumDescriptor*> enums_;
};

template <class Descriptor>
std::string CommentOf(const Descriptor& of) {
  google::protobuf::SourceLocation place;
  if (!of.GetSourceLocation(&place)) return "";
  std::string text;
  for (const char c : place.leading_comments) {
    const bool begins = text.empty() || text.back() == '\n';
    if (!begins || c != ' ') text += c;
  }
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.pop_back();
  return text;
}

}  // namespace gateway::face
