#include "face/openapi/document.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "face/openapi/schemas.h"
#include "json/writer.h"
#include "pictory/jobs/v1/annotations.pb.h"

namespace gateway::face {
namespace {

namespace v1 = ::pictory::jobs::v1;
using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::MethodDescriptor;
using google::protobuf::ServiceDescriptor;
using json::Writer;

constexpr char kStatusSchema[] =
    R"({"type":"object","description":"A google.rpc.Status.","properties":{)"
    R"("code":{"type":"integer","description":"The gRPC code, such as 5 for NOT_FOUND."},)"
    R"("message":{"type":"string","description":"What is wrong and what to do, for people."},)"
    R"("details":{"type":"array","description":"ErrorInfo has the reason, BadRequest the fields that )"
    R"(are wrong, RetryInfo when to try again.","items":{"type":"object","properties":{)"
    R"("@type":{"type":"string"}},"required":["@type"]}}},"required":["code","message","details"],)"
    R"("additionalProperties":false})";

constexpr char kTagHeader[] =
    R"({"ETag":{"description":"Is the same for as long as this is; `If-None-Match` takes it.",)"
    R"("schema":{"type":"string"}}})";

void Text(Writer& out, std::string_view key, std::string_view value) {
  if (value.empty()) return;
  out.Key(key);
  out.String(value);
}

std::string FirstSentence(const std::string& text) {
  const std::size_t end = text.find_first_of(".:");
  std::string first = text.substr(0, end);
  std::replace(first.begin(), first.end(), '\n', ' ');
  return first;
}

// The fields that a path names.
std::set<std::string> FieldsIn(std::string_view path) {
  std::set<std::string> fields;
  for (std::size_t at = 0; (at = path.find('{', at)) != std::string_view::npos; ++at) {
    fields.insert(std::string(path.substr(at + 1, path.find('}', at) - at - 1)));
  }
  return fields;
}

bool IsFile(const MethodDescriptor& method) {
  const auto* const data = method.output_type()->FindFieldByName("data");
  return method.server_streaming() && data != nullptr &&
         data->type() == FieldDescriptor::TYPE_BYTES;
}

// Whether a field can stand in a query as it is: it is a scalar, an enum or a time.
bool HasText(const FieldDescriptor& field) {
  return !field.is_map() && (field.cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE ||
                             field.message_type()->full_name() == "google.protobuf.Timestamp");
}

class DocumentWriter {
 public:
  DocumentWriter(const ServiceDescriptor& service, std::string& text)
      : service_(service), out_(text) {}

  void Write(std::string_view version) {
    out_.StartObject();
    Text(out_, "openapi", "3.1.0");
    out_.Key("info");
    out_.StartObject();
    Text(out_, "title", "Pictory jobs");
    Text(out_, "version", version);
    Text(out_, "description", CommentOf(service_));
    out_.EndObject();
    out_.Key("servers");
    out_.Raw(R"([{"url":"/"}])");
    // Whether callers are asked who they are is the operator's choice.
    out_.Key("security");
    out_.Raw(R"([{},{"bearer":[]}])");
    Paths();
    out_.Key("components");
    out_.StartObject();
    out_.Key("schemas");
    out_.StartObject();
    out_.Key("Status");
    out_.Raw(kStatusSchema);
    schemas_.WriteAll(out_);
    out_.EndObject();
    out_.Key("responses");
    out_.Raw(
        R"({"Error":{"description":"The call failed.","headers":{"Retry-After":{"description":)"
        R"("Seconds after which it is worth trying again.","schema":{"type":"integer"}}},)"
        R"("content":{"application/json":{"schema":{"$ref":"#/components/schemas/Status"}}}}})");
    out_.Key("securitySchemes");
    out_.Raw(R"({"bearer":{"type":"http","scheme":"bearer",)"
             R"("description":"An API key of this gateway, or a JWT."}})");
    out_.EndObject();
    out_.EndObject();
  }

 private:
  struct Place {
    const MethodDescriptor* method;
    std::string http_method;
    std::string name;  // of the operation
  };

  void Paths() {
    std::map<std::string, std::vector<Place>> paths;
    for (int i = 0; i < service_.method_count(); ++i) {
      const MethodDescriptor* const method = service_.method(i);
      int nth = 0;
      for (const v1::HttpRule& rule : method->options().GetExtension(v1::http).rules()) {
        std::string name = method->name();
        if (++nth > 1) name += std::to_string(nth);
        std::string http_method = rule.method();
        std::transform(http_method.begin(), http_method.end(), http_method.begin(),
                       [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
        paths[rule.path()].push_back({method, http_method, name});
      }
    }
    out_.Key("paths");
    out_.StartObject();
    for (const auto& [path, places] : paths) {
      out_.Key(path);
      out_.StartObject();
      for (const Place& place : places) Operation(path, place);
      out_.EndObject();
    }
    out_.EndObject();
  }

  void Operation(const std::string& path, const Place& place) {
    const std::string comment = CommentOf(*place.method);
    const std::set<std::string> in_path = FieldsIn(path);
    const bool body = place.http_method != "get" && place.http_method != "delete";
    out_.Key(place.http_method);
    out_.StartObject();
    Text(out_, "operationId", place.name);
    Text(out_, "summary", FirstSentence(comment));
    Text(out_, "description", comment);
    Parameters(place, in_path, body);
    if (body) Body(*place.method->input_type(), in_path);
    out_.Key("responses");
    out_.StartObject();
    Answers(*place.method, IsTagged(place));
    out_.Key("default");
    out_.Raw(R"({"$ref":"#/components/responses/Error"})");
    out_.EndObject();
    out_.EndObject();
  }

  void Parameters(const Place& place, const std::set<std::string>& in_path, bool body) {
    const MethodDescriptor& method = *place.method;
    const Descriptor& request = *method.input_type();
    out_.Key("parameters");
    out_.StartArray();
    for (int i = 0; i < request.field_count(); ++i) {
      const FieldDescriptor& field = *request.field(i);
      const bool named = in_path.contains(field.name());
      const bool offset = IsFile(method) && field.name() == "offset";  // Range is for that
      if (!named && (body || !HasText(field) || offset)) continue;
      out_.StartObject();
      Text(out_, "name", named ? field.name() : field.json_name());
      Text(out_, "in", named ? "path" : "query");
      Text(out_, "description", CommentOf(field));
      if (named) {
        out_.Key("required");
        out_.Bool(true);
      }
      out_.Key("schema");
      schemas_.Field(field, false, out_);
      out_.EndObject();
    }
    Header("Request-Timeout", "Seconds that the caller waits for the answer.",
           R"({"type":"number","exclusiveMinimum":0,"maximum":86400})");
    if (method.options().HasExtension(v1::job_method)) {
      Header("Idempotency-Key", "The `requestId`, where the body has none.",
             R"({"type":"string","pattern":"^[A-Za-z0-9_-]{1,64}$"})");
    }
    if (IsFile(method)) {
      Header("Range", "One part of the file, such as `bytes=0-1023`.", R"({"type":"string"})");
    } else if (method.server_streaming()) {
      Header("Last-Event-ID", "The id of the last event that was received, to go on after it.",
             R"({"type":"string"})");
    }
    if (IsTagged(place)) {
      Header("If-None-Match", "The `ETag` of an answer, which is not sent again if it is the same.",
             R"({"type":"string"})");
    }
    out_.EndArray();
  }

  void Header(const char* name, const char* description, const char* schema) {
    out_.StartObject();
    Text(out_, "name", name);
    Text(out_, "in", "header");
    Text(out_, "description", description);
    out_.Key("schema");
    out_.Raw(schema);
    out_.EndObject();
  }

  void Body(const Descriptor& request, const std::set<std::string>& in_path) {
    out_.Key("requestBody");
    out_.StartObject();
    out_.Key("required");
    out_.Bool(true);
    out_.Key("content");
    out_.StartObject();
    out_.Key("application/json");
    out_.StartObject();
    out_.Key("schema");
    out_.StartObject();
    if (in_path.empty()) {
      schemas_.Refer(request, out_);
    } else {
      schemas_.Object(request, in_path, out_);
    }
    for (int i = 0; i < 4; ++i) out_.EndObject();
  }

  void Answers(const MethodDescriptor& method, bool tagged) {
    if (IsFile(method)) {
      for (const auto& [status, words] : {std::pair{"200", "The whole file, with its own type."},
                                          std::pair{"206", "The part that Range asks for."}}) {
        out_.Key(status);
        out_.StartObject();
        Text(out_, "description", words);
        out_.Key("headers");
        out_.Raw(kTagHeader);
        out_.Key("content");
        out_.Raw(R"({"*/*":{}})");
        out_.EndObject();
      }
      NotModified();
      return;
    }
    out_.Key("200");
    out_.StartObject();
    if (!method.server_streaming()) {
      Text(out_, "description", "The call went well.");
      if (tagged) {
        out_.Key("headers");
        out_.Raw(kTagHeader);
      }
      Content("application/json", *method.output_type());
      out_.EndObject();
      if (tagged) NotModified();
      return;
    }
    Text(out_, "description",
         "The stream. As Server-Sent Events the data of each event is one message, and an event "
         "called `status` tells of an end that is an error; as lines each is one message, and the "
         "last may be `{\"error\":…}`.");
    out_.Key("content");
    out_.StartObject();
    out_.Key("text/event-stream");
    out_.Raw(R"({"schema":{"type":"string"}})");
    out_.Key("application/x-ndjson");
    out_.Raw(R"({"schema":{"type":"string"}})");
    out_.EndObject();
    out_.EndObject();
    out_.Key("204");
    out_.Raw(R"({"description":"There is nothing after `Last-Event-ID`, and never will be."})");
  }

  // Whether an answer has a tag, by which it need not be sent again.
  static bool IsTagged(const Place& place) {
    const MethodDescriptor& method = *place.method;
    return IsFile(method) || (place.http_method == "get" && !method.server_streaming() &&
                              method.output_type()->FindFieldByName("job") != nullptr);
  }

  void NotModified() {
    out_.Key("304");
    out_.Raw(R"({"description":"It is still as `If-None-Match` names it."})");
  }

  void Content(const char* type, const Descriptor& message) {
    out_.Key("content");
    out_.StartObject();
    out_.Key(type);
    out_.StartObject();
    out_.Key("schema");
    out_.StartObject();
    schemas_.Refer(message, out_);
    for (int i = 0; i < 3; ++i) out_.EndObject();
  }

  const ServiceDescriptor& service_;
  Writer out_;
  Schemas schemas_;
};

}  // namespace

std::string WriteDocument(const ServiceDescriptor& service, std::string_view version) {
  std::string text;
  DocumentWriter(service, text).Write(version);
  return text;
}

}  // namespace gateway::face
