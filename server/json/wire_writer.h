// A WireWriter builds a serialised message field by field, from the outside in.
//
// It is faster than setting the fields of a message by reflection; the message is then parsed from
// the bytes at once. The bytes are those that protobuf itself would write. It is single-threaded.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace gateway::json {

class WireWriter {
 public:
  void Text(int number, std::string_view value) {
    Tag(number, 2);
    Varint(value.size());
    out_.append(value);
  }
  void Int(int number, std::int32_t value) {
    Tag(number, 0);
    Varint(static_cast<std::uint64_t>(std::int64_t{value}));
  }
  void Bool(int number, bool value) {
    Tag(number, 0);
    out_.push_back(value ? 1 : 0);
  }
  void Double(int number, double value) {
    Tag(number, 1);
    const auto bits = std::bit_cast<std::uint64_t>(value);
    out_.append(reinterpret_cast<const char*>(&bits), sizeof bits);
  }

  // What follows is inside a message, until it is closed.
  void Open(int number) {
    Tag(number, 2);
    out_.push_back(0);  // its length, which most often is one byte
    open_.push_back(out_.size());
  }
  void Close() {
    const std::size_t body = open_.back();
    open_.pop_back();
    std::size_t size = out_.size() - body;
    if (const std::size_t more = VarintBytes(size) - 1; more > 0) out_.insert(body, more, '\0');
    char* length = out_.data() + body - 1;
    for (; size >= 0x80; size >>= 7) *length++ = static_cast<char>(size | 0x80);
    *length = static_cast<char>(size);
  }
  std::size_t open() const { return open_.size(); }

  std::string Take() { return std::move(out_); }

 private:
  static std::size_t VarintBytes(std::uint64_t value) {
    return static_cast<std::size_t>(std::bit_width(value | 1) + 6) / 7;
  }
  void Tag(int number, unsigned type) { Varint(static_cast<std::uint64_t>(number) << 3 | type); }
  void Varint(std::uint64_t value) {
    for (; value >= 0x80; value >>= 7) out_.push_back(static_cast<char>(value | 0x80));
    out_.push_back(static_cast<char>(value));
  }

  std::string out_;
  std::vector<std::size_t> open_;  // where the bodies of open messages begin
};

}  // namespace gateway::json
