#include "json/check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace gateway::json {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;
using namespace std::string_literals;

std::string FaultOf(std::string_view text, const Limits& limits = {}) {
  const absl::Status status = Check(text, limits);
  return status.ok() ? "" : std::string(status.message());
}

TEST(Check, TakesEveryKindOfRoot) {
  for (const char* text :
       {"{}", "[]", "null", "true", "false", "0", "-1.5e+3", "\"\"", "\"a\"", " \r\n\t{ } \n",
        "[1,[2,[3]],{\"a\":{}}]", "1e-400", "5e-324", "1.5e-2147483648", "18446744073709551616",
        "\"\\ud83d\\ude00\"", "\"\\ud7ff\\ue000\"", "\"\xED\x9F\xBF\xEE\x80\x80\"", "\"\x7F\""}) {
    EXPECT_EQ(FaultOf(text), "") << text;
  }
}

TEST(Check, RefusesWhatIsNoJson) {
  for (const char* text :
       {"",           " ",         "{",           "[",          "[1,]",
        "{\"a\":1,}", "{\"a\"}",   "{a:1}",       "{'a':1}",    "[1 2]",
        "nul",        "True",      "01",          "1.",         ".5",
        "1e",         "+1",        "--1",         "0x10",       "NaN",
        "Infinity",   "-Infinity", "[NaN]",       "[Infinity]", "[-Inf]",
        "// c\n1",    "/* c */1",  "1 // c",      "\"\t\"",     "\"a\nb\"",
        "\"\\x\"",    "\"\\u12\"", "\"\\u12g4\"", "\"abc",      "{\"a\":1}}",
        "{} {}",      "1 2",       "]",           ",",          "\xEF\xBB\xBF{}"}) {
    EXPECT_NE(FaultOf(text), "") << text;
  }
}

TEST(Check, NumbersHaveAnyLengthAndSize) {
  for (const std::string& number :
       {"1e400"s, "-1E+309"s, "1e99999999999999999999"s, std::string(400, '9'),
        "-1" + std::string(400, '0') + ".5e-7", "0." + std::string(100'000, '1'),
        "0.1000000000000000055511151231257827021181583404541015625"s}) {
    Outline outline;
    const std::string text = "{\"a\":[" + number + "],\"b\": " + number + " }";
    ASSERT_EQ(Check(text, {}, &outline), absl::OkStatus()) << number;
    EXPECT_EQ(outline.Find("b")->value, number);
    EXPECT_EQ(outline.Find("a")->value, "[" + number + "]");
    EXPECT_EQ(Text(number), number);
    // The rules hold beside it, before it and behind it.
    EXPECT_THAT(FaultOf("[" + number + ",{\"a\":1,\"a\":2}]"),
                HasSubstr("at [1]: the key occurs twice"));
    EXPECT_THAT(FaultOf(R"(["\udc00",)" + number + "]"), HasSubstr("surrogate"));
    EXPECT_THAT(FaultOf("[" + number + R"(,"\udc00"])"), HasSubstr("at [1]: half of a surrogate"));
    EXPECT_THAT(FaultOf("[" + number + ",\"\xff\"]"), HasSubstr("not valid UTF-8"));
    EXPECT_THAT(FaultOf("[" + number + ",NaN]"), HasSubstr("at [1]: a value is expected"));
    EXPECT_THAT(FaultOf("[" + number), HasSubstr("ends inside an array"));
    EXPECT_NE(FaultOf(number + "1x"), "");
    EXPECT_NE(FaultOf(std::string(33, '[') + number + std::string(33, ']')), "");
  }
  EXPECT_NE(FaultOf(std::string(400, '9') + "."), "");
  EXPECT_NE(FaultOf("0" + std::string(400, '9')), "");
  EXPECT_NE(FaultOf(std::string(400, '9') + "e"), "");
}

TEST(Check, RefusesBrokenUtf8) {
  for (const std::string bad :
       {"\xC0\x80", "\xC1\xBF", "\xE0\x80\x80", "\xF0\x80\x80\x80",  // overlong
        "\xED\xA0\x80", "\xED\xB0\x80", "\xED\xBF\xBF",              // surrogates
        "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xFF", "\xFE",      // too high
        "\x80", "\xBF", "\xC3", "\xE2\x82", "\xF0\x9F\x98",          // cut
        "\xC3(", "\xE2(\xA1", "\xE2\x82("}) {
    const std::string text = "[\"plain text before " + bad + "\"]";
    EXPECT_THAT(FaultOf(text), HasSubstr("not valid UTF-8")) << text;
    EXPECT_THAT(FaultOf("{\"" + bad + "\":1}"), HasSubstr("not valid UTF-8"));
    // Cut by the end of the text, not by a quote.
    EXPECT_NE(FaultOf("\"" + bad), "");
  }
  EXPECT_EQ(FaultOf("\"\xC3\xA9 \xE2\x82\xAC \xF0\x9F\x98\x80 plain\""), "");
}

TEST(Check, RefusesLoneSurrogates) {
  for (const char* half : {"\\ud800", "\\udbff", "\\ud800x", "\\ud800\\n", "\\ud800\\ud800",
                           "\\ud800\\u0041", "\\udc00", "\\udfff", "x\\udc00y", "\\udc00\\ud800",
                           "\xED\x9F\xBF\\udc00", "\\uDC00", "\\ud83d\\ude00\\ude00"}) {
    const std::string string = std::string("\"") + half + "\"";
    EXPECT_THAT(FaultOf(string), HasSubstr("surrogate")) << string;
    EXPECT_THAT(FaultOf("{" + string + ":1}"), HasSubstr("surrogate")) << string;
  }
}

TEST(Check, NulInsideAStringIsAnOption) {
  Limits strict;
  strict.allow_nul = false;
  EXPECT_EQ(FaultOf("\"a\\u0000b\""), "");
  EXPECT_THAT(FaultOf("{\"id\":\"a\\u0000b\"}", strict),
              testing::AllOf(HasSubstr("at id"), HasSubstr("\\u0000 is not allowed")));
  EXPECT_NE(FaultOf("{\"\\u0000\":1}", strict), "");
}

TEST(Check, NothingMayFollowTheRoot) {
  EXPECT_THAT(FaultOf("{}\0{}"s), HasSubstr("nothing may follow"));
  EXPECT_THAT(FaultOf("{}\0"s), HasSubstr("nothing may follow"));
  EXPECT_THAT(FaultOf("\0"s), HasSubstr("no value"));
  EXPECT_THAT(FaultOf("{}x"), HasSubstr("nothing may follow"));
  EXPECT_THAT(FaultOf("\"a\0b\""s), HasSubstr("control character"));
  EXPECT_NE(FaultOf("[1,\0"s), "");
}

TEST(Check, RefusesDuplicateKeysAtAnyDepth) {
  for (const char* text :
       {R"({"a":1,"a":2})", R"({"x":{"y":[{"a":1,"b":2,"a":3}]}})", R"({"a":1,"\u0061":2})",
        R"({"":1,"":2})", R"([{"a":1,"b":2},{"a":1,"a":2}])",
        R"([{"a":1,"b":2},{"a":1,"b":2,"a":1}])", R"([{"a":1,"b":2},{"b":1,"a":2,"b":3}])",
        R"({"a":{"a":1},"a":2})"}) {
    EXPECT_THAT(FaultOf(text), HasSubstr("occurs twice")) << text;
  }
  for (const char* text :
       {R"({"a":{"a":{"a":1}}})", R"([{"a":1},{"a":1},{"b":1,"a":1},{"a":1}])", R"({"a":1,"A":2})",
        R"([{"a":1,"b":2},{"a":1},{"a":1,"b":2,"c":3},{}])", R"([{},{},{"a":1}])"}) {
    EXPECT_EQ(FaultOf(text), "") << text;
  }
}

TEST(Check, FindsADuplicateAmongManyKeys) {
  for (int count : {15, 16, 17, 18, 63, 64, 65, 200, 5000}) {
    for (int twice : {0, count / 2, count - 1}) {
      std::string object = "{";
      for (int i = 0; i < count; ++i) object += "\"key" + std::to_string(i) + "\":" + "1,";
      const std::string whole = object + "\"other\":1}";
      const std::string broken = object + "\"key" + std::to_string(twice) + "\":1}";
      EXPECT_EQ(FaultOf("[" + whole + "," + whole + "]"), "") << count;
      EXPECT_THAT(FaultOf(broken), HasSubstr("occurs twice")) << count << " " << twice;
      EXPECT_THAT(FaultOf("[" + whole + "," + broken + "]"), HasSubstr("occurs twice"));
    }
  }
}

TEST(Check, KeepsTheLimits) {
  const auto nested = [](std::size_t depth) {
    return std::string(depth, '[') + std::string(depth, ']');
  };
  EXPECT_EQ(FaultOf(nested(32)), "");
  EXPECT_THAT(FaultOf(nested(33)), HasSubstr("too deep"));
  EXPECT_THAT(FaultOf(std::string(1'000'000, '[')), HasSubstr("too deep"));

  Limits small;
  small.max_values = 3;
  EXPECT_EQ(FaultOf("[1,2]", small), "");
  EXPECT_THAT(FaultOf("[1,2,3]", small), HasSubstr("too many values"));
  small = {};
  small.max_string_bytes = 4;
  small.max_key_bytes = 2;
  EXPECT_EQ(FaultOf("{\"ab\":\"abcd\"}", small), "");
  EXPECT_EQ(FaultOf("\"\\u0041\\u0041\\u0041\\u0041\"", small), "");
  EXPECT_THAT(FaultOf("\"abcde\"", small), HasSubstr("string is too long"));
  EXPECT_THAT(FaultOf("{\"abc\":1}", small), HasSubstr("key is too long"));
  EXPECT_THAT(FaultOf("{\"" + std::string(257, 'k') + "\":1}"), HasSubstr("key is too long"));
}

TEST(Check, SaysWhere) {
  EXPECT_EQ(FaultOf("{\n  \"scenes\": [\n    {\"story\": \"x\"},\n    {\"story\": tru}\n  ]\n}"),
            "line 4, column 18 (byte 53), at scenes[1].story: a value is expected");
  EXPECT_THAT(FaultOf(R"({"a":{"b":1,"c":2,"b":3}})"),
              StartsWith("line 1, column 19 (byte 18), at a: the key occurs twice"));
  EXPECT_EQ(FaultOf("[0,[1,{\"x y\":\"\\q\"}]]"),
            "line 1, column 15 (byte 14), at [1][1][\"x y\"]: the escape is not one of JSON's");
  EXPECT_THAT(FaultOf("\xEF\xBB\xBF{}"), HasSubstr("byte order mark"));
  EXPECT_THAT(FaultOf("{\"a\":[1"), HasSubstr("ends inside an array"));
  EXPECT_THAT(FaultOf("{\"a\":"), HasSubstr("at a: the text ends where a value is expected"));
  EXPECT_THAT(FaultOf("{\"a"), HasSubstr("ends inside a string"));
  EXPECT_EQ(Check("{").code(), absl::StatusCode::kInvalidArgument);
}

TEST(Check, SaysWhereInCleanWords) {
  // What a stranger sends must not break the status message.
  const std::string message = FaultOf("{\"\x01\xFF\":");
  EXPECT_EQ(FaultOf("\"" + message + "\"").find("UTF-8"), std::string::npos);
  EXPECT_LT(FaultOf("{\"" + std::string(100'000, 'x') + "\":}").size(), 1000u);
}

// Every value, with every white space around it.
TEST(Outline, SlicesAreExact) {
  const std::vector<std::pair<std::string, Type>> values = {
      {"null", Type::kNull},
      {"true", Type::kBool},
      {"false", Type::kBool},
      {"0", Type::kNumber},
      {"-12.50e+10", Type::kNumber},
      {"1E-7", Type::kNumber},
      {"18446744073709551616", Type::kNumber},
      {"0.12345678901234567", Type::kNumber},
      {R"("")", Type::kString},
      {R"("plain")", Type::kString},
      {R"("\"")", Type::kString},
      {R"("\\")", Type::kString},
      {R"("\\\"\\")", Type::kString},
      {R"("\na\"b")", Type::kString},
      {R"("\u00e9\ud83d\ude00")", Type::kString},
      {"\"\xC3\xA9 { [ , \\\" ] }\"", Type::kString},
      {"{}", Type::kObject},
      {"{ }", Type::kObject},
      {"[]", Type::kArray},
      {"[ \n ]", Type::kArray},
      {R"({ "a" : [ 1 , { } ] })", Type::kObject},
      {R"([{"a":[1,"]"]},2])", Type::kArray}};
  for (const std::string space : {"", " ", "\n", "\t\r\n  "}) {
    std::string object = space + "{" + space;
    std::string array = space + "[" + space;
    for (std::size_t i = 0; i < values.size(); ++i) {
      const std::string comma = i == 0 ? "" : "," + space;
      object +=
          comma + "\"k" + std::to_string(i) + "\"" + space + ":" + space + values[i].first + space;
      array += comma + values[i].first + space;
    }
    object += "}" + space;
    array += "]" + space;
    Outline outline;
    for (const bool keyed : {true, false}) {
      const std::string& text = keyed ? object : array;
      ASSERT_EQ(Check(text, {}, &outline), absl::OkStatus()) << text;
      EXPECT_EQ(outline.type, keyed ? Type::kObject : Type::kArray);
      EXPECT_EQ(outline.root,
                std::string_view(text).substr(space.size(), text.size() - 2 * space.size()));
      ASSERT_EQ(outline.members.size(), values.size());
      for (std::size_t i = 0; i < values.size(); ++i) {
        EXPECT_EQ(outline.members[i].value, values[i].first) << text;
        EXPECT_EQ(outline.members[i].type, values[i].second) << text;
        EXPECT_EQ(outline.members[i].key, keyed ? "k" + std::to_string(i) : "");
      }
      if (keyed) continue;
      const std::vector<std::string_view> elements = Elements(outline.root);
      ASSERT_EQ(elements.size(), values.size()) << text;
      for (std::size_t i = 0; i < values.size(); ++i) EXPECT_EQ(elements[i], values[i].first);
    }
    for (const auto& [value, type] : values) {
      const std::string text = space + value + space;
      ASSERT_EQ(Check(text, {}, &outline), absl::OkStatus());
      EXPECT_EQ(outline.type, type);
      EXPECT_EQ(outline.root, value);
    }
  }
}

TEST(Elements, OfAnEmptyArrayAreNone) {
  EXPECT_TRUE(Elements("[]").empty());
  EXPECT_TRUE(Elements("[ \n ]").empty());
}

TEST(Outline, FindsMembersByDecodedKey) {
  Outline outline;
  ASSERT_EQ(Check(R"({"a\u0062":1,"c":{"d":2}})", {}, &outline), absl::OkStatus());
  ASSERT_NE(outline.Find("ab"), nullptr);
  EXPECT_EQ(outline.Find("ab")->value, "1");
  EXPECT_EQ(outline.Find("d"), nullptr);
  ASSERT_EQ(Check("[1]", {}, &outline), absl::OkStatus());
  EXPECT_EQ(outline.Find(""), nullptr);
}

TEST(Text, DecodesScalars) {
  EXPECT_EQ(Text(R"("a\n\u00e9\ud83d\ude00\"")"), "a\n\xC3\xA9\xF0\x9F\x98\x80\"");
  EXPECT_EQ(Text("12.50"), "12.50");
  EXPECT_EQ(Text("true"), "true");
  EXPECT_EQ(Text("null"), "");
  EXPECT_EQ(Text("{}"), "");
  EXPECT_EQ(Text("[]"), "");
  EXPECT_EQ(Text(""), "");
}

TEST(PathAt, NamesTheValue) {
  const std::string text = R"({"a": [1, {"b c": 2, "d": "}]"}], "e": 3})";
  EXPECT_EQ(PathAt(text, 0), "");
  EXPECT_EQ(PathAt(text, text.find('1')), "a[0]");
  EXPECT_EQ(PathAt(text, text.find('2')), "a[1][\"b c\"]");
  EXPECT_EQ(PathAt(text, text.find("\"}]")), "a[1].d");
  EXPECT_EQ(PathAt(text, text.find('3')), "e");
  EXPECT_EQ(PathAt("]]]]}}}", 7), "");
}

}  // namespace
}  // namespace gateway::json
