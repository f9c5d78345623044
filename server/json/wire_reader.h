// A WireReader walks the wire format of a message that this program serialised itself, field by
// field.
//
// It is faster than asking the message by reflection for each of its fields, of which most are not
// set. It is single-threaded; views point into the bytes.
#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>

namespace gateway::json {

class WireReader {
 public:
  explicit WireReader(std::string_view bytes) : at_(bytes.data()), end_(at_ + bytes.size()) {}

  // Goes to the next field; false at the end, and where the bytes are no wire format.
  bool Next() {
    if (at_ == end_) return false;
    const std::uint64_t tag = Varint();
    number_ = static_cast<std::uint32_t>(tag >> 3);
    bytes_ = {};
    switch (tag & 7) {
      case 0:
        bits_ = Varint();
        return true;
      case 1:
        return Fixed(8);
      case 2: {
        const std::uint64_t size = Varint();
        if (size > left()) return Broken();
        bytes_ = {at_, static_cast<std::size_t>(size)};
        at_ += size;
        return true;
      }
      case 5:
        return Fixed(4);
      default:
        return Broken();
    }
  }

  // Whether the field after this one is the same, as the elements of a list are.
  bool SameFollows() const {
    WireReader ahead = *this;
    return ahead.Next() && ahead.number_ == number_;
  }

  std::uint32_t number() const { return number_; }
  std::uint64_t bits() const { return bits_; }       // of a number or bool
  std::string_view bytes() const { return bytes_; }  // of a text or message

 private:
  std::size_t left() const { return static_cast<std::size_t>(end_ - at_); }
  bool Broken() {
    at_ = end_;
    return false;
  }
  bool Fixed(std::size_t size) {
    if (size > left()) return Broken();
    bits_ = 0;
    std::memcpy(&bits_, at_, size);
    at_ += size;
    return true;
  }
  std::uint64_t Varint() {
    std::uint64_t value = 0;
    for (int shift = 0; shift < 64 && at_ != end_; shift += 7) {
      const auto byte = static_cast<unsigned char>(*at_++);
      value |= std::uint64_t{byte & 0x7Fu} << shift;
      if (byte < 0x80) return value;
    }
    Broken();
    return 0;
  }

  const char* at_;
  const char* end_;
  std::uint32_t number_ = 0;
  std::uint64_t bits_ = 0;
  std::string_view bytes_;
};

}  // namespace gateway::json
