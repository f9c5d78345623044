#include "pictory/message_check.h"

#include <cmath>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "absl/strings/str_cat.h"
#include "google/protobuf/unknown_field_set.h"
#include "json/proto_plan.h"
#include "pictory/bindings.h"
#include "pictory/jobs/v1/storyboard.pb.h"
#include "pictory/raw_check.h"
#include "pictory/url_rules.h"

namespace gateway::pictory {
namespace {

namespace v1 = ::pictory::jobs::v1;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

// The fields that hold URLs are those named so.
bool HoldsUrl(const FieldDescriptor* field) {
  const std::string_view name = field->name();
  const auto ends = [&](std::string_view tail) {
    return name.size() >= tail.size() && name.substr(name.size() - tail.size()) == tail;
  };
  return name == "url" || ends("_url") || ends("_urls");
}

// Where Pictory's pages say what free JSON must be; elsewhere anything goes.
json::Type ExpectedType(const FieldDescriptor* field) {
  static const auto* const kExpected = new std::map<std::string_view, json::Type>{
      {"pictory.jobs.v1.Storyboard.webhook_input_json", json::Type::kObject},
      {"pictory.jobs.v1.Scene.background_brolls_json", json::Type::kArray},
      {"pictory.jobs.v1.Scene.background_corpus_json", json::Type::kArray},
      {"pictory.jobs.v1.TranscribeRequest.transcript_json", json::Type::kArray},
      {"pictory.jobs.v1.SummarizeRequest.transcript_json", json::Type::kArray},
  };
  const auto found = kExpected->find(field->full_name());
  return found == kExpected->end() ? json::Type::kAbsent : found->second;
}

class Walk {
 public:
  Walk(const TranslateOptions& options, Violations& violations)
      : options_(options), violations_(violations) {}

  void Visit(const Message& message, const Path& path) {
    NoteUnknown(message, path);
    std::vector<const FieldDescriptor*> fields;
    message.GetReflection()->ListFields(message, &fields);
    for (const FieldDescriptor* const field : fields) {
      if (violations_.full()) return;
      const Path here = Under(path, field->name());
      if (field->is_map()) continue;  // of strings, which say nothing to us
      if (field->is_repeated()) {
        VisitList(message, field, here);
      } else {
        VisitOne(message, field, here);
      }
    }
  }

 private:
  void NoteUnknown(const Message& message, const Path& path) {
    const auto& unknown = message.GetReflection()->GetUnknownFields(message);
    for (int i = 0; i < unknown.field_count() && !violations_.full(); ++i) {
      const int number = unknown.field(i).number();
      violations_.Add(Under(path, absl::StrCat(number)),
                      absl::StrCat("field number ", number, " is not known in ",
                                   message.GetDescriptor()->full_name(),
                                   ": this server's .proto is older than yours"));
    }
  }

  void VisitList(const Message& message, const FieldDescriptor* field, const Path& path) {
    const auto* reflection = message.GetReflection();
    const int size = reflection->FieldSize(message, field);
    for (int i = 0; i < size && !violations_.full(); ++i) {
      if (field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
        Visit(reflection->GetRepeatedMessage(message, field, i), Item(path, i));
      } else if (field->cpp_type() == FieldDescriptor::CPPTYPE_STRING && HoldsUrl(field)) {
        CheckUrl(reflection->GetRepeatedString(message, field, i), Item(path, i));
      }
    }
  }

  void VisitOne(const Message& message, const FieldDescriptor* field, const Path& path) {
    const auto* reflection = message.GetReflection();
    switch (field->cpp_type()) {
      case FieldDescriptor::CPPTYPE_MESSAGE:
        Visit(reflection->GetMessage(message, field), path);
        return;
      case FieldDescriptor::CPPTYPE_DOUBLE:
        if (!std::isfinite(reflection->GetDouble(message, field))) {
          violations_.Add(path, "must be a finite number");
        }
        return;
      case FieldDescriptor::CPPTYPE_STRING: {
        std::string scratch;
        CheckText(reflection->GetStringReference(message, field, &scratch), field, path);
        return;
      }
      default:
        return;
    }
  }

  void CheckText(const std::string& text, const FieldDescriptor* field, const Path& path) {
    const v1::FieldRole role = RoleOf(field);
    if (role == v1::FIELD_ROLE_RAW_JSON) {
      CheckRawValue(path, text, ExpectedType(field), violations_);
    } else if (role == v1::FIELD_ROLE_SPLICE) {
      const auto* owner = field->containing_type();
      const bool top = owner == v1::Storyboard::descriptor() || SubmitOf(owner) != nullptr;
      // proto3 strings without presence are not listed when empty; one with presence may be.
      const auto own = [&plan = json::PlanOf(owner)](const std::string& key) {
        const int found = plan.Find(key);
        return found >= 0 && !plan.entries()[static_cast<std::size_t>(found)].alias;
      };
      CheckExtra(path, text, top, own, violations_);
    } else if (HoldsUrl(field)) {
      CheckUrl(text, path);
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
  Walk(options, violations).Visit(message, path);
}

}  // namespace gateway::pictory
