// Uploads stands in for Pictory's media store, which is Amazon's S3: it is an origin of its own, by
// its port, where a signed URL is the only credential, errors are XML, and an API key must not
// come.
//
// A PUT begins before the URL expires, and goes to disk as it arrives; afterwards a GET serves the
// file. A PUT that broke off may go on: asked with
// `Content-Range: bytes */TOTAL` and no body, the store answers 308 with `Range: bytes=0-LAST` (no
// Range: nothing is there yet), and takes the rest as `Content-Range: bytes FIRST-LAST/TOTAL`.
// Plain S3 cannot resume an upload; UploadOptions::resumable and the fault no_resume play that.
//
// Pictory's page says that a PUT must carry the Content-Type that was signed; its own sample has it
// in the query of the URL, and one of its programs sends another. So any is taken, and the fault
// strict_content_type plays the page.
//
// Sign, MissingIn and WriteStats are thread-safe. The faults see paths that begin with /public/.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "base/clock.h"
#include "base/limits.h"
#include "http/server.h"
#include "sandbox/api_reply.h"
#include "sandbox/faults.h"
#include "sandbox/upload_store.h"

namespace gateway::sandbox {

struct UploadOptions {
  std::string listen = "127.0.0.1";
  std::filesystem::path dir;  // empty: a temporary one
  std::chrono::seconds life = limits::kSignedUrlLife;
  std::uint64_t max_bytes = limits::kUploadMaxBytes;
  bool resumable = true;
  std::shared_ptr<http::ServerTls> tls = nullptr;  // null: plain
};

struct UploadStats {
  std::atomic<std::uint64_t> signed_urls{0};
  std::atomic<std::uint64_t> stored{0};
  std::atomic<std::uint64_t> bytes_received{0};
  std::atomic<std::uint64_t> refused{0};
  std::atomic<std::uint64_t> with_credentials{0};  // which a client must not send here
};

class Uploads {
 public:
  // Listens on the port of the last time, so that old links stay good, or else on any free one.
  // `clock` and `faults` must outlive the store.
  static absl::StatusOr<std::unique_ptr<Uploads>> Start(UploadOptions options, const Clock& clock,
                                                        FaultRules& faults);
  ~Uploads();
  void Stop();

  // Answers POST /v1/media/generateUrl. `origin` is how the caller names this machine.
  ApiReply Sign(const std::string& body, const std::string& origin);
  // The first text in `body` that is a file of this store which was not there at that time; "" if
  // there is none.
  std::string MissingIn(const Value& body, WallTime at) const;
  // Writes members into an object that is open.
  void WriteStats(JsonOut& out) const;
  std::uint16_t port() const { return server_->port(); }
  std::uint16_t lost_port() const { return lost_port_; }  // as KeptPort::lost

  // The options, for the store's sinks.
  const UploadOptions& options() const { return options_; }
  const Clock& clock() const { return clock_; }
  FaultRules& faults() { return faults_; }
  UploadStore& store() { return *store_; }
  UploadStats& stats() { return stats_; }

 private:
  Uploads(UploadOptions options, const Clock& clock, FaultRules& faults,
          std::unique_ptr<UploadStore> store)
      : options_(std::move(options)), clock_(clock), faults_(faults), store_(std::move(store)) {}
  absl::Status Listen();
  void Serve();
  void Answer(const http::ServerRequest& request, const http::Responder& responder);

  const UploadOptions options_;
  const Clock& clock_;
  FaultRules& faults_;
  const std::unique_ptr<UploadStore> store_;
  UploadStats stats_;
  std::unique_ptr<http::Server> server_;  // last: stops before what its handler uses goes
  std::uint16_t lost_port_ = 0;
};

}  // namespace gateway::sandbox
