#include "json/writer.h"

#include <charconv>
#include <cmath>

#include "json/rapidjson.h"

namespace gateway::json {
namespace {

void AppendEscape(std::string& out, char c) {
  switch (c) {
    case '"':
      out.append("\\\"");
      return;
    case '\\':
      out.append("\\\\");
      return;
    case '\b':
      out.append("\\b");
      return;
    case '\f':
      out.append("\\f");
      return;
    case '\n':
      out.append("\\n");
      return;
    case '\r':
      out.append("\\r");
      return;
    case '\t':
      out.append("\\t");
      return;
    default: {
      constexpr char kHex[] = "0123456789abcdef";
      const auto byte = static_cast<unsigned char>(c);
      const char text[] = {'\\', 'u', '0', '0', kHex[byte >> 4], kHex[byte & 15]};
      out.append(text, sizeof text);
    }
  }
}

// The length of the well-formed UTF-8 sequence at the front, whose first byte is above 0x7F; 0 if
// there is none (overlong, surrogate, beyond U+10FFFF, cut).
std::size_t SequenceBytes(const char* text, std::size_t n) {
  const auto* p = reinterpret_cast<const unsigned char*>(text);
  const auto tail = [&](std::size_t i, unsigned low = 0x80, unsigned high = 0xBF) {
    return i < n && p[i] >= low && p[i] <= high;
  };
  const unsigned c = p[0];
  if (c >= 0xC2 && c <= 0xDF) return tail(1) ? 2 : 0;
  if (c >= 0xE0 && c <= 0xEF) {
    return tail(1, c == 0xE0 ? 0xA0 : 0x80, c == 0xED ? 0x9F : 0xBF) && tail(2) ? 3 : 0;
  }
  if (c >= 0xF0 && c <= 0xF4) {
    return tail(1, c == 0xF0 ? 0x90 : 0x80, c == 0xF4 ? 0x8F : 0xBF) && tail(2) && tail(3) ? 4 : 0;
  }
  return 0;
}

template <typename Number>
void AppendNumber(std::string& out, Number value) {
  char buffer[32];
  const std::to_chars_result end = std::to_chars(buffer, buffer + sizeof buffer, value);
  out.append(buffer, end.ptr);
}

}  // namespace

bool AppendString(std::string& out, std::string_view value) {
  const std::size_t begin = out.size();
  out.push_back('"');
  const char* p = value.data();
  std::size_t left = value.size();
  while (left > 0) {
    std::size_t run = PlainRun(p, left);
    if (run == 0) {
      const auto c = static_cast<unsigned char>(*p);
      if (c < 0x80) {
        AppendEscape(out, *p);
        ++p;
        --left;
        continue;
      }
      run = SequenceBytes(p, left);
      if (run == 0) {
        out.resize(begin);
        out.append("\"\"");
        return false;
      }
    }
    out.append(p, run);
    p += run;
    left -= run;
  }
  out.push_back('"');
  return true;
}

std::string QuotedKey(std::string_view key) {
  std::string out;
  AppendString(out, key);
  out.push_back(':');
  return out;
}

void Writer::Key(std::string_view key) {
  Comma();
  if (!AppendString(out_, key)) ok_ = false;
  out_.push_back(':');
  fresh_ = true;
}

void Writer::String(std::string_view value) {
  Comma();
  if (!AppendString(out_, value)) ok_ = false;
}

void Writer::Int(std::int64_t value) {
  Comma();
  AppendNumber(out_, value);
}

void Writer::Uint(std::uint64_t value) {
  Comma();
  AppendNumber(out_, value);
}

void Writer::Double(double value) {
  Comma();
  if (!std::isfinite(value)) {
    ok_ = false;
    out_.append("null");
    return;
  }
  // Writes 100000 rather than 1e+05, though both are right.
  constexpr double kExact = 9007199254740992.0;
  if (value != 0 && std::fabs(value) < kExact && value == std::trunc(value)) {
    AppendNumber(out_, static_cast<std::int64_t>(value));
  } else {
    AppendNumber(out_, value);
  }
}

void Writer::Bool(bool value) {
  Comma();
  out_.append(value ? "true" : "false");
}

void Writer::Null() {
  Comma();
  out_.append("null");
}

void Writer::Raw(std::string_view value) {
  Comma();
  out_.append(value);
}

void Writer::Members(std::string_view members) {
  if (members.empty()) return;
  Comma();
  out_.append(members);
}

}  // namespace gateway::json
