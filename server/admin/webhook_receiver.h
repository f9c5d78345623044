// A WebhookReceiver takes Pictory's webhook calls. It is a listener of its own, for the one thing
// that comes from outside.
//
// The URL given to Pictory ends in a sealed token (webhook_seal.h). Whatever a POST is, its path,
// its body, known or forged, it is answered 204 without a body: strangers learn nothing. Only where
// a sealed token came is the answer given once what was said cannot be lost, and is 503 if it may
// be, so that Pictory may call again. Another method is answered 405 on every path. Only the last
// segment of a path counts, however it is written, because an ingress may put a prefix before it or
// take one away.
//
// A webhook call is a hint: one submission has news. Of its body, limits::kWebhookCallBodyMaxBytes
// are read, inflated if need be to as many, and searched for Pictory's job id, nothing else; a
// longer body (a transcription's holds all of the transcript) is answered like the others, and is a
// hint about a job whose id is known anyway. The webhook calls of one submission are handed on once
// in limits::kWebhookCallInterval, all ids named meanwhile together, so that a URL that has leaked
// costs a few reads and writes of the store a second, however often it is called.
//
// There is no TLS: an ingress in front has it. The receiver runs on one thread of its own.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "absl/status/statusor.h"
#include "admin/webhook_seal.h"
#include "http/server.h"

namespace gateway::admin {

struct WebhookReceiverOptions {
  std::string address = "127.0.0.1";
  std::uint16_t port = 0;  // 0: any free one
  // Under which Pictory reaches the listener, without a '/' at its end; empty: http and the
  // address.
  std::string public_url;
  // What else than an address, `localhost` and the host of that URL callers may send as Host, if
  // the listener is on loopback.
  std::vector<std::string> host_names{};
};

// The functions are called on the receiver's thread and must not block.
struct WebhookEvents {
  // A webhook call with a sealed token has come; bodies have named these ids of Pictory's. `done`
  // is told, once and from any thread, whether none of that can be lost any more.
  using Done = std::function<void(absl::Status)>;
  std::function<void(const std::string& token, std::vector<std::string> pictory_job_ids, Done done)>
      webhook_called;
  // A POST is dropped. `forged`: its path was not sealed here. `repeated`: it says nothing that
  // another one of the same submission, soon to be handed on, does not say. May be empty.
  std::function<void(std::string_view why)> dropped;
};

class WebhookReceiver {
 public:
  // Binds, so that URLs can be given out. Calls that come before Serve wait for it.
  static absl::StatusOr<std::unique_ptr<WebhookReceiver>> Listen(
      const WebhookReceiverOptions& options, WebhookSeal seal);

  // Begins to serve. It is called once, after Listen.
  void Serve(WebhookEvents events);
  // No event comes after it. It may be called twice, but not from an event.
  void Stop() { server_->Stop(); }

  // The URL that Pictory is to call for the submission with this token. May be called from any
  // thread.
  std::string UrlFor(std::string_view token) const { return url_ + "/" + seal_.Seal(token); }
  const std::string& url() const { return url_; }
  // "127.0.0.1:8082"
  std::string authority() const { return server_->authority(); }

 private:
  class Body;

  WebhookReceiver(std::unique_ptr<http::Server> server, std::string public_url, WebhookSeal seal);
  // What has come of one submission since it was handed on, which is less than an interval ago.
  struct Recent {
    std::vector<std::string> known;        // ids, handed on or waiting; at most limits::kHintsMax
    bool again = false;                    // the rest waits for the end of the interval
    std::vector<std::string> waiting;      // ids that nobody has been told yet,
    std::vector<http::Responder> callers;  // and who has named them
  };

  void Look(const Body& call, const http::Responder& responder);
  void Take(const std::string& token, const std::string& pictory_job_id,
            const http::Responder& responder);
  void HandOn(const std::string& token, std::vector<std::string> pictory_job_ids,
              std::vector<http::Responder> callers);
  void AfterInterval(const std::string& token);
  void Drop(std::string_view why);

  const WebhookSeal seal_;
  const std::string url_;
  WebhookEvents events_;
  std::unordered_map<std::string, Recent> recent_;  // by token
  std::unique_ptr<http::Server> server_;            // last: its handler uses the rest
};

}  // namespace gateway::admin
