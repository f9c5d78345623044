#include "json/writer.h"

#include <gtest/gtest.h>

#include <charconv>
#include <cmath>
#include <limits>
#include <random>

#include "json/check.h"
#include "json/numbers.h"

namespace gateway::json {
namespace {

TEST(Writer, SetsCommas) {
  std::string out = "before:";
  Writer writer(out);
  writer.StartObject();
  writer.Key("a");
  writer.StartArray();
  writer.Int(1);
  writer.StartObject();
  writer.EndObject();
  writer.StartArray();
  writer.EndArray();
  writer.Bool(true);
  writer.Null();
  writer.EndArray();
  writer.Key("b\"");
  writer.String("x");
  writer.KeyAsIs("\"c\":");
  writer.Raw("{ }");
  writer.Members("");
  writer.Members("\"d\":1");
  writer.Key("e");
  writer.Uint(std::numeric_limits<std::uint64_t>::max());
  writer.EndObject();
  EXPECT_EQ(out,
            "before:{\"a\":[1,{},[],true,null],\"b\\\"\":\"x\",\"c\":{ },\"d\":1,"
            "\"e\":18446744073709551615}");
  EXPECT_TRUE(writer.ok());
}

TEST(Writer, MembersOnlyAreAnObject) {
  std::string out;
  Writer writer(out);
  writer.StartObject();
  writer.Members("\"d\":1");
  writer.EndObject();
  EXPECT_EQ(out, "{\"d\":1}");
}

TEST(Writer, EscapesWhatItMust) {
  std::string out;
  using namespace std::string_literals;
  EXPECT_TRUE(AppendString(out, "\"\\\b\f\n\r\t/\x01\x1f\x7f\0é€😀"s));
  EXPECT_EQ(out, "\"\\\"\\\\\\b\\f\\n\\r\\t/\\u0001\\u001f\x7f\\u0000é€😀\"");
  EXPECT_EQ(Text(out), "\"\\\b\f\n\r\t/\x01\x1f\x7f\0é€😀"s);
}

TEST(Writer, EveryByteReadsBackAtEveryPlace) {
  for (int c = 0; c < 0x80; ++c) {
    for (std::size_t before = 0; before < 18; ++before) {
      std::string value(before, 'x');
      value.push_back(static_cast<char>(c));
      value.append(before % 9, 'y');
      std::string out;
      ASSERT_TRUE(AppendString(out, value));
      ASSERT_EQ(Check(out), absl::OkStatus());
      EXPECT_EQ(Text(out), value);
    }
  }
}

TEST(Writer, RefusesBrokenUtf8) {
  for (const char* bad : {"\xC0\x80", "\xED\xA0\x80", "\xF4\x90\x80\x80", "\xFF", "a\xE2\x82",
                          "\xE0\x9F\xBF", "\xF0\x8F\xBF\xBF", "\x80"}) {
    std::string out;
    Writer writer(out);
    writer.String(bad);
    EXPECT_FALSE(writer.ok()) << bad;
    EXPECT_EQ(out, "\"\"");
  }
}

TEST(Writer, DoublesReadBackTheSame) {
  std::mt19937_64 random(1);
  for (int i = 0; i < 20'000; ++i) {
    const std::uint64_t bits = random();
    double value;
    std::memcpy(&value, &bits, sizeof value);
    if (!std::isfinite(value)) continue;
    std::string out;
    Writer(out).Double(value);
    ASSERT_EQ(Check(out), absl::OkStatus()) << out;
    double back = 0;
    ASSERT_EQ(ParseDouble(out, back), NumberFault::kNone) << out;
    EXPECT_EQ(back, value) << out;
  }
}

TEST(Writer, DoublesAreShort) {
  const std::pair<double, const char*> cases[] = {
      {0, "0"},           {-0.0, "-0"},
      {1, "1"},           {100000, "100000"},
      {-3, "-3"},         {0.1, "0.1"},
      {65.6, "65.6"},     {1e300, "1e+300"},
      {5e-324, "5e-324"}, {9007199254740991, "9007199254740991"}};
  for (const auto& [value, text] : cases) {
    std::string out;
    Writer(out).Double(value);
    EXPECT_EQ(out, text);
  }
}

TEST(Writer, RefusesWhatNoNumberIs) {
  for (double bad : {std::nan(""), std::numeric_limits<double>::infinity(),
                     -std::numeric_limits<double>::infinity()}) {
    std::string out;
    Writer writer(out);
    writer.StartArray();
    writer.Double(bad);
    writer.EndArray();
    EXPECT_FALSE(writer.ok());
    EXPECT_EQ(out, "[null]");
  }
}

TEST(ParseNumber, TakesTheGrammarOnly) {
  double d = 0;
  EXPECT_EQ(ParseDouble("1e-999", d), NumberFault::kNone);
  EXPECT_EQ(d, 0);
  EXPECT_EQ(ParseDouble("1e999", d), NumberFault::kOutOfRange);
  for (const char* bad : {"", " 1", "1 ", "inf", "nan", "0x10", "1,5", "-", "e", "1e", "--1"}) {
    EXPECT_EQ(ParseDouble(bad, d), NumberFault::kNotANumber) << bad;
  }
  std::int32_t i = 0;
  EXPECT_EQ(ParseInt32("-2147483648", i), NumberFault::kNone);
  EXPECT_EQ(i, std::numeric_limits<std::int32_t>::min());
  EXPECT_EQ(ParseInt32("2147483648", i), NumberFault::kOutOfRange);
  EXPECT_EQ(ParseInt32("18446744073709551616", i), NumberFault::kOutOfRange);
  EXPECT_EQ(ParseInt32("1e10", i), NumberFault::kOutOfRange);
  EXPECT_EQ(ParseInt32("3.0", i), NumberFault::kNone);
  EXPECT_EQ(i, 3);
  EXPECT_EQ(ParseInt32("3.5", i), NumberFault::kNotANumber);
  EXPECT_EQ(ParseInt32("", i), NumberFault::kNotANumber);
}

}  // namespace
}  // namespace gateway::json
