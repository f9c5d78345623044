#include "request_object.h"

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <string_view>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/limits.h"
#include "json_text.h"
#include "pictory_jobs/job.h"
#include "words.h"

namespace pictory_jobs::cli {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using Fields = std::map<std::string, const FieldDescriptor*>;

constexpr std::array<std::string_view, 1> kWebhook = {"webhook"};
constexpr char kWebhookIsOurs[] = "is the gateway's own; use --watch, or `pictory watch JOB`";

const v1::FieldMapping& MappingOf(const FieldDescriptor* field) {
  return field->options().GetExtension(v1::rest);
}

std::string KeyOf(const FieldDescriptor* field) {
  const std::string& key = MappingOf(field).key();
  return std::string(key.empty() ? field->json_name() : key);
}

// The fields that are members of the body, by each of their keys. Of two that share one, such as a
// transcript in fields and as JSON text, the text is taken: it keeps the bytes.
Fields MembersOfBody(const google::protobuf::Descriptor* type) {
  Fields fields;
  for (int i = 0; i < type->field_count(); ++i) {
    const FieldDescriptor* const field = type->field(i);
    const v1::FieldMapping& mapping = MappingOf(field);
    const bool raw = mapping.role() == v1::FIELD_ROLE_RAW_JSON;
    if (!raw && mapping.role() != v1::FIELD_ROLE_UNSPECIFIED) continue;
    fields.try_emplace(KeyOf(field), field);
    if (raw) fields[KeyOf(field)] = field;
    for (const std::string& alias : mapping.aliases()) fields.try_emplace(alias, field);
  }
  return fields;
}

const char* Put(std::string_view value, const FieldDescriptor* field, Message& to);

const char* PutText(std::string_view value, const FieldDescriptor* field, Message& to) {
  const auto* const reflection = to.GetReflection();
  const v1::FieldMapping& mapping = MappingOf(field);
  if (mapping.role() == v1::FIELD_ROLE_RAW_JSON) {
    const v1::JsonType type = mapping.json_type();
    if (type == v1::JSON_TYPE_ARRAY && JsonKind(value) != '[') return "must be an array";
    if (type == v1::JSON_TYPE_OBJECT && JsonKind(value) != '{') return "must be an object";
    reflection->SetString(&to, field, std::string(value));
    return nullptr;
  }
  auto text = JsonString(value);
  if (!text) return field->is_repeated() ? "must be an array of strings" : "must be a string";
  if (field->is_repeated()) {
    reflection->AddString(&to, field, *std::move(text));
  } else {
    reflection->SetString(&to, field, *std::move(text));
  }
  return nullptr;
}

const char* PutNumber(std::string_view value, const FieldDescriptor* field, Message& to) {
  if (field->cpp_type() == FieldDescriptor::CPPTYPE_INT32) {
    const auto number = JsonInteger(value);
    if (!number) return "must be a whole number";
    to.GetReflection()->SetInt32(&to, field, *number);
    return nullptr;
  }
  const auto number = JsonNumber(value);
  if (!number) return "must be a number";
  if (!FitsDouble(value)) return "has more digits than a number can carry; leave some out";
  to.GetReflection()->SetDouble(&to, field, *number);
  return nullptr;
}

const char* PutBool(std::string_view value, const FieldDescriptor* field, Message& to) {
  if (value != "true" && value != "false") return "must be true or false";
  to.GetReflection()->SetBool(&to, field, value == "true");
  return nullptr;
}

const char* PutMessage(std::string_view value, const FieldDescriptor* field, Message& to) {
  if (JsonKind(value) != '{') {
    return field->is_repeated() ? "must be an array of objects" : "must be an object";
  }
  const Fields known = MembersOfBody(field->message_type());
  Message& inner = field->is_repeated() ? *to.GetReflection()->AddMessage(&to, field)
                                        : *to.GetReflection()->MutableMessage(&to, field);
  for (const JsonMember& member : MembersOf(value)) {
    const auto found = known.find(member.key);
    if (found == known.end()) return "has a member that Pictory does not know";
    if (const char* wanted = Put(member.value, found->second, inner)) return wanted;
  }
  return nullptr;
}

// Puts one value into a field, or one element into a list; or says what it should have been.
const char* PutOne(std::string_view value, const FieldDescriptor* field, Message& to) {
  switch (field->cpp_type()) {
    case FieldDescriptor::CPPTYPE_STRING:
      return PutText(value, field, to);
    case FieldDescriptor::CPPTYPE_INT32:
    case FieldDescriptor::CPPTYPE_DOUBLE:
      return PutNumber(value, field, to);
    case FieldDescriptor::CPPTYPE_BOOL:
      return PutBool(value, field, to);
    case FieldDescriptor::CPPTYPE_MESSAGE:
      return PutMessage(value, field, to);
    default:
      return "cannot be given in a file; use the command's options";
  }
}

const char* Put(std::string_view value, const FieldDescriptor* field, Message& to) {
  if (!field->is_repeated()) return PutOne(value, field, to);
  if (JsonKind(value) != '[') return "must be an array";
  for (const std::string_view element : ElementsOf(value)) {
    if (const char* wanted = PutOne(element, field, to)) return wanted;
  }
  return nullptr;
}

// Sets a text field that every submit's request has.
void SetExtra(Message& request, const std::string& members) {
  const auto* const extra = request.GetDescriptor()->FindFieldByName("extra_json");
  request.GetReflection()->SetString(&request, extra, "{" + members + "}");
}

bool AllowsUnknown(const Message& request) {
  const auto* const field = request.GetDescriptor()->FindFieldByName("allow_unknown_fields");
  return request.GetReflection()->GetBool(request, field);
}

std::vector<std::string> KeysOf(const Fields& fields) {
  std::vector<std::string> keys;
  for (const auto& [key, field] : fields) keys.push_back(key);
  return keys;
}

// What the .proto says must be there, and is not.
std::string Missing(const Message& request) {
  std::string missing;
  const auto* const type = request.GetDescriptor();
  for (int i = 0; i < type->field_count(); ++i) {
    const FieldDescriptor* const field = type->field(i);
    if (!MappingOf(field).required()) continue;
    if (!request.GetReflection()->GetString(request, field).empty()) continue;
    absl::StrAppend(&missing, "\n  ", KeyOf(field), ": is missing");
  }
  return missing;
}

std::string NotKnown(const std::string& key, const Fields& known) {
  const std::string nearest = Nearest(key, KeysOf(known));
  return nearest.empty()
             ? "Pictory knows no such field here; --allow-unknown-fields sends it anyway"
             : "is not known; did you mean " + nearest + "?";
}

absl::Status Wrong(const std::string& name, const std::string& wrong) {
  return absl::InvalidArgumentError(absl::StrCat(name, ": the request is wrong:", wrong));
}

// Whether an object has one of these members.
template <std::size_t N>
bool HasAny(const std::vector<JsonMember>& members, const std::array<std::string_view, N>& keys) {
  return std::any_of(members.begin(), members.end(), [&](const JsonMember& member) {
    return std::find(keys.begin(), keys.end(), member.key) != keys.end();
  });
}

// Whether a storyboard is Pictory's v1: by a member that v2 does not have.
bool IsOfV1(const std::vector<JsonMember>& members) {
  constexpr std::array<std::string_view, 6> kTop = {
      "audio",      "autoHighlightKeywords", "brandLogo",
      "textStyles", "splitTextOnNewLine",    "splitTextOnPeriod"};
  constexpr std::array<std::string_view, 4> kScene = {"text", "articleUrl", "article_url",
                                                      "backgroundUri"};
  if (HasAny(members, kTop)) return true;
  for (const JsonMember& member : members) {
    if (member.key != "scenes" || JsonKind(member.value) != '[') continue;
    for (const std::string_view scene : ElementsOf(member.value)) {
      if (JsonKind(scene) == '{' && HasAny(MembersOf(scene), kScene)) return true;
    }
  }
  return false;
}

// Finds the members that a message of this API does not have, at every depth.
class UnknownFinder {
 public:
  void Look(const std::vector<JsonMember>& members, const google::protobuf::Descriptor* type,
            const std::string& path) {
    const Fields& known = FieldsOf(type);
    for (const JsonMember& member : members) {
      const std::string place = absl::StrCat(path, path.empty() ? "" : ".", member.key);
      const auto found = known.find(member.key);
      if (found == known.end()) {
        if (++count_ > gateway::limits::kViolationsMax) return;
        absl::StrAppend(&wrong_, "\n  ", OneLine(place), ": ", NotKnown(member.key, known));
        continue;
      }
      const google::protobuf::Descriptor* const inner = found->second->message_type();
      // What is not of this API has no shape: google.protobuf.Struct and its like.
      if (inner == nullptr || found->second->is_map() || inner->file()->package() != kPackage) {
        continue;
      }
      if (JsonKind(member.value) == '{') Look(MembersOf(member.value), inner, place);
      if (JsonKind(member.value) != '[' || !found->second->is_repeated()) continue;
      int element = 0;
      for (const std::string_view value : ElementsOf(member.value)) {
        const std::string at = absl::StrCat(place, "[", element++, "]");
        if (JsonKind(value) == '{') Look(MembersOf(value), inner, at);
      }
    }
  }
  const std::string& wrong() const { return wrong_; }

 private:
  static constexpr std::string_view kPackage = "pictory.jobs.v1";

  const Fields& FieldsOf(const google::protobuf::Descriptor* type) {
    const auto [at, fresh] = fields_.try_emplace(type);
    if (fresh) at->second = MembersOfBody(type);
    return at->second;
  }

  std::map<const google::protobuf::Descriptor*, Fields> fields_;
  std::string wrong_;
  std::size_t count_ = 0;
};

}  // namespace

absl::Status CheckStoryboard(const std::string& text, const std::string& name) {
  if (CheckJson(text).has_value() || JsonKind(text) != '{') return absl::OkStatus();
  const std::vector<JsonMember> members = MembersOf(text);
  if (IsOfV1(members)) return absl::OkStatus();
  UnknownFinder finder;
  finder.Look(members, v1::Storyboard::descriptor(), "");
  std::string wrong = finder.wrong();
  if (HasAny(members, kWebhook)) absl::StrAppend(&wrong, "\n  webhook: ", kWebhookIsOurs);
  return wrong.empty() ? absl::OkStatus() : Wrong(name, wrong);
}

absl::Status ReadObject(const std::string& text, const std::string& name, Message& request) {
  const Fields known = MembersOfBody(request.GetDescriptor());
  std::string wrong;
  const auto complain = [&wrong](const std::string& key, const std::string& what) {
    absl::StrAppend(&wrong, "\n  ", OneLine(key), ": ", what);
  };
  std::set<std::string> seen;
  std::string extra;
  for (const JsonMember& member : MembersOf(text)) {
    if (!seen.insert(member.key).second) {
      complain(member.key, "is there twice");
    } else if (member.key == "webhook") {
      complain(member.key, kWebhookIsOurs);
    } else if (const auto found = known.find(member.key); found != known.end()) {
      if (JsonKind(member.value) == 'n') continue;  // null: as if it were not there
      if (const char* wanted = Put(member.value, found->second, request)) {
        complain(member.key, wanted);
      }
    } else if (AllowsUnknown(request)) {
      absl::StrAppend(&extra, extra.empty() ? "" : ",", std::string(member.whole));
    } else {
      complain(member.key, NotKnown(member.key, known));
    }
  }
  if (!extra.empty()) SetExtra(request, extra);
  if (wrong.empty()) wrong = Missing(request);
  return wrong.empty() ? absl::OkStatus() : Wrong(name, wrong);
}

}  // namespace pictory_jobs::cli
