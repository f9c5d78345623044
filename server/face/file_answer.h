// What is streamed as bytes goes out over HTTP as a file: with its type and its length, whole or
// the part that Range asks for.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "face/inside_call.h"
#include "google/protobuf/message.h"
#include "http/server_message.h"

namespace gateway::face {

// Whether messages of this type carry bytes of something larger, and say where they belong: `data`,
// `offset` and `total_bytes`. Pure.
bool IsFilePiece(const google::protobuf::Descriptor& type);

struct FilePiece {
  std::string data;
  std::int64_t offset = 0;
  std::int64_t total_bytes = 0;
  std::string name{};  // of the file; empty: it has none
};
// False if the bytes are no such message.
bool ReadFilePiece(const grpc::ByteBuffer& bytes, const google::protobuf::Descriptor& type,
                   FilePiece& piece);

// A `Range` of one part, before it is known how long the file is. Pure.
struct AskedRange {
  std::int64_t first = 0;
  std::optional<std::int64_t> last{};  // unset: to the end
  bool from_end = false;               // the last `first` bytes
};
// Unset if there is none, or one that is not honoured: then the whole file is the answer.
std::optional<AskedRange> ReadRange(const std::string* range);

// The type of what is read: by the part of a result that the request names, or by the file's name.
// Pure.
std::string FileType(const google::protobuf::Message& request, std::string_view name);

// A name for what is read that changes when it does; what is read here never does. Pure.
std::string FileTag(const google::protobuf::Message& request, std::int64_t total_bytes);

// Sends `count` bytes: `first`, and then what the call brings.
class FileBody final : public http::LiveBody {
 public:
  FileBody(std::shared_ptr<InsideCall> call, std::string first,
           const google::protobuf::Descriptor& type, std::int64_t count);
  ~FileBody() override;
  std::optional<std::uint64_t> size() const override { return count_; }
  void Next(std::function<void(Piece)> ready) override;

 private:
  struct Left {
    std::int64_t bytes;
  };
  static Piece Cut(std::string bytes, Left& left);

  const std::shared_ptr<InsideCall> call_;
  std::optional<std::string> first_;
  const google::protobuf::Descriptor& type_;
  const std::uint64_t count_;
  const std::shared_ptr<Left> left_;  // one piece at a time changes it
};

}  // namespace gateway::face
