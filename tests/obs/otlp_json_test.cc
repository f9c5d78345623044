#include <gtest/gtest.h>

#include "obs/span.h"

namespace gateway::obs {
namespace {

WallTime At(std::int64_t microseconds) { return WallTime(std::chrono::microseconds(microseconds)); }

// Ids are hexadecimal and 64-bit numbers are texts, as OTLP's JSON has them.
TEST(OtlpJson, HasAllOfASpan) {
  const std::string trace(32, 'a'), span(16, 'b'), parent(16, 'c');
  const Span whole{.context = {.trace_id = trace,
                               .span_id = span,
                               .parent_span_id = parent,
                               .sampled = true,
                               .state = "x=1"},
                   .name = "submit RENDER",
                   .kind = Span::Kind::kClient,
                   .begin = At(1'700'000'000'000'001),
                   .end = At(1'700'000'000'250'001),
                   .failed = true,
                   .attributes = {{"pictory.job_id", "j\"1"}, {"code", std::int64_t{14}}},
                   .links = {{.trace_id = trace, .span_id = parent}}};
  EXPECT_EQ(
      OtlpJson({&whole, 1}, "1.2.3"),
      R"({"resourceSpans":[{"resource":{"attributes":[)"
      R"({"key":"service.name","value":{"stringValue":"pictory-gateway"}},)"
      R"({"key":"service.version","value":{"stringValue":"1.2.3"}}]},)"
      R"("scopeSpans":[{"scope":{"name":"pictory-gateway"},"spans":[)"
      R"({"traceId":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa","spanId":"bbbbbbbbbbbbbbbb",)"
      R"("traceState":"x=1","parentSpanId":"cccccccccccccccc","name":"submit RENDER","kind":3,)"
      R"("startTimeUnixNano":"1700000000000001000","endTimeUnixNano":"1700000000250001000",)"
      R"("attributes":[{"key":"pictory.job_id","value":{"stringValue":"j\"1"}},)"
      R"({"key":"code","value":{"intValue":"14"}}],)"
      R"("links":[{"traceId":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa","spanId":"cccccccccccccccc"}],)"
      R"("status":{"code":2}}]}]}]})");
}

TEST(OtlpJson, LeavesOutWhatThereIsNot) {
  const Span root{.context = {.trace_id = "t", .span_id = "s"}, .name = "job RUNNING"};
  const std::string body = OtlpJson({&root, 1}, "1");
  for (const char* none : {"parentSpanId", "traceState", "links", "status"}) {
    EXPECT_EQ(body.find(none), std::string::npos) << none;
  }
  EXPECT_NE(body.find(R"("attributes":[]})"), std::string::npos) << body;
}

}  // namespace
}  // namespace gateway::obs
