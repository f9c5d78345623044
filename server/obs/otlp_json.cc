#include <chrono>
#include <cstdint>

#include "json/writer.h"
#include "obs/span.h"

namespace gateway::obs {
namespace {

constexpr char kService[] = "pictory-gateway";
constexpr int kStatusError = 2;

// Numbers of 64 bits are texts in protobuf's JSON.
void WriteNanos(json::Writer& writer, WallTime time) {
  const auto nanos = std::chrono::duration_cast<std::chrono::nanoseconds>(time.time_since_epoch());
  writer.String(std::to_string(nanos.count()));
}

void WriteAttribute(json::Writer& writer, std::string_view key, const Span::Value& value) {
  writer.StartObject();
  writer.Key("key");
  writer.String(key);
  writer.Key("value");
  writer.StartObject();
  if (const auto* const text = std::get_if<std::string>(&value)) {
    writer.Key("stringValue");
    writer.String(*text);
  } else {
    writer.Key("intValue");
    writer.String(std::to_string(std::get<std::int64_t>(value)));
  }
  writer.EndObject();
  writer.EndObject();
}

void WriteIds(json::Writer& writer, const TraceContext& context) {
  writer.Key("traceId");
  writer.String(context.trace_id);
  writer.Key("spanId");
  writer.String(context.span_id);
  if (context.state.empty()) return;
  writer.Key("traceState");
  writer.String(context.state);
}

void WriteSpan(json::Writer& writer, const Span& span) {
  writer.StartObject();
  WriteIds(writer, span.context);
  if (!span.context.parent_span_id.empty()) {
    writer.Key("parentSpanId");
    writer.String(span.context.parent_span_id);
  }
  writer.Key("name");
  writer.String(span.name);
  writer.Key("kind");
  writer.Int(static_cast<int>(span.kind));
  writer.Key("startTimeUnixNano");
  WriteNanos(writer, span.begin);
  writer.Key("endTimeUnixNano");
  WriteNanos(writer, span.end);
  writer.Key("attributes");
  writer.StartArray();
  for (const auto& [key, value] : span.attributes) WriteAttribute(writer, key, value);
  writer.EndArray();
  if (!span.links.empty()) {
    writer.Key("links");
    writer.StartArray();
    for (const TraceContext& link : span.links) {
      writer.StartObject();
      WriteIds(writer, link);
      writer.EndObject();
    }
    writer.EndArray();
  }
  if (span.failed) {
    writer.Key("status");
    writer.StartObject();
    writer.Key("code");
    writer.Int(kStatusError);
    writer.EndObject();
  }
  writer.EndObject();
}

}  // namespace

std::string OtlpJson(std::span<const Span> spans, std::string_view version) {
  std::string body;
  json::Writer writer(body);
  writer.StartObject();
  writer.Key("resourceSpans");
  writer.StartArray();
  writer.StartObject();
  writer.Key("resource");
  writer.StartObject();
  writer.Key("attributes");
  writer.StartArray();
  WriteAttribute(writer, "service.name", kService);
  WriteAttribute(writer, "service.version", std::string(version));
  writer.EndArray();
  writer.EndObject();
  writer.Key("scopeSpans");
  writer.StartArray();
  writer.StartObject();
  writer.Key("scope");
  writer.StartObject();
  writer.Key("name");
  writer.String(kService);
  writer.EndObject();
  writer.Key("spans");
  writer.StartArray();
  for (const Span& span : spans) WriteSpan(writer, span);
  writer.EndArray();
  writer.EndObject();
  writer.EndArray();
  writer.EndObject();
  writer.EndArray();
  writer.EndObject();
  return body;
}

}  // namespace gateway::obs
