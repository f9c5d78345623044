#include "json/check.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "base/errors.h"
#include "json/sax.h"

namespace gateway::json {
namespace {

absl::string_view Absl(std::string_view text) { return {text.data(), text.size()}; }

// An OutlineHandler checks, and notes what lies directly under the root.
class OutlineHandler final : public SaxHandler<OutlineHandler> {
 public:
  OutlineHandler(const Source& source, const Limits& limits, Outline* outline)
      : SaxHandler(source, limits), outline_(outline) {}

  bool OnScalar(Type type, std::string_view decoded, std::size_t begin) {
    if (outline_ == nullptr || depth() > deepest_) return true;
    Note(type, RawScalar(type, decoded, begin), depth());
    return true;
  }
  bool OnKey(std::string_view key, std::size_t) {
    if (outline_ != nullptr && depth() == 1) key_.assign(key);
    return true;
  }
  bool OnStart(Type type, std::size_t begin) {
    if (depth() == 1 && type == Type::kArray && outline_ != nullptr && !outline_->elements)
      deepest_ = 0;
    if (depth() <= 2) begin_[static_cast<std::size_t>(depth())] = begin;
    return true;
  }
  bool OnEnd(Type type, std::size_t end) {  // depth() is already that outside
    if (outline_ == nullptr || depth() > deepest_) return true;
    const std::size_t begin = begin_[static_cast<std::size_t>(depth()) + 1];
    Note(type, text().substr(begin, end - begin), depth());
    return true;
  }

 private:
  void Note(Type type, std::string_view raw, int outside) {
    if (outside == 0) {
      outline_->type = type;
      outline_->root = raw;
    } else {
      outline_->members.push_back({std::move(key_), raw, type});
      key_.clear();
    }
  }

  Outline* const outline_;
  std::string key_;
  int deepest_ = 1;  // that is noted
  std::array<std::size_t, 3> begin_{};
};

// A MemberHandler finds members by their keys.
class MemberHandler final : public SaxHandler<MemberHandler> {
 public:
  MemberHandler(const Source& source, const Limits& limits,
                std::initializer_list<std::string_view> keys,
                const std::function<void(const Member&)>& found)
      : SaxHandler(source, limits), keys_(keys), found_(found) {}

  bool OnScalar(Type type, std::string_view decoded, std::size_t begin) {
    if (inside_ == kNowhere && !key_.empty()) {
      found_({std::exchange(key_, ""), RawScalar(type, decoded, begin), type});
    }
    return true;
  }
  bool OnKey(std::string_view key, std::size_t) {
    if (inside_ == kNowhere && std::find(keys_.begin(), keys_.end(), key) != keys_.end()) {
      key_.assign(key);
    }
    return true;
  }
  bool OnStart(Type, std::size_t begin) {
    if (inside_ == kNowhere && !key_.empty()) {
      inside_ = depth() - 1;
      begin_ = begin;
    }
    return true;
  }
  bool OnEnd(Type type, std::size_t end) {
    if (depth() == inside_) {
      inside_ = kNowhere;
      found_({std::exchange(key_, ""), text().substr(begin_, end - begin_), type});
    }
    return true;
  }

 private:
  static constexpr int kNowhere = -1;

  const std::initializer_list<std::string_view> keys_;
  const std::function<void(const Member&)>& found_;
  std::string key_;        // of the member whose value comes next, or is being read; empty: none
  int inside_ = kNowhere;  // the depth around that value, once it has begun
  std::size_t begin_ = 0;
};

// A TextHandler decodes one string.
class TextHandler final : public SaxHandler<TextHandler> {
 public:
  TextHandler(const Source& source, const Limits& limits, std::string& out)
      : SaxHandler(source, limits), out_(out) {}
  bool OnScalar(Type, std::string_view decoded, std::size_t) {
    out_.assign(decoded);
    return true;
  }
  bool OnKey(std::string_view, std::size_t) { return true; }
  bool OnStart(Type, std::size_t) { return true; }
  bool OnEnd(Type, std::size_t) { return true; }

 private:
  std::string& out_;
};

struct PathStep {
  bool array = false;
  std::size_t index = 0;
  std::string_view key;  // as written, without its quotes
  bool value_next = false;
};

void AppendStep(const PathStep& step, std::string& path) {
  if (step.array) {
    absl::StrAppend(&path, "[", step.index, "]");
    return;
  }
  const bool plain = !step.key.empty() && step.key.size() <= limits::kJsonKeyMaxBytes &&
                     std::all_of(step.key.begin(), step.key.end(), [](unsigned char c) {
                       return std::isalnum(c) != 0 || c == '_' || c == '-';
                     });
  if (plain) {
    absl::StrAppend(&path, path.empty() ? "" : ".", Absl(step.key));
  } else {
    absl::StrAppend(&path, "[\"", Absl(step.key.substr(0, 64)), "\"]");
  }
}

}  // namespace

[[noreturn]] void RapidJsonAssertionFailed(const char* expression, const char* file,
                                           int line) noexcept {
  std::fprintf(stderr, "%s:%d: broken invariant of the JSON parser: %s\n", file, line, expression);
  std::abort();
}

std::string_view TypeName(Type type) {
  switch (type) {
    case Type::kAbsent:
      return "nothing";
    case Type::kNull:
      return "null";
    case Type::kBool:
      return "bool";
    case Type::kNumber:
      return "number";
    case Type::kString:
      return "string";
    case Type::kObject:
      return "object";
    case Type::kArray:
      return "array";
  }
  return "nothing";
}

const Member* Outline::Find(std::string_view key) const {
  if (type != Type::kObject) return nullptr;
  for (const Member& member : members) {
    if (member.key == key) return &member;
  }
  return nullptr;
}

absl::Status Check(std::string_view text, const Limits& limits, Outline* outline) {
  return ReadMending(text, limits, [&](const Source& source) {
    if (outline != nullptr) *outline = Outline{.elements = outline->elements};
    return OutlineHandler(source, limits, outline).Run();
  });
}

absl::Status FindMembers(std::string_view text, const Limits& limits,
                         std::initializer_list<std::string_view> keys,
                         const std::function<void()>& begin,
                         const std::function<void(const Member&)>& found) {
  return ReadMending(text, limits, [&](const Source& source) {
    begin();
    return MemberHandler(source, limits, keys, found).Run();
  });
}

std::string Text(std::string_view checked_value) {
  if (checked_value.empty()) return "";
  switch (checked_value.front()) {
    case '"': {
      std::string out;
      const Limits limits{.reading = Reading::kForgiving, .max_string_bytes = checked_value.size()};
      const absl::Status read = ReadMending(checked_value, limits, [&](const Source& source) {
        return TextHandler(source, limits, out).Run();
      });
      if (!read.ok()) out.clear();
      return out;
    }
    case 'n':
    case '{':
    case '[':
      return "";
    default:
      return NotANumberAt(checked_value, 0) > 0 ? "" : std::string(checked_value);
  }
}

std::size_t StringEnd(std::string_view text, std::size_t begin) {
  std::size_t i = begin + 1;
  while (i < text.size() && text[i] != '"') {
    i += text[i] == '\\' ? 2 : 1 + PlainRun(text.data() + i + 1, text.size() - i - 1);
  }
  return std::min(i + 1, text.size());
}

std::vector<std::string_view> Elements(std::string_view checked_array) {
  std::vector<std::string_view> elements;
  std::size_t begin = std::string_view::npos;  // of the element read now, npos before it
  std::size_t end = 0;                         // behind what was read of it
  int depth = 0;
  for (std::size_t i = 1; i < checked_array.size();) {
    const char c = checked_array[i];
    if (depth == 0 && (c == ',' || c == ']')) {
      if (begin != std::string_view::npos) {
        elements.push_back(checked_array.substr(begin, end - begin));
        begin = std::string_view::npos;
      }
      ++i;
      continue;
    }
    const bool space = c == ' ' || c == '\t' || c == '\n' || c == '\r';
    if (!space && begin == std::string_view::npos) begin = i;
    if (c == '{' || c == '[') ++depth;
    if (c == '}' || c == ']') --depth;
    i = c == '"' ? StringEnd(checked_array, i) : i + 1;
    if (!space) end = i;
  }
  return elements;
}

std::string PathAt(std::string_view text, std::size_t offset) {
  // Deeper than this nothing is read anyway; the path then names the outer part.
  std::array<PathStep, limits::kJsonMaxDepth + 2> steps;
  std::size_t depth = 0;  // may exceed the array
  const auto top = [&]() -> PathStep* {
    return depth == 0 || depth > steps.size() ? nullptr : &steps[depth - 1];
  };
  offset = std::min(offset, text.size());
  for (std::size_t i = 0; i < offset;) {
    const char c = text[i];
    PathStep* step = top();
    if (c == '"') {
      const std::size_t end = StringEnd(text, i);
      if (end > offset) break;
      if (step != nullptr && !step->array && !step->value_next) {
        step->key = text.substr(i + 1, end - i - 2);
      }
      i = end;
      continue;
    }
    ++i;
    if (c == '{' || c == '[') {
      ++depth;
      if (PathStep* inner = top()) {
        *inner = PathStep();
        inner->array = c == '[';
      }
    } else if ((c == '}' || c == ']') && depth > 0) {
      --depth;
    } else if (c == ':' && step != nullptr) {
      step->value_next = true;
    } else if (c == ',' && step != nullptr) {
      step->value_next = false;
      ++step->index;
      step->key = {};
    }
  }
  std::string path;
  for (std::size_t i = 0; i < std::min(depth, steps.size()); ++i) {
    if (steps[i].array || steps[i].value_next) AppendStep(steps[i], path);
  }
  return errors::Clean(path);
}

absl::Status FaultAt(std::string_view text, std::size_t offset, std::string_view what) {
  offset = std::min(offset, text.size());
  const std::string_view before = text.substr(0, offset);
  const auto lines = std::count(before.begin(), before.end(), '\n');
  const std::size_t line_start = before.rfind('\n') + 1;  // npos + 1 is 0
  const std::string path = PathAt(text, offset);
  return absl::InvalidArgumentError(
      absl::StrCat("line ", lines + 1, ", column ", offset - line_start + 1, " (byte ", offset, ")",
                   path.empty() ? "" : ", at ", path, ": ", Absl(what)));
}

std::string_view ParserWords(std::string_view text, int code, std::size_t offset) {
  const bool at_end = offset >= text.size();
  switch (code) {
    case rj::kParseErrorDocumentEmpty:
      return "there is no value";
    case rj::kParseErrorDocumentRootNotSingular:
      return "nothing may follow the value";
    case rj::kParseErrorObjectMissName:
      return at_end ? "the text ends inside an object" : "a key in quotes is expected";
    case rj::kParseErrorObjectMissColon:
      return at_end ? "the text ends inside an object" : "a colon is expected";
    case rj::kParseErrorObjectMissCommaOrCurlyBracket:
      return at_end ? "the text ends inside an object" : "a comma or } is expected";
    case rj::kParseErrorArrayMissCommaOrSquareBracket:
      return at_end ? "the text ends inside an array" : "a comma or ] is expected";
    case rj::kParseErrorStringUnicodeEscapeInvalidHex:
      return "four hexadecimal digits must follow \\u";
    case rj::kParseErrorStringUnicodeSurrogateInvalid:
      return "half of a surrogate pair stands alone";
    case rj::kParseErrorStringEscapeInvalid:
      return !at_end && text[offset] == '\\' ? "the escape is not one of JSON's"
                                             : "a control character must be escaped";
    case rj::kParseErrorStringMissQuotationMark:
      return at_end ? "the text ends inside a string" : "a control character must be escaped";
    case rj::kParseErrorStringInvalidEncoding:
      return "the string is not valid UTF-8";
    case rj::kParseErrorNumberMissFraction:
      return "digits must follow the decimal point";
    case rj::kParseErrorNumberMissExponent:
      return "digits must follow the exponent";
    default:
      if (offset == 0 && text.substr(0, 3) == "\xEF\xBB\xBF") {
        return "the text begins with a byte order mark";
      }
      return at_end ? "the text ends where a value is expected" : "a value is expected";
  }
}

}  // namespace gateway::json
