#include "base/trace_context.h"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

#include "base/limits.h"

namespace gateway {
namespace {

const std::string kTrace = "4bf92f3577b34da6a3ce929d0e0e4736";
const std::string kSpan = "00f067aa0ba902b7";
const std::string kParent = "00-" + kTrace + "-" + kSpan;

// `TRACE/SPAN/sampled` or `none`.
std::string Shown(const TraceContext& context) {
  if (!context) return "none";
  return context.trace_id + "/" + context.span_id + (context.sampled ? "/sampled" : "/not");
}
const std::string kSampled = kTrace + "/" + kSpan + "/sampled";
const std::string kNot = kTrace + "/" + kSpan + "/not";

std::string OfTraceparent(const std::string& header) {
  return Shown(ReadTraceContext({.traceparent = header}));
}
std::string OfB3(const std::string& header) { return Shown(ReadTraceContext({.b3 = header})); }

TEST(TraceContext, OfW3C) {
  EXPECT_EQ(OfTraceparent(kParent + "-01"), kSampled);
  EXPECT_EQ(OfTraceparent(kParent + "-00"), kNot);
  EXPECT_EQ(OfTraceparent(kParent + "-03"), kSampled) << "other flags are for later versions";
  EXPECT_EQ(OfTraceparent(kParent + "-fe"), kNot);
  const std::string later = "cc" + kParent.substr(2) + "-01";
  EXPECT_EQ(OfTraceparent(later), kSampled);
  EXPECT_EQ(OfTraceparent(later + "-what-the-future-will-be"), kSampled);
}

TEST(TraceContext, OfW3CThatIsWrong) {
  const std::string upper = "00-4BF92F3577B34DA6A3CE929D0E0E4736-" + kSpan + "-01";
  const std::vector<std::string> wrong = {
      "",
      "00",
      kParent,
      kParent + "-",
      kParent + "-1",
      kParent + "-0g",
      kParent + "-01-more",
      kParent + "-011",
      " " + kParent + "-01",
      kParent + "-01 ",
      "ff" + kParent.substr(2) + "-01",
      "0x" + kParent.substr(2) + "-01",
      "cc" + kParent.substr(2) + "-01more",
      "cc" + kParent.substr(2) + "-01-" + std::string(limits::kTraceparentMaxBytes, 'a'),
      upper,
      "00-" + std::string(32, '0') + "-" + kSpan + "-01",
      "00-" + kTrace + "-" + std::string(16, '0') + "-01",
      "00_" + kTrace + "-" + kSpan + "-01",
      "00-" + kTrace + "_" + kSpan + "-01",
      "00-" + kTrace.substr(1) + "-0" + kSpan + "-01",
      "00-" + kTrace.substr(0, 31) + "\n-" + kSpan + "-01",
      std::string("00-") + kTrace + "-" + kSpan + std::string("-0\0", 3)};
  for (const std::string& header : wrong) EXPECT_EQ(OfTraceparent(header), "none") << header;
}

TEST(TraceContext, OfB3InOneHeader) {
  EXPECT_EQ(OfB3(kTrace + "-" + kSpan + "-1"), kSampled);
  EXPECT_EQ(OfB3(kTrace + "-" + kSpan + "-0"), kNot);
  EXPECT_EQ(OfB3(kTrace + "-" + kSpan + "-d"), kSampled) << "to debug is to sample";
  EXPECT_EQ(OfB3(kTrace + "-" + kSpan), kSampled) << "it is left to us";
  EXPECT_EQ(OfB3(kTrace + "-" + kSpan + "-1-05e3ac9a4f6e3b90"), kSampled);
  EXPECT_EQ(OfB3(kSpan + "-" + kSpan + "-1"),
            "0000000000000000" + kSpan + "/" + kSpan + "/sampled");
  for (const std::string& wrong : std::vector<std::string>{
           "", "0", "1", "d", "-", "--", kTrace, kTrace + "-", kTrace + "-" + kSpan + "-",
           kTrace + "-" + kSpan + "-2", kTrace + "-" + kSpan + "-1-short",
           kTrace + "-" + kSpan + "-1-" + kSpan + "-", kTrace + "-" + kTrace + "-1",
           kTrace.substr(2) + "-" + kSpan + "-1", std::string(32, '0') + "-" + kSpan + "-1"}) {
    EXPECT_EQ(OfB3(wrong), "none") << wrong;
  }
}

TEST(TraceContext, OfB3InSeveralHeaders) {
  TraceHeaders headers{.b3_trace_id = kTrace, .b3_span_id = kSpan};
  EXPECT_EQ(Shown(ReadTraceContext(headers)), kSampled);
  headers.b3_sampled = "0";
  EXPECT_EQ(Shown(ReadTraceContext(headers)), kNot);
  headers.b3_flags = "1";
  EXPECT_EQ(Shown(ReadTraceContext(headers)), kSampled) << "to debug is to sample";
  headers.b3_sampled = "true";
  headers.b3_flags = std::nullopt;
  EXPECT_EQ(Shown(ReadTraceContext(headers)), kSampled);
  headers.b3_sampled = "yes";
  EXPECT_EQ(Shown(ReadTraceContext(headers)), "none");
  EXPECT_FALSE(ReadTraceContext({.b3_trace_id = kTrace}));
  EXPECT_FALSE(ReadTraceContext({.b3_span_id = kSpan}));
  EXPECT_FALSE(ReadTraceContext({}));
}

TEST(TraceContext, TheFirstThatIsRightCounts) {
  const std::string parent = kParent + "-01";
  const std::string b3 = "a" + kTrace.substr(1) + "-" + kSpan + "-1";
  TraceHeaders headers{.traceparent = parent, .tracestate = "a=1", .b3 = b3};
  EXPECT_EQ(ReadTraceContext(headers).trace_id, kTrace);
  EXPECT_EQ(ReadTraceContext(headers).state, "a=1");
  headers.traceparent = "00-nonsense";
  EXPECT_EQ(ReadTraceContext(headers).trace_id, "a" + kTrace.substr(1));
  EXPECT_EQ(ReadTraceContext(headers).state, "") << "a state belongs to its traceparent";
}

TEST(TraceContext, AStateIsTakenWholeOrNotAtAll) {
  EXPECT_EQ(ReadTraceState("a=1"), "a=1");
  EXPECT_EQ(ReadTraceState(" a=1 ,\tfw529a3039@dt=FfD2==x"), "") << "an equals sign in a value";
  EXPECT_EQ(ReadTraceState(" a=1 ,\tfw529a3039@dt=FfD2"), "a=1,fw529a3039@dt=FfD2");
  EXPECT_EQ(ReadTraceState("a=1,,b=2,"), "a=1,b=2");
  EXPECT_EQ(ReadTraceState("0a/b*c_-@x=any thing"), "0a/b*c_-@x=any thing");
  const std::string key(limits::kTraceStateTextMaxBytes, 'k');
  EXPECT_EQ(ReadTraceState(key + "=v"), key + "=v");
  std::string many = "a=1";
  for (int i = 1; i < limits::kTraceStateMembersMax; ++i) many += ",b" + std::to_string(i) + "=1";
  EXPECT_EQ(ReadTraceState(many), many);
  for (const std::string& wrong : std::vector<std::string>{
           "a", "=1", "a=", "A=1", "a =1", "_a=1", "a=\x01", "a=\xc3\xa4", "a=1\n", key + "k=v",
           "a=" + key + "v", many + ",c=1", "a=" + std::string(limits::kTraceStateMaxBytes, 'v')}) {
    EXPECT_EQ(ReadTraceState(wrong), "") << wrong;
  }
}

TEST(TraceContext, IsStoredInOneLine) {
  const TraceContext context{.trace_id = kTrace, .span_id = kSpan, .sampled = true, .state = "a=1"};
  EXPECT_EQ(Traceparent(context), kParent + "-01");
  EXPECT_EQ(StoredTrace(context), kParent + "-01 a=1");
  EXPECT_EQ(ReadStoredTrace(StoredTrace(context)), context);
  EXPECT_EQ(TraceIdOf(StoredTrace(context)), kTrace);
  const TraceContext plain{.trace_id = kTrace, .span_id = kSpan};
  EXPECT_EQ(ReadStoredTrace(StoredTrace(plain)), plain);
  EXPECT_EQ(StoredTrace({}), "");
  EXPECT_EQ(TraceIdOf(""), "");
  EXPECT_FALSE(ReadStoredTrace("whatever an old store may hold"));
}

TEST(TraceContext, AChildIsInTheSameTrace) {
  Random random(7);
  const TraceContext parent{.trace_id = kTrace, .span_id = kSpan, .sampled = true, .state = "a=1"};
  std::set<std::string> spans;
  for (int i = 0; i < 100; ++i) {
    const TraceContext child = ChildOf(parent, random);
    EXPECT_EQ(child.trace_id, kTrace);
    EXPECT_EQ(child.parent_span_id, kSpan);
    EXPECT_EQ(child.state, "a=1");
    EXPECT_TRUE(child.own && child.sampled);
    EXPECT_TRUE(ReadStoredTrace(StoredTrace(child))) << "its ids are ids";
    spans.insert(child.span_id);
  }
  EXPECT_EQ(spans.size(), 100);
  EXPECT_FALSE(ChildOf({.trace_id = kTrace, .span_id = kSpan}, random).sampled);
}

TEST(TraceContext, WithoutAParentAChildBeginsATrace) {
  Random random(7);
  const TraceContext first = ChildOf({}, random), second = ChildOf({}, random);
  EXPECT_TRUE(ReadStoredTrace(StoredTrace(first)));
  EXPECT_TRUE(first.sampled && first.own && first.parent_span_id.empty());
  EXPECT_NE(first.trace_id, second.trace_id);
}

}  // namespace
}  // namespace gateway
