#include "face/file_answer.h"

#include <array>
#include <charconv>
#include <utility>

#include "absl/strings/escaping.h"
#include "base/sha256.h"
#include "base/stable_bytes.h"
#include "face/request_of.h"
#include "rpc/wire.h"

namespace gateway::face {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

constexpr std::string_view kUnknownType = "application/octet-stream";
constexpr std::size_t kTagBytes = 12;

struct TypeRow {
  std::string_view ending;  // of a part's name, or of a file's
  std::string_view type;
};
// Nothing that a browser would run as a page.
constexpr std::array kTypes = {TypeRow{"_JSON", "application/json"},
                               TypeRow{"_TXT", "text/plain; charset=utf-8"},
                               TypeRow{"_SRT", "application/x-subrip"},
                               TypeRow{"_VTT", "text/vtt; charset=utf-8"},
                               TypeRow{".mp4", "video/mp4"},
                               TypeRow{".mp3", "audio/mpeg"},
                               TypeRow{".wav", "audio/wav"},
                               TypeRow{".jpg", "image/jpeg"},
                               TypeRow{".jpeg", "image/jpeg"},
                               TypeRow{".png", "image/png"},
                               TypeRow{".webp", "image/webp"},
                               TypeRow{".gif", "image/gif"},
                               TypeRow{".json", "application/json"},
                               TypeRow{".txt", "text/plain; charset=utf-8"},
                               TypeRow{".srt", "application/x-subrip"},
                               TypeRow{".vtt", "text/vtt; charset=utf-8"}};

std::int64_t NumberOf(const Message& message, const char* name) {
  const auto* const field = message.GetDescriptor()->FindFieldByName(name);
  const auto& reflection = *message.GetReflection();
  return field->cpp_type() == FieldDescriptor::CPPTYPE_INT64 ? reflection.GetInt64(message, field)
                                                             : reflection.GetInt32(message, field);
}

std::string_view TypeByEnding(std::string_view name) {
  for (const TypeRow& row : kTypes) {
    if (name.ends_with(row.ending)) return row.type;
  }
  return kUnknownType;
}

std::optional<std::int64_t> Whole(std::string_view text) {
  std::int64_t value = 0;
  const char* const end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data(), end, value);
  if (text.empty() || text.front() == '-' || at != end || error != std::errc()) return std::nullopt;
  return value;
}

}  // namespace

bool IsFilePiece(const Descriptor& type) {
  const auto* const data = type.FindFieldByName("data");
  return data != nullptr && data->type() == FieldDescriptor::TYPE_BYTES &&
         type.FindFieldByName("offset") != nullptr &&
         type.FindFieldByName("total_bytes") != nullptr;
}

bool ReadFilePiece(const grpc::ByteBuffer& bytes, const Descriptor& type, FilePiece& piece) {
  const auto message = NewMessage(type);
  if (!rpc::Parse(bytes, *message)) return false;
  piece.data = message->GetReflection()->GetString(*message, type.FindFieldByName("data"));
  piece.offset = NumberOf(*message, "offset");
  piece.total_bytes = NumberOf(*message, "total_bytes");
  if (const auto* const name = type.FindFieldByName("name")) {
    piece.name = message->GetReflection()->GetString(*message, name);
  }
  return true;
}

std::optional<AskedRange> ReadRange(const std::string* range) {
  constexpr std::string_view kUnit = "bytes=";
  if (range == nullptr || !range->starts_with(kUnit)) return std::nullopt;
  const std::string_view value = std::string_view(*range).substr(kUnit.size());
  const std::size_t dash = value.find('-');
  if (dash == std::string_view::npos || value.find(',') != std::string_view::npos) {
    return std::nullopt;
  }
  const std::optional<std::int64_t> first = Whole(value.substr(0, dash));
  const std::string_view to = value.substr(dash + 1);
  const std::optional<std::int64_t> last = Whole(to);
  if (!to.empty() && !last) return std::nullopt;
  if (dash == 0) {
    if (!last) return std::nullopt;
    return AskedRange{.first = *last, .from_end = true};
  }
  if (!first || (last && *last < *first)) return std::nullopt;
  return AskedRange{.first = *first, .last = last};
}

std::string FileType(const Message& request, std::string_view name) {
  const auto* const part = request.GetDescriptor()->FindFieldByName("part");
  if (part != nullptr && part->cpp_type() == FieldDescriptor::CPPTYPE_ENUM) {
    const auto* const value = request.GetReflection()->GetEnum(request, part);
    // Where none is named it is the JSON of the result.
    return std::string(value->number() == 0 ? kTypes[0].type : TypeByEnding(value->name()));
  }
  return std::string(TypeByEnding(name));
}

std::string FileTag(const Message& request, std::int64_t total_bytes) {
  const std::unique_ptr<Message> named(request.New());
  named->CopyFrom(request);
  if (const auto* const offset = named->GetDescriptor()->FindFieldByName("offset")) {
    named->GetReflection()->ClearField(named.get(), offset);
  }
  Sha256Stream stream;
  stream.Append(StableBytes(*named));
  stream.Append(std::to_string(total_bytes));
  const std::string digest = stream.Finish();
  return "\"" + absl::BytesToHexString(digest.substr(0, kTagBytes)) + "\"";
}

FileBody::FileBody(std::shared_ptr<InsideCall> call, std::string first, const Descriptor& type,
                   std::int64_t count)
    : call_(std::move(call)),
      first_(std::move(first)),
      type_(type),
      count_(static_cast<std::uint64_t>(count)),
      left_(std::make_shared<Left>(Left{count})) {}

FileBody::~FileBody() { call_->Cancel(); }

http::LiveBody::Piece FileBody::Cut(std::string bytes, Left& left) {
  if (static_cast<std::int64_t>(bytes.size()) > left.bytes) {
    bytes.resize(static_cast<std::size_t>(left.bytes));
  }
  left.bytes -= static_cast<std::int64_t>(bytes.size());
  return {.bytes = std::move(bytes), .last = left.bytes == 0};
}

void FileBody::Next(std::function<void(Piece)> ready) {
  if (first_.has_value()) {
    std::string first = *std::exchange(first_, std::nullopt);
    return ready(Cut(std::move(first), *left_));
  }
  call_->Take([type = &type_, left = left_, ready = std::move(ready)](InsideCall::Next next) {
    FilePiece piece;
    // Its length was told, so an early end must not look like one.
    if (!next.message.has_value() || !ReadFilePiece(*next.message, *type, piece)) {
      return ready({.bytes = "", .broken = true});
    }
    ready(Cut(std::move(piece.data), *left));
  });
}

}  // namespace gateway::face
