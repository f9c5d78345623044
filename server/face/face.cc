#include "face/face.h"

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <memory>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/errors.h"
#include "base/limits.h"
#include "base/work_thread.h"
#include "face/board_answer.h"
#include "face/events.h"
#include "face/exchange.h"
#include "face/file_answer.h"
#include "face/openapi_document.h"
#include "face/request_of.h"
#include "face/routes.h"
#include "face/status_json.h"
#include "face/watch_places.h"
#include "grpcpp/generic/generic_stub.h"
#include "http/server.h"
#include "http/server_request_head.h"
#include "pictory/jobs/v1/pictory_jobs.pb.h"
#include "rpc/listen_sockets.h"

namespace gateway::face {
namespace {

constexpr std::string_view kDocumentPath = "/openapi.json";

// What a page that may call may also read and send.
constexpr char kExposed[] =
    "ETag, Retry-After, Content-Range, Accept-Ranges, Pictory-Answer-Of, Pictory-Answer-Rule";
constexpr char kAllowedHeaders[] =
    "Authorization, Content-Type, Idempotency-Key, If-None-Match, If-Range, Last-Event-ID, "
    "Pictory-Api-Key, Range, Request-Timeout, Traceparent, Tracestate";

void Dress(const std::string& origin, http::ServerResponse& response) {
  response.headers.push_back({"X-Content-Type-Options", "nosniff"});
  response.headers.push_back({"Vary", "Origin"});
  if (origin.empty()) return;
  response.headers.push_back({"Access-Control-Allow-Origin", origin});
  response.headers.push_back({"Access-Control-Expose-Headers", kExposed});
}

// An answer that needs no body: what comes of it is not read.
class Ready final : public http::BodySink {
 public:
  explicit Ready(http::ServerResponse response) : response_(std::move(response)) {}
  Next Begin() override { return Next::kAnswer; }
  Next Take(std::string_view) override { return Next::kAnswer; }
  void Answer(const http::Responder& responder) override { responder.Send(std::move(response_)); }

 private:
  http::ServerResponse response_;
};

// The body of an exchange, which is given up if the connection lets it go before it is whole.
class BodyOf final : public http::BodySink {
 public:
  BodyOf(std::shared_ptr<Exchange> exchange, WatchPlaces::Place place)
      : exchange_(std::move(exchange)), place_(std::move(place)) {}
  ~BodyOf() override { exchange_->GiveUp(); }
  Next Begin() override { return exchange_->Begin(); }
  Next Take(std::string_view piece) override { return exchange_->Take(piece); }
  void Answer(const http::Responder& responder) override { exchange_->Answer(responder); }
  void WhenReady(std::function<void()> ready) override { exchange_->WhenReady(std::move(ready)); }

 private:
  const std::shared_ptr<Exchange> exchange_;
  const WatchPlaces::Place place_;  // of a watch, for as long as its connection
};

}  // namespace

struct Face::Parts {
  Parts(FaceOptions options_in, rpc::Server& server)
      : options(std::move(options_in)),
        routes(*::pictory::jobs::v1::ListJobsRequest::descriptor()->file()->FindServiceByName(
            "PictoryJobs")),
        stub(server.InsideChannel()),
        ground{.stub = stub,
               .calls = server.inside_calls(),
               .bodies = bodies,
               .body_max_bytes = options.body_max_bytes,
               .status_of = [this](absl::Status status) { return StatusOf(std::move(status)); }} {}

  absl::Status Listen(const rpc::Listener& listener);
  std::shared_ptr<http::BodySink> Open(const http::ServerRequest& head, const WatchPlaces& watches);
  std::shared_ptr<http::BodySink> Refuse(const absl::Status& why, const http::ServerRequest& head,
                                         const std::string& origin, http::Header more = {});
  std::shared_ptr<http::BodySink> Preflight(const http::ServerRequest& head,
                                            const std::string& origin);
  absl::Status StatusOf(absl::Status status) const;
  http::ServerResponse RefuseUnread(const http::ServerRefusal& refused) const;
  std::size_t PlacesOfOne() const {  // of the listeners
    return std::max<std::size_t>(1, options.connections_max / options.listeners.size());
  }

  const FaceOptions options;
  const Routes routes;
  grpc::GenericStub stub;
  WorkThread bodies{"http-bodies"};
  const ExchangeGround ground;
  std::atomic<bool> draining{false};
  struct Door {
    rpc::ListenSockets sockets;  // its file goes before the sockets are closed
    std::string address;
    std::unique_ptr<http::Server> server;
    WatchPlaces watches;
  };
  std::vector<Door> doors;
};

absl::Status Face::Parts::Listen(const rpc::Listener& listener) {
  absl::StatusOr<rpc::ListenSockets> opened = rpc::OpenListenSockets(
      listener.address, static_cast<int>(std::chrono::duration_cast<std::chrono::milliseconds>(
                                             limits::kKeepaliveTimeout)
                                             .count()));
  if (!opened.ok()) return opened.status();
  http::ServerOptions server;
  server.name = "http";
  for (rpc::OwnedFd& fd : opened->fds) server.sockets.push_back(fd.Release());
  server.max_connections = PlacesOfOne();
  server.share_by_address = true;
  server.max_header_bytes = limits::kFaceHeadersMaxBytes;
  server.max_body_bytes = 0;  // a sink takes every body
  server.idle_timeout = limits::kFaceIdleTimeout;
  server.read_timeout = options.read_timeout;
  server.write_timeout = options.write_timeout;
  server.half_closed_max = options.half_closed_max;
  server.refusal = [this](const http::ServerRefusal& refused) { return RefuseUnread(refused); };
  if (listener.security == rpc::Security::kTls) server.tls = options.tls;
  if (listener.security == rpc::Security::kMutualTls) server.tls = options.mutual;
  auto listening = http::Server::Listen(std::move(server));
  if (!listening.ok()) return listening.status();
  std::string address = listener.address;
  if (opened->port != 0) {
    address = absl::StrCat(listener.security == rpc::Security::kPlain ? "http://" : "https://",
                           address.substr(0, address.rfind(':') + 1), opened->port);
  }
  doors.push_back({*std::move(opened), std::move(address), *std::move(listening),
                   WatchPlaces(PlacesOfOne() * limits::kFaceWatchesPercent / 100)});
  return absl::OkStatus();
}

// Everything that comes is taken by a sink: an Exchange, or a refusal.
std::shared_ptr<http::BodySink> Face::Parts::Open(const http::ServerRequest& head,
                                                  const WatchPlaces& watches) {
  WebVerdict verdict = Judge(head, options.rules);
  const std::string& origin = verdict.origin;
  if (!verdict.refusal.ok()) return Refuse(verdict.refusal, head, origin);
  if (head.method == "OPTIONS") return Preflight(head, origin);
  const std::string path(http::PathOf(head));
  if (path == kDocumentPath && (head.method == "GET" || head.method == "HEAD")) {
    http::ServerResponse document;
    document.headers = {{"Content-Type", "application/json"}, {"Cache-Control", "no-cache"}};
    document.body = http::StaticBody(OpenApiDocument());
    Dress(origin, document);
    return std::make_shared<Ready>(std::move(document));
  }
  if (std::optional<http::ServerResponse> file = BoardAnswer(head); file.has_value()) {
    Dress(origin, *file);
    return std::make_shared<Ready>(*std::move(file));
  }
  Routes::Found found = routes.Find(head.method, path);
  if (found.route == nullptr && found.allowed.empty()) {
    return Refuse(errors::NoSuchPath(path), head, origin);
  }
  if (found.route == nullptr) {
    const std::string allowed = absl::StrJoin(found.allowed, ", ");
    return Refuse(errors::MethodNotAllowed(head.method, allowed), head, origin, {"Allow", allowed});
  }
  std::optional<QueryPairs> query = ReadQuery(head.query);
  if (!query.has_value()) {
    return Refuse(errors::Invalid("",
                                  "the query cannot be read: %XX stands for bytes of UTF-8, and "
                                  "none of them for a control character"),
                  head, origin);
  }
  if (absl::Status type = CheckBodyType(head); !type.ok()) return Refuse(type, head, origin);
  WatchPlaces::Place place;
  const auto* const method = found.route->method;
  if (method->server_streaming() && !IsFilePiece(*method->output_type())) {
    const absl::StatusOr<EventForm> form = EventFormOf(head.FindHeader("accept"));
    if (!form.ok()) return Refuse(form.status(), head, origin);
    place = watches.Take();
    if (place == nullptr) {
      const auto most = static_cast<std::int64_t>(watches.max());
      return Refuse(errors::TooMany("watches over HTTP", most, limits::kFaceWatchRetry), head,
                    origin);
    }
  }
  absl::StatusOr<HeadFacts> facts = ReadHead(head.headers, options.tenant_header);
  if (!facts.ok()) return Refuse(facts.status(), head, origin);
  if (draining) return Refuse(errors::Draining(limits::kFaceDrainRetry), head, origin);
  auto exchange = std::make_shared<Exchange>(
      ground, std::move(found), *std::move(query), head,
      [origin](http::ServerResponse& response) { Dress(origin, response); });
  exchange->Start(*std::move(facts));
  return std::make_shared<BodyOf>(std::move(exchange), std::move(place));
}

std::shared_ptr<http::BodySink> Face::Parts::Refuse(const absl::Status& why,
                                                    const http::ServerRequest& head,
                                                    const std::string& origin, http::Header more) {
  if (options.refused) options.refused(why, head.peer->name);
  http::ServerResponse response = ErrorResponse(why);
  if (!more.name.empty()) response.headers.push_back(std::move(more));
  Dress(origin, response);
  return std::make_shared<Ready>(std::move(response));
}

// What the HTTP server refuses itself is told as everything else is.
http::ServerResponse Face::Parts::RefuseUnread(const http::ServerRefusal& refused) const {
  absl::Status why = errors::Invalid("", std::string(refused.why));
  switch (refused.status) {
    case 408:
      why = errors::RequestLate(limits::kRequestArrivalMax);
      break;
    case 431:
      why = errors::HeadTooLarge(limits::kFaceHeadersMaxBytes);
      break;
    case 500:
      why = errors::Internal(refused.why);
      break;
    case 501:
      why = errors::NotImplemented(refused.why);
      break;
    case 503:
      why = errors::TooMany("connections over HTTP", static_cast<std::int64_t>(PlacesOfOne()),
                            limits::kFaceConnectionRetry);
      break;
    default:
      break;
  }
  if (options.refused) options.refused(why, refused.peer.name);
  http::ServerResponse response = ErrorResponse(why);
  Dress("", response);
  return response;
}

// What a browser asks before it sends a page's request. Only the question of an allowed page gets a
// yes.
std::shared_ptr<http::BodySink> Face::Parts::Preflight(const http::ServerRequest& head,
                                                       const std::string& origin) {
  http::ServerResponse response;
  response.status = 204;
  std::vector<std::string> methods;
  for (const char* const method : {"GET", "POST", "PUT", "PATCH", "DELETE"}) {
    if (routes.Find(method, http::PathOf(head)).route != nullptr) methods.emplace_back(method);
  }
  if (methods.empty()) return Refuse(errors::NoSuchPath(http::PathOf(head)), head, origin);
  response.headers = {{"Allow", absl::StrJoin(methods, ", ")}};
  Dress(origin, response);
  if (!origin.empty()) {
    response.headers.push_back({"Access-Control-Allow-Methods", absl::StrJoin(methods, ", ")});
    response.headers.push_back({"Access-Control-Allow-Headers", kAllowedHeaders});
    response.headers.push_back({"Access-Control-Max-Age", "600"});
  }
  return std::make_shared<Ready>(std::move(response));
}

// Once its server ends, the library has words of its own, from which nobody learns what to do.
absl::Status Face::Parts::StatusOf(absl::Status status) const {
  const bool librarys = !status.ok() && errors::Reason(status).empty();
  if (!librarys) return status;
  const bool ends = absl::IsUnavailable(status) || absl::IsCancelled(status);
  if (draining && ends) return errors::Draining(limits::kFaceDrainRetry);
  if (absl::IsDeadlineExceeded(status)) {
    return errors::DeadlineExceeded(
        "No answer within Request-Timeout; the same request_id asks "
        "again safely");
  }
  return status;
}

absl::StatusOr<std::unique_ptr<Face>> Face::Start(FaceOptions options, rpc::Server& server) {
  auto parts = std::make_unique<Parts>(std::move(options), server);
  Parts& p = *parts;
  for (const rpc::Listener& listener : p.options.listeners) {
    if (absl::Status listening = p.Listen(listener); !listening.ok()) return listening;
  }
  for (Parts::Door& door : p.doors) {
    door.server->Serve(
        [](const http::ServerRequest&, const http::Responder&) {},
        [&p, &door](const http::ServerRequest& head) { return p.Open(head, door.watches); });
  }
  return std::unique_ptr<Face>(new Face(std::move(parts)));
}

Face::Face(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

Face::~Face() {
  Drain();
  Finish(Duration::zero());
}

void Face::Drain() {
  parts_->draining = true;
  for (Parts::Door& door : parts_->doors) door.server->StopAccepting();
}

void Face::Finish(Duration patience) {
  for (Parts::Door& door : parts_->doors) door.server->Finish(patience);
  parts_->bodies.Close();
  parts_->ground.calls.AwaitNone();  // what they bring comes here
}

std::vector<std::string> Face::addresses() const {
  std::vector<std::string> addresses;
  for (const Parts::Door& door : parts_->doors) addresses.push_back(door.address);
  return addresses;
}

std::uint64_t Face::connections_open() const {
  std::uint64_t open = 0;
  for (const Parts::Door& door : parts_->doors) open += door.server->connections_open();
  return open;
}

}  // namespace gateway::face
