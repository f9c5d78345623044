#include "admin/webhook_receiver.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "admin/webhook_path.h"
#include "base/limits.h"
#include "http/inflate.h"
#include "pictory/webhook_call.h"

namespace gateway::admin {
namespace {

http::ServerResponse Empty(int status) {
  http::ServerResponse response;
  response.status = status;
  return response;
}

// The host in a URL of the form scheme://host[:port][/path]; "" if there is none.
std::string HostIn(std::string_view url) {
  const std::size_t colon = url.find("://");
  if (colon == std::string_view::npos) return "";
  const std::string_view rest = url.substr(colon + 3);
  return std::string(rest.substr(0, rest.find_first_of(":/")));
}

}  // namespace

// A Body keeps the beginning of a request's body; what follows is not read.
class WebhookReceiver::Body final : public http::BodySink {
 public:
  Body(WebhookReceiver& receiver, const http::ServerRequest& head)
      : receiver_(receiver), path_(head.path) {
    if (const std::string* encoding = head.FindHeader("content-encoding")) encoding_ = *encoding;
  }

  Next Take(std::string_view piece) override {
    text_.append(piece.substr(0, limits::kWebhookCallBodyMaxBytes - text_.size()));
    return text_.size() < limits::kWebhookCallBodyMaxBytes ? Next::kMore : Next::kAnswer;
  }
  void Answer(const http::Responder& responder) override { receiver_.Look(*this, responder); }

  const std::string& path() const { return path_; }
  std::string Text() const {
    return http::InflatedBeginning(encoding_, text_, limits::kWebhookCallBodyMaxBytes);
  }

 private:
  WebhookReceiver& receiver_;
  const std::string path_;
  std::string encoding_;
  std::string text_;
};

absl::StatusOr<std::unique_ptr<WebhookReceiver>> WebhookReceiver::Listen(
    const WebhookReceiverOptions& options, WebhookSeal seal) {
  http::ServerOptions server_options;
  server_options.name = "webhook listener";
  server_options.address = options.address;
  server_options.port = options.port;
  server_options.max_connections = limits::kWebhookCallConnectionsMax;
  server_options.max_header_bytes = limits::kWebhookCallHeadersMaxBytes;
  server_options.max_body_bytes = limits::kWebhookCallBodyMaxBytes;
  server_options.read_timeout = limits::kWebhookCallReadTimeout;
  server_options.write_timeout = limits::kWebhookCallWriteTimeout;
  server_options.idle_timeout = limits::kWebhookCallIdleTimeout;
  server_options.host_names = options.host_names;
  server_options.host_names.push_back(HostIn(options.public_url));
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
        return std::make_shared<Body>(*this, head);
      });
}

void WebhookReceiver::Look(const Body& call, const http::Responder& responder) {
  const std::string segment = LastSegment(call.path());
  const std::optional<std::string_view> token = seal_.Open(segment);
  if (token.has_value())
    return Take(std::string(*token), pictory::JobIdOfWebhookCall(call.Text()), responder);
  responder.Send(Empty(204));
  Drop("forged");
}

void WebhookReceiver::Take(const std::string& token, const std::string& pictory_job_id,
                           const http::Responder& responder) {
  std::vector<std::string> ids;
  if (!pictory_job_id.empty()) ids.push_back(pictory_job_id);
  const auto found = recent_.find(token);
  if (found == recent_.end()) {
    if (recent_.size() < limits::kWebhookCallRecentMax) {
      recent_.emplace(token, Recent{.known = ids});
      server_->After(limits::kWebhookCallInterval, [this, token] { AfterInterval(token); });
    }
    return HandOn(token, std::move(ids), {responder});
  }
  Recent& recent = found->second;
  const bool fresh =
      !ids.empty() && recent.known.size() < limits::kHintsMax &&
      std::find(recent.known.begin(), recent.known.end(), ids[0]) == recent.known.end();
  if (fresh) {
    recent.known.push_back(ids[0]);
    recent.waiting.push_back(std::move(ids[0]));
    recent.callers.push_back(responder);
  } else {
    // Whoever calls without end must not hold connections.
    responder.Send(Empty(204));
    if (recent.again) Drop("repeated");
  }
  recent.again = true;
}

void WebhookReceiver::HandOn(const std::string& token, std::vector<std::string> pictory_job_ids,
                             std::vector<http::Responder> callers) {
  events_.webhook_called(token, std::move(pictory_job_ids),
                         [callers = std::move(callers)](const absl::Status& safe) {
                           for (const http::Responder& caller : callers) {
                             caller.Send(Empty(safe.ok() ? 204 : 503));
                           }
                         });
}

void WebhookReceiver::AfterInterval(const std::string& token) {
  const auto found = recent_.find(token);
  Recent recent = std::move(found->second);
  recent_.erase(found);
  if (!recent.again) return;
  recent_.emplace(token, Recent{.known = recent.waiting});
  server_->After(limits::kWebhookCallInterval, [this, token] { AfterInterval(token); });
  HandOn(token, std::move(recent.waiting), std::move(recent.callers));
}

void WebhookReceiver::Drop(std::string_view why) {
  if (events_.dropped) events_.dropped(why);
}

}  // namespace gateway::admin
