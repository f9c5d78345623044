#include "sandbox/service.h"

#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <utility>

#include "sandbox/authority.h"
#include "sandbox/cors.h"
#include "sandbox/embedded_media.h"
#include "sandbox/kept_port.h"
#include "sandbox/pages.h"
#include "sandbox/url.h"

namespace gateway::sandbox {
namespace {

constexpr std::string_view kApiRoot = "/pictoryapis";
constexpr std::string_view kMediaRoot = "/media/";
constexpr std::size_t kFrontRows = 50;
constexpr double kFilmsMaxSpeed = 20;  // faster than this no film would be ready in time

using http::ServerRequest;
using http::ServerResponse;

std::uint64_t SeedOf(const SandboxOptions& options) {
  if (options.seed != 0) return options.seed;
  std::random_device device;
  return std::uint64_t{device()} << 32 | device();
}

ServerResponse Html(int status, std::string text) {
  return http::TextResponse(status, "text/html; charset=utf-8", std::move(text));
}

ServerResponse NotFound() { return Html(404, NoticePage("Not found", "There is nothing here.")); }

ServerResponse JsonResponse(int status, std::string text) {
  return http::TextResponse(status, "application/json", std::move(text));
}

ServerResponse Playable(std::string_view type, std::shared_ptr<http::BodySource> body) {
  ServerResponse response;
  // No two files that are given under one URL are of one size.
  response.etag = "\"" + std::to_string(body->size()) + "\"";
  response.headers.push_back({"Content-Type", std::string(type)});
  response.body = std::move(body);
  response.ranges = true;
  return response;
}

// Whether the caller wants a page. Browsers do; programs that download what a link leads to do not.
bool WantsPage(const ServerRequest& request) {
  const std::string* accept = request.FindHeader("accept");
  return accept != nullptr && accept->find("text/html") != std::string::npos;
}

ServerResponse Words(std::string_view type, std::string text) {
  return Playable(type, http::TextBody(std::move(text)));
}

ServerResponse ToResponse(const ApiReply& reply) {
  ServerResponse response;
  response.status = reply.status;
  if (reply.status != 204) {
    response.headers.push_back({"Content-Type", reply.content_type});
    response.body = reply.long_body != nullptr ? reply.long_body : http::TextBody(reply.body);
  }
  if (reply.retry_after_seconds > 0) {
    response.headers.push_back({"Retry-After", std::to_string(reply.retry_after_seconds)});
  }
  return response;
}

// What the certificate is for.
std::vector<std::string> NamesOf(const SandboxOptions& options) {
  std::vector<std::string> names = {"localhost", "127.0.0.1", "::1"};
  names.insert(names.end(), options.tls_names.begin(), options.tls_names.end());
  if (std::find(names.begin(), names.end(), options.listen) == names.end()) {
    names.push_back(options.listen);
  }
  return names;
}

// Whether a page or a JSON text may safely name this host.
bool IsHost(std::string_view host) {
  return !host.empty() && host.size() <= 255 &&
         host.find_first_not_of(
             "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
             ".-:[]") == std::string_view::npos;
}

const char* Name(Kind kind) {
  switch (kind) {
    case Kind::kPreview:
      return "preview";
    case Kind::kRender:
      return "render";
    case Kind::kTranscription:
      return "transcription";
    case Kind::kHighlights:
      return "highlights";
    case Kind::kImage:
      return "image";
    case Kind::kClip:
      return "video";
  }
  return "";
}

const char* Name(Phase phase) {
  switch (phase) {
    case Phase::kWaiting:
    case Phase::kRunning:
      return "in progress";
    case Phase::kCompleted:
      return "completed";
    case Phase::kFailed:
      return "failed";
    case Phase::kCleaned:
      return "cleaned";
  }
  return "";
}

bool IsPictureOfClip(std::string_view file) {
  return file == "thumbnail.jpg" || file == "preview.jpg" || file == "last-frame.jpg";
}

std::string LinkTo(const Job& job) {
  if (job.kind == Kind::kPreview) return "/v2/preview/" + job.id;
  if (job.kind == Kind::kRender) return "/v2/share/" + job.id;
  if (job.kind == Kind::kImage) return "/media/" + job.id + "/image.jpg";
  if (job.kind == Kind::kClip) return "/media/" + job.id + "/video.mp4";
  return "";
}

}  // namespace

absl::StatusOr<std::unique_ptr<Service>> Service::Start(SandboxOptions options) {
  if (!(options.speed > 0) || !std::isfinite(options.speed)) {
    return absl::InvalidArgumentError("the sandbox's speed must be above 0");
  }
  if (!(options.requests_per_second > 0)) {
    return absl::InvalidArgumentError("the sandbox's requests per second must be above 0");
  }
  if (options.tls && options.state_dir.empty()) {
    return absl::InvalidArgumentError(
        "a sandbox with TLS needs a state directory, in which its authority is kept");
  }
  if (options.token_lifetime < std::chrono::seconds(1)) {
    return absl::InvalidArgumentError("the sandbox's tokens must be good for a second at least");
  }
  options.seed = SeedOf(options);
  http::ServerOptions server_options;
  server_options.name = "the sandbox";
  server_options.address = options.listen;
  server_options.port = options.port;
  server_options.piece_timeout = server_options.read_timeout;
  // The journal is opened first: it makes the directory, and keeps a second sandbox out of it.
  auto journal = Journal::Open(options.state_dir);
  if (!journal.ok()) return journal.status();
  std::filesystem::path ca_file;
  if (options.tls) {
    const absl::StatusOr<Authority> authority = Authority::Open(options.state_dir / "tls");
    if (!authority.ok()) return authority.status();
    const absl::StatusOr<Issued> issued = authority->Issue(NamesOf(options));
    if (!issued.ok()) return issued.status();
    auto tls = http::ServerTls::Make(issued->certificate_pem, issued->key_pem);
    if (!tls.ok()) return tls.status();
    server_options.tls = *std::move(tls);
    ca_file = authority->file();
  }
  const std::shared_ptr<http::ServerTls> tls = server_options.tls;
  auto kept = ListenAsBefore(std::move(server_options),
                             options.state_dir.empty() ? "" : options.state_dir / "port");
  if (!kept.ok()) return kept.status();

  std::unique_ptr<Service> service(new Service(std::move(options), *std::move(journal)));
  if (const absl::Status status = service->StartUploads(tls); !status.ok()) return status;
  if (const absl::Status status = service->api_.Replay(); !status.ok()) return status;
  service->StartFilms();
  service->server_ = std::move(kept->server);
  service->ca_file_ = std::move(ca_file);
  service->lost_ports_ = {kept->lost, service->uploads_->lost_port()};
  std::erase(service->lost_ports_, 0);
  service->webhooks_.Start(*service->server_, service->origin());
  service->server_->Serve([raw = service.get()](ServerRequest request, http::Responder responder) {
    raw->Answer(request, responder);
  });
  return service;
}

Service::Service(SandboxOptions options, std::unique_ptr<Journal> journal)
    : options_(std::move(options)),
      clock_(options_.clock != nullptr ? *options_.clock : system_clock_),
      journal_(std::move(journal)),
      book_(clock_, options_.speed),
      api_({{options_.api_key, options_.client_id, options_.client_secret, options_.token_lifetime,
             options_.accounts},
            options_.requests_per_second,
            options_.seed},
           clock_, *journal_, book_),
      faults_(options_.seed),
      webhooks_(clock_, book_) {
  api_.OnAccepted([this](const Job& job) {
    accepted_ = &job;
    if (films_ != nullptr && job.kind == Kind::kRender && job.error_code.empty()) {
      films_->Make(job.id, job.film);
    }
  });
}

Service::~Service() { Stop(); }

void Service::Stop() {
  if (server_ != nullptr) server_->Stop();
  if (uploads_ != nullptr) uploads_->Stop();
  webhooks_.Stop();
}

absl::Status Service::StartUploads(std::shared_ptr<http::ServerTls> tls) {
  UploadOptions upload_options;
  upload_options.tls = std::move(tls);
  upload_options.listen = options_.listen;
  if (!options_.state_dir.empty()) upload_options.dir = options_.state_dir / "uploads";
  upload_options.life = options_.upload_life;
  upload_options.max_bytes = options_.upload_max_bytes;
  upload_options.resumable = options_.resumable_uploads;
  auto uploads = Uploads::Start(std::move(upload_options), clock_, faults_);
  if (!uploads.ok()) return uploads.status();
  uploads_ = *std::move(uploads);
  api_.UseUploads(uploads_.get());
  return absl::OkStatus();
}

void Service::StartFilms() {
  if (!options_.use_ffmpeg || options_.speed > kFilmsMaxSpeed) return;
  const std::filesystem::path ffmpeg = FilmMaker::FindFfmpeg();
  if (ffmpeg.empty()) return;
  std::filesystem::path dir = options_.state_dir / "films";
  const bool temporary = options_.state_dir.empty();
  if (temporary) {
    std::string name = (std::filesystem::temp_directory_path() / "pictory-films-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) return;
    dir = name;
  }
  films_ = std::make_unique<FilmMaker>(ffmpeg, std::filesystem::absolute(dir), temporary);
  api_.OnCleaned([this](const Job& job) { films_->Remove(job.id); });
}

void Service::Answer(const ServerRequest& request, const http::Responder& responder) {
  std::string_view path = request.path;
  if (path.substr(0, 9) == "/sandbox/") return responder.Send(AnswerControl(request));
  if (IsPreflight(request)) return responder.Send(AnswerPreflight(request));
  if (path.substr(0, kMediaRoot.size()) == kMediaRoot) return SendMedia(request, responder);
  if (path != kApiRoot && path.substr(0, kApiRoot.size() + 1) != std::string(kApiRoot) + "/") {
    ServerResponse page = AnswerPage(request);
    AllowPage(request, page);
    return responder.Send(std::move(page));
  }
  path.remove_prefix(kApiRoot.size());
  http::Delivery delivery;
  const std::optional<Fault> fault = faults_.Draw(request.method, path);
  ServerResponse response;
  if (!fault || fault->act) response = AnswerApi(request, path);
  AllowPage(request, response);
  if (fault) Spoil(*fault, &response, &delivery);
  const Job* const made = std::exchange(accepted_, nullptr);
  if (made == nullptr || made->webhook.empty()) {
    return responder.Send(std::move(response), delivery);
  }
  webhooks_.Plan(*made, faults_.DrawWebhook(request.method, path, made->id),
                 [responder, response = std::move(response), delivery] {
                   responder.Send(response, delivery);
                 });
}

// A fault must name the files to be about them: those of no path are about the API.
void Service::SendMedia(const ServerRequest& request, const http::Responder& responder) {
  ServerResponse response = AnswerPage(request);
  AllowPage(request, response);
  http::Delivery delivery;
  if (const auto fault = faults_.Draw(request.method, request.path, kMediaRoot)) {
    Spoil(*fault, &response, &delivery);
  }
  ++(request.FindHeader("range") != nullptr ? media_parts_ : media_wholes_);
  responder.Send(std::move(response), delivery);
}

ServerResponse Service::AnswerApi(const ServerRequest& request, std::string_view path) {
  return ToResponse(api_.Handle(request, path, OriginFor(request)));
}

// Links lead to where the caller found us: the same sandbox may be reached by several names.
std::string Service::OriginFor(const ServerRequest& request) const {
  const std::string* host = request.FindHeader("host");
  return scheme() + (host != nullptr && IsHost(*host) ? *host : server_->authority());
}

ServerResponse Service::AnswerPage(const ServerRequest& request) {
  if (request.method != "GET" && request.method != "HEAD") {
    return Html(405, NoticePage("Not allowed", "Pages are only read."));
  }
  const std::string_view path = request.path;
  const auto after = [&](std::string_view prefix) -> std::optional<std::string_view> {
    if (path.substr(0, prefix.size()) != prefix) return std::nullopt;
    return path.substr(prefix.size());
  };
  if (path == "/") return Front(OriginFor(request));
  for (const std::string_view pages : {"/v2/preview/", "/preview/"}) {
    if (const auto id = after(pages)) return Preview(book_.Find(*id));
  }
  if (const auto id = after("/v2/project/")) return Preview(book_.FindProject(*id));
  if (const auto id = after("/v2/share/")) return Share(book_.Find(*id), request);
  if (after("/v2/edit/")) return Html(200, EditorPage());
  if (const auto rest = after(kMediaRoot)) {
    const std::size_t slash = rest->find('/');
    if (slash != std::string_view::npos) {
      return Media(rest->substr(0, slash), rest->substr(slash + 1));
    }
  }
  return NotFound();
}

ServerResponse Service::Preview(const Job* job) {
  if (job == nullptr || job->kind != Kind::kPreview) {
    return Html(404, NoPreviewPage("There is nothing here."));
  }
  const Phase phase = book_.StateOf(*job).phase;
  if (phase == Phase::kCompleted) return Html(200, PreviewPage(*job));
  return Html(404, NoPreviewPage(std::string("This job is ") + Name(phase) + "."));
}

// Pictory's pages show a viewer behind this link, and its oldest programs save it as an mp4, so the
// sandbox does both.
ServerResponse Service::Share(const Job* job, const ServerRequest& request) {
  if (job == nullptr || job->kind != Kind::kRender) return NotFound();
  const Phase phase = book_.StateOf(*job).phase;
  if (phase == Phase::kCompleted) {
    ServerResponse response = WantsPage(request) ? Html(200, SharePage(*job)) : Clip(*job);
    response.headers.push_back({"Vary", "Accept"});
    return response;
  }
  return Html(404, NoticePage("No video", std::string("This job is ") + Name(phase) + "."));
}

ServerResponse Service::Media(std::string_view id, std::string_view file) {
  if (id == "stock") {
    if (file == "clip.mp4") return Playable("video/mp4", http::StaticBody(BuiltInClip()));
    if (file == "clip.jpg") return Playable("image/jpeg", http::StaticBody(BuiltInThumbnail()));
    if (file == "sound.mp3") return Playable("audio/mpeg", http::StaticBody(BuiltInSound()));
    return NotFound();
  }
  const Job* job = book_.Find(id);
  if (job == nullptr || book_.StateOf(*job).phase != Phase::kCompleted) return NotFound();
  const bool picture = (job->kind == Kind::kImage && file == "image.jpg") ||
                       (job->kind == Kind::kClip && IsPictureOfClip(file));
  if (picture) return Playable("image/jpeg", http::StaticBody(BuiltInThumbnail()));
  if (job->kind == Kind::kClip && file == "video.mp4") return Clip(*job);
  if (job->kind != Kind::kRender) return NotFound();
  const std::vector<Caption> captions = Captions(job->film);
  if (file == "video.mp4") return Clip(*job);
  if (file == "video.mp3") return Playable("audio/mpeg", http::StaticBody(BuiltInSound()));
  if (file == "video.jpg") return Playable("image/jpeg", http::StaticBody(BuiltInThumbnail()));
  if (file == "video.srt") return Words("application/x-subrip", ToSrt(captions));
  if (file == "video.vtt") return Words("text/vtt; charset=utf-8", ToVtt(captions));
  if (file == "video.txt") return Words("text/plain; charset=utf-8", ToTxt(captions));
  return NotFound();
}

ServerResponse Service::Clip(const Job& job) {
  if (films_ != nullptr && plain_.count(job.id) == 0) {
    if (const auto file = films_->Find(job.id)) {
      auto body = http::FileBody(*file);
      if (body.ok()) return Playable("video/mp4", *std::move(body));
    }
    plain_.insert(job.id);
  }
  return Playable("video/mp4", http::StaticBody(BuiltInClip()));
}

ServerResponse Service::Front(const std::string& origin) {
  std::vector<FrontRow> rows;
  const auto& jobs = book_.all();
  for (auto it = jobs.rbegin(); it != jobs.rend() && rows.size() < kFrontRows; ++it) {
    const Job& job = **it;
    const Phase phase = book_.StateOf(job).phase;
    rows.push_back({job.id, Name(job.kind), job.film.name, Name(phase),
                    phase == Phase::kCompleted ? LinkTo(job) : ""});
  }
  return Html(200, FrontPage(origin + std::string(kApiRoot), rows));
}

ServerResponse Service::AnswerControl(const ServerRequest& request) {
  // A page of some other site must not steer a sandbox on the reader's own machine.
  if (request.FindHeader("origin") != nullptr) {
    return JsonResponse(403, R"({"message":"not from a browser page"})");
  }
  const auto is = [&](std::string_view method, std::string_view path) {
    return request.method == method && request.path == path;
  };
  if (is("GET", "/sandbox/faults")) return JsonResponse(200, faults_.List());
  if (is("POST", "/sandbox/faults")) return AddFault(request.body);
  if (is("DELETE", "/sandbox/faults")) {
    faults_.Clear();
    return JsonResponse(200, R"({"success":true})");
  }
  if (is("POST", "/sandbox/clean")) return Clean(request.body);
  if (is("GET", "/sandbox/journal")) return JsonResponse(200, JournalText());
  if (is("GET", "/sandbox/stats")) return JsonResponse(200, Stats());
  return JsonResponse(404, R"({"message":"Not Found"})");
}

ServerResponse Service::AddFault(const std::string& body) {
  std::string error;
  const auto json = ParseJson(body, &error);
  const absl::StatusOr<std::uint64_t> id =
      json != nullptr ? faults_.Add(*json) : absl::InvalidArgumentError(error);
  JsonOut out;
  if (!id.ok()) {
    out.Object().Field("message", std::string(id.status().message())).EndObject();
    return JsonResponse(400, out.Take());
  }
  return JsonResponse(200, out.Object().Field("id", *id).EndObject().Take());
}

ServerResponse Service::Clean(const std::string& body) {
  std::string error;
  const auto json = ParseJson(body, &error);
  if (json == nullptr || !json->IsObject()) {
    return JsonResponse(400, R"({"message":"must be {\"job\": \"<id>\"}"})");
  }
  return ToResponse(api_.Clean(FindText(*json, "job")));
}

std::string Service::JournalText() const {
  JsonOut out;
  out.Object().Key("entries").Array();
  for (const JournalEntry& entry : journal_->entries()) out.Raw(ToJsonLine(entry));
  return out.EndArray().EndObject().Take();
}

std::string Service::Stats() const {
  const ApiStats& stats = api_.stats();
  JsonOut out;
  out.Object().Field("jobs", book_.all().size()).Field("faults", faults_.total_hits());
  out.Field("connections_accepted", server_->connections_accepted());
  out.Field("connections_open", server_->connections_open()).Key("requests").Object();
  for (const auto& [what, count] : stats.requests) out.Field(what, count);
  out.EndObject().Key("statuses").Object();
  for (const auto& [status, count] : stats.statuses) out.Field(std::to_string(status), count);
  out.EndObject().Key("media").Object();
  out.Field("whole", media_wholes_).Field("part", media_parts_);
  out.EndObject().Key("callers").Object();
  for (const auto& [credential, count] : stats.callers) out.Field(credential, count);
  out.EndObject().Key("polls").Object();
  for (const auto& [id, count] : stats.polls) out.Field(id, count);
  out.EndObject().Key("uploads").Object();
  uploads_->WriteStats(out);
  out.EndObject().Key("webhooks").Object();
  webhooks_.WriteStats(out);
  return out.EndObject().EndObject().Take();
}

}  // namespace gateway::sandbox
