// A MessagePlan says how a message maps to JSON. It is compiled once from the message's descriptor
// and the options of pictory/jobs/v1/annotations.proto.
//
// A plan must not be asked for from a static initialiser: before the generated descriptor pool is
// complete, options read as empty, and stay so for the whole process. Call from main() on.
//
// The functions are thread-safe. Plans live as long as the process; so must the descriptor.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "google/protobuf/descriptor.h"
#include "json/free_value.h"
#include "pictory/jobs/v1/annotations.pb.h"

namespace gateway::json {

class MessagePlan;

struct FieldPlan {
  const google::protobuf::FieldDescriptor* field = nullptr;
  ::pictory::jobs::v1::FieldRole role = ::pictory::jobs::v1::FIELD_ROLE_UNSPECIFIED;
  google::protobuf::FieldDescriptor::CppType type{};
  bool repeated = false;
  bool map = false;        // map<string, string>
  bool presence = false;   // tells "not set" from zero
  int index = 0;           // into MessagePlan::fields()
  std::string key;         // when writing
  std::string quoted_key;  // `"key":`
  FreeKind free = FreeKind::kNone;
  const MessagePlan* message = nullptr;  // of a message field that is no free value
  const FieldPlan* string_as = nullptr;  // of that message: takes a bare string

  // Whether the value is, in JSON, a member under `key`.
  bool IsMember() const {
    return role == ::pictory::jobs::v1::FIELD_ROLE_UNSPECIFIED ||
           role == ::pictory::jobs::v1::FIELD_ROLE_RAW_JSON;
  }
};

class MessagePlan {
 public:
  struct Entry {
    std::string key;
    const FieldPlan* field = nullptr;
    bool alias = false;
  };

  const google::protobuf::Descriptor* descriptor() const { return descriptor_; }
  // In the order of declaration.
  const std::vector<FieldPlan>& fields() const { return fields_; }
  // The field with this number; nullptr if there is none.
  const FieldPlan* Numbered(std::uint32_t number) const {
    return number < by_number_.size() ? by_number_[number] : nullptr;
  }
  // Keys and aliases that reading knows. Where two arms of a oneof share a key, the first is read.
  const std::vector<Entry>& entries() const { return entries_; }
  // The index of a key in entries(), or -1.
  int Find(std::string_view key) const;

  const FieldPlan* items() const { return items_; }        // the message is an array in JSON
  const FieldPlan* raw_self() const { return raw_self_; }  // takes the bytes of the whole value
  const FieldPlan* FieldNamed(std::string_view name) const;

 private:
  friend class PlanCompiler;
  const google::protobuf::Descriptor* descriptor_ = nullptr;
  std::vector<FieldPlan> fields_;
  std::vector<const FieldPlan*> by_number_;
  std::vector<Entry> entries_;
  std::vector<std::int16_t> slots_;  // open addressing into entries_; size is a power of two
  const FieldPlan* items_ = nullptr;
  const FieldPlan* raw_self_ = nullptr;
};

// The plan of a message type. It and the plans of all that the message holds are compiled at the
// first call.
const MessagePlan& PlanOf(const google::protobuf::Descriptor* descriptor);

// The keys a JSON body of this type may have at its top level, aliases not included: for "did you
// mean".
std::vector<std::string> KnownKeys(const google::protobuf::Descriptor* descriptor);

// Ok if everything a service declares about REST is whole: every message that its submits and their
// results reach, and every binding. Otherwise INTERNAL, one line per fault, each with the full name
// of what is wrong. It caches nothing. The check is made at start-up, and by a test.
absl::Status CheckPlans(const google::protobuf::ServiceDescriptor* service);

// The same for one message type and all it holds.
absl::Status CheckPlans(const google::protobuf::Descriptor* message);

}  // namespace gateway::json
