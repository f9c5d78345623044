#include "base/trace_context.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include "base/limits.h"

namespace gateway {
namespace {

constexpr std::size_t kTraceIdDigits = 32;
constexpr std::size_t kSpanIdDigits = 16;
constexpr std::size_t kTraceparentBytes = 55;  // of version 00
constexpr std::string_view kDigits = "0123456789abcdef";

bool IsHex(std::string_view text) {
  return text.find_first_not_of(kDigits) == std::string_view::npos;
}

bool IsId(std::string_view text, std::size_t digits) {
  return text.size() == digits && IsHex(text) &&
         text.find_first_not_of('0') != std::string_view::npos;
}

// Two digits, known to be such.
int ByteOf(std::string_view two) {
  return static_cast<int>(kDigits.find(two[0]) * 16 + kDigits.find(two[1]));
}

// VERSION-TRACE_ID-SPAN_ID-FLAGS. What a later version adds behind is ignored.
TraceContext ReadTraceparent(std::string_view header) {
  if (header.size() < kTraceparentBytes || header[2] != '-' || header[35] != '-' ||
      header[52] != '-') {
    return {};
  }
  const std::string_view version = header.substr(0, 2), trace_id = header.substr(3, kTraceIdDigits),
                         span_id = header.substr(36, kSpanIdDigits), flags = header.substr(53, 2);
  if (!IsHex(version) || version == "ff" || !IsHex(flags)) return {};
  if (header.size() > kTraceparentBytes && (version == "00" || header[kTraceparentBytes] != '-' ||
                                            header.size() > limits::kTraceparentMaxBytes)) {
    return {};
  }
  if (!IsId(trace_id, kTraceIdDigits) || !IsId(span_id, kSpanIdDigits)) return {};
  return {.trace_id = std::string(trace_id),
          .span_id = std::string(span_id),
          .sampled = (ByteOf(flags) & 1) != 0};
}

TraceContext OfB3(std::string_view trace_id, std::string_view span_id, bool sampled) {
  const bool is_short = IsId(trace_id, kTraceIdDigits / 2);
  if ((!is_short && !IsId(trace_id, kTraceIdDigits)) || !IsId(span_id, kSpanIdDigits)) return {};
  return {.trace_id = std::string(is_short ? kTraceIdDigits / 2 : 0, '0').append(trace_id),
          .span_id = std::string(span_id),
          .sampled = sampled};
}

// Whether spans are wanted; nullopt if the word means nothing.
std::optional<bool> ReadB3Sampled(std::string_view word) {
  if (word == "1" || word == "d" || word == "true") return true;
  if (word == "0" || word == "false") return false;
  return std::nullopt;
}

// TRACE_ID-SPAN_ID, then -SAMPLED, then -PARENT_SPAN_ID. A decision alone names no trace.
TraceContext ReadB3(std::string_view header) {
  std::array<std::string_view, 4> fields;
  std::size_t count = 0;
  for (std::string_view rest = header;;) {
    if (count == fields.size()) return {};
    const std::size_t end = std::min(rest.find('-'), rest.size());
    fields[count++] = rest.substr(0, end);
    if (end == rest.size()) break;
    rest.remove_prefix(end + 1);
  }
  if (count < 2) return {};
  const std::optional<bool> sampled = count > 2 ? ReadB3Sampled(fields[2]) : true;
  if (!sampled.has_value() || (count > 3 && !IsId(fields[3], kSpanIdDigits))) return {};
  return OfB3(fields[0], fields[1], *sampled);
}

TraceContext ReadSeveralB3(const TraceHeaders& headers) {
  if (!headers.b3_trace_id.has_value() || !headers.b3_span_id.has_value()) return {};
  std::optional<bool> sampled = true;
  if (headers.b3_sampled.has_value()) sampled = ReadB3Sampled(*headers.b3_sampled);
  if (headers.b3_flags == "1") sampled = true;
  if (!sampled.has_value()) return {};
  return OfB3(*headers.b3_trace_id, *headers.b3_span_id, *sampled);
}

std::string_view WithoutBlanks(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

bool IsStateKey(std::string_view key) {
  constexpr std::string_view kMore = "_-*/@";
  const auto plain = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
  return !key.empty() && key.size() <= limits::kTraceStateTextMaxBytes && plain(key[0]) &&
         std::all_of(key.begin(), key.end(),
                     [&](char c) { return plain(c) || kMore.find(c) != std::string_view::npos; });
}

bool IsStateValue(std::string_view value) {
  return !value.empty() && value.size() <= limits::kTraceStateTextMaxBytes &&
         std::all_of(value.begin(), value.end(),
                     [](char c) { return c >= ' ' && c <= '~' && c != ',' && c != '='; });
}

std::string RandomDigits(std::size_t count, Random& random) {
  std::string digits;
  while (digits.size() < count) {
    const std::uint64_t bits = random.Next();
    for (std::size_t shift = 0; shift < 64 && digits.size() < count; shift += 4) {
      digits += kDigits[(bits >> shift) & 15];
    }
  }
  // Only zeros would be no id.
  if (digits.find_first_not_of('0') == std::string::npos) digits.back() = '1';
  return digits;
}

}  // namespace

TraceContext ReadTraceContext(const TraceHeaders& headers) {
  if (headers.traceparent.has_value()) {
    if (TraceContext context = ReadTraceparent(*headers.traceparent)) {
      context.state = ReadTraceState(headers.tracestate);
      return context;
    }
  }
  if (headers.b3.has_value()) {
    if (TraceContext context = ReadB3(*headers.b3)) return context;
  }
  return ReadSeveralB3(headers);
}

std::string ReadTraceState(std::string_view header) {
  if (header.size() > limits::kTraceStateMaxBytes) return "";
  std::string state;
  int members = 0;
  for (std::string_view rest = header; !rest.empty();) {
    const std::size_t end = std::min(rest.find(','), rest.size());
    const std::string_view member = WithoutBlanks(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (member.empty()) continue;
    const std::size_t equals = member.find('=');
    if (equals == std::string_view::npos || !IsStateKey(member.substr(0, equals)) ||
        !IsStateValue(member.substr(equals + 1)) || ++members > limits::kTraceStateMembersMax) {
      return "";
    }
    if (!state.empty()) state += ',';
    state += member;
  }
  return state;
}

std::string Traceparent(const TraceContext& context) {
  if (!context) return "";
  return "00-" + context.trace_id + "-" + context.span_id + (context.sampled ? "-01" : "-00");
}

std::string StoredTrace(const TraceContext& context) {
  const std::string header = Traceparent(context);
  return context.state.empty() || header.empty() ? header : header + " " + context.state;
}

TraceContext ReadStoredTrace(std::string_view text) {
  TraceContext context = ReadTraceparent(text.substr(0, kTraceparentBytes));
  if (context && text.size() > kTraceparentBytes + 1) {
    context.state = ReadTraceState(text.substr(kTraceparentBytes + 1));
  }
  return context;
}

std::string_view TraceIdOf(std::string_view stored) {
  return stored.size() < kTraceparentBytes ? std::string_view() : stored.substr(3, kTraceIdDigits);
}

TraceContext ChildOf(const TraceContext& parent, Random& random) {
  if (!parent) {
    return {.trace_id = RandomDigits(kTraceIdDigits, random),
            .span_id = RandomDigits(kSpanIdDigits, random),
            .sampled = true,
            .own = true};
  }
  TraceContext child = parent;
  child.parent_span_id = parent.span_id;
  child.span_id = RandomDigits(kSpanIdDigits, random);
  child.own = true;
  return child;
}

}  // namespace gateway
