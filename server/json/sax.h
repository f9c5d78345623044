// A SaxHandler puts the rules of json/check.h around RapidJSON's SAX parser: it is what Check and
// Read share. Private to json/.
//
// A Derived gets only events that keep the rules, each with its place in the text:
//   bool OnScalar(Type type, std::string_view decoded, std::size_t begin);  numbers as written
//   bool OnKey(std::string_view key, std::size_t begin);
//   bool OnStart(Type type, std::size_t begin);  bool OnEnd(Type type, std::size_t end);
// and returns false only after Fail().
#pragma once

#include <cstddef>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "json/check.h"
#include "json/key_sets.h"
#include "json/mend.h"
#include "json/rapidjson.h"

namespace gateway::json {

// Numbers arrive as their text: RapidJSON's own conversion is not exact without a flag that has
// known faults. The recursive parser would let anybody choose our stack depth.
inline constexpr unsigned kParseFlags =
    rj::kParseIterativeFlag | rj::kParseValidateEncodingFlag | rj::kParseNumbersAsStringsFlag;
static_assert((kParseFlags & (rj::kParseFullPrecisionFlag | rj::kParseNanAndInfFlag |
                              rj::kParseInsituFlag | rj::kParseCommentsFlag |
                              rj::kParseTrailingCommasFlag | rj::kParseStopWhenDoneFlag)) == 0);

// A Source is a text, and what is parsed in its place: itself, or its mended copy. Events speak of
// the text.
struct Source {
  std::string_view text;
  std::string_view parsed;

  bool mended() const { return parsed.data() != text.data(); }
};

// A Fault says why a text could not be read; it is empty if the text was read.
struct Fault {
  std::string what;
  std::size_t offset = 0;
  bool mendable = false;  // it may be no more than odd

  explicit operator bool() const { return !what.empty(); }
};

// INVALID_ARGUMENT with the place in words.
absl::Status FaultAt(std::string_view text, std::size_t offset, std::string_view what);
// What RapidJSON means by `code` at `offset`.
std::string_view ParserWords(std::string_view text, int code, std::size_t offset);
// One past the closing quote of the checked string that begins at `begin`.
std::size_t StringEnd(std::string_view text, std::size_t begin);

inline bool HasLoneSurrogate(const char* p, std::size_t n) {
  if (!HasHighByte(p, n)) return false;
  // Raw surrogates do not get past validation, so what is found was written as \udc00.
  const char* const end = p + n;
  while ((p = static_cast<const char*>(std::memchr(p, 0xED, static_cast<std::size_t>(end - p))))) {
    if (end - p > 1 && static_cast<unsigned char>(p[1]) >= 0xA0) return true;
    ++p;
  }
  return false;
}

template <typename Derived>
class SaxHandler {
 public:
  SaxHandler(const Source& source, const Limits& limits)
      : text_(source.text),
        limits_(limits),
        stream_(source.parsed, source.text.data()),
        mended_(source.mended()),
        forgiving_(limits.reading == Reading::kForgiving) {
    if (limits_.max_depth > limits::kJsonMaxDepth) limits_.max_depth = limits::kJsonMaxDepth;
    if (forgiving_) limits_.max_key_bytes = std::string_view::npos;
    if (forgiving_ && mended_) ++limits_.max_depth;  // to empty containers
  }

  // Parses the text. It is called once.
  Fault Run() {
    if (text_.size() > (std::size_t{1} << 30)) return {"the text is too long"};
    return forgiving_ && mended_ ? Parse<ForgivingUtf8>() : Parse<RunUtf8>();
  }

  // RapidJSON's events. Words are consumed before their event, brackets after it, and strings and
  // numbers (parsed on a copy of the stream) after it too.
  bool Null() { return Value() && self().OnScalar(Type::kNull, {}, stream_.Tell() - 4); }
  bool Bool(bool b) {
    const std::string_view word = b ? "true" : "false";
    return Value() && self().OnScalar(Type::kBool, word, stream_.Tell() - word.size());
  }
  bool RawNumber(const char* p, rj::SizeType n, bool) {
    if (!Value()) return false;
    const std::size_t begin = stream_.Tell();
    if (mended_) {
      if (NotANumberAt(text_, begin) > 0) return self().OnScalar(Type::kNull, {}, begin);
      p = text_.data() + begin;
    }
    return self().OnScalar(Type::kNumber, {p, n}, begin);
  }
  bool String(const char* p, rj::SizeType n, bool) {
    if (n > limits_.max_string_bytes && IsTooLong()) return Fail("the string is too long");
    return Value() && GoodText(p, n) && self().OnScalar(Type::kString, {p, n}, stream_.Tell());
  }
  bool Key(const char* p, rj::SizeType n, bool) {
    if (n > limits_.max_key_bytes) return Fail("the key is too long");
    if (!GoodText(p, n)) return false;
    // In a mended text there are no two, but for keys that are no UTF-8, which nobody knows.
    if (forgiving_ && mended_) return self().OnKey({p, n}, stream_.Tell());
    if (keys_.Add({p, n}) != KeySets::kNone) return Fail("the key occurs twice in its object");
    if (keys_.count() > limits_.max_members) {
      return Fail("the object has more than " + std::to_string(limits_.max_members) + " members");
    }
    return self().OnKey({p, n}, stream_.Tell());
  }
  bool StartObject() {
    if (!Value() || !Enter()) return false;
    keys_.Open();
    return self().OnStart(Type::kObject, stream_.Tell());
  }
  bool EndObject(rj::SizeType) {
    --depth_;
    keys_.Close();
    return self().OnEnd(Type::kObject, stream_.Tell() + 1);
  }
  bool StartArray() { return Value() && Enter() && self().OnStart(Type::kArray, stream_.Tell()); }
  bool EndArray(rj::SizeType) {
    --depth_;
    return self().OnEnd(Type::kArray, stream_.Tell() + 1);
  }
  // RapidJSON never calls these functions, because numbers come as text only.
  bool Int(int) { return Fail("unexpected number"); }
  bool Uint(unsigned) { return Fail("unexpected number"); }
  bool Int64(std::int64_t) { return Fail("unexpected number"); }
  bool Uint64(std::uint64_t) { return Fail("unexpected number"); }
  bool Double(double) { return Fail("unexpected number"); }

 protected:
  ~SaxHandler() = default;

  std::string_view text() const { return text_; }
  int depth() const { return depth_; }

  bool Fail(std::string_view what) {
    fault_ = {std::string(what), stream_.Tell()};
    return false;
  }

  // The exact bytes of a scalar in its event.
  std::string_view RawScalar(Type type, std::string_view decoded, std::size_t begin) const {
    if (type == Type::kString) return text_.substr(begin, StringEnd(text_, begin) - begin);
    if (type != Type::kNull) return text_.substr(begin, decoded.size());
    const std::size_t no_number = mended_ ? NotANumberAt(text_, begin) : 0;
    return text_.substr(begin, no_number > 0 ? no_number : 4);
  }
  // Bytes of the text as a proto string takes them.
  bool MayBreakUtf8() const { return forgiving_ && mended_; }

 private:
  Derived& self() { return static_cast<Derived&>(*this); }
  template <typename Encoding>
  Fault Parse() {
    rj::GenericReader<Encoding, rj::UTF8<char>> reader(nullptr, 1024);
    const rj::ParseResult result = reader.template Parse<kParseFlags>(stream_, *this);
    Fault fault;
    if (!result.IsError()) {
      if (stream_.Tell() == text_.size()) return fault;
      fault = {"nothing may follow the value", stream_.Tell()};
    } else if (result.Code() == rj::kParseErrorTermination) {
      fault = fault_;
    } else {
      fault = {std::string(ParserWords(text_, result.Code(), result.Offset())), result.Offset()};
    }
    // A text that merely ends too early cannot be mended.
    fault.mendable =
        forgiving_ ? fault.offset < text_.size() : result.Code() == rj::kParseErrorNumberTooBig;
    return fault;
  }
  bool Value() {
    if (++values_ > limits_.max_values) return Fail("too many values");
    return true;
  }
  bool Enter() {
    if (++depth_ > limits_.max_depth) return Fail("objects and arrays are nested too deep");
    return true;
  }
  // Whether a string is too long. Bytes that are no UTF-8 make a string longer than it is written.
  bool IsTooLong() const {
    return !(forgiving_ && mended_) ||
           RawScalar(Type::kString, {}, stream_.Tell()).size() > limits_.max_string_bytes + 2;
  }
  bool GoodText(const char* p, std::size_t n) {
    if (HasLoneSurrogate(p, n)) return Fail("half of a surrogate pair stands alone");
    if (!limits_.allow_nul && std::memchr(p, 0, n) != nullptr) {
      return Fail("the character \\u0000 is not allowed");
    }
    return true;
  }

  std::string_view text_;
  Limits limits_;
  TextStream stream_;
  const bool mended_;
  const bool forgiving_;
  KeySets keys_;
  int depth_ = 0;
  std::size_t values_ = 0;
  Fault fault_;
};

// Reads `text` by `run`, a Fault(const Source&), which begins anew at each call: the text as it is,
// and, if that meets what may be mended, its mended copy.
template <typename RunOver>
absl::Status ReadMending(std::string_view text, const Limits& limits, RunOver run) {
  Fault fault = run(Source{text, text});
  if (fault && fault.mendable) {
    const std::string mended = Mend(text, limits);
    fault = run(Source{text, mended});
  }
  return fault ? FaultAt(text, fault.offset, fault.what) : absl::OkStatus();
}

}  // namespace gateway::json
