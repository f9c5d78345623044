// The Sandbox stands in for Pictory: it is an HTTP server with the same contract, so that
// everything can be tried and tested without an account, offline.
//
// It is written from Pictory's published contract alone and shares no translation code with the
// gateway, so it is a second opinion on what Pictory expects and answers. What it serves:
//   /pictoryapis/…    Pictory's API (api.h), of all its generations (results.h)
//   /v2/preview/…, /v2/share/…, /v2/project/…, /v2/edit/…, /media/…   what its results link to;
//     /v2/share/… is a page to whoever asks for text/html, the video itself to everybody else
//   another port      the media store, where files are uploaded (uploads.h)
//   /                 a front page
//   /sandbox/faults   faults on demand: GET, POST, DELETE (faults.h)
//   /sandbox/journal  everything accepted; /sandbox/stats  what was asked how often
// The paths outside /pictoryapis need no credentials: listen on loopback.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "base/clock.h"
#include "base/limits.h"

namespace gateway::sandbox {

struct SandboxOptions {
  std::string listen = "127.0.0.1";
  std::uint16_t port = 0;  // 0: that of the last time with this state_dir, else any free one
  std::filesystem::path state_dir;  // journal, films, uploads, ports; empty: nothing is kept
  double speed = 1;                 // how many times faster jobs run
  // Decides job ids and drawn faults. 0: a random one. With a fixed seed and without a state_dir,
  // a restarted sandbox gives the same ids again.
  std::uint64_t seed = 0;
  double requests_per_second = 2000;  // beyond: 429
  // The one key that is accepted. Empty: any `pictai_…` key but those with "bad" in them.
  std::string api_key = "pictai_sandbox";
  // The one pair that gets access tokens. Empty: anything but what has "bad" in it.
  std::string client_id;
  std::string client_secret;
  // Both `api_key` and `client_id` are accepted with `_NAME` behind them, too, and each name is an
  // account of its own.
  bool accounts = false;
  // How long a token is good, at least a second; `speed` does not scale it. Tokens end with the
  // process.
  std::chrono::seconds token_lifetime{3600};
  bool use_ffmpeg = true;  // if there is one: films show the story's words
  // Options of the media store (uploads.h).
  std::chrono::seconds upload_life = limits::kSignedUrlLife;
  std::uint64_t upload_max_bytes = limits::kUploadMaxBytes;
  bool resumable_uploads = true;
  // Serves over TLS, and links are https. An authority of its own is kept in state_dir, which must
  // be given, and issues a certificate for this machine, `listen` and `tls_names`.
  bool tls = false;
  std::vector<std::string> tls_names;
  const Clock* clock = nullptr;  // for tests; must outlive the sandbox. Null: the machine's
};

class Service;

// Thread-safe.
class Sandbox {
 public:
  // The sandbox serves when Start returns. Errors name the address and port, or the state
  // directory.
  static absl::StatusOr<std::unique_ptr<Sandbox>> Start(SandboxOptions options);
  ~Sandbox();  // stops
  Sandbox(const Sandbox&) = delete;
  Sandbox& operator=(const Sandbox&) = delete;

  std::string base_url() const;  // "http://127.0.0.1:PORT/pictoryapis"; https with `tls`
  std::string origin() const;    // the same without the path
  std::uint16_t port() const;
  // With `tls`: the authority's certificate, which clients are to trust. Else empty.
  const std::filesystem::path& ca_file() const;
  // Ports of the last time with this state directory that somebody else has now: links to them are
  // dead.
  const std::vector<std::uint16_t>& lost_ports() const;
  // Ends every connection and joins the threads. It may be called twice.
  void Stop();

 private:
  explicit Sandbox(std::unique_ptr<Service> service);
  std::unique_ptr<Service> service_;
};

}  // namespace gateway::sandbox
