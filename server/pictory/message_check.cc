#include "pictory/message_check.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <iterator>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/mutex.h"
#include "google/protobuf/unknown_field_set.h"
#include "json/free_value.h"
#include "json/proto_plan.h"
#include "pictory/bindings.h"
#include "pictory/free_check.h"
#include "pictory/jobs/v1/storyboard.pb.h"
#include "pictory/jobs/v1/template.pb.h"
#include "pictory/raw_check.h"
#include "pictory/url_rules.h"

namespace gateway::pictory {
namespace {

namespace v1 = ::pictory::jobs::v1;
using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

// The type that Pictory's pages ask of free JSON; where they ask none, any type will do.
json::Type ExpectedType(const FieldDescriptor* field) {
  switch (MappingOf(field).json_type()) {
    case v1::JSON_TYPE_OBJECT:
      return json::Type::kObject;
    case v1::JSON_TYPE_ARRAY:
      return json::Type::kArray;
    default:
      return json::Type::kAbsent;
  }
}

// What a field is checked for. Other fields may have any value.
enum class Look { kMessage, kFree, kFinite, kUrl, kRawJson, kExtraJson, kCharacters, kWebhook };

struct MessageLooks;

struct FieldLook {
  const FieldDescriptor* field = nullptr;
  Look look = Look::kMessage;
  json::Type expected = json::Type::kAbsent;  // of kRawJson
  const MessageLooks* message = nullptr;      // of kMessage
  std::string raw{};                          // of kFree: where the same is JSON text
};

// The fields of one message type that are looked at, in the order of their numbers. Asking a
// message for these alone costs a fraction of what listing all of its fields does.
struct MessageLooks {
  std::vector<FieldLook> fields;
  // Fields of which at most one may be set, by the name of their group.
  std::map<std::string, std::vector<const FieldDescriptor*>> groups;
};

std::size_t Characters(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  }));
}

std::string Joined(const std::vector<const FieldDescriptor*>& fields) {
  return absl::StrJoin(fields, ", ", [](std::string* out, const FieldDescriptor* field) {
    out->append(field->name());
  });
}

class LooksCompiler {
 public:
  // Types may hold one another: one that is begun is found, and filled later.
  const MessageLooks* Compile(const Descriptor* type) {
    const auto [at, fresh] = looks_.try_emplace(type);
    if (!fresh) return at->second.get();
    at->second = std::make_unique<MessageLooks>();
    MessageLooks* const looks = at->second.get();
    for (int i = 0; i < type->field_count(); ++i) {
      const FieldDescriptor* const field = type->field(i);
      Add(field, looks->fields);
      const std::string& group = MappingOf(field).exclusive();
      if (!group.empty()) looks->groups[group].push_back(field);
    }
    const auto number = [](const FieldLook& look) { return look.field->number(); };
    std::ranges::sort(looks->fields, {}, number);
    return looks;
  }

 private:
  void Add(const FieldDescriptor* field, std::vector<FieldLook>& looks) {
    if (field->is_map()) return;  // of strings, which say nothing to us
    const bool text = field->cpp_type() == FieldDescriptor::CPPTYPE_STRING;
    if (json::FreeKindOf(*field) != json::FreeKind::kNone) {
      looks.push_back({.field = field, .look = Look::kFree, .raw = RawBeside(field)});
    } else if (field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
      looks.push_back({field, Look::kMessage, {}, Compile(field->message_type())});
    } else if (field->cpp_type() == FieldDescriptor::CPPTYPE_DOUBLE && !field->is_repeated()) {
      looks.push_back({.field = field, .look = Look::kFinite});
    } else if (text && RoleOf(field) == v1::FIELD_ROLE_RAW_JSON) {
      looks.push_back({.field = field, .look = Look::kRawJson, .expected = ExpectedType(field)});
    } else if (text && RoleOf(field) == v1::FIELD_ROLE_SPLICE) {
      looks.push_back({.field = field, .look = Look::kExtraJson});
    } else if (text && field->name() == "webhook") {
      looks.push_back({.field = field, .look = Look::kWebhook});
    } else if (text && HoldsUrl(field)) {
      looks.push_back({.field = field, .look = Look::kUrl});
    } else if (text && (MappingOf(field).min_chars() > 0 || MappingOf(field).max_chars() > 0)) {
      looks.push_back({.field = field, .look = Look::kCharacters});
    }
  }

  // The field that takes the same as JSON text: `x_json` beside `x`, or that of the storyboard.
  static std::string RawBeside(const FieldDescriptor* field) {
    const std::string name = field->name() + "_json";
    return field->containing_type()->FindFieldByName(name) != nullptr ? name : "storyboard_json";
  }

  std::map<const Descriptor*, std::unique_ptr<MessageLooks>> looks_;
};

const MessageLooks& LooksOf(const Descriptor* type) {
  struct Shared {
    Mutex mutex;
    LooksCompiler compiler GUARDED_BY(mutex);
  };
  static auto* const shared = new Shared;
  const MutexLock lock(shared->mutex);
  return *shared->compiler.Compile(type);
}

class Walk {
 public:
  Walk(const TranslateOptions& options, Violations& violations)
      : options_(options), violations_(violations) {}

  void Visit(const Message& message, const MessageLooks& looks, const Path& path) {
    const auto* const reflection = message.GetReflection();
    NoteUnknown(message, *reflection, path);
    for (const auto& [name, group] : looks.groups) CheckGroup(message, group, path);
    for (const FieldLook& look : looks.fields) {
      if (violations_.full()) return;
      const FieldDescriptor* const field = look.field;
      const Path here = Under(path, field->name());
      if (!field->is_repeated()) {
        if (reflection->HasField(message, field)) VisitOne(message, *reflection, look, here);
        continue;
      }
      const int size = reflection->FieldSize(message, field);
      for (int i = 0; i < size && !violations_.full(); ++i) {
        VisitItem(message, *reflection, look, i, Item(here, i));
      }
    }
  }

 private:
  void NoteUnknown(const Message& message, const Reflection& reflection, const Path& path) {
    const auto& unknown = reflection.GetUnknownFields(message);
    for (int i = 0; i < unknown.field_count() && !violations_.full(); ++i) {
      const int number = unknown.field(i).number();
      violations_.Add(Under(path, absl::StrCat(number)),
                      absl::StrCat("field number ", number, " is not known in ",
                                   message.GetDescriptor()->full_name(),
                                   ": this server's .proto is older than yours"));
    }
  }

  void CheckGroup(const Message& message, const std::vector<const FieldDescriptor*>& group,
                  const Path& path) {
    const auto* const reflection = message.GetReflection();
    std::vector<const FieldDescriptor*> set;
    std::ranges::copy_if(group, std::back_inserter(set), [&](const FieldDescriptor* field) {
      return field->is_repeated() ? reflection->FieldSize(message, field) > 0
                                  : reflection->HasField(message, field);
    });
    if (set.size() <= 1) return;
    const bool top = path.Text().empty();
    violations_.Add(
        top ? Under(path, set.back()->name()) : path,
        absl::StrCat("takes at most one of ", Joined(group), "; set are ", Joined(set)));
  }

  // An empty message, of which a hostile request has thousands, is not checked.
  void VisitInner(const Message& inner, const MessageLooks& looks, const Path& path) {
    if (inner.ByteSizeLong() > 0) Visit(inner, looks, path);
  }

  void VisitItem(const Message& message, const Reflection& reflection, const FieldLook& look, int i,
                 const Path& path) {
    if (look.look == Look::kMessage) {
      VisitInner(reflection.GetRepeatedMessage(message, look.field, i), *look.message, path);
    } else if (look.look == Look::kUrl) {
      CheckUrl(reflection.GetRepeatedString(message, look.field, i), path);
    } else if (look.look == Look::kCharacters) {
      CheckCharacters(reflection.GetRepeatedString(message, look.field, i), look.field, path);
    }
  }

  void VisitOne(const Message& message, const Reflection& reflection, const FieldLook& look,
                const Path& path) {
    std::string scratch;
    const auto text = [&]() -> const std::string& {
      return reflection.GetStringReference(message, look.field, &scratch);
    };
    switch (look.look) {
      case Look::kMessage:
        return VisitInner(reflection.GetMessage(message, look.field), *look.message, path);
      case Look::kFree:
        return CheckFreeValue(path, reflection.GetMessage(message, look.field),
                              MappingOf(look.field).json_type(), look.raw, violations_);
      case Look::kFinite:
        if (!std::isfinite(reflection.GetDouble(message, look.field))) {
          violations_.Add(path, "must be a finite number");
        }
        return;
      case Look::kUrl:
        return CheckUrl(text(), path);
      case Look::kCharacters:
        return CheckCharacters(text(), look.field, path);
      case Look::kRawJson:
        CheckRawValue(path, text(), look.expected, violations_);
        return;
      case Look::kWebhook:
        violations_.Add(path, kWebhookIsOurs);
        return;
      case Look::kExtraJson:
        return CheckExtraJson(text(), look.field->containing_type(), path);
    }
  }

  // Proto3 strings without presence are not visited when empty; one with presence may be.
  void CheckExtraJson(const std::string& text, const Descriptor* owner, const Path& path) {
    const bool top = owner == v1::Storyboard::descriptor() ||
                     owner == v1::TemplateVideo::descriptor() || SubmitOf(owner) != nullptr;
    const auto own = [&plan = json::PlanOf(owner)](const std::string& key) {
      const int found = plan.Find(key);
      return found >= 0 && !plan.entries()[static_cast<std::size_t>(found)].alias;
    };
    CheckExtra(path, text, top, own, violations_);
  }

  void CheckCharacters(const std::string& text, const FieldDescriptor* field, const Path& path) {
    const v1::FieldMapping& mapping = MappingOf(field);
    const auto count = static_cast<std::int64_t>(Characters(text));
    if (count < mapping.min_chars()) {
      violations_.Add(path, absl::StrCat("has ", count, " characters; Pictory takes at least ",
                                         mapping.min_chars()));
    } else if (mapping.max_chars() > 0 && count > mapping.max_chars()) {
      violations_.Add(path, absl::StrCat("has ", count, " characters; Pictory takes at most ",
                                         mapping.max_chars()));
    }
  }

  void CheckUrl(const std::string& url, const Path& path) {
    std::string problem = UrlProblem(url, options_.allow_loopback_urls);
    if (!problem.empty()) violations_.Add(path, std::move(problem));
  }

  const TranslateOptions& options_;
  Violations& violations_;
};

}  // namespace

void CheckMessage(const Message& message, const Path& path, const TranslateOptions& options,
                  Violations& violations) {
  Walk(options, violations).Visit(message, LooksOf(message.GetDescriptor()), path);
}

}  // namespace gateway::pictory
