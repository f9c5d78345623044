#include "sandbox/uploads.h"

#include <algorithm>
#include <utility>

#include "base/ids.h"
#include "sandbox/cors.h"
#include "sandbox/kept_port.h"
#include "sandbox/upload_sink.h"

namespace gateway::sandbox {
namespace {

// The origin, such as `http://host:1`, with another port.
std::string WithPort(const std::string& origin, std::uint16_t port) {
  const std::size_t colon = origin.rfind(':');
  const bool has_port = colon != std::string::npos && colon > origin.find("://") &&
                        origin.find(']', colon) == std::string::npos;
  return (has_port ? origin.substr(0, colon) : origin) + ":" + std::to_string(port);
}

// Visits every text in `value`; ParseJson bounds the nesting.
template <class Visit>
void ForEachText(const Value& value, const Visit& visit) {
  if (value.IsString()) visit(Text(value));
  if (value.IsArray()) {
    for (const Value& element : value.GetArray()) ForEachText(element, visit);
  }
  if (value.IsObject()) {
    for (const auto& member : value.GetObject()) ForEachText(member.value, visit);
  }
}

}  // namespace

absl::StatusOr<std::unique_ptr<Uploads>> Uploads::Start(UploadOptions options, const Clock& clock,
                                                        FaultRules& faults) {
  auto store = UploadStore::Open(options.dir);
  if (!store.ok()) return store.status();
  std::unique_ptr<Uploads> uploads(
      new Uploads(std::move(options), clock, faults, *std::move(store)));
  if (absl::Status status = uploads->Listen(); !status.ok()) return status;
  uploads->Serve();
  return uploads;
}

Uploads::~Uploads() { Stop(); }

void Uploads::Stop() {
  if (server_ != nullptr) server_->Stop();
}

absl::Status Uploads::Listen() {
  http::ServerOptions server_options;
  server_options.name = "the sandbox's media store";
  server_options.address = options_.listen;
  server_options.tls = options_.tls;
  server_options.piece_timeout = server_options.read_timeout;
  auto kept = ListenAsBefore(std::move(server_options), store_->dir() / "port");
  if (!kept.ok()) return kept.status();
  server_ = std::move(kept->server);
  lost_port_ = kept->lost;
  return absl::OkStatus();
}

void Uploads::Serve() {
  server_->Serve([this](const http::ServerRequest& request,
                        const http::Responder& responder) { Answer(request, responder); },
                 [this](const http::ServerRequest& head) -> std::shared_ptr<http::BodySink> {
                   if (head.method != "PUT") return nullptr;
                   return std::make_shared<UploadSink>(*this, head);
                 });
}

void Uploads::Answer(const http::ServerRequest& request, const http::Responder& responder) {
  if (IsPreflight(request)) return responder.Send(AnswerPreflight(request));
  http::Delivery delivery;
  const std::optional<Fault> fault = faults_.Draw(request.method, request.path);
  http::ServerResponse response = S3Error(404, "NoSuchKey", "The specified key does not exist.");
  const std::optional<UploadSlot> slot = store_->Find(TokenOf(request.path));
  if (request.method != "GET" && request.method != "HEAD") {
    response = S3Error(405, "MethodNotAllowed", "Files here are only PUT and read.");
  } else if (slot && slot->stored_at) {
    if (auto body = http::FileBody(store_->FileOf(slot->token)); body.ok()) {
      response = {};
      response.headers.push_back({"Content-Type", slot->content_type});
      response.body = *std::move(body);
      response.ranges = true;
    }
  }
  AllowPage(request, response);
  if (fault) Spoil(*fault, &response, &delivery);
  responder.Send(std::move(response), delivery);
}

ApiReply Uploads::Sign(const std::string& body, const std::string& origin) {
  std::string error;
  const auto json = ParseJson(body, &error);
  if (json == nullptr || !json->IsObject()) {
    return InvalidBody({{"", "the body must be a JSON object"}});
  }
  const std::string name(FindText(*json, "fileName"));
  const std::string type(FindText(*json, "contentType"));
  if (name.empty()) return InvalidBody("fileName", "is required");
  if (type.empty()) return InvalidBody("contentType", "is required");
  const auto slot = store_->Add(name, type, clock_.WallNow(), options_.life);
  if (!slot.ok()) return TooManyRequests(60);
  ++stats_.signed_urls;
  const std::string path = std::string(kUploadRoot) + slot->token + "/" + PercentEncode(name);
  const std::string url = WithPort(origin, port()) + path;
  JsonOut out;
  out.Object().Field("success", true).Key("data").Object();
  out.Field("signedUrl", url + "?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Expires=" +
                             std::to_string(options_.life.count()) +
                             "&Content-Type=" + PercentEncode(type) +
                             "&X-Amz-SignedHeaders=host&X-Amz-Signature=" + slot->signature);
  out.Field("url", url).Field("key", path.substr(1));
  return {200, out.EndObject().EndObject().Take()};
}

std::string Uploads::MissingIn(const Value& body, WallTime at) const {
  std::string missing;
  const std::string here = ":" + std::to_string(port()) + std::string(kUploadRoot);
  ForEachText(body, [&](std::string_view text) {
    const std::size_t found = text.find(here);
    if (!missing.empty() || found == std::string_view::npos || !IsWebUrl(text)) return;
    const std::string_view path = text.substr(text.find('/', found));
    const std::optional<UploadSlot> slot = store_->Find(TokenOf(path));
    if (!slot || !slot->stored_at || *slot->stored_at > at) {
      missing = std::string(text.substr(0, text.find('?')));
    }
  });
  return missing;
}

void Uploads::WriteStats(JsonOut& out) const {
  out.Field("signed_urls", stats_.signed_urls.load()).Field("stored", stats_.stored.load());
  out.Field("bytes_received", stats_.bytes_received.load());
  out.Field("refused", stats_.refused.load());
  out.Field("with_credentials", stats_.with_credentials.load());
}

}  // namespace gateway::sandbox
