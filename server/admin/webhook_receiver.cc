#include "admin/webhook_receiver.h"

#include <utility>

#include "base/limits.h"
#include "pictory/callback.h"

namespace gateway::admin {
namespace {

http::ServerResponse Empty(int status) {
  http::ServerResponse response;
  response.status = status;
  return response;
}

}  // namespace

// Keeps the beginning; what follows is not read.
class WebhookReceiver::Body final : public http::BodySink {
 public:
  Body(WebhookReceiver& receiver, std::string path)
      : receiver_(receiver), path_(std::move(path)) {}

  Next Take(std::string_view piece) override {
    text_.append(piece.substr(0, limits::kCallbackBodyMaxBytes - text_.size()));
    return text_.size() < limits::kCallbackBodyMaxBytes ? Next::kMore : Next::kAnswer;
  }
  void Answer(const http::Responder& responder) override {
    responder.Send(Empty(204));
    receiver_.Look(path_, text_);
  }

 private:
  WebhookReceiver& receiver_;
  const std::string path_;
  std::string text_;
};

absl::StatusOr<std::unique_ptr<WebhookReceiver>> WebhookReceiver::Listen(
    const WebhookReceiverOptions& options, WebhookSeal seal) {
  http::ServerOptions server_options;
  server_options.name = "webhook listener";
  server_options.address = options.address;
  server_options.port = options.port;
  server_options.max_connections = limits::kCallbackConnectionsMax;
  server_options.max_header_bytes = limits::kCallbackHeadersMaxBytes;
  server_options.max_body_bytes = limits::kCallbackBodyMaxBytes;
  server_options.read_timeout = limits::kCallbackReadTimeout;
  server_options.write_timeout = limits::kCallbackWriteTimeout;
  server_options.idle_timeout = limits::kCallbackIdleTimeout;
  absl::StatusOr<std::unique_ptr<http::Server>> server =
      http::Server::Listen(std::move(server_options));
  if (!server.ok()) return server.status();
  return std::unique_ptr<WebhookReceiver>(
      new WebhookReceiver(*std::move(server), options.public_url, std::move(seal)));
}

WebhookReceiver::WebhookReceiver(std::unique_ptr<http::Server> server, std::string public_url,
                                 WebhookSeal seal)
    : seal_(std::move(seal)),
      url_(public_url.empty() ? "http://" + server->authority() : std::move(public_url)),
      server_(std::move(server)) {}

void WebhookReceiver::Serve(WebhookEvents events) {
  events_ = std::move(events);
  server_->Serve(
      [](const http::ServerRequest&, const http::Responder& responder) {
        http::ServerResponse response = Empty(405);
        response.headers.push_back({"Allow", "POST"});
        responder.Send(std::move(response));
      },
      [this](const http::ServerRequest& head) -> std::shared_ptr<http::BodySink> {
        if (head.method != "POST") return nullptr;
        return std::make_shared<Body>(*this, head.path);
      });
}

void WebhookReceiver::Look(std::string_view path, std::string_view body) {
  const std::optional<std::string_view> token = seal_.Open(path.substr(path.rfind('/') + 1));
  if (!token.has_value()) return Drop("forged");
  Take(std::string(*token), pictory::JobIdOfCallback(body));
}

void WebhookReceiver::Take(const std::string& token, std::string pictory_job_id) {
  if (const auto found = recent_.find(token); found != recent_.end()) {
    std::optional<std::string>& waiting = found->second;
    if (waiting.has_value()) Drop("repeated");
    if (!waiting.has_value() || !pictory_job_id.empty()) waiting = std::move(pictory_job_id);
    return;
  }
  if (recent_.size() < limits::kCallbackRecentMax) {
    recent_.emplace(token, std::nullopt);
    server_->After(limits::kCallbackInterval, [this, token] { AfterInterval(token); });
  }
  events_.called_back(token, pictory_job_id);
}

void WebhookReceiver::AfterInterval(const std::string& token) {
  const auto found = recent_.find(token);
  std::optional<std::string> waiting = std::move(found->second);
  recent_.erase(found);
  if (waiting.has_value()) Take(token, *std::move(waiting));
}

void WebhookReceiver::Drop(std::string_view why) {
  if (events_.dropped) events_.dropped(why);
}

}  // namespace gateway::admin
