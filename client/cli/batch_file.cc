#include "batch_file.h"

#include <google/protobuf/util/json_util.h>

#include <cctype>
#include <map>
#include <optional>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "base/ids.h"
#include "base/limits.h"
#include "json_text.h"
#include "name_hash.h"
#include "request_object.h"
#include "submit_commands.h"
#include "words.h"

namespace pictory_jobs::cli {
namespace {

using google::protobuf::Message;

constexpr char kBody[] = "body";  // also the name of the file that a command believes to read
constexpr std::size_t kReadableNameMaxBytes = 24;  // of a request_id's 64
constexpr char kLabels[] = "labels";
constexpr char kRequestId[] = "requestId";

// What stands on a line, before anything is made of it.
struct Given {
  std::string kind;
  std::optional<std::string_view> body;
  std::optional<std::string_view> request;
  std::string request_id;
  std::map<std::string, std::string> labels;
};

absl::Status Bad(const std::string& what) { return absl::InvalidArgumentError(what); }

absl::Status TakeLabels(std::string_view value, std::map<std::string, std::string>& labels) {
  if (JsonKind(value) != '{') return Bad("labels: must be an object of texts");
  for (const JsonMember& member : MembersOf(value)) {
    std::optional<std::string> text = JsonString(member.value);
    if (!text) return Bad(absl::StrCat("labels.", OneLine(member.key), ": must be a text"));
    labels[member.key] = *std::move(text);
  }
  return absl::OkStatus();
}

absl::Status TakeMember(const JsonMember& member, Given& given) {
  if (member.key == "kind" || member.key == kRequestId) {
    std::optional<std::string> text = JsonString(member.value);
    if (!text || text->empty()) return Bad(member.key + ": must be a text");
    (member.key == "kind" ? given.kind : given.request_id) = *std::move(text);
  } else if (member.key == kBody) {
    given.body = member.value;
  } else if (member.key == "request") {
    given.request = member.value;
  } else if (member.key == kLabels) {
    return TakeLabels(member.value, given.labels);
  } else {
    const std::string nearest = Nearest(
        member.key, std::vector<std::string>{"kind", kBody, "request", kRequestId, kLabels});
    return Bad(absl::StrCat(
        OneLine(member.key), ": is not known here",
        nearest.empty() ? "; Pictory's own members go into body" : "; did you mean " + nearest,
        nearest.empty() ? "" : "?"));
  }
  return absl::OkStatus();
}

absl::Status TakeLine(std::string_view line, Given& given) {
  if (line.size() > gateway::limits::kRequestMaxBytes) {
    return Bad(absl::StrCat("has ", line.size(), " bytes; the most a gateway takes are ",
                            gateway::limits::kRequestMaxBytes));
  }
  if (const auto error = CheckJson(line)) {
    return Bad(absl::StrCat("column ", error->column, ": this is not JSON: ", error->what));
  }
  if (JsonKind(line) != '{') return Bad("must be an object");
  std::map<std::string, int> seen;
  for (const JsonMember& member : MembersOf(line)) {
    if (++seen[member.key] > 1) return Bad(OneLine(member.key) + ": is there twice");
    if (absl::Status taken = TakeMember(member, given); !taken.ok()) return taken;
  }
  if (given.kind.empty()) return Bad("kind: is missing");
  if (given.body.has_value() == given.request.has_value()) {
    return Bad("give one of body (as Pictory documents it) and request (as the API has it)");
  }
  if (!given.request_id.empty() && !gateway::IsRequestId(given.request_id)) {
    return Bad("requestId: must be 1 to 64 of A-Z a-z 0-9 _ -");
  }
  return absl::OkStatus();
}

// The command that a line names: by its name, or by what it makes.
absl::StatusOr<const SubmitCommand*> CommandOf(const std::string& kind) {
  const std::optional<JobKind> named = ParseKind(kind);
  std::vector<std::string> names;
  for (const SubmitCommand& submit : SubmitCommands()) {
    if (named == submit.kind) return &submit;
    names.emplace_back(submit.name);
  }
  std::string known;
  for (const std::string& name : names) absl::StrAppend(&known, known.empty() ? "" : ", ", name);
  return Bad(absl::StrCat("kind: one of ", known, ", not '", OneLine(kind), "'"));
}

// As the command would build it of a file.
absl::StatusOr<SubmitRequest> FromBody(const SubmitCommand& submit, const Given& given,
                                       const Invocation& defaults) {
  Invocation invocation = defaults;
  invocation.command = Command::kSubmit;
  invocation.submit = &submit;
  invocation.source = kBody;
  invocation.labels.clear();  // SetLabels adds them below those of the line
  return submit.build(invocation, {[](const std::string&) { return true; },
                                   [&given](const std::string&) -> absl::StatusOr<std::string> {
                                     return std::string(*given.body);
                                   }});
}

absl::StatusOr<SubmitRequest> FromRequest(const SubmitCommand& submit, const Given& given,
                                          const Invocation& defaults) {
  if (JsonKind(*given.request) != '{') return Bad("request: must be an object");
  const auto* const service =
      v1::GetJobRequest::descriptor()->file()->FindServiceByName("PictoryJobs");
  const auto* const type = service->FindMethodByName(submit.call)->input_type();
  // Numbers of a message are doubles, and a free value's would be sent with other digits.
  if (const std::optional<std::string> where = FirstUnfitNumber(*given.request)) {
    const bool has_text = type->FindFieldByName("storyboard_json") != nullptr;
    return Bad(absl::StrCat(
        "request.", OneLine(*where), ": has more digits than a number can carry; leave some out, ",
        has_text ? "or give the storyboard as text, in storyboardJson (storyboard_json), or as body"
                 : "or give Pictory's own JSON as body"));
  }
  SubmitRequest request(
      google::protobuf::MessageFactory::generated_factory()->GetPrototype(type)->New());
  const auto read =
      google::protobuf::util::JsonStringToMessage(std::string(*given.request), request.get());
  if (!read.ok()) {
    return Bad(absl::StrCat("request: ", OneLine(std::string(read.message()))));
  }
  if (defaults.allow_unknown_fields) {
    request->GetReflection()->SetBool(request.get(), type->FindFieldByName("allow_unknown_fields"),
                                      true);
  }
  return request;
}

// Gives a request these labels and no others.
void PutLabels(Message& request, const std::map<std::string, std::string>& labels) {
  const auto* const field = request.GetDescriptor()->FindFieldByName("labels");
  const auto* const reflection = request.GetReflection();
  const auto* const entry = field->message_type();
  reflection->ClearField(&request, field);
  for (const auto& [name, text] : labels) {
    Message& one = *reflection->AddMessage(&request, field);
    one.GetReflection()->SetString(&one, entry->FindFieldByNumber(1), name);
    one.GetReflection()->SetString(&one, entry->FindFieldByNumber(2), text);
  }
}

// Looks at a storyboard that is sent as JSON text. The gateway would refuse what is wrong with it,
// but only when other lines are paid.
absl::Status CheckText(const Message& request, const std::string& name) {
  const auto* const reflection = request.GetReflection();
  const auto* const text = request.GetDescriptor()->FindFieldByName("storyboard_json");
  const auto* const allow = request.GetDescriptor()->FindFieldByName("allow_unknown_fields");
  if (text == nullptr || !reflection->HasField(request, text)) return absl::OkStatus();
  if (reflection->GetBool(request, allow)) return absl::OkStatus();
  return CheckStoryboard(reflection->GetString(request, text), name);
}

void PutRequestId(Message& request, const std::string& request_id) {
  request.GetReflection()->SetString(
      &request, request.GetDescriptor()->FindFieldByName("request_id"), request_id);
}

// The labels of the request itself stand before those of the line, and these before the command's.
absl::Status SetLabels(Message& request, std::map<std::string, std::string> labels,
                       const std::string& batch_label) {
  const auto* const field = request.GetDescriptor()->FindFieldByName("labels");
  const auto* const reflection = request.GetReflection();
  const auto* const entry = field->message_type();
  const auto* const key = entry->FindFieldByNumber(1);
  const auto* const value = entry->FindFieldByNumber(2);
  for (int i = 0; i < reflection->FieldSize(request, field); ++i) {
    const Message& one = reflection->GetRepeatedMessage(request, field, i);
    labels[one.GetReflection()->GetString(one, key)] = one.GetReflection()->GetString(one, value);
  }
  if (!labels.try_emplace(kBatchLabel, batch_label).second) {
    return Bad(absl::StrCat("labels.", kBatchLabel, ": is set by this command alone"));
  }
  if (labels.size() > gateway::limits::kLabelsMax) {
    return Bad(absl::StrCat("has ", labels.size(), " labels with those of the command and ",
                            kBatchLabel, "; ", gateway::limits::kLabelsMax, " are the most"));
  }
  PutLabels(request, labels);
  return absl::OkStatus();
}

// What a line asks for, with its own labels: those of the command are the same for all lines.
std::string ContentOf(const SubmitCommand& submit, const Given& given) {
  std::string content = absl::StrCat(submit.name, "\n", given.body ? kBody : "request", "\n",
                                     Canonical(given.body ? *given.body : *given.request));
  for (const auto& [key, value] : given.labels) {
    absl::StrAppend(&content, "\n", key.size(), ":", key, "=", value);
  }
  return content;
}

// How often each content was met.
using Occurrences = std::map<std::string, int>;

absl::StatusOr<BatchLine> ReadLine(std::string_view text, int number, const std::string& batch_name,
                                   const Invocation& defaults, Occurrences& occurrences) {
  Given given;
  if (absl::Status taken = TakeLine(text, given); !taken.ok()) return taken;
  const absl::StatusOr<const SubmitCommand*> submit = CommandOf(given.kind);
  if (!submit.ok()) return submit.status();
  BatchLine line{.number = number, .submit = *submit};
  absl::StatusOr<SubmitRequest> request =
      given.body ? FromBody(**submit, given, defaults) : FromRequest(**submit, given, defaults);
  if (!request.ok()) return request.status();
  line.request = *std::move(request);
  if (absl::Status good = CheckText(*line.request, given.body ? kBody : "request.storyboardJson");
      !good.ok()) {
    return good;
  }
  std::map<std::string, std::string> labels = given.labels;
  labels.insert(defaults.labels.begin(), defaults.labels.end());
  if (absl::Status set = SetLabels(*line.request, std::move(labels), BatchLabelValue(batch_name));
      !set.ok()) {
    return set;
  }

  const auto* const id = line.request->GetDescriptor()->FindFieldByName("request_id");
  const auto* const reflection = line.request->GetReflection();
  const std::string own = reflection->GetString(*line.request, id);
  if (!own.empty() && !given.request_id.empty() && own != given.request_id) {
    return Bad("requestId: stands in request, too, and is another there");
  }
  line.request_id = given.request_id.empty() ? own : given.request_id;
  if (line.request_id.empty()) {
    const std::string content = ContentOf(**submit, given);
    line.request_id = BatchRequestId(batch_name, content, ++occurrences[NameHash(content)]);
  }
  PutRequestId(*line.request, line.request_id);
  return line;
}

bool IsBlank(std::string_view text) {
  return text.find_first_not_of(" \t\r") == std::string_view::npos;
}

}  // namespace

void Rename(BatchLine& line, const std::string& request_id,
            const std::map<std::string, std::string>& labels) {
  line.request_id = request_id;
  PutRequestId(*line.request, request_id);
  PutLabels(*line.request, labels);
}

std::string BatchLabelValue(std::string_view batch_name) {
  std::string readable;
  for (const char c : batch_name.substr(0, kReadableNameMaxBytes)) {
    const bool plain = std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
    readable.push_back(plain ? c : '-');
  }
  return absl::StrCat(readable, "-", NameHash(batch_name));
}

std::string BatchRequestId(std::string_view batch_name, std::string_view content, int occurrence) {
  return absl::StrCat(BatchLabelValue(batch_name), "-", NameHash(content), "-", occurrence);
}

Batch ReadBatch(std::string_view text, const std::string& batch_name,
                const Invocation& invocation) {
  Batch batch;
  Invocation defaults = invocation;
  defaults.source.clear();
  std::map<std::string, int> by_request_id;
  Occurrences occurrences;
  int number = 0;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    const std::string_view line = text.substr(0, end);
    text = end == text.npos ? std::string_view() : text.substr(end + 1);
    ++number;
    if (IsBlank(line)) continue;
    if (number > gateway::limits::kBatchLinesMax) {
      batch.bad.push_back({number, absl::StrCat("a file may have ", gateway::limits::kBatchLinesMax,
                                                " lines; divide it")});
      break;
    }
    absl::StatusOr<BatchLine> read = ReadLine(line, number, batch_name, defaults, occurrences);
    if (read.ok()) {
      const auto [first, fresh] = by_request_id.try_emplace(read->request_id, number);
      if (!fresh) read = Bad(absl::StrCat("requestId: is that of line ", first->second));
    }
    if (read.ok()) {
      batch.lines.push_back(*std::move(read));
    } else {
      batch.bad.push_back({number, std::string(read.status().message())});
    }
  }
  return batch;
}

}  // namespace pictory_jobs::cli
