#include "mcp/http.h"

#include <cstdint>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "base/limits.h"
#include "face/request_of.h"
#include "face/status_json.h"
#include "http/server_request_head.h"

namespace gateway::mcp {
namespace {

constexpr std::string_view kPath = "/mcp";

http::ServerResponse Json(int status, std::string text) {
  http::ServerResponse response = http::TextResponse(status, "application/json", std::move(text));
  response.headers.push_back({"X-Content-Type-Options", "nosniff"});
  response.headers.push_back({"Cache-Control", "no-store"});
  return response;
}

// What the value of a header means: as it stands, or of other characters within `=?base64?…?=`.
std::string Decoded(const std::string& value) {
  constexpr std::string_view kBegin = "=?base64?";
  constexpr std::string_view kEnd = "?=";
  if (value.size() < kBegin.size() + kEnd.size() || !value.starts_with(kBegin) ||
      !value.ends_with(kEnd)) {
    return value;
  }
  std::string text;
  const auto inner =
      absl::string_view(value).substr(kBegin.size(), value.size() - kBegin.size() - kEnd.size());
  return absl::Base64Unescape(inner, &text) ? text : "";
}

// Proxies choose by the headers, so they must say what the body says. Empty: they do.
std::string Mismatch(const http::ServerRequest& request, const Message& message) {
  const bool tool = message.method == "tools/call";
  const bool task = message.method.starts_with("tasks/");
  const auto* const meta = ObjectAt(&message.params, "_meta");
  const std::pair<std::string_view, std::string> pairs[] = {
      {"mcp-protocol-version", TextAt(*meta, "io.modelcontextprotocol/protocolVersion")},
      {"mcp-method", message.method},
      {"mcp-name", TextAt(message.params, task ? "taskId" : "name")},
  };
  for (const auto& [name, value] : pairs) {
    if (name == "mcp-name" && !tool && !task) continue;
    const std::string* header = nullptr;
    int count = 0;
    for (const http::Header& each : request.headers) {
      if (each.name != name) continue;
      header = &each.value;
      ++count;
    }
    // The version before the last word on tasks did not ask for their name.
    if (count == 0 && task && name == "mcp-name") continue;
    if (count != 1 || Decoded(*header) != value) {
      return absl::StrCat("the header ", std::string(name), " does not say what the body says");
    }
  }
  return "";
}

// The status that the protocol of 2026-07-28 gives to an error.
int StatusOf(std::string_view line, std::string_view id) {
  const auto has = [&](ErrorCode code) {
    // As it is written, up to its message.
    const std::string begin = ErrorLine(id, code, "");
    return line.starts_with(std::string_view(begin).substr(0, begin.rfind(':')));
  };
  if (has(ErrorCode::kMethodNotFound)) return 404;
  for (const ErrorCode code :
       {ErrorCode::kParse, ErrorCode::kInvalidRequest, ErrorCode::kInvalidParams,
        ErrorCode::kHeaderMismatch, ErrorCode::kVersionUnknown}) {
    if (has(code)) return 400;
  }
  return 200;
}

}  // namespace

http::ServerResponse AnswerPost(Server& server, const http::ServerRequest& request) {
  const auto read = ReadMessage(request.body);
  if (const auto* const no = std::get_if<NoMessage>(&read)) {
    return Json(400, ErrorLine(no->id, no->code, no->why));
  }
  const auto& message = std::get<Message>(read);
  Peer peer(/*hears_requests=*/false);
  if (message.IsResponse() || message.IsNotification()) {
    (void)server.Handle(message, peer);
    http::ServerResponse taken;
    taken.status = 202;
    return taken;
  }
  if (!Server::IsModern(message)) return Json(200, server.Handle(message, peer));
  if (const std::string wrong = Mismatch(request, message); !wrong.empty()) {
    return Json(400, ErrorLine(message.id, ErrorCode::kHeaderMismatch, wrong));
  }
  std::string line = server.Handle(message, peer);
  const int status = StatusOf(line, message.id);
  return Json(status, std::move(line));
}

absl::StatusOr<std::unique_ptr<HttpDoor>> HttpDoor::Listen(Options options, Server& server) {
  http::ServerOptions listen;
  listen.name = "mcp";
  listen.address = options.host;
  listen.port = options.port;
  listen.max_connections = limits::kMcpConnectionsMax;
  listen.max_header_bytes = limits::kFaceHeadersMaxBytes;
  listen.max_body_bytes = limits::kMcpMessageMaxBytes;
  listen.host_names = options.rules.hosts;
  auto listener = http::Server::Listen(std::move(listen));
  if (!listener.ok()) return listener.status();
  std::unique_ptr<HttpDoor> door(new HttpDoor(std::move(options), server, *std::move(listener)));
  HttpDoor& d = *door;
  d.listener_->Serve([&d](http::ServerRequest request, const http::Responder& responder) {
    d.Take(std::move(request), responder);
  });
  return door;
}

HttpDoor::HttpDoor(Options options, Server& server, std::unique_ptr<http::Server> listener)
    : rules_(std::move(options.rules)),
      server_(server),
      listener_(std::move(listener)),
      workers_(limits::kMcpWorkers, limits::kMcpQueueMax) {}

HttpDoor::~HttpDoor() { listener_->Stop(); }

std::string HttpDoor::url() const {
  return absl::StrCat("http://", listener_->authority(), std::string(kPath));
}

// On the server's thread.
void HttpDoor::Take(http::ServerRequest request, const http::Responder& responder) {
  if (const face::WebVerdict verdict = face::Judge(request, rules_); !verdict.refusal.ok()) {
    return responder.Send(face::ErrorResponse(verdict.refusal));
  }
  if (http::PathOf(request) != kPath) {
    return responder.Send(face::ErrorResponse(errors::NoSuchPath(http::PathOf(request))));
  }
  if (request.method != "POST") {
    http::ServerResponse response =
        face::ErrorResponse(errors::MethodNotAllowed(request.method, "POST"));
    response.headers.push_back({"Allow", "POST"});
    return responder.Send(std::move(response));
  }
  if (const absl::Status type = face::CheckBodyType(request); !type.ok()) {
    return responder.Send(face::ErrorResponse(type));
  }
  const bool placed = workers_.TryPush([this, request = std::move(request), responder] {
    responder.Send(AnswerPost(server_, request));
  });
  if (placed) return;
  responder.Send(face::ErrorResponse(
      errors::TooMany("calls that wait", static_cast<std::int64_t>(limits::kMcpQueueMax),
                      limits::kFaceConnectionRetry)));
}

}  // namespace gateway::mcp
