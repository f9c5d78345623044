// CheckPlans finds what protoc does not refuse, but the mapping cannot work with.
#include <map>
#include <set>
#include <string>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "json/proto_plan.h"

namespace gateway::json {

namespace pb = ::google::protobuf;
namespace v1 = ::pictory::jobs::v1;

namespace {

using Field = pb::FieldDescriptor;

const v1::FieldMapping& MappingOf(const Field* field) {
  return field->options().GetExtension(v1::rest);
}

bool IsMember(const Field* field) {
  const v1::FieldRole role = MappingOf(field).role();
  return role == v1::FIELD_ROLE_UNSPECIFIED || role == v1::FIELD_ROLE_RAW_JSON;
}

bool IsText(const Field* field) {
  return !field->is_repeated() && field->type() == Field::TYPE_STRING;
}

bool IsMessage(const Field* field) {
  return field->type() == Field::TYPE_MESSAGE && !field->is_map();
}

// The enum of this name in the same package; nullptr if there is none.
const pb::EnumDescriptor* EnumBeside(const pb::FileDescriptor* file, absl::string_view name) {
  return file->pool()->FindEnumTypeByName(absl::StrCat(file->package(), ".", name));
}

// Whether the message is part of a request to Pictory or of its answer.
bool IsMapped(const pb::Descriptor* message) {
  for (int i = 0; i < message->field_count(); ++i) {
    if (message->field(i)->options().HasExtension(v1::rest)) return true;
  }
  return false;
}

class Checker {
 public:
  // `request`: the message is the input of a submit, where PATH and BODY have a meaning.
  void Message(const pb::Descriptor* message, bool request) {
    if (!seen_.insert(message).second) return;
    std::map<v1::FieldRole, int> count;
    int members = 0;
    for (int i = 0; i < message->field_count(); ++i) {
      const Field* field = message->field(i);
      ++count[MappingOf(field).role()];
      if (IsMember(field)) ++members;
      OneField(field, request);
    }
    for (const auto& [role, name] : {std::pair{v1::FIELD_ROLE_SPLICE, "SPLICE"},
                                     std::pair{v1::FIELD_ROLE_RAW_SELF, "RAW_SELF"},
                                     std::pair{v1::FIELD_ROLE_ITEMS, "ITEMS"}}) {
      if (count[role] > 1) {
        Fault(message->full_name(), absl::StrCat("has two fields of role ", name));
      }
    }
    if (count[v1::FIELD_ROLE_ITEMS] > 0 && members + count[v1::FIELD_ROLE_SPLICE] > 0) {
      Fault(message->full_name(), "is an array by its ITEMS field, but has members too");
    }
    Keys(message);
  }

  void Service(const pb::ServiceDescriptor* service) {
    std::set<int> kinds;
    for (int i = 0; i < service->method_count(); ++i) {
      const pb::MethodDescriptor* method = service->method(i);
      if (!method->options().HasExtension(v1::job_method)) {
        MappedIn(method->input_type());
        MappedIn(method->output_type());
        continue;
      }
      const v1::JobMethod& job = method->options().GetExtension(v1::job_method);
      Message(method->input_type(), true);
      Kind(method, job, kinds);
      Bindings(method, job);
    }
    EveryKindIsMade(service, kinds);
    if (kinds.empty()) {
      Fault(service->full_name(),
            "has no method with job_method; options are lost if read before main()");
    }
    Unreached(service->file());
    for (int i = 0; i < service->file()->dependency_count(); ++i) {
      const pb::FileDescriptor* file = service->file()->dependency(i);
      if (file->package() == service->file()->package()) Unreached(file);
    }
  }

  // The first mapped messages on each way into a message of a call that makes no job.
  void MappedIn(const pb::Descriptor* message) {
    if (!passed_.insert(message).second) return;
    if (IsMapped(message)) return Message(message, false);
    for (int i = 0; i < message->field_count(); ++i) {
      if (IsMessage(message->field(i))) MappedIn(message->field(i)->message_type());
    }
  }

  absl::Status Result() const {
    if (faults_.empty()) return absl::OkStatus();
    return absl::InternalError(absl::StrJoin(faults_, "\n"));
  }

 private:
  void Fault(absl::string_view where, absl::string_view what) {
    faults_.push_back(absl::StrCat(where, ": ", what));
  }

  void OneField(const Field* field, bool request) {
    const v1::FieldMapping& mapping = MappingOf(field);
    const absl::string_view name = field->full_name();
    if (!IsMember(field) &&
        (mapping.aliases_size() > 0 || !mapping.key().empty() || !mapping.string_as().empty())) {
      Fault(name, "has a key, aliases or string_as, but its role is not in the JSON by key");
    }
    switch (mapping.role()) {
      case v1::FIELD_ROLE_UNSPECIFIED:
        Value(field);
        break;
      case v1::FIELD_ROLE_ITEMS:
        if (!field->is_repeated() || field->is_map()) Fault(name, "is ITEMS but not repeated");
        Value(field);
        break;
      case v1::FIELD_ROLE_RAW_JSON:
      case v1::FIELD_ROLE_SPLICE:
      case v1::FIELD_ROLE_RAW_SELF:
        if (!IsText(field)) Fault(name, "holds JSON text, but is not one string");
        break;
      case v1::FIELD_ROLE_PATH:
        if (!request) Fault(name, "is a PATH outside of a submit's request");
        if (!IsText(field)) Fault(name, "is a PATH but not one string");
        break;
      case v1::FIELD_ROLE_BODY:
        if (!request) Fault(name, "is a BODY outside of a submit's request");
        if (!IsText(field) && !(IsMessage(field) && !field->is_repeated())) {
          Fault(name, "is a BODY but neither one message nor one string");
        }
        if (field->real_containing_oneof() == nullptr) Fault(name, "is a BODY outside of a oneof");
        if (IsMessage(field)) Message(field->message_type(), false);
        break;
      case v1::FIELD_ROLE_CONTROL:
        break;
      default:
        Fault(name, "has a role this program does not know");
    }
    StringAs(field);
    Numbers(field);
    if (mapping.json_type() != v1::JSON_TYPE_UNSPECIFIED &&
        mapping.role() != v1::FIELD_ROLE_RAW_JSON && FreeKindOf(*field) != FreeKind::kAny) {
      Fault(name, "has a json_type, but is neither RAW_JSON nor a google.protobuf.Value");
    }
    if (mapping.required() && !(request && IsText(field))) {
      Fault(name, "is required, but not one string of a submit's request");
    }
  }

  // Checks the options that name a value of an enum by its number.
  void Numbers(const Field* field) {
    const v1::FieldMapping& mapping = MappingOf(field);
    const auto check = [&](int number, absl::string_view option, absl::string_view name) {
      const pb::EnumDescriptor* words = EnumBeside(field->file(), name);
      if (number == 0 || words == nullptr || words->FindValueByNumber(number) != nullptr) return;
      Fault(field->full_name(), absl::StrCat("has a ", option, " that is none: ", number));
    };
    check(mapping.job_kind(), "job_kind", "JobKind");
    check(mapping.part(), "part", "ResultPart");
    if (mapping.job_kind() != 0 && mapping.role() != v1::FIELD_ROLE_PATH) {
      Fault(field->full_name(), "names a job, but is no PATH");
    }
  }

  void Value(const Field* field) {
    if (field->is_map()) {
      const pb::Descriptor* entry = field->message_type();
      if (entry->map_key()->type() != Field::TYPE_STRING ||
          entry->map_value()->type() != Field::TYPE_STRING) {
        Fault(field->full_name(), "is a map of other than strings to strings");
      }
      return;
    }
    switch (field->type()) {
      case Field::TYPE_BOOL:
      case Field::TYPE_INT32:
      case Field::TYPE_DOUBLE:
        // They are packed on the wire, which the writer does not unpack.
        if (field->is_repeated()) break;
        return;
      case Field::TYPE_STRING:
        return;
      case Field::TYPE_MESSAGE:
        if (FreeKindOf(*field) != FreeKind::kNone && !field->is_repeated()) return;
        if (field->message_type()->file()->package() == "google.protobuf") break;
        // Lists under both keys would be merged, where everything else counts under its own key.
        if (!field->is_repeated() && MappingOf(field).aliases_size() > 0) {
          Fault(field->full_name(), "is one message, which cannot have aliases");
        }
        Message(field->message_type(), false);
        return;
      default:
        break;
    }
    Fault(field->full_name(), "has a type that the mapping does not write or read");
  }

  void StringAs(const Field* field) {
    const std::string& target = MappingOf(field).string_as();
    if (target.empty()) return;
    if (!IsMessage(field)) {
      Fault(field->full_name(), "has string_as but is no message");
      return;
    }
    const Field* text = field->message_type()->FindFieldByName(target);
    if (text == nullptr) {
      Fault(field->full_name(), absl::StrCat("has string_as of a missing field `", target, "`"));
    } else if (!IsText(text) || MappingOf(text).role() != v1::FIELD_ROLE_UNSPECIFIED) {
      Fault(field->full_name(), absl::StrCat("has string_as of `", target, "`, no plain string"));
    }
  }

  // Checks which field owns each key of one message. Two arms of a oneof may share the key they
  // write.
  void Keys(const pb::Descriptor* message) {
    std::map<std::string, const Field*> owner;
    for (int i = 0; i < message->field_count(); ++i) {
      const Field* field = message->field(i);
      if (!IsMember(field)) continue;
      const std::string& declared = MappingOf(field).key();
      const std::string key(declared.empty() ? field->json_name() : declared);
      const auto [other, fresh] = owner.try_emplace(key, field);
      if (fresh) continue;
      const pb::OneofDescriptor* oneof = field->real_containing_oneof();
      if (oneof == nullptr || oneof != other->second->real_containing_oneof()) {
        Fault(field->full_name(),
              absl::StrCat("has the key `", key, "` of ", other->second->name()));
      }
    }
    for (int i = 0; i < message->field_count(); ++i) {
      const Field* field = message->field(i);
      if (!IsMember(field)) continue;
      for (const std::string& alias : MappingOf(field).aliases()) {
        const auto [other, fresh] = owner.try_emplace(alias, field);
        if (alias.empty()) Fault(field->full_name(), "has an empty alias");
        if (!fresh) {
          Fault(field->full_name(),
                absl::StrCat("has the alias `", alias, "`, taken by ", other->second->name()));
        }
      }
    }
  }

  void EveryKindIsMade(const pb::ServiceDescriptor* service, const std::set<int>& kinds) {
    const pb::EnumDescriptor* words = EnumBeside(service->file(), "JobKind");
    for (int i = 0; words != nullptr && i < words->value_count(); ++i) {
      const pb::EnumValueDescriptor* kind = words->value(i);
      if (kind->number() > 0 && kinds.count(kind->number()) == 0) {
        Fault(kind->full_name(), "is a kind of job that no method makes");
      }
    }
  }

  void Kind(const pb::MethodDescriptor* method, const v1::JobMethod& job, std::set<int>& kinds) {
    kinds.insert(job.kind());
    const pb::EnumDescriptor* words = EnumBeside(method->file(), "JobKind");
    const pb::EnumValueDescriptor* word =
        words == nullptr ? nullptr : words->FindValueByNumber(job.kind());
    if (job.kind() <= 0 || (words != nullptr && word == nullptr)) {
      Fault(method->full_name(), absl::StrCat("has a kind that is none: ", job.kind()));
      return;
    }
    if (word == nullptr) return;
    std::string arm(word->name());
    arm = absl::AsciiStrToLower(arm.substr(arm.find("JOB_KIND_") == 0 ? 9 : 0));
    // The result of a kind is the arm of that name in the job that the method answers with.
    const pb::Descriptor* output = method->output_type();
    for (int i = 0; i < output->field_count(); ++i) {
      if (!IsMessage(output->field(i))) continue;
      const pb::OneofDescriptor* results =
          output->field(i)->message_type()->FindOneofByName("result");
      if (results == nullptr) continue;
      const Field* result = output->field(i)->message_type()->FindFieldByName(arm);
      if (result == nullptr || result->real_containing_oneof() != results || !IsMessage(result)) {
        Fault(method->full_name(), absl::StrCat("answers with no result `", arm, "`"));
      } else {
        Message(result->message_type(), false);
        NothingFree(result->message_type());
      }
    }
  }

  // Free values are written, and never read. Messages of results do not hold one another.
  void NothingFree(const pb::Descriptor* result) {
    for (int i = 0; i < result->field_count(); ++i) {
      const Field* field = result->field(i);
      if (FreeKindOf(*field) != FreeKind::kNone) {
        Fault(field->full_name(), "is a free value in a result, which would not be read");
      } else if (IsMessage(field)) {
        NothingFree(field->message_type());
      }
    }
  }

  void Bindings(const pb::MethodDescriptor* method, const v1::JobMethod& job) {
    const absl::string_view name = method->full_name();
    if (method->client_streaming() || method->server_streaming()) Fault(name, "is a stream");
    if (job.bindings_size() == 0) Fault(name, "has no bindings");
    const pb::OneofDescriptor* source = method->input_type()->FindOneofByName("source");
    std::set<std::string> bound;
    std::set<std::pair<std::string, int>> pairs;
    for (const v1::RestBinding& binding : job.bindings()) {
      bound.insert(binding.arm());
      if (!pairs.emplace(binding.arm(), binding.version()).second) {
        Fault(name, absl::StrCat("binds `", binding.arm(), "` twice for ",
                                 v1::PathVersion_Name(binding.version())));
      }
      OneBinding(method, source, binding);
    }
    for (int i = 0; source != nullptr && i < source->field_count(); ++i) {
      if (bound.count(std::string(source->field(i)->name())) == 0) {
        Fault(source->field(i)->full_name(), "is an arm of the source without a binding");
      }
    }
  }

  void OneBinding(const pb::MethodDescriptor* method, const pb::OneofDescriptor* source,
                  const v1::RestBinding& binding) {
    const absl::string_view name = method->full_name();
    static const std::set<std::string> kMethods = {"GET", "POST", "PUT", "PATCH", "DELETE"};
    if (binding.version() == v1::PATH_VERSION_UNSPECIFIED ||
        !v1::PathVersion_IsValid(binding.version())) {
      Fault(name, "has a binding without a version");
    }
    if (kMethods.count(binding.method()) == 0) {
      Fault(name, absl::StrCat("has a binding with the HTTP method `", binding.method(), "`"));
    }
    const Field* arm = nullptr;
    if (source == nullptr) {
      if (!binding.arm().empty()) Fault(name, "binds an arm, but its request has no `source`");
    } else {
      arm = method->input_type()->FindFieldByName(binding.arm());
      if (arm == nullptr || arm->real_containing_oneof() != source) {
        Fault(name, absl::StrCat("binds `", binding.arm(), "`, no arm of the source"));
        arm = nullptr;
      }
    }
    const bool inlined = InlineAs(method, source, arm, binding.inline_as());
    Path(method, arm, inlined, binding.path());
  }

  // True if the arm's job goes into the body, not into the path.
  bool InlineAs(const pb::MethodDescriptor* method, const pb::OneofDescriptor* source,
                const Field* arm, const std::string& inline_as) {
    if (inline_as.empty()) return false;
    const Field* target = method->input_type()->FindFieldByName(inline_as);
    if (target == nullptr || target->real_containing_oneof() != source ||
        MappingOf(target).role() != v1::FIELD_ROLE_RAW_JSON) {
      Fault(method->full_name(),
            absl::StrCat("has inline_as `", inline_as, "`, no arm of JSON text"));
    }
    if (arm == nullptr || MappingOf(arm).role() != v1::FIELD_ROLE_PATH) {
      Fault(method->full_name(), absl::StrCat("has inline_as for an arm that names no job"));
    }
    std::string part = absl::StrCat("RESULT_PART_", inline_as);
    absl::AsciiStrToUpper(&part);
    const pb::EnumDescriptor* parts = EnumBeside(method->file(), "ResultPart");
    if (parts != nullptr && parts->FindValueByName(part) == nullptr) {
      Fault(method->full_name(), absl::StrCat("has inline_as, but results have no ", part));
    }
    return true;
  }

  void Path(const pb::MethodDescriptor* method, const Field* arm, bool inlined,
            const std::string& path) {
    const absl::string_view name = method->full_name();
    if (path.empty() || path[0] != '/') Fault(name, absl::StrCat("has the path `", path, "`"));
    std::set<std::string> used;
    for (std::size_t at = 0; (at = path.find_first_of("{}", at)) != std::string::npos;) {
      const std::size_t end = path.find_first_of("{}", at + 1);
      if (path[at] != '{' || end == std::string::npos || path[end] != '}') {
        Fault(name, absl::StrCat("has a path with unpaired braces: ", path));
        return;
      }
      const std::string parameter = path.substr(at + 1, end - at - 1);
      const Field* field = method->input_type()->FindFieldByName(parameter);
      if (field == nullptr || MappingOf(field).role() != v1::FIELD_ROLE_PATH) {
        Fault(name,
              absl::StrCat("has the path parameter `", parameter, "`, no field of role PATH"));
      } else if (field->real_containing_oneof() != nullptr && field != arm) {
        Fault(name, absl::StrCat("has the path parameter `", parameter, "` of another arm"));
      }
      if (field == arm && inlined) {
        Fault(name, absl::StrCat("has `", parameter, "` in the path and in the body"));
      }
      used.insert(parameter);
      at = end + 1;
    }
    for (int i = 0; i < method->input_type()->field_count(); ++i) {
      const Field* field = method->input_type()->field(i);
      if (MappingOf(field).role() != v1::FIELD_ROLE_PATH) continue;
      if (used.count(std::string(field->name())) > 0) continue;
      if (field == arm && inlined) continue;
      if (field == arm || field->real_containing_oneof() == nullptr) {
        Fault(name, absl::StrCat("does not use ", field->name(), " in the path ", path));
      }
    }
  }

  // A mapping that nothing leads to is a mistake in what should lead to it.
  void Unreached(const pb::FileDescriptor* file) {
    for (int i = 0; i < file->message_type_count(); ++i) {
      const pb::Descriptor* message = file->message_type(i);
      if (seen_.count(message) > 0) continue;
      for (int f = 0; f < message->field_count(); ++f) {
        if (message->field(f)->options().HasExtension(v1::rest)) {
          Fault(message->field(f)->full_name(), "is mapped, but no submit or result leads to it");
        }
      }
    }
  }

  std::set<const pb::Descriptor*> seen_;
  std::set<const pb::Descriptor*> passed_;  // by MappedIn
  std::vector<std::string> faults_;
};

}  // namespace

absl::Status CheckPlans(const pb::ServiceDescriptor* service) {
  Checker checker;
  checker.Service(service);
  return checker.Result();
}

absl::Status CheckPlans(const pb::Descriptor* message) {
  Checker checker;
  checker.Message(message, false);
  return checker.Result();
}

}  // namespace gateway::json
