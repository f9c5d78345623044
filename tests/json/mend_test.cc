// Odd texts: mended, and read as other programs read them.
#include "json/mend.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <map>
#include <random>

#include "json/check.h"
#include "json/utf8.h"

namespace gateway::json {
namespace {

using ::testing::HasSubstr;
using namespace std::string_literals;

constexpr Limits kForgiving{.reading = Reading::kForgiving};

// Of a line in testdata: `%` and two digits for what is not plain.
std::string Unescaped(std::string_view line) {
  std::string text;
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (line[i] != '%') {
      text += line[i];
    } else {
      text += static_cast<char>(std::stoi(std::string(line.substr(i + 1, 2)), nullptr, 16));
      i += 2;
    }
  }
  return text;
}

// The value as testdata writes it: members in order of their keys.
std::string MendedDump(std::string_view text, int depth = 0) {
  Outline outline;
  const absl::Status status = Check(text, kForgiving, &outline);
  if (!status.ok()) return "-";
  switch (outline.type) {
    case Type::kString:
      return "s:" + Text(outline.root);
    case Type::kNumber:
      return "n:" + std::string(outline.root);
    case Type::kBool:
      return std::string(outline.root);
    case Type::kObject:
    case Type::kArray:
      break;
    default:
      return "null";
  }
  const bool object = outline.type == Type::kObject;
  std::stable_sort(outline.members.begin(), outline.members.end(),
                   [](const Member& a, const Member& b) { return a.key < b.key; });
  std::string all;
  for (const Member& member : outline.members) {
    all += (all.empty() ? "" : ",") + (object ? member.key + "=" : "");
    // Each is read on its own here; where it stands it would be empty.
    const bool container = member.type == Type::kObject || member.type == Type::kArray;
    if (container && depth + 1 >= limits::kJsonMaxDepth) {
      all += member.type == Type::kObject ? "{}" : "[]";
    } else {
      all += MendedDump(member.value, depth + 1);
    }
  }
  return object ? "{" + all + "}" : "[" + all + "]";
}

// What the json module of Python reads of each text (decoded with U+FFFD for what is no UTF-8, and
// with control characters allowed), and Node's JSON.parse too but for NaN and control characters. A
// lone surrogate is written as U+FFFD, NaN and its kin as null, what nests beyond 32 as empty.
TEST(Forgiving, ReadsWhatOtherProgramsReadAndNothingElse) {
  std::ifstream file(PICTORY_TESTDATA "/odd/texts.txt", std::ios::binary);
  int count = 0;
  for (std::string line; std::getline(file, line); ++count) {
    const std::size_t tab = line.find('\t');
    ASSERT_NE(tab, std::string::npos);
    const std::string text = Unescaped(std::string_view(line).substr(0, tab));
    const std::string wanted = Unescaped(std::string_view(line).substr(tab + 1));
    const std::string dump = MendedDump(text);
    EXPECT_EQ(dump == "-" ? dump : "=" + dump, wanted) << line;
    EXPECT_EQ(Mend(text, kForgiving).size(), text.size()) << line;
  }
  EXPECT_GT(count, 400);
}

TEST(Mend, KeepsEveryPlace) {
  struct Case {
    std::string text;
    std::string mended;
  };
  for (const Case& c : {
           Case{R"(["\ud83c","a\udC00b","\ud83d\ude00"])",
                R"(["\ufffd","a\ufffdb","\ud83d\ude00"])"},
           Case{"\xEF\xBB\xBF[]", "   []"},
           Case{R"({"a":1, "b":2,"a":3})", R"({       "b":2,"a":3})"},
           Case{R"({"a":1 ,"a":2 ,"\u0061":3})", R"({              "\u0061":3})"},
           Case{R"({"a":{"b":1,"b":2},"a":{"b":1,"b":2}})",
                R"({                  "a":{      "b":2}})"},
           Case{"[NaN,Infinity,-Infinity]", "[0.0,0.000000,0.0000000]"},
           Case{"[1e5,-12,1e400]", "[0.0,-12,0.000]"},
           Case{"[1" + std::string(40, '2') + "]", "[0." + std::string(39, '0') + "]"},
           Case{"\"a\nb\"",
                "\"a\xFF"
                "b\""},
           // Broken: what stands behind is left alone.
           Case{R"(["\ud83c" "\ud83c"])", R"(["\ufffd" "\ud83c"])"},
           Case{R"({"a":,"a":1})", R"({"a":,"a":1})"},
       }) {
    EXPECT_EQ(Mend(c.text, kForgiving), c.mended) << c.text;
  }
  const auto nested = [](int depth, const std::string& inside) {
    return std::string(static_cast<std::size_t>(depth), '[') + inside +
           std::string(static_cast<std::size_t>(depth), ']');
  };
  EXPECT_EQ(Mend(nested(34, "1"), kForgiving), nested(33, "   "));
  EXPECT_EQ(Mend(nested(33, ""), kForgiving), nested(33, ""));
  EXPECT_EQ(Mend(nested(32, R"({"a":"]}"})"), kForgiving), nested(32, "{        }"));
}

TEST(Mend, TouchesNumbersOnlyWhereReadingIsStrict) {
  const std::string text = R"({"a":"\ud83d\ude00","a":[1e400,1]})";
  EXPECT_EQ(Mend(text, {}), R"({"a":"\ud83d\ude00","a":[0.000,1]})");
  EXPECT_EQ(Mend("\xEF\xBB\xBF[1e400]", {}), "\xEF\xBB\xBF[1e400]");
  EXPECT_EQ(Mend("[NaN,1e400]", {}), "[NaN,1e400]");
}

// Texts made by chance of the grammar and of every fault.
class Maker {
 public:
  explicit Maker(unsigned seed) : chance_(seed) {}

  std::string Value(int depth = 0) {
    const int kind = depth > 5 ? Pick(8) : Pick(12);
    if (kind == 8 || kind == 9) return List('[', ']', [&] { return Value(depth + 1); });
    if (kind >= 10) {
      return List('{', '}', [&] { return Key() + Space() + ":" + Space() + Value(depth + 1); });
    }
    static const std::vector<std::string> kScalars = {"1",
                                                      "-0.5e-3",
                                                      "1e999",
                                                      "NaN",
                                                      "-Infinity",
                                                      "null",
                                                      "true",
                                                      "\"x\"",
                                                      R"("\ud83c")",
                                                      R"("\ud83d\ude00\\")",
                                                      "\"\xff\xe2\x82\"",
                                                      "\"\n\"",
                                                      std::string(60, '7'),
                                                      R"("\u0000")"};
    return kScalars[static_cast<std::size_t>(Pick(static_cast<int>(kScalars.size())))];
  }
  int Pick(int below) { return static_cast<int>(chance_() % static_cast<unsigned>(below)); }

 private:
  std::string Space() { return Pick(4) == 0 ? "\n " : ""; }
  std::string Key() {
    static const std::vector<std::string> kKeys = {"\"a\"",       R"("\u0061")", "\"b\"",
                                                   R"("\udc00")", "\"\xff\"",    "\"\""};
    return kKeys[static_cast<std::size_t>(Pick(static_cast<int>(kKeys.size())))];
  }
  template <typename Make>
  std::string List(char open, char close, Make make) {
    std::string list = open + Space();
    for (int i = Pick(5); i > 0; --i) list += make() + Space() + (i > 1 ? "," + Space() : "");
    return list + close;
  }

  std::mt19937 chance_;
};

TEST(Mend, WhatItMakesKeepsTheRules) {
  Maker maker(29);
  for (int i = 0; i < 3000; ++i) {
    const std::string text = maker.Value();
    const std::string mended = Mend(text, kForgiving);
    ASSERT_EQ(mended.size(), text.size()) << text;
    EXPECT_EQ(Mend(mended, kForgiving), mended) << text;
    // Strictly, but for two keys that are one character nobody knows.
    if (WellFormed(text).find("\xEF\xBF\xBD\"") == std::string::npos &&
        text.find("\\udc00") == std::string::npos) {
      EXPECT_EQ(Check(WellFormed(mended)), absl::OkStatus()) << text;
    }
    EXPECT_EQ(Check(text, kForgiving), absl::OkStatus()) << text;
    // Cut or with something that does not belong there it is nothing.
    const std::string cut = text.substr(0, text.size() - 1);
    if (text.size() > 1 && (text.front() == '{' || text.front() == '[' || text.front() == '"')) {
      EXPECT_FALSE(Check(cut, kForgiving).ok()) << cut;
      EXPECT_FALSE(Check(text + "]", kForgiving).ok()) << text;
      EXPECT_EQ(Mend(cut, kForgiving).size(), cut.size());
    }
  }
}

TEST(Forgiving, SlicesAreTheBytesThatCame) {
  const std::string value = "{\"x\":1,\"x\":[NaN,\"\\ud83c\xff\n\"],\"big\":1e400}";
  Outline outline;
  const std::string text =
      "\xEF\xBB\xBF {\"a\":0,\"n\":-Infinity,\"big\":1e400,\"a\": " + value + " }";
  ASSERT_EQ(Check(text, kForgiving, &outline), absl::OkStatus());
  ASSERT_EQ(outline.members.size(), 3u);
  EXPECT_EQ(outline.Find("a")->value, value);
  EXPECT_EQ(outline.Find("big")->value, "1e400");
  EXPECT_EQ(outline.Find("n")->value, "-Infinity");
  EXPECT_EQ(outline.Find("n")->type, Type::kNull);
  EXPECT_EQ(outline.root, std::string_view(text).substr(4));
}

TEST(Forgiving, TextsOfOddValues) {
  EXPECT_EQ(Text(R"("a\ud83c")"), "a\xEF\xBF\xBD");
  EXPECT_EQ(Text("\"\xff\n\x01\""), "\xEF\xBF\xBD\n\x01");
  EXPECT_EQ(Text("1e400"), "1e400");
  for (const char* none : {"NaN", "Infinity", "-Infinity"}) EXPECT_EQ(Text(none), "") << none;
}

TEST(Forgiving, KeepsTheBoundsOfMemory) {
  Limits small = kForgiving;
  small.max_values = 3;
  EXPECT_THAT(std::string(Check(R"(["\ud83c",2,3])", small).message()),
              HasSubstr("too many values"));
  EXPECT_THAT(std::string(Check(R"({"a":"\ud83c","b":2,"c":3,"d":4,"a":5})", small).message()),
              HasSubstr("too many values"));
  small = kForgiving;
  small.max_string_bytes = 4;
  EXPECT_THAT(std::string(Check(R"(["\ud83c","abcde"])", small).message()),
              HasSubstr("string is too long"));
  EXPECT_EQ(Check("\"\xff\xff\xff\xff\"", small), absl::OkStatus())
      << "four bytes, though U+FFFD has three";
}

TEST(Forgiving, SaysWhereItIsBrokenAndNotWhereItIsOdd) {
  EXPECT_THAT(std::string(Check(R"({"a":"\ud83c","b":tru})", kForgiving).message()),
              HasSubstr("at b: a value is expected"));
  EXPECT_THAT(std::string(Check(R"({"a":"\ud83c","b":)", kForgiving).message()),
              HasSubstr("the text ends where a value is expected"));
}

// Against the same reading of as much that is not odd, so that only what grows faster than the text
// is noticed. Work that grows with the square of these texts would take thousands of times as long.
// How much a mended text costs beside a clean one of its kind is no matter of this test.
TEST(Forgiving, TakesTimeInProportionToTheTextWhateverIsMended) {
  constexpr double kTimesACleanTextMax = 30;
  const auto repeat = [](std::string_view piece) {
    std::string text;
    while (text.size() < (1 << 18)) text += piece;
    return text;
  };
  const auto time = [](const std::string& text) {
    auto best = std::chrono::steady_clock::duration::max();
    for (int i = 0; i < 3; ++i) {
      const auto begin = std::chrono::steady_clock::now();
      EXPECT_EQ(Check(text, kForgiving), absl::OkStatus());
      best = std::min(best, std::chrono::steady_clock::now() - begin);
    }
    return best;
  };
  const auto clean = time("[" + repeat(R"({"a":"\ufffd","b":12},)") + "0]");
  std::string deep;
  for (int i = 0; i < 31; ++i) deep += R"({"a":)";
  for (const std::string& text :
       {"{" + repeat(R"("a":1,)") + R"("a":2})", "[" + repeat(R"("\ud83c",)") + "0]",
        "[" + repeat("\"\xff\",") + "0]", "[" + repeat("1e400,NaN,") + "0]",
        "{" + repeat(R"("\u0061":1,)") + R"("a":2})",
        // Blank again at every level.
        deep + "{" + repeat(R"("a":1,)") + R"("a":1})" +
            [] {
              std::string ends;
              for (int i = 0; i < 31; ++i) ends += R"(,"a":1})";
              return ends;
            }(),
        std::string(1 << 17, '[') + std::string(1 << 17, ']')}) {
    EXPECT_LT(time(text), kTimesACleanTextMax * clean) << text.substr(0, 40);
  }
}

TEST(WellFormed, OneCharacterForWhatCouldHaveBeenOne) {
  const std::string kLost(kReplacement);
  EXPECT_EQ(WellFormed("\xC3\xA9 \xE2\x82\xAC \xF0\x9F\x98\x80"),
            "\xC3\xA9 \xE2\x82\xAC \xF0\x9F\x98\x80");
  EXPECT_EQ(WellFormed("\xE2\x82x"), kLost + "x");
  EXPECT_EQ(WellFormed("\xF0\x9F\x98\xFF"), kLost + kLost);
  EXPECT_EQ(WellFormed("\xED\xA0\x80"), kLost + kLost + kLost);
  EXPECT_EQ(WellFormed("\xC0\xAF\xF4\x90"), kLost + kLost + kLost + kLost);
}

}  // namespace
}  // namespace gateway::json
