#include "face/request_of.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <set>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "base/limits.h"
#include "google/protobuf/descriptor.h"
#include "json/api_reader.h"
#include "pictory/did_you_mean.h"
#include "pictory/jobs/v1/annotations.pb.h"
#include "tenants/caller_key.h"
#include "tenants/identify.h"

namespace gateway::face {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using Violations = std::vector<errors::Violation>;

constexpr json::ApiReadOptions kReading{.nearest = pictory::ClosestWord};
constexpr std::string_view kIdempotencyKey = "idempotency-key";
constexpr std::string_view kTimeoutHeader = "request-timeout";

// What rpc/ reads of a call's metadata, by the names that they have over HTTP too.
constexpr std::array<std::string_view, 14> kPassed = {tenants::kAuthorizationHeader,
                                                      tenants::kXfccHeader,
                                                      tenants::kCallerKeyHeader,
                                                      kIdempotencyKey,
                                                      "traceparent",
                                                      "tracestate",
                                                      "b3",
                                                      "x-b3-traceid",
                                                      "x-b3-spanid",
                                                      "x-b3-sampled",
                                                      "x-b3-flags",
                                                      "x-request-id",
                                                      "x-envoy-attempt-count",
                                                      "grpc-previous-rpc-attempts"};

const FieldDescriptor* FieldCalled(const Descriptor& type, const std::string& name) {
  if (const FieldDescriptor* const field = type.FindFieldByName(name)) return field;
  for (int i = 0; i < type.field_count(); ++i) {
    if (type.field(i)->json_name() == name) return type.field(i);
  }
  return nullptr;
}

std::string UnknownParameter(const Descriptor& type, const std::string& name) {
  std::vector<std::string> known;
  for (int i = 0; i < type.field_count(); ++i) {
    known.emplace_back(type.field(i)->json_name());
    known.emplace_back(type.field(i)->name());
  }
  const std::string nearest = pictory::ClosestWord(name, known);
  return nearest.empty() ? "is not known here"
                         : absl::StrCat("is not known here; did you mean ", nearest, "?");
}

// A map's entry: `labels.team=video`.
std::string StoreEntry(const FieldDescriptor& field, const std::string& key,
                       const std::string& value, Message& request) {
  Message& entry = *request.GetReflection()->AddMessage(&request, &field);
  const auto& reflection = *entry.GetReflection();
  reflection.SetString(&entry, field.message_type()->map_key(), key);
  reflection.SetString(&entry, field.message_type()->map_value(), value);
  return "";
}

void StoreQuery(const RequestTexts& texts, Message& request, Violations& wrong) {
  const Descriptor& type = *request.GetDescriptor();
  std::set<std::string> seen;  // names, and keys of maps
  for (const auto& [name, value] : texts.query) {
    const std::size_t dot = std::min(name.find('.'), name.size());
    const FieldDescriptor* const field = FieldCalled(type, name.substr(0, dot));
    std::string problem;
    if (field == nullptr || (dot < name.size() && !field->is_map())) {
      problem = UnknownParameter(type, name);
    } else if (texts.route.takes_body()) {
      problem = "belongs into the body of this request";
    } else if (field->is_map() && dot == name.size()) {
      problem = absl::StrCat("is given entry by entry, such as ", name, ".key=value");
    } else if (!field->is_repeated() || field->is_map()) {
      const std::string once =
          absl::StrCat(std::string(field->name()), dot < name.size() ? name.substr(dot) : "");
      if (!seen.insert(once).second) problem = "is there twice";
    }
    if (problem.empty()) {
      problem = field->is_map() ? StoreEntry(*field, name.substr(dot + 1), value, request)
                                : json::ReadApiText(value, *field, request, kReading);
    }
    if (!problem.empty()) wrong.push_back({name, std::move(problem)});
  }
}

bool IsThere(const Message& request, const FieldDescriptor& field) {
  const auto& reflection = *request.GetReflection();
  return field.is_repeated() ? reflection.FieldSize(request, &field) > 0
                             : reflection.HasField(request, &field);
}

// A field of the path excludes the others of its oneof, which setting it would clear.
void StoreCaptures(const RequestTexts& texts, Message& request, Violations& wrong) {
  for (const auto& [name, text] : texts.captures) {
    const FieldDescriptor& field = *request.GetDescriptor()->FindFieldByName(name);
    const auto* const group = field.real_containing_oneof();
    const FieldDescriptor* const other =
        group == nullptr ? nullptr
                         : request.GetReflection()->GetOneofFieldDescriptor(request, group);
    if (other != nullptr || IsThere(request, field)) {
      wrong.push_back({std::string(other == nullptr ? field.json_name() : other->json_name()),
                       absl::StrCat("must not be there, because the path gives ",
                                    std::string(field.json_name()))});
      continue;
    }
    std::string problem = json::ReadApiText(text, field, request, kReading);
    if (!problem.empty()) wrong.push_back({name, std::move(problem)});
  }
}

void StoreResume(const RequestTexts& texts, Message& request, Violations& wrong) {
  const std::string& name =
      texts.route.method->options().GetExtension(::pictory::jobs::v1::http).resume();
  if (texts.resume_after.empty() || name.empty()) return;
  const FieldDescriptor& field = *request.GetDescriptor()->FindFieldByName(name);
  if (IsThere(request, field)) return;
  std::string problem = json::ReadApiText(texts.resume_after, field, request, kReading);
  if (!problem.empty()) wrong.push_back({"Last-Event-ID", std::move(problem)});
}

bool IsLegalMetadata(std::string_view value) {
  return std::all_of(value.begin(), value.end(), [](char c) { return c >= 0x20 && c < 0x7F; });
}

}  // namespace

std::unique_ptr<Message> NewMessage(const Descriptor& type) {
  const Message* const prototype =
      google::protobuf::MessageFactory::generated_factory()->GetPrototype(&type);
  return std::unique_ptr<Message>(prototype->New());
}

Violations ReadRequest(const RequestTexts& texts, Message& request) {
  Violations wrong;
  const bool blank = texts.body.find_first_not_of(" \t\r\n") == std::string_view::npos;
  if (!blank && texts.route.takes_body()) wrong = json::ReadApi(texts.body, request, kReading);
  if (!blank && !texts.route.takes_body()) {
    wrong.push_back({"", "a " + texts.route.http_method +
                             " has no body here; what it asks for stands in the query"});
  }
  StoreQuery(texts, request, wrong);
  StoreCaptures(texts, request, wrong);
  StoreResume(texts, request, wrong);
  return wrong;
}

absl::StatusOr<HeadFacts> ReadHead(const std::vector<http::Header>& headers,
                                   std::string_view tenant_header) {
  HeadFacts facts;
  Violations wrong;
  bool timed = false;
  bool keyed = false;
  for (const http::Header& header : headers) {
    std::string value = header.value;
    if (header.name == kTimeoutHeader) {
      double seconds = 0;
      if (timed || !absl::SimpleAtod(value, &seconds) || !(seconds > 0) ||
          seconds > limits::kFaceCallerTimeoutMax.count()) {
        wrong.push_back({"Request-Timeout", "must be one number of seconds, at most 86400"});
      } else {
        facts.deadline =
            std::chrono::duration_cast<Duration>(std::chrono::duration<double>(seconds));
      }
      timed = true;
      continue;
    }
    const bool passed = std::find(kPassed.begin(), kPassed.end(), header.name) != kPassed.end() ||
                        (!tenant_header.empty() && header.name == tenant_header);
    if (!passed) continue;
    if (!IsLegalMetadata(value)) {
      wrong.push_back({header.name, "may have printable ASCII characters only"});
      continue;
    }
    // The header's own draft has the key in quotes.
    if (header.name == kIdempotencyKey && value.size() >= 2 && value.front() == '"' &&
        value.back() == '"') {
      value = value.substr(1, value.size() - 2);
    }
    // Who sends a key means to pay once; so one that cannot be that key is not passed over.
    if (header.name == kIdempotencyKey && (keyed || value.empty())) {
      wrong.push_back({"Idempotency-Key", "must be one key, 1 to 64 of [A-Za-z0-9_-]"});
    }
    keyed = keyed || header.name == kIdempotencyKey;
    facts.metadata.emplace_back(header.name, std::move(value));
  }
  if (!wrong.empty()) return errors::Invalid(std::move(wrong));
  return facts;
}

absl::Status CheckBodyType(const http::ServerRequest& head) {
  const std::string* const length = head.FindHeader("content-length");
  const bool none = head.FindHeader("transfer-encoding") == nullptr &&
                    (length == nullptr || length->find_first_not_of('0') == std::string::npos);
  // A page can send an empty POST to anybody, and some of those cost money.
  const bool reads = head.method == "GET" || head.method == "HEAD" || head.method == "DELETE";
  if (none && reads) return absl::OkStatus();
  const std::string* const coding = head.FindHeader("content-encoding");
  if (coding != nullptr && absl::AsciiStrToLower(*coding) != "identity") {
    return errors::RequestCompressed();
  }
  const std::string* const type = head.FindHeader("content-type");
  const std::string given = type == nullptr ? "" : absl::AsciiStrToLower(*type);
  const std::size_t end = std::min(given.find(';'), given.size());
  const auto media = absl::StripAsciiWhitespace(absl::string_view(given).substr(0, end));
  std::string charset;
  for (const char c : std::string_view(given).substr(end)) {
    if (c != ' ' && c != '"' && c != ';') charset += c;
  }
  const bool utf8 = charset.empty() || charset == "charset=utf-8" || charset == "charset=utf8";
  if (media == "application/json" && utf8) return absl::OkStatus();
  return errors::NotJson(given);
}

}  // namespace gateway::face
