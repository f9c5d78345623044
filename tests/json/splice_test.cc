#include "json/splice.h"

#include <gtest/gtest.h>

#include "json/check.h"

namespace gateway::json {
namespace {

TEST(Splice, AddsBeforeTheClosingBrace) {
  const struct {
    const char* object;
    const char* members;
    const char* result;
  } cases[] = {
      {"{}", "\"w\":1", "{\"w\":1}"},
      {"{ }", "\"w\":1", "{ \"w\":1}"},
      {" \n{\t\r\n} \n", "\"w\":1", " \n{\t\r\n\"w\":1} \n"},
      {"{\"a\":1}", "\"w\":1", "{\"a\":1,\"w\":1}"},
      {"{\"a\":1 }\n", "\"w\":1,\"x\":2", "{\"a\":1 ,\"w\":1,\"x\":2}\n"},
      {"{ \"a\" : {} }", "\"w\":1", "{ \"a\" : {} ,\"w\":1}"},
      {"{\"a\":1}", "", "{\"a\":1}"},
      {" { } ", "", " { } "},
  };
  for (const auto& c : cases) {
    const auto result = Splice(c.object, c.members);
    ASSERT_TRUE(result.ok()) << c.object;
    EXPECT_EQ(*result, c.result);
    EXPECT_EQ(Check(*result), absl::OkStatus());
  }
}

TEST(Splice, KeepsBytesThatAnyRewriterWouldChange) {
  const std::string object =
      "{\"n\": 18446744073709551616 ,\"d\":0.12345678901234567,\"s\":\"\\u0041\\/\",\"e\":1.0E+2}";
  EXPECT_EQ(*Splice(object, "\"w\":1"), object.substr(0, object.size() - 1) + ",\"w\":1}");
}

TEST(Splice, RefusesWhatIsNoObject) {
  for (const char* text : {"", " ", "{", "}", "[]", "null", "{]", "[}", "\"{}\"", "{}x"}) {
    EXPECT_EQ(Splice(text, "\"w\":1").status().code(), absl::StatusCode::kInvalidArgument) << text;
    EXPECT_FALSE(Members(text).ok()) << text;
  }
}

TEST(Members, AreTheInside) {
  EXPECT_EQ(*Members(" { \"a\": 1 , \"b\":{} }\n"), "\"a\": 1 , \"b\":{}");
  EXPECT_EQ(*Members("{}"), "");
  EXPECT_EQ(*Members("{ \n }"), "");
}

}  // namespace
}  // namespace gateway::json
