#include "base/clean_text.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace gateway {
namespace {

struct Case {
  std::string text, one_line, lines, json;
};

TEST(CleanText, TakesWhatSteersATerminalOrAnEye) {
  const std::vector<Case> cases = {
      {"plain \xC3\xA4 \xE2\x82\xAC \xF0\x9F\x98\x80",
       "plain \xC3\xA4 \xE2\x82\xAC \xF0\x9F\x98\x80",
       "plain \xC3\xA4 \xE2\x82\xAC \xF0\x9F\x98\x80",
       "plain \xC3\xA4 \xE2\x82\xAC \xF0\x9F\x98\x80"},
      {"a\tb\nc", "a b c", "a\tb\nc", "a\tb\nc"},
      {"a\rb", "a b", "a b", "a\rb"},
      {"\x1b[31m\x1b]0;title\x07", " [31m ]0;title ", " [31m ]0;title ",
       "\\u001b[31m\\u001b]0;title\\u0007"},
      {"\x7f\x08", "  ", "  ", "\\u007f\\u0008"},
      {"\xC2\x9B"
       "31m\xC2\x85\xC2\x80\xC2\x9F",
       " 31m   ", " 31m   ", "\\u009b31m\\u0085\\u0080\\u009f"},
      {"\x9B"
       "31m",
       "?31m", "?31m", "?31m"},  // as terminals of one byte a character take it
      {"a\xE2\x80\xAE"
       "b\xE2\x81\xA6"
       "c\xE2\x80\x8F\xD8\x9C",
       "a b c  ", "a b c  ", "a\\u202eb\\u2066c\\u200f\\u061c"},
      {"a\xE2\x80\xA8"
       "b\xE2\x80\xA9",
       "a b ", "a b ", "a\\u2028b\\u2029"},
      {"\xC0\x80\xED\xA0\x80\xF5\x80", "???????", "???????", "???????"},
      {"\xE2\x80", "??", "??", "??"},
      {std::string("a\0b", 3), "a b", "a b", "a\\u0000b"}};
  for (const Case& each : cases) {
    EXPECT_EQ(CleanText(each.text), each.one_line);
    EXPECT_EQ(CleanLines(each.text), each.lines);
    EXPECT_EQ(CleanJson(each.text), each.json);
  }
}

TEST(CleanText, KnowsACharacterThatIsNotWhole) {
  EXPECT_EQ(UnfinishedBytes(""), 0U);
  for (const std::string whole : {"a", "\xC3\xA4", "\xE2\x82\xAC", "\xF0\x9F\x98\x80"}) {
    EXPECT_EQ(UnfinishedBytes(whole), 0U);
    for (std::size_t cut = 1; cut < whole.size(); ++cut) {
      EXPECT_EQ(UnfinishedBytes("x" + whole.substr(0, cut)), cut) << whole;
    }
  }
  EXPECT_EQ(UnfinishedBytes("\x80\x80\x80\x80"), 0U);  // will never be one
}

}  // namespace
}  // namespace gateway
