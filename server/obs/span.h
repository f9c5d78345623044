// A Span is one piece of a distributed trace that has ended, as a collector is told of it.
//
// Attributes hold nothing of what callers or Pictory wrote but job ids: no prompts, no URLs, no
// secrets.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/clock.h"
#include "base/trace_context.h"

namespace gateway::obs {

struct Span {
  // The numbers are OpenTelemetry's.
  enum class Kind { kInternal = 1, kServer = 2, kClient = 3 };
  using Value = std::variant<std::string, std::int64_t>;

  TraceContext context;  // its own, with its parent
  std::string name;      // one of few
  Kind kind = Kind::kInternal;
  WallTime begin;
  WallTime end;
  bool failed = false;
  std::vector<std::pair<std::string_view, Value>> attributes{};  // names are literals
  std::vector<TraceContext> links{};  // spans that it belongs to without being a part of them
};

// The body of a POST to a collector's /v1/traces (OTLP/HTTP, JSON). Pure.
std::string OtlpJson(std::span<const Span> spans, std::string_view version);

}  // namespace gateway::obs
