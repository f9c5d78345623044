#include "app/config_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "base/limits.h"

namespace gateway::app {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// `1:key=value …`, then `!problem` for each.
std::string Told(std::string_view text) {
  const ConfigFile file = ParseConfigFile("f", text);
  std::string told;
  for (const ConfigLine& line : file.lines) {
    told += std::to_string(line.number) + ":" + line.key + "=" + line.value + ";";
  }
  for (const std::string& problem : file.problems)
    told += "!" + problem.substr(0, problem.find(": "));
  return told;
}

TEST(ConfigFileTest, Lines) {
  struct Case {
    std::string_view text, told;
  };
  for (const Case& c : {
           Case{"", ""},
           Case{"a=1", "1:a=1;"},
           Case{"a=1\nb=2\n", "1:a=1;2:b=2;"},
           Case{"\n \t\n  a \t=\t 1  \n", "3:a=1;"},
           Case{"a=1\r\n\r\nb=2\r\n", "1:a=1;3:b=2;"},
           Case{"\xEF\xBB\xBF"
                "a=1\n",
                "1:a=1;"},
           Case{"# a=1\n; b=2\n   # c=3\nd=4", "4:d=4;"},
           Case{"a=1 # why\n", "1:a=1;"},
           Case{"a=1\t# why\n", "1:a=1;"},
           Case{"a=http://h/#x\n", "1:a=http://h/#x;"},
           Case{"a=x;y\n", "1:a=x;y;"},
           Case{"a=b=c\n", "1:a=b=c;"},
           Case{"a=\"1 # 2\"\n", "1:a=1 # 2;"},
           Case{"a='x \"y\" z'  # why\n", "1:a=x \"y\" z;"},
           Case{"a=\" 1 \"\n", "1:a= 1 ;"},
           Case{"a=don't\n", "1:a=don't;"},
           Case{"x=0\n[api-version] # v\nrender=v1\n[ other ]\na=1\n",
                "1:x=0;3:api-version.render=v1;5:other.a=1;"},
           Case{"api-version.render=v1\n", "1:api-version.render=v1;"},
           Case{"a=[::1]:5\nb=2\n", "1:a=[::1]:5;2:b=2;"},
           // What is wrong, and with which line.
           Case{"a\n", "!f:1"},
           Case{"\n=1\nb=2\n", "3:b=2;!f:2"},
       }) {
    EXPECT_EQ(Told(c.text), c.told) << c.text;
  }
  for (const char* empty : {"a=\n", "a=  \n", "a=\"\"\n", "a='  '\n", "a=# why\n", "a= # why\n"}) {
    EXPECT_EQ(Told(empty), "!f:1") << empty;
  }
  for (const char* wrong :
       {"a=\"1\n", "a='1\"\n", "a=\"1\"2\n", "[a\n", "[]\n", "[[a]]\n", "[a]=1\n"}) {
    EXPECT_EQ(Told(wrong), "!f:1") << wrong;
  }
}

TEST(ConfigFileTest, EveryWrongLineIsNamedAndNoneIsRepeated) {
  const ConfigFile file = ParseConfigFile("dir/f", "pictai_1\nok=1\nkey=\"pictai_2\n[pictai_3\n");
  EXPECT_THAT(file.problems,
              ElementsAre(HasSubstr("dir/f:1: "), HasSubstr("dir/f:3: "), HasSubstr("dir/f:4: ")));
  for (const std::string& problem : file.problems) EXPECT_THAT(problem, Not(HasSubstr("pictai")));
}

TEST(ConfigFileTest, AZeroByteMeansThatItIsNoText) {
  const ConfigFile file = ParseConfigFile("f", std::string_view("a=1\n\0b=2\n", 9));
  EXPECT_THAT(file.lines, IsEmpty());
  EXPECT_THAT(file.problems, ElementsAre(HasSubstr("zero byte")));
  EXPECT_EQ(ParseConfigFile("f", std::string_view("\xFF\xFE"
                                                  "a\0=\0",
                                                  6))
                .problems.size(),
            1u);
}

TEST(ConfigFileTest, Lists) {
  EXPECT_THAT(SplitList("a"), ElementsAre("a"));
  EXPECT_THAT(SplitList("a,b"), ElementsAre("a", "b"));
  EXPECT_THAT(SplitList(" a , b\tc "), ElementsAre("a", "b", "c"));
  EXPECT_THAT(SplitList("[\"a\", 'b']"), ElementsAre("a", "b"));
  EXPECT_THAT(SplitList("[::1]:5"), ElementsAre("[::1]:5"));
  EXPECT_THAT(SplitList("[[::1]:5, [::1]:6]"), ElementsAre("[::1]:5", "[::1]:6"));
  EXPECT_THAT(SplitList(", "), IsEmpty());
}

TEST(ConfigFileTest, WhatCannotBeReadSaysWhy) {
  const std::filesystem::path folder = testing::TempDir();
  EXPECT_THAT(std::string(ReadConfigFile(folder / "none").status().message()),
              HasSubstr("No such file"));
  EXPECT_THAT(std::string(ReadConfigFile(folder).status().message()), HasSubstr("directory"));
  const std::filesystem::path large = folder / "large.conf";
  std::ofstream(large) << std::string(limits::kConfigFileMaxBytes + 1, '\n');
  EXPECT_THAT(std::string(ReadConfigFile(large).status().message()), HasSubstr("too large"));
  std::ofstream(large) << std::string(limits::kConfigFileMaxBytes, '\n');
  EXPECT_TRUE(ReadConfigFile(large).ok());
}

}  // namespace
}  // namespace gateway::app
