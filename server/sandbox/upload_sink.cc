#include "sandbox/upload_sink.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "sandbox/cors.h"
#include "sandbox/url.h"

namespace gateway::sandbox {
namespace {

using http::ServerResponse;

std::optional<std::uint64_t> Number(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

ServerResponse Incomplete(std::uint64_t received) {
  ServerResponse response;
  response.status = 308;
  if (received > 0) {
    response.headers.push_back({"Range", "bytes=0-" + std::to_string(received - 1)});
  }
  return response;
}

ServerResponse Stored() {
  ServerResponse response;
  response.headers.push_back({"ETag", "\"sandbox\""});
  return response;
}

}  // namespace

ServerResponse S3Error(int status, std::string_view code, std::string_view message,
                       const std::string& more) {
  return http::TextResponse(status, "application/xml",
                            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>" +
                                EscapeHtml(code) + "</Code><Message>" + EscapeHtml(message) +
                                "</Message>" + more + "</Error>");
}

std::string_view TokenOf(std::string_view path) {
  if (path.substr(0, kUploadRoot.size()) != kUploadRoot) return "";
  path.remove_prefix(kUploadRoot.size());
  return path.substr(0, path.find_first_of("/?#"));
}

std::optional<ContentRange> ParseContentRange(std::string_view text) {
  constexpr std::string_view kUnit = "bytes ";
  const std::size_t slash = text.find('/');
  if (text.substr(0, kUnit.size()) != kUnit || slash == std::string_view::npos) return std::nullopt;
  const std::optional<std::uint64_t> total = Number(text.substr(slash + 1));
  if (!total) return std::nullopt;
  ContentRange range;
  range.total = *total;
  const std::string_view part = text.substr(kUnit.size(), slash - kUnit.size());
  if (part == "*") return range;
  const std::size_t dash = part.find('-');
  if (dash == std::string_view::npos) return std::nullopt;
  range.first = Number(part.substr(0, dash));
  const std::optional<std::uint64_t> last = Number(part.substr(dash + 1));
  if (!range.first || !last || *last < *range.first || *last >= *total) return std::nullopt;
  range.last = *last;
  return range;
}

http::BodySink::Next UploadSink::Refuse(ServerResponse response) {
  if (response.status >= 400) ++uploads_.stats().refused;
  early_ = std::move(response);
  return Next::kAnswer;
}

std::optional<ServerResponse> UploadSink::CheckSignature() {
  // The refusal is loud, because this is a leak: a key that reaches this store has left Pictory.
  if (head_.FindHeader("authorization") != nullptr) {
    ++uploads_.stats().with_credentials;
    return S3Error(403, "AccessDenied",
                   "Only one auth mechanism allowed: the signed URL is the credential here. The "
                   "Authorization header must not be sent to this host.");
  }
  const std::optional<UploadSlot> slot = uploads_.store().Find(TokenOf(head_.path));
  const std::string given = QueryValue(head_.query, "X-Amz-Signature");
  if (!slot || given != slot->signature) {
    return S3Error(403, "SignatureDoesNotMatch",
                   "The request signature we calculated does not match the signature you provided.",
                   "<SignatureProvided>" + EscapeHtml(given) + "</SignatureProvided>");
  }
  if (uploads_.clock().WallNow() >= slot->expires) {
    return S3Error(403, "AccessDenied", "Request has expired");
  }
  const std::string* type = head_.FindHeader("content-type");
  const bool checked = fault_ && fault_->type == Fault::Type::kStrictContentType;
  if (checked && (type == nullptr || *type != slot->content_type)) {
    return S3Error(403, "SignatureDoesNotMatch",
                   "The Content-Type is not the one this URL was signed for.",
                   "<SignatureProvided>" + EscapeHtml(given) + "</SignatureProvided>");
  }
  slot_ = *slot;
  return std::nullopt;
}

std::optional<ServerResponse> UploadSink::ReadLengths() {
  const std::string* length = head_.FindHeader("content-length");
  const std::optional<std::uint64_t> bytes = length ? Number(*length) : std::nullopt;
  if (!bytes) {
    return S3Error(411, "MissingContentLength", "You must provide the Content-Length HTTP header.");
  }
  length_ = *bytes;
  if (const std::string* text = head_.FindHeader("content-range")) {
    if (!uploads_.options().resumable || (fault_ && fault_->type == Fault::Type::kNoResume)) {
      return S3Error(501, "NotImplemented",
                     "A header you provided implies functionality that is not implemented");
    }
    range_ = ParseContentRange(*text);
    const bool fits = range_ && length_ == (range_->first ? range_->last - *range_->first + 1 : 0);
    if (!fits) return S3Error(400, "InvalidArgument", "Content-Range and length do not fit.");
  }
  if (std::max(length_, range_ ? range_->total : 0) > uploads_.options().max_bytes) {
    return S3Error(400, "EntityTooLarge", "Your proposed upload exceeds the maximum allowed size");
  }
  return std::nullopt;
}

http::BodySink::Next UploadSink::Begin() {
  fault_ = uploads_.faults().Draw(head_.method, head_.path);
  if (fault_ && !fault_->act) return Refuse(ServerResponse{});
  if (auto wrong = CheckSignature()) return Refuse(*std::move(wrong));
  if (auto wrong = ReadLengths()) return Refuse(*std::move(wrong));
  if (range_ && !range_->first) return Refuse(Progress());
  return BeginWriting();
}

http::BodySink::Next UploadSink::BeginWriting() {
  const std::uint64_t first = range_ ? *range_->first : 0;
  if (first != 0 && (first != slot_.received || slot_.total != range_->total)) {
    return Refuse(S3Error(416, "InvalidRange", "The range does not begin where the file ends."));
  }
  writing_ = uploads_.store().Begin(slot_.token, first, range_ ? range_->total : length_);
  if (writing_ == nullptr) {
    return Refuse(S3Error(500, "InternalError", "The sandbox cannot write to its disk."));
  }
  return Next::kMore;
}

// The answer to a status query.
ServerResponse UploadSink::Progress() const {
  if (!slot_.total && slot_.stored_at) return Stored();
  return Incomplete(slot_.total == range_->total ? slot_.received : 0);
}

http::BodySink::Next UploadSink::Take(std::string_view piece) {
  bool cut = false;
  if (fault_ && fault_->type == Fault::Type::kCutUpload) {
    const auto room = static_cast<std::uint64_t>(fault_->number) - taken_;
    cut = piece.size() >= room;
    piece = piece.substr(0, std::min<std::uint64_t>(piece.size(), room));
  }
  taken_ += piece.size();
  uploads_.stats().bytes_received += piece.size();
  if (!writing_->Write(piece)) {
    return Refuse(S3Error(500, "InternalError", "The sandbox cannot write to its disk."));
  }
  return cut ? Next::kReset : Next::kMore;
}

ServerResponse UploadSink::Finish() {
  if (early_) return *std::move(early_);
  const std::uint64_t received = (range_ ? *range_->first : 0) + length_;
  if (range_ && received < range_->total) return Incomplete(received);
  if (!writing_->Complete(uploads_.clock().WallNow())) {
    return S3Error(500, "InternalError", "The sandbox cannot write to its disk.");
  }
  ++uploads_.stats().stored;
  return Stored();
}

void UploadSink::Answer(const http::Responder& responder) {
  ServerResponse response = Finish();
  AllowPage(head_, response);
  http::Delivery delivery;
  if (fault_) Spoil(*fault_, &response, &delivery);
  responder.Send(std::move(response), delivery);
}

}  // namespace gateway::sandbox
