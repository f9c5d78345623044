#include "json/first_scalar.h"

#include <gtest/gtest.h>

namespace gateway::json {
namespace {

std::string Find(std::string_view text) {
  static const PathTable paths({"id", "data.id", "data.deep.name"});
  return FirstScalar(text, paths);
}

TEST(FirstScalar, TakesTheFirstInTheTextWhicheverPathItIs) {
  EXPECT_EQ(Find(R"({"id":"a"})"), "a");
  EXPECT_EQ(Find(R"({"x":[1,{"id":"no"}],"data":{"y":{},"id":"b"},"id":"c"})"), "b");
  EXPECT_EQ(Find(R"({"data":{"deep":{"name":"n"}}})"), "n");
  EXPECT_EQ(Find(R"({"id":"\u0061\/"})"), "a/") << "decoded";
  EXPECT_EQ(Find(R"({"id":120e3})"), "120e3") << "as written";
}

TEST(FirstScalar, PassesOverWhatSaysNothing) {
  EXPECT_EQ(Find(R"({"id":null,"data":{"id":""}})"), "");
  EXPECT_EQ(Find(R"({"id":null,"data":{"id":"b"}})"), "b");
  EXPECT_EQ(Find(R"({"id":{"id":"no"},"data":[{"id":"no"}],"data2":{"id":"no"}})"), "");
  EXPECT_EQ(Find(R"({"id":true,"data":{"deep":["name"]}})"), "");
}

TEST(FirstScalar, OnlyWhatStandsUnderTheRootObject) {
  EXPECT_EQ(Find(R"([{"id":"no"}])"), "");
  EXPECT_EQ(Find(R"("id")"), "");
  EXPECT_EQ(Find(""), "");
}

TEST(FirstScalar, DoesNotLookAtWhatFollows) {
  EXPECT_EQ(Find(R"({"id":"a","data":)"), "a");
  EXPECT_EQ(Find("{\"id\":\"a\"\xff"), "a");
}

TEST(FirstScalar, WhatIsBrokenBeforeItHidesIt) {
  EXPECT_EQ(Find(R"({"x":tru,"id":"a"})"), "");
  EXPECT_EQ(Find(R"({"x":"\x","id":"a"})"), "");
  EXPECT_EQ(Find(R"({"id":"a)"), "") << "cut in the middle: not this id";
}

TEST(FirstScalar, WhatIsOddBeforeItDoesNot) {
  EXPECT_EQ(Find("{\"x\":\"\xff\",\"id\":\"a\"}"), "a");
  EXPECT_EQ(Find(R"({"x":1,"x":2,"id":"a"})"), "a");
  EXPECT_EQ(Find(R"({"x":"\ud800","data":{"deep":{"name":"a"},)"), "a") << "cut behind it";
  EXPECT_EQ(Find("{\"x\":\"a\n\",\"id\":1e400,"), "1e400");
  for (const std::size_t depth : {31, 32, 33, 100}) {
    const std::string deep = std::string(depth, '[') + R"({"id":"no"})" + std::string(depth, ']');
    EXPECT_EQ(Find("{\"x\":" + deep + ",\"id\":\"a\"}"), "a") << depth;
  }
}

}  // namespace
}  // namespace gateway::json
