#include "face/events.h"

#include <algorithm>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/errors.h"
#include "face/request_of.h"
#include "face/status_json.h"
#include "json/api_writer.h"
#include "pictory/jobs/v1/annotations.pb.h"
#include "rpc/wire.h"

namespace gateway::face {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::MethodDescriptor;

constexpr char kHeartbeat[] = "heartbeat";
constexpr char kForms[] = "text/event-stream or application/x-ndjson";

// The text of the field at a path such as `job.revision`; "" if the message does not have it.
std::string TextAt(const Message& message, std::string_view path) {
  const Message* inside = &message;
  for (;;) {
    const std::size_t dot = std::min(path.find('.'), path.size());
    const auto* const field =
        inside->GetDescriptor()->FindFieldByName(std::string(path.substr(0, dot)));
    const auto& reflection = *inside->GetReflection();
    if (field == nullptr) return "";
    if (dot == path.size()) {
      if (field->cpp_type() == FieldDescriptor::CPPTYPE_INT32) {
        return std::to_string(reflection.GetInt32(*inside, field));
      }
      return field->cpp_type() == FieldDescriptor::CPPTYPE_STRING
                 ? reflection.GetString(*inside, field)
                 : "";
    }
    if (field->cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE ||
        !reflection.HasField(*inside, field)) {
      return "";
    }
    inside = &reflection.GetMessage(*inside, field);
    path.remove_prefix(dot + 1);
  }
}

std::string IdOf(const Message& message, const MethodDescriptor& method) {
  for (const std::string& path :
       method.options().GetExtension(::pictory::jobs::v1::http).event_id()) {
    std::string id = TextAt(message, path);
    if (!id.empty()) return id;
  }
  return "";
}

bool IsHeartbeat(const Message& message) {
  const auto* const field = message.GetDescriptor()->FindFieldByName(kHeartbeat);
  return field != nullptr && field->message_type() != nullptr &&
         message.GetReflection()->HasField(message, field);
}

// How much an entry of Accept wants a media type; 0: not at all.
double Wanted(absl::string_view entry, absl::string_view type) {
  const std::vector<absl::string_view> parts = absl::StrSplit(entry, ';');
  const std::string range = absl::AsciiStrToLower(absl::StripAsciiWhitespace(parts[0]));
  const bool fits =
      range == "*/*" || range == type ||
      (range.ends_with("/*") &&
       type.substr(0, type.find('/')) == absl::string_view(range).substr(0, range.size() - 2));
  if (!fits) return 0;
  for (std::size_t i = 1; i < parts.size(); ++i) {
    const absl::string_view part = absl::StripAsciiWhitespace(parts[i]);
    double quality = 1;
    if (part.substr(0, 2) == "q=" && absl::SimpleAtod(part.substr(2), &quality)) return quality;
  }
  return 1;
}

}  // namespace

absl::StatusOr<EventForm> EventFormOf(const std::string* accept) {
  if (accept == nullptr || accept->empty()) return EventForm::kSse;
  struct Form {
    const char* type;
    EventForm form;
  };
  static constexpr Form kKnown[] = {{"text/event-stream", EventForm::kSse},
                                    {"application/x-ndjson", EventForm::kLines},
                                    {"application/jsonl", EventForm::kLines},
                                    {"application/json", EventForm::kLines}};
  double best = 0;
  EventForm form = EventForm::kSse;
  for (const absl::string_view entry : absl::StrSplit(*accept, ',')) {
    for (const Form& known : kKnown) {
      const double wanted = Wanted(entry, known.type);
      if (wanted <= best) continue;
      best = wanted;
      form = known.form;
    }
  }
  if (best > 0) return form;
  return errors::NotAcceptable(*accept, kForms);
}

std::string_view ContentTypeOf(EventForm form) {
  return form == EventForm::kSse ? "text/event-stream" : "application/x-ndjson";
}

std::string EventText(const Message& message, const MethodDescriptor& method, EventForm form) {
  if (form == EventForm::kLines) return json::ApiJson(message) + "\n";
  const std::string id = IdOf(message, method);
  std::string text = IsHeartbeat(message) ? ": heartbeat\n" : "";
  if (!id.empty()) text += "id: " + id + "\n";
  if (!IsHeartbeat(message)) text += "data: " + json::ApiJson(message) + "\n";
  return text + "\n";
}

std::string EndText(const absl::Status& status, EventForm form) {
  if (status.ok()) return "";
  if (form == EventForm::kLines) return "{\"error\":" + StatusJson(status) + "}\n";
  std::string text;
  if (const Duration delay = errors::RetryDelay(status); delay > Duration::zero()) {
    const auto ms = std::chrono::ceil<std::chrono::milliseconds>(delay).count();
    text = absl::StrCat("retry: ", ms, "\n");
  }
  // `error` is the name of an event that browsers have of their own.
  return text + "event: status\ndata: " + StatusJson(status) + "\n\n";
}

EventBody::EventBody(std::shared_ptr<InsideCall> call, grpc::ByteBuffer first,
                     const MethodDescriptor& method, EventForm form,
                     std::function<absl::Status(absl::Status)> status_of)
    : call_(std::move(call)), method_(method), form_(form), status_of_(std::move(status_of)) {
  const auto message = NewMessage(*method.output_type());
  if (rpc::Parse(first, *message)) first_ = EventText(*message, method_, form_);
}

EventBody::~EventBody() { call_->Cancel(); }

std::string_view EventBody::Filler() const { return form_ == EventForm::kSse ? ":\n\n" : "\n"; }

void EventBody::Next(std::function<void(Piece)> ready) {
  if (!first_.empty()) return ready({.bytes = std::exchange(first_, "")});
  call_->Take([method = &method_, form = form_, status_of = status_of_,
               ready = std::move(ready)](InsideCall::Next next) {
    if (!next.message.has_value()) {
      return ready({.bytes = EndText(status_of(std::move(next.status)), form), .last = true});
    }
    const auto message = NewMessage(*method->output_type());
    if (!rpc::Parse(*next.message, *message)) return ready({.bytes = "", .broken = true});
    ready({.bytes = EventText(*message, *method, form)});
  });
}

}  // namespace gateway::face
