// A Service is the inside of a Sandbox: it owns the parts, in the order in which they depend on
// each other, and sends each request to the one that answers it.
#pragma once

#include <memory>
#include <string>
#include <unordered_set>

#include "base/clock.h"
#include "http/server.h"
#include "sandbox/api.h"
#include "sandbox/faults.h"
#include "sandbox/film_maker.h"
#include "sandbox/job_book.h"
#include "sandbox/journal.h"
#include "sandbox/sandbox.h"
#include "sandbox/uploads.h"
#include "sandbox/webhooks.h"

namespace gateway::sandbox {

// Everything but construction and Stop runs on the server's thread.
class Service {
 public:
  static absl::StatusOr<std::unique_ptr<Service>> Start(SandboxOptions options);
  ~Service();

  const http::Server& server() const { return *server_; }
  const std::vector<std::uint16_t>& lost_ports() const { return lost_ports_; }
  const std::filesystem::path& ca_file() const { return ca_file_; }
  std::string origin() const { return scheme() + server_->authority(); }
  void Stop();

 private:
  Service(SandboxOptions options, std::unique_ptr<Journal> journal);
  void StartFilms();
  absl::Status StartUploads(std::shared_ptr<http::ServerTls> tls);
  std::string scheme() const { return options_.tls ? "https://" : "http://"; }

  void Answer(const http::ServerRequest& request, const http::Responder& responder);
  http::ServerResponse AnswerApi(const http::ServerRequest& request, std::string_view path);
  http::ServerResponse AnswerPage(const http::ServerRequest& request);
  void SendMedia(const http::ServerRequest& request, const http::Responder& responder);
  http::ServerResponse AnswerControl(const http::ServerRequest& request);
  http::ServerResponse AddFault(const std::string& body);
  http::ServerResponse Clean(const std::string& body);
  http::ServerResponse Preview(const Job* job);
  http::ServerResponse Share(const Job* job, const http::ServerRequest& request);
  http::ServerResponse Media(std::string_view id, std::string_view file);
  http::ServerResponse Clip(const Job& job);
  http::ServerResponse Front(const std::string& origin);
  std::string Stats() const;
  std::string JournalText() const;
  std::string OriginFor(const http::ServerRequest& request) const;

  SystemClock system_clock_;
  const SandboxOptions options_;
  const Clock& clock_;
  const std::unique_ptr<Journal> journal_;
  JobBook book_;
  Api api_;
  FaultRules faults_;
  std::unique_ptr<Uploads> uploads_;
  Webhooks webhooks_;
  const Job* accepted_ = nullptr;     // by the request under way; null: it made no job
  std::unique_ptr<FilmMaker> films_;  // null: no ffmpeg
  // Renders whose built-in clip somebody has begun to read: they keep it, because the parts of a
  // download must come from one file.
  std::unordered_set<std::string> plain_;
  // Requests for files of results, without and with a Range.
  std::uint64_t media_wholes_ = 0;
  std::uint64_t media_parts_ = 0;
  std::vector<std::uint16_t> lost_ports_;
  std::filesystem::path ca_file_;
  std::unique_ptr<http::Server> server_;  // last: stops before what its handler uses goes
};

}  // namespace gateway::sandbox
