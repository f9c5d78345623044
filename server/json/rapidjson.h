// This header sets RapidJSON up, in one place, as this library uses it. Private to json/.
//
// RapidJSON lives in a namespace of our own here, so that the linker cannot merge it with that of a
// translation unit which includes RapidJSON with other settings.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "json/utf8.h"

namespace gateway::json {
// Logs and aborts, because a broken invariant of the parser must not become a null dereference or
// worse in a release build.
[[noreturn]] void RapidJsonAssertionFailed(const char* expression, const char* file,
                                           int line) noexcept;
}  // namespace gateway::json

#if defined(RAPIDJSON_RAPIDJSON_H_)
#error "include json/rapidjson.h before any other header of RapidJSON"
#endif
#define RAPIDJSON_ASSERT(x) \
  ((x) ? static_cast<void>(0) : ::gateway::json::RapidJsonAssertionFailed(#x, __FILE__, __LINE__))
#define RAPIDJSON_NAMESPACE gateway::json::rj
#define RAPIDJSON_NAMESPACE_BEGIN \
  namespace gateway {             \
  namespace json {                \
  namespace rj {
#define RAPIDJSON_NAMESPACE_END \
  }                             \
  }                             \
  }
#include <rapidjson/reader.h>

namespace gateway::json {

// A TextStream is a string_view as an input stream. It reads as NUL at the end, like every stream
// of RapidJSON; the parser's caller compares Tell() with the size afterwards, because a NUL inside
// the text ends it too. The text may be the mended copy of one of the same length (json/mend.h).
class TextStream {
 public:
  using Ch = char;

  TextStream(std::string_view text, const char* original)
      : src_(text.data()),
        head_(text.data()),
        end_(text.data() + text.size()),
        original_(original) {}

  Ch Peek() const { return src_ != end_ ? *src_ : '\0'; }
  Ch Take() { return src_ != end_ ? *src_++ : '\0'; }
  std::size_t Tell() const { return static_cast<std::size_t>(src_ - head_); }

  // What of the text is still to come, for bulk reading.
  const char* position() const { return src_; }
  std::size_t left() const { return static_cast<std::size_t>(end_ - src_); }
  void Skip(std::size_t bytes) { src_ += bytes; }
  // What stands at this place in the text before it was mended.
  char Original() const { return original_[src_ - head_]; }

  // RapidJSON asks for these functions, which only in-situ parsing would call.
  Ch* PutBegin() { RAPIDJSON_ASSERT(false); }
  void Put(Ch) { RAPIDJSON_ASSERT(false); }
  void Flush() { RAPIDJSON_ASSERT(false); }
  std::size_t PutEnd(Ch*) { RAPIDJSON_ASSERT(false); }

 private:
  const char* src_;
  const char* head_;
  const char* end_;
  const char* original_;
};

// The UTF-8 of a mended text: bytes that are no UTF-8 are read as U+FFFD, and kRawControl as the
// character that it stands for.
struct ForgivingUtf8 : rj::UTF8<char> {};

// RapidJSON's UTF-8, but its validation takes runs of plain ASCII at once.
struct RunUtf8 : rj::UTF8<char> {};

// The number of bytes at the front of [p, p + n) that a JSON string holds as they are and that are
// ASCII: no quote, backslash, control or high byte.
inline std::size_t PlainRun(const char* p, std::size_t n) {
  constexpr std::uint64_t kOnes = 0x0101010101010101;
  constexpr std::uint64_t kHigh = 0x8080808080808080;
  std::size_t i = 0;
  for (; i + 8 <= n; i += 8) {
    std::uint64_t word;
    std::memcpy(&word, p + i, 8);
    const std::uint64_t quote = word ^ (kOnes * '"');
    const std::uint64_t slash = word ^ (kOnes * '\\');
    // A borrow can only mark bytes above a true mark, so the question "any?" is answered exactly.
    const std::uint64_t marks =
        (word | (word - kOnes * 0x20) | (quote - kOnes) | (slash - kOnes)) & kHigh;
    if (marks != 0) break;
  }
  for (; i < n; ++i) {
    const auto c = static_cast<unsigned char>(p[i]);
    if (c < 0x20 || c >= 0x80 || c == '"' || c == '\\') break;
  }
  return i;
}

// memcmp(a, b, n) == 0 for the short keys of JSON, without a call.
inline bool SameBytes(const char* a, const char* b, std::size_t n) {
  const auto same = [&]<typename Word>(Word) {  // sizeof(Word) <= n <= 2 * sizeof(Word)
    Word front_a, front_b, back_a, back_b;
    std::memcpy(&front_a, a, sizeof(Word));
    std::memcpy(&front_b, b, sizeof(Word));
    std::memcpy(&back_a, a + n - sizeof(Word), sizeof(Word));
    std::memcpy(&back_b, b + n - sizeof(Word), sizeof(Word));
    return ((front_a ^ front_b) | (back_a ^ back_b)) == 0;
  };
  if (n > 16) return std::memcmp(a, b, n) == 0;
  if (n >= 8) return same(std::uint64_t{});
  if (n >= 4) return same(std::uint32_t{});
  for (std::size_t i = 0; i < n; ++i) {
    if (a[i] != b[i]) return false;
  }
  return true;
}

// Whether any byte of [p, p + n) is above 0x7F.
inline bool HasHighByte(const char* p, std::size_t n) {
  std::uint64_t any = 0;
  std::size_t i = 0;
  for (; i + 8 <= n; i += 8) {
    std::uint64_t word;
    std::memcpy(&word, p + i, 8);
    any |= word;
  }
  for (; i < n; ++i) any |= static_cast<unsigned char>(p[i]);
  return (any & 0x8080808080808080) != 0;
}

}  // namespace gateway::json

namespace gateway::json::rj {

// Skips white space. Dense JSON mostly has none.
template <>
inline void SkipWhitespace(gateway::json::TextStream& is) {
  while (is.left() > 0) {
    const char c = *is.position();
    if (c > ' ' || (c != ' ' && c != '\n' && c != '\r' && c != '\t')) return;
    is.Skip(1);
  }
}

// The parser works on a copy while inside a string or number, and writes it back afterwards. So an
// event for one of those still sees Tell() at its first byte.
template <>
struct StreamTraits<gateway::json::TextStream> {
  enum { copyOptimization = 1 };
};

template <>
struct Transcoder<gateway::json::RunUtf8, UTF8<char>> {
  template <typename InputStream, typename OutputStream>
  static bool Validate(InputStream& is, OutputStream& os) {
    const std::size_t run = gateway::json::PlainRun(is.position(), is.left());
    if (run == 0) return UTF8<char>::Validate(is, os);
    std::memcpy(os.Push(static_cast<SizeType>(run)), is.position(), run);
    is.Skip(run);
    return true;
  }
  template <typename InputStream, typename OutputStream>
  static bool Transcode(InputStream& is, OutputStream& os) {
    return Validate(is, os);
  }
};

template <>
struct Transcoder<gateway::json::ForgivingUtf8, UTF8<char>> {
  template <typename InputStream, typename OutputStream>
  static bool Validate(InputStream& is, OutputStream& os) {
    std::string_view good(is.position(), gateway::json::PlainRun(is.position(), is.left()));
    if (good.empty()) {
      const gateway::json::Utf8Run run = gateway::json::FirstUtf8({is.position(), is.left()});
      const char original = is.Original();
      is.Skip(run.bytes);
      if (static_cast<unsigned char>(original) < 0x20) {
        os.Put(original);
        return true;
      }
      good = run.good ? std::string_view(is.position() - run.bytes, run.bytes)
                      : gateway::json::kReplacement;
    } else {
      is.Skip(good.size());
    }
    std::memcpy(os.Push(static_cast<SizeType>(good.size())), good.data(), good.size());
    return true;
  }
  template <typename InputStream, typename OutputStream>
  static bool Transcode(InputStream& is, OutputStream& os) {
    return Validate(is, os);
  }
};

}  // namespace gateway::json::rj
