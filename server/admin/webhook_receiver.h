// Where Pictory calls back: a listener of its own, for the one thing that comes from outside.
//
// The URL given to Pictory ends in a sealed token (webhook_seal.h). Whatever a POST is, its path, its
// body, known or forged, it is answered 204 without a body, and nothing is waited for: strangers learn
// nothing. Another method is answered 405 on every path. Only the last segment of a path counts,
// because an ingress may put a prefix before it or take one away.
//
// A callback is a hint: one submission has news. Of its body, limits::kCallbackBodyMaxBytes are read
// and searched for Pictory's job id, nothing else; a longer body (a transcription's holds all of the
// transcript) is answered like the others, and is a hint about a job whose id is known anyway. Those
// of one submission are handed on once in limits::kCallbackInterval, the last of them included, so that
// a URL that has leaked costs a few reads of the store a second, however often it is called.
//
// No TLS: an ingress in front has it. Runs on one thread of its own.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "absl/status/statusor.h"
#include "admin/webhook_seal.h"
#include "http/server.h"

namespace gateway::admin {

struct WebhookReceiverOptions {
  std::string address = "127.0.0.1";
  std::uint16_t port = 0;  // 0: any free one
  // Under which Pictory reaches the listener, without a '/' at its end; empty: http and the address.
  std::string public_url;
};

// Called on the receiver's thread; must not block.
struct WebhookEvents {
  // A sealed token came, with Pictory's id of the job, or "" if the body names none.
  std::function<void(const std::string& token, const std::string& pictory_job_id)> called_back;
  // A POST that is dropped: `forged`, nobody sealed its path here; or `repeated`, a later one of the
  // same submission is handed on instead. May be empty.
  std::function<void(std::string_view why)> dropped;
};

class WebhookReceiver {
 public:
  // Binds, so that URLs can be given out; whoever calls waits until Serve.
  static absl::StatusOr<std::unique_ptr<WebhookReceiver>> Listen(
      const WebhookReceiverOptions& options, WebhookSeal seal);

  // Once, after Listen.
  void Serve(WebhookEvents events);
  // No event comes after it. Safe to call twice; not from an event.
  void Stop() { server_->Stop(); }

  // Where Pictory is to call for the submission with this token. Any thread.
  std::string UrlFor(std::string_view token) const { return url_ + "/" + seal_.Seal(token); }
  const std::string& url() const { return url_; }
  // "127.0.0.1:8082"
  std::string authority() const { return server_->authority(); }

 private:
  class Body;

  WebhookReceiver(std::unique_ptr<http::Server> server, std::string public_url, WebhookSeal seal);
  void Look(std::string_view path, std::string_view body);
  void Take(const std::string& token, std::string pictory_job_id);
  void AfterInterval(const std::string& token);
  void Drop(std::string_view why);

  const WebhookSeal seal_;
  const std::string url_;
  WebhookEvents events_;
  // The tokens handed on within the last interval; what has come since waits for its end.
  std::unordered_map<std::string, std::optional<std::string>> recent_;
  std::unique_ptr<http::Server> server_;  // last: its handler uses the rest
};

}  // namespace gateway::admin
