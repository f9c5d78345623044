#include "json/mend.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "json/key_sets.h"

namespace gateway::json {
namespace {

constexpr std::size_t kPlainNumberBytes =
    32;  // up to here, without an exponent, any double holds it

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// The code unit of `\uXXXX` at `at`; nullopt if there is none.
std::optional<unsigned> EscapedUnit(std::string_view text, std::size_t at) {
  if (text.substr(at, 2) != "\\u" || text.size() - at < 6) return std::nullopt;
  unsigned unit = 0;
  for (const char c : text.substr(at + 2, 4)) {
    const char low = static_cast<char>(c | 0x20);
    if (!IsDigit(c) && (low < 'a' || low > 'f')) return std::nullopt;
    unit = unit * 16 + static_cast<unsigned>(IsDigit(c) ? c - '0' : low - 'a' + 10);
  }
  return unit;
}

bool IsHighHalf(unsigned unit) { return unit >= 0xD800 && unit < 0xDC00; }
bool IsLowHalf(unsigned unit) { return unit >= 0xDC00 && unit < 0xE000; }

// The place behind the number that begins at `at`; `at` if none does.
std::size_t NumberEnd(std::string_view text, std::size_t at) {
  std::size_t i = at;
  const auto take = [&](std::string_view any) {
    const bool found = i < text.size() && any.find(text[i]) != std::string_view::npos;
    if (found) ++i;
    return found;
  };
  const auto digits = [&] {
    const std::size_t begin = i;
    while (i < text.size() && IsDigit(text[i])) ++i;
    return i > begin;
  };
  take("-");
  if (!take("0") && !digits()) return at;
  if (take(".") && !digits()) return at;
  if (take("eE")) {
    take("+-");
    if (!digits()) return at;
  }
  return i;
}

class Mender {
 public:
  Mender(std::string_view text, const Limits& limits)
      : text_(text),
        out_(text),
        max_keys_(limits.max_values),
        max_depth_(static_cast<std::size_t>(std::min(limits.max_depth, limits::kJsonMaxDepth))),
        forgiving_(limits.reading == Reading::kForgiving) {}

  std::string Run() {
    constexpr std::string_view kMark = "\xEF\xBB\xBF";
    if (forgiving_ && text_.substr(0, kMark.size()) == kMark) {
      Blank(0, kMark.size());
      at_ = kMark.size();
    }
    while (at_ < text_.size() && Step()) {
    }
    return std::move(out_);
  }

 private:
  // What may come next. kEnd: a comma or the end of what is open.
  enum class Next : std::uint8_t { kValue, kValueOrEnd, kKey, kKeyOrEnd, kColon, kEnd };

  // Where a member of an open object stands, with the comma behind it once that has come.
  struct Place {
    std::uint32_t begin = 0;
    std::uint32_t end = 0;
  };
  // An object that is open: its members are places_[first …], by the number of their key.
  struct Object {
    std::size_t first = 0;
    std::size_t newest = 0;
  };

  // Takes one token. False where the text is broken.
  bool Step() {
    switch (text_[at_]) {
      case ' ':
      case '\t':
      case '\n':
      case '\r':
        ++at_;
        return true;
      case '"':
        return String();
      case '{':
      case '[':
        return Open(text_[at_] == '{');
      case '}':
      case ']':
        return Close(text_[at_] == '}');
      case ',':
        return Comma();
      case ':':
        if (next_ != Next::kColon) return false;
        next_ = Next::kValue;
        ++at_;
        return true;
      default:
        return Value() && Word();
    }
  }

  // Takes a value where one is allowed.
  bool Value() {
    if (next_ != Next::kValue && next_ != Next::kValueOrEnd) return false;
    next_ = Next::kEnd;
    return true;
  }

  bool KeysAreKept() const { return forgiving_ && open_.size() <= max_depth_; }

  bool Open(bool object) {
    if (!Value()) return false;
    open_.push_back(object);
    if (open_.size() == max_depth_ + 1) too_deep_ = at_ + 1;
    if (object && KeysAreKept()) {
      keys_.Open();
      objects_.push_back({places_.size(), 0});
    }
    next_ = object ? Next::kKeyOrEnd : Next::kValueOrEnd;
    ++at_;
    return true;
  }

  bool Close(bool object) {
    if (open_.empty() || open_.back() != object) return false;
    if (next_ != Next::kEnd && next_ != (object ? Next::kKeyOrEnd : Next::kValueOrEnd)) {
      return false;
    }
    if (object && KeysAreKept()) {
      keys_.Close();
      places_.resize(objects_.back().first);
      objects_.pop_back();
    }
    if (forgiving_ && open_.size() == max_depth_ + 1) Blank(too_deep_, at_);
    open_.pop_back();
    next_ = Next::kEnd;
    ++at_;
    return true;
  }

  bool Comma() {
    if (next_ != Next::kEnd || open_.empty()) return false;
    ++at_;
    next_ = open_.back() ? Next::kKey : Next::kValue;
    if (open_.back() && KeysAreKept()) {
      places_[objects_.back().newest].end = static_cast<std::uint32_t>(at_);
    }
    return true;
  }

  bool String() {
    const std::size_t begin = at_;
    const bool key = next_ == Next::kKey || next_ == Next::kKeyOrEnd;
    if (key) {
      next_ = Next::kColon;
    } else if (!Value()) {
      return false;
    }
    return Characters() && (!key || !KeysAreKept() || Key(begin));
  }

  // Goes over a string to behind its closing quote.
  bool Characters() {
    for (++at_; at_ < text_.size();) {
      at_ += PlainRun(text_.data() + at_, text_.size() - at_);
      if (at_ == text_.size()) break;
      const auto c = static_cast<unsigned char>(text_[at_]);
      if (c == '"') {
        ++at_;
        return true;
      }
      if (c == '\\') {
        if (!Escape()) return false;
      } else {
        if (c < 0x20) {
          if (!forgiving_) return false;
          out_[at_] = kRawControl;
        }
        ++at_;
      }
    }
    return false;
  }

  bool Escape() {
    if (text_.substr(at_, 2) != "\\u") {
      const bool known =
          at_ + 1 < text_.size() &&
          std::string_view("\"\\/bfnrt").find(text_[at_ + 1]) != std::string_view::npos;
      at_ += 2;
      return known;
    }
    const std::optional<unsigned> unit = EscapedUnit(text_, at_);
    if (!unit.has_value()) return false;
    std::size_t bytes = 6;
    if (IsHighHalf(*unit) && IsLowHalf(EscapedUnit(text_, at_ + bytes).value_or(0))) {
      bytes = 12;
    } else if (IsHighHalf(*unit) || IsLowHalf(*unit)) {
      if (!forgiving_) return false;
      out_.replace(at_ + 2, 4, "fffd");
    }
    at_ += bytes;
    return true;
  }

  // Takes the key between `begin` and here. It takes the place of an equal one before it.
  bool Key(std::size_t begin) {
    if (places_.size() >= max_keys_) return false;
    const std::string_view quoted = text_.substr(begin, at_ - begin);
    const bool plain = quoted.find('\\') == std::string_view::npos;
    const std::uint32_t equal =
        plain ? keys_.Add(quoted.substr(1, quoted.size() - 2)) : keys_.Add(Text(quoted));
    Object& object = objects_.back();
    if (equal == KeySets::kNone) {
      object.newest = places_.size();
      places_.emplace_back();
    } else {
      object.newest = object.first + equal;
      Blank(places_[object.newest].begin, places_[object.newest].end);
    }
    places_[object.newest].begin = static_cast<std::uint32_t>(begin);
    return true;
  }

  // Takes a number, or one of the words.
  bool Word() {
    for (const std::string_view word : {"true", "false", "null"}) {
      if (text_.substr(at_, word.size()) == word) {
        at_ += word.size();
        return true;
      }
    }
    const std::size_t begin = at_;
    const std::size_t no_number = NotANumberAt(text_, at_);
    at_ = no_number > 0 ? at_ + no_number : NumberEnd(text_, at_);
    if (at_ == begin || (no_number > 0 && !forgiving_)) return false;
    if (no_number > 0 || at_ - begin > kPlainNumberBytes ||
        text_.substr(begin, at_ - begin).find_first_of("eE") != std::string_view::npos) {
      std::fill(out_.begin() + static_cast<std::ptrdiff_t>(begin),
                out_.begin() + static_cast<std::ptrdiff_t>(at_), '0');
      out_[begin + 1] = '.';
    }
    return true;
  }

  void Blank(std::size_t begin, std::size_t end) {
    std::fill(out_.begin() + static_cast<std::ptrdiff_t>(begin),
              out_.begin() + static_cast<std::ptrdiff_t>(end), ' ');
  }

  const std::string_view text_;
  std::string out_;
  const std::size_t max_keys_;
  const std::size_t max_depth_;
  const bool forgiving_;
  std::size_t at_ = 0;
  Next next_ = Next::kValue;
  std::vector<bool> open_;    // true: an object
  std::size_t too_deep_ = 0;  // inside the outermost that nests too deep
  KeySets keys_;
  std::vector<Object> objects_;
  std::vector<Place> places_;
};

}  // namespace

std::size_t NotANumberAt(std::string_view text, std::size_t at) {
  for (const std::string_view word : {"NaN", "Infinity", "-Infinity"}) {
    if (text.substr(at, word.size()) == word) return word.size();
  }
  return 0;
}

std::string Mend(std::string_view text, const Limits& limits) { return Mender(text, limits).Run(); }

}  // namespace gateway::json
