#include "face/exchange.h"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "base/errors.h"
#include "base/limits.h"
#include "face/entity_tag.h"
#include "face/events.h"
#include "face/file_answer.h"
#include "face/status_json.h"
#include "json/api_writer.h"
#include "rpc/wire.h"

namespace gateway::face {
namespace {

using google::protobuf::Message;
using google::protobuf::MethodDescriptor;

std::string PathOf(const MethodDescriptor& method) {
  return absl::StrCat("/", method.service()->full_name(), "/", method.name());
}

const std::string* HeaderOf(const http::ServerRequest& head, std::string_view name) {
  return head.FindHeader(name);
}

// False if there is no such offset: the field is too small for it.
bool SetOffset(Message& request, std::int64_t offset) {
  const auto* const field = request.GetDescriptor()->FindFieldByName("offset");
  if (field->cpp_type() == google::protobuf::FieldDescriptor::CPPTYPE_INT64) {
    request.GetReflection()->SetInt64(&request, field, offset);
    return true;
  }
  if (offset > std::numeric_limits<std::int32_t>::max()) return false;
  request.GetReflection()->SetInt32(&request, field, static_cast<std::int32_t>(offset));
  return true;
}

bool NamesOffset(const QueryPairs& query) {
  return std::any_of(query.begin(), query.end(),
                     [](const auto& pair) { return pair.first == "offset"; });
}

// Whether a read was refused because it would begin behind the last byte.
bool IsPastTheEnd(const absl::Status& status) {
  const std::vector<errors::Violation> wrong = errors::Violations(status);
  return wrong.size() == 1 && wrong.front().field == "offset";
}

// JSON that keeps the answer that it was made of: its bytes are counted as long as somebody has
// them.
class JsonBody final : public http::BodySource {
 public:
  JsonBody(std::string json, grpc::ByteBuffer made_of)
      : text_(http::TextBody(std::move(json))), made_of_(std::move(made_of)) {}
  std::uint64_t size() const override { return text_->size(); }
  bool Read(std::uint64_t offset, char* out, std::size_t count) override {
    return text_->Read(offset, out, count);
  }

 private:
  const std::shared_ptr<http::BodySource> text_;
  const grpc::ByteBuffer made_of_;
};

http::ServerResponse NotModified(const std::string& tag) {
  http::ServerResponse response;
  response.status = 304;
  response.headers = {{"ETag", tag}, {"Cache-Control", "no-cache"}};
  return response;
}

}  // namespace

Exchange::Exchange(const ExchangeGround& ground, Routes::Found found, QueryPairs query,
                   http::ServerRequest head, std::function<void(http::ServerResponse&)> dress)
    : ground_(ground),
      found_(std::move(found)),
      query_(std::move(query)),
      head_(std::move(head)),
      dress_(std::move(dress)),
      streams_(found_.route->method->server_streaming()),
      file_(streams_ && IsFilePiece(*found_.route->method->output_type())) {}

void Exchange::Start(HeadFacts facts) {
  facts_ = facts;
  BeginCall(std::move(facts));
}

void Exchange::BeginCall(HeadFacts facts) {
  CallHead head{.path = PathOf(*found_.route->method),
                .metadata = std::move(facts.metadata),
                .deadline = facts.deadline,
                .facts = std::make_shared<const rpc::ConnectionFacts>(rpc::ConnectionFacts{
                    .peer = head_.peer->name,
                    .sans = head_.peer->sans,
                    .is_private = head_.peer->tls || head_.peer->this_machine})};
  const auto call = InsideCall::Begin(ground_.stub, ground_.calls, head);
  {
    MutexLock lock(mutex_);
    call_ = call;
  }
  call->Take(
      [self = shared_from_this()](InsideCall::Next next) { self->OnFirst(std::move(next)); });
}

std::shared_ptr<InsideCall> Exchange::call() const {
  MutexLock lock(mutex_);
  return call_;
}

void Exchange::WhenReady(std::function<void()> ready) {
  {
    MutexLock lock(mutex_);
    if (!over_) {
      ready_ = std::move(ready);
      return;
    }
  }
  ready();
}

Exchange::Next Exchange::Begin() {
  const std::string* const length = HeaderOf(head_, "content-length");
  std::uint64_t bytes = 0;
  MutexLock lock(mutex_);
  // SimpleAtoi leaves the largest number for what is beyond it.
  if (length != nullptr) static_cast<void>(absl::SimpleAtoi(*length, &bytes));
  if (bytes > ground_.body_max_bytes) too_large_ = bytes;
  return too_large_ > 0 || over_ ? Next::kAnswer : Next::kMore;
}

Exchange::Next Exchange::Take(std::string_view piece) {
  MutexLock lock(mutex_);
  const std::size_t bytes = body_.size() + piece.size();
  if (bytes > ground_.body_max_bytes) too_large_ = bytes;
  if (too_large_ == 0 && !over_) body_ += piece;
  return too_large_ > 0 || over_ ? Next::kAnswer : Next::kMore;
}

void Exchange::Answer(const http::Responder& responder) {
  responder.WhenGone([weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->call()->Cancel();
  });
  std::string body;
  {
    MutexLock lock(mutex_);
    asked_ = true;
    if (response_.has_value()) {
      http::ServerResponse response = *std::exchange(response_, std::nullopt);
      return responder.Send(std::move(response));
    }
    responder_ = responder;
    body.swap(body_);
  }
  if (body.size() <= limits::kSmallRequestMaxBytes) return SendRequest(body);
  ground_.bodies.Post(
      [self = shared_from_this(), body = std::move(body)] { self->SendRequest(body); });
}

// A call that ends without a message is refused as it was given up.
void Exchange::GiveUp() {
  {
    MutexLock lock(mutex_);
    if (asked_) return;
    body_ = std::string();
  }
  call()->Refuse(errors::Cancelled());
}

void Exchange::SendRequest(const std::string& body) {
  std::uint64_t too_large = 0;
  {
    MutexLock lock(mutex_);
    if (over_) return;  // it was refused while the body was waiting
    too_large = too_large_;
  }
  const auto to = call();
  if (too_large > 0) {
    return to->Refuse(errors::RequestTooLarge(too_large, ground_.body_max_bytes));
  }
  const std::string* const last_event = HeaderOf(head_, "last-event-id");
  auto request = NewMessage(*found_.route->method->input_type());
  std::vector<errors::Violation> wrong =
      ReadRequest({.route = *found_.route,
                   .captures = found_.captures,
                   .query = query_,
                   .body = body,
                   .resume_after = last_event == nullptr || file_ ? "" : *last_event},
                  *request);
  if (file_ && NamesOffset(query_)) {
    wrong.push_back({"offset", "is what the header Range is for: bytes=OFFSET-"});
  }
  if (!wrong.empty()) return to->Refuse(errors::Invalid(std::move(wrong)));
  if (!file_) return to->Send(rpc::ToBuffer(*request));
  request_ = std::move(request);
  // The last bytes of a file are only found once it is known how long it is.
  const std::optional<AskedRange> range = ReadRange(HeaderOf(head_, "range"));
  if (range.has_value() && !range->from_end) begins_at_ = range->first;
  if (!SetOffset(*request_, begins_at_)) begins_at_ = 0;
  to->Send(rpc::ToBuffer(*request_));
}

void Exchange::OnFirst(InsideCall::Next next) {
  if (!next.message.has_value()) return OnEnd(ground_.status_of(std::move(next.status)));
  if (file_) return OnFile(*next.message);
  if (!streams_) return OnOnly(*std::move(next.message));
  const absl::StatusOr<EventForm> form = EventFormOf(HeaderOf(head_, "accept"));
  http::ServerResponse response;
  response.headers = {{"Content-Type", std::string(ContentTypeOf(*form))},
                      {"Cache-Control", "no-store"},
                      {"X-Accel-Buffering", "no"}};  // proxies like nginx hold streams back
  response.live = std::make_shared<EventBody>(call(), *std::move(next.message),
                                              *found_.route->method, *form, ground_.status_of);
  Respond(std::move(response));
}

// The one message of a call that does not stream; its status comes after it.
void Exchange::OnOnly(grpc::ByteBuffer message) {
  const auto from = call();
  from->Take([self = shared_from_this(), from = from.get(),
              message = std::move(message)](const InsideCall::Next& next) {
    if (next.message.has_value() || !next.status.ok()) {
      return self->OnEnd(self->ground_.status_of(next.status));
    }
    http::ServerResponse response = self->JsonResponse(message);
    for (const auto& [trailer, header] :
         {std::pair{"pictory-answer-of", "Pictory-Answer-Of"},
          std::pair{"pictory-answer-rule", "Pictory-Answer-Rule"}}) {
      std::string value = from->Trailing(trailer);
      if (!value.empty()) response.headers.push_back({header, std::move(value)});
    }
    self->Respond(std::move(response));
  });
}

http::ServerResponse Exchange::JsonResponse(const grpc::ByteBuffer& bytes) const {
  const auto message = NewMessage(*found_.route->method->output_type());
  if (!rpc::Parse(bytes, *message)) {
    return ErrorResponse(errors::Internal("The answer cannot be read"));
  }
  std::string tag;
  if (found_.route->http_method == "GET") tag = TagOfJob(*message);
  if (!tag.empty() && IsKnown(head_, tag)) return NotModified(tag);
  http::ServerResponse response;
  response.headers = {{"Content-Type", "application/json"},
                      {"Cache-Control", tag.empty() ? "no-store" : "no-cache"}};
  response.body = std::make_shared<JsonBody>(json::ApiJson(*message) + "\n", bytes);
  response.etag = std::move(tag);
  return response;
}

// A file is asked for from where the caller wants it, as far as that is known. If it turns out to
// be elsewhere, it is asked for once more.
void Exchange::OnFile(const grpc::ByteBuffer& message) {
  FilePiece piece;
  const auto& type = *found_.route->method->output_type();
  if (!ReadFilePiece(message, type, piece)) {
    return RespondInstead(ErrorResponse(errors::Internal("The answer cannot be read")));
  }
  const std::int64_t total = piece.total_bytes;
  const std::string tag = FileTag(*request_, total);
  if (IsKnown(head_, tag)) return RespondInstead(NotModified(tag));
  std::optional<AskedRange> range = ReadRange(HeaderOf(head_, "range"));
  // If-Range names the file that the caller has a part of: of another one the whole is right.
  const std::string* const of = HeaderOf(head_, "if-range");
  if (of != nullptr && *of != tag) range.reset();
  std::int64_t first = range.has_value() ? range->first : 0;
  if (range.has_value() && range->from_end) first = std::max<std::int64_t>(0, total - range->first);
  if (range.has_value() && first >= total) {
    http::ServerResponse refused = ErrorResponse(errors::RangeNotThere(total));
    refused.headers.push_back({"Content-Range", absl::StrCat("bytes */", total)});
    return RespondInstead(std::move(refused));
  }
  if (first != begins_at_) return AskAgainFrom(first);

  http::ServerResponse response;
  response.headers = {{"Content-Type", FileType(*request_, piece.name)},
                      {"Cache-Control", "no-cache"},
                      {"Accept-Ranges", "bytes"},
                      // A browser is to make no page of bytes that are not ours.
                      {"Content-Security-Policy", "default-src 'none'; sandbox"}};
  std::int64_t count = total - first;
  if (range.has_value()) {
    if (range->last.has_value()) count = std::min(*range->last, total - 1) - first + 1;
    response.status = 206;
    response.headers.push_back(
        {"Content-Range", absl::StrCat("bytes ", first, "-", first + count - 1, "/", total)});
  }
  response.etag = tag;
  response.live = std::make_shared<FileBody>(call(), std::move(piece.data), type, count);
  Respond(std::move(response));
}

// Responds without what the call would still bring.
void Exchange::RespondInstead(http::ServerResponse response) {
  call()->Cancel();
  Respond(std::move(response));
}

void Exchange::AskAgainFrom(std::int64_t offset) {
  call()->Cancel();
  begins_at_ = offset;
  SetOffset(*request_, offset);
  BeginCall(facts_);
  call()->Send(rpc::ToBuffer(*request_));
}

void Exchange::OnEnd(const absl::Status& status) {
  if (file_ && begins_at_ > 0 && IsPastTheEnd(status)) return AskAgainFrom(0);
  if (!status.ok()) return Respond(ErrorResponse(status));
  // A stream that has nothing to say ended well. Browsers connect again whenever a stream of events
  // ends, unless they are told that there is nothing.
  http::ServerResponse nothing;
  const absl::StatusOr<EventForm> form = EventFormOf(HeaderOf(head_, "accept"));
  if (form.ok() && *form == EventForm::kSse) {
    nothing.status = 204;
  } else {
    nothing.headers = {{"Content-Type", std::string(ContentTypeOf(EventForm::kLines))}};
  }
  Respond(std::move(nothing));
}

void Exchange::Respond(http::ServerResponse response) {
  dress_(response);
  std::optional<http::Responder> responder;
  std::function<void()> ready;
  {
    MutexLock lock(mutex_);
    over_ = true;
    body_ = std::string();  // of a request that was refused before it was here
    responder = std::exchange(responder_, std::nullopt);
    ready.swap(ready_);
    if (!responder.has_value()) response_ = std::exchange(response, {});
  }
  if (responder.has_value()) return responder->Send(std::move(response));
  if (ready) ready();
}

}  // namespace gateway::face
