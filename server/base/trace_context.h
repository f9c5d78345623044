// A TraceContext says to which distributed trace a call belongs, and where in it. Callers and
// meshes send it in the header `traceparent` of W3C Trace Context, with `tracestate`, or in those
// of B3, in one (`b3`) or in several (`x-b3-…`).
//
// Whatever a stranger sends is read strictly or not at all, so that what is left can stand in a log
// line, in the store and in a header as it is. The functions are pure but for ChildOf.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/random.h"

namespace gateway {

struct TraceContext {
  std::string trace_id;          // 32 hexadecimal digits in lower case; empty: no trace
  std::string span_id;           // 16 of them: of the span that what follows belongs to
  std::string parent_span_id{};  // of a span of ours; empty: it has none
  bool sampled = false;          // whether its spans are wanted
  bool own = false;              // the span is one of ours, which tells of its end
  std::string state{};           // `tracestate`, which is for others

  explicit operator bool() const { return !trace_id.empty(); }
  bool operator==(const TraceContext&) const = default;
};

// The headers as they came. nullopt: there is no such header, or there are several.
struct TraceHeaders {
  std::optional<std::string_view> traceparent;
  std::string tracestate;  // several are one list, joined by commas
  std::optional<std::string_view> b3;
  std::optional<std::string_view> b3_trace_id;
  std::optional<std::string_view> b3_span_id;
  std::optional<std::string_view> b3_sampled;
  std::optional<std::string_view> b3_flags;
};

// The first of `traceparent`, `b3` and `x-b3-…` that is there and right. With B3 the caller may
// leave open whether spans are wanted, and then they are.
TraceContext ReadTraceContext(const TraceHeaders& headers);

// What a `tracestate` is if it is right and short enough, without blanks around its members; else
// empty.
std::string ReadTraceState(std::string_view header);

// The header for what comes after; empty without a trace.
std::string Traceparent(const TraceContext& context);

// The context in one line, for the store: the header, and after a blank the state if there is one.
// The parent is not kept.
std::string StoredTrace(const TraceContext& context);
TraceContext ReadStoredTrace(std::string_view text);

// The trace's id in a stored context; empty without one.
std::string_view TraceIdOf(std::string_view stored);

// A new span within a context; in a trace of its own, which is wanted, if there is none.
TraceContext ChildOf(const TraceContext& parent, Random& random);

}  // namespace gateway
