#include "mcp/message.h"

#include <utility>
#include <vector>

#include "base/errors.h"
#include "json/api_reader.h"
#include "json/free_value.h"
#include "json/writer.h"
#include "pictory/jobs/internal/v1/mcp.pb.h"

namespace gateway::mcp {
namespace {

using google::protobuf::Struct;
using google::protobuf::Value;
using ::pictory::jobs::internal::v1::RpcMessage;

void Begin(json::Writer& out) {
  out.StartObject();
  out.Key("jsonrpc");
  out.String("2.0");
}

std::string Free(const std::string& wire, json::FreeKind kind) {
  std::string text;
  json::Writer out(text);
  return json::WriteFreeValue(wire, kind, out) && out.ok() ? text : "null";
}

bool CanBeId(const Value& id) {
  return id.kind_case() == Value::kStringValue || id.kind_case() == Value::kNumberValue;
}

}  // namespace

std::variant<Message, NoMessage> ReadMessage(std::string_view text) {
  RpcMessage read;
  const std::vector<errors::Violation> wrong = json::ReadApi(text, read);
  if (!wrong.empty() && wrong[0].field.empty() && !wrong[0].description.starts_with("must be")) {
    return NoMessage{ErrorCode::kParse, wrong[0].description};
  }
  NoMessage no{ErrorCode::kInvalidRequest, ""};
  if (!wrong.empty()) {
    no.why = wrong[0].field.empty() ? "a message is one object; batches are not taken"
                                    : wrong[0].field + " " + wrong[0].description;
    return no;
  }
  if (CanBeId(read.id())) no.id = JsonOf(read.id());
  if (read.jsonrpc() != "2.0") {
    no.why = "jsonrpc must be \"2.0\"";
  } else if (read.has_id() && !CanBeId(read.id())) {
    no.why = "id must be a text or a number";
  } else if (read.method().empty() && !(read.has_id() && (read.has_result() || read.has_error()))) {
    no.why = "there is neither a method, nor an id with a result or an error";
  } else if (!read.method().empty() && (read.has_result() || read.has_error())) {
    no.why = "a method has no result and no error beside it";
  }
  if (!no.why.empty()) return no;
  Message message;
  if (read.has_id()) message.id = JsonOf(read.id());
  message.method = read.method();
  message.params = std::move(*read.mutable_params());
  if (read.has_result()) message.result = std::move(*read.mutable_result());
  return message;
}

std::string ResultLine(std::string_view id, std::string_view result) {
  std::string text;
  json::Writer out(text);
  Begin(out);
  out.Key("id");
  out.Raw(id);
  out.Key("result");
  out.Raw(result);
  out.EndObject();
  return text;
}

std::string ErrorLine(std::string_view id, ErrorCode code, std::string_view message,
                      std::string_view data) {
  std::string text;
  json::Writer out(text);
  Begin(out);
  out.Key("id");
  out.Raw(id);
  out.Key("error");
  out.StartObject();
  out.Key("code");
  out.Int(static_cast<int>(code));
  out.Key("message");
  out.String(message);
  if (!data.empty()) {
    out.Key("data");
    out.Raw(data);
  }
  out.EndObject();
  out.EndObject();
  return text;
}

std::string RequestLine(std::string_view id, std::string_view method, std::string_view params) {
  std::string text;
  json::Writer out(text);
  Begin(out);
  out.Key("id");
  out.Raw(id);
  out.Key("method");
  out.String(method);
  out.Key("params");
  out.Raw(params);
  out.EndObject();
  return text;
}

std::string TextAt(const Struct& object, const std::string& key) {
  const auto found = object.fields().find(key);
  return found == object.fields().end() ? "" : found->second.string_value();
}

const Struct* ObjectAt(const Struct* object, const std::string& key) {
  if (object == nullptr) return nullptr;
  const auto found = object->fields().find(key);
  if (found == object->fields().end() || !found->second.has_struct_value()) return nullptr;
  return &found->second.struct_value();
}

std::string JsonOf(const Value& value) {
  return Free(value.SerializeAsString(), json::FreeKind::kAny);
}

std::string JsonOf(const Struct& object) {
  return Free(object.SerializeAsString(), json::FreeKind::kObject);
}

}  // namespace gateway::mcp
