#include "face/url_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/ids.h"

namespace gateway::face {
namespace {

using testing::ElementsAre;
using testing::Pair;

TEST(UrlTextTest, DecodesWhatIsWellFormed) {
  EXPECT_EQ(PercentDecoded("a%2Fb%3a%20c+d"), "a/b: c+d");
  EXPECT_EQ(PercentDecoded("%C3%A9"), "\xC3\xA9");
  EXPECT_EQ(PercentDecoded(""), "");
}

TEST(UrlTextTest, RefusesWhatOthersMightReadDifferently) {
  for (const char* const broken : {"%", "%2", "a%", "%g0", "%0g", "%%20", "%00", "%0a", "%0D",
                                   "%7f", "%C3", "%C0%AF", "%ED%A0%80", "a\x01z", "\xFF"}) {
    EXPECT_FALSE(PercentDecoded(broken).has_value()) << broken;
  }
}

TEST(UrlTextTest, EncodesSoThatItDecodesToTheSame) {
  std::string all;
  for (char c = 0x20; c < 0x7F; ++c) all += c;
  all += "\xC3\xA9";
  EXPECT_EQ(PercentDecoded(PercentEncode(all)), all);
  EXPECT_EQ(PercentEncode("a/b:c"), "a%2Fb%3Ac");
}

TEST(UrlTextTest, ReadsQueries) {
  EXPECT_THAT(*ReadQuery("a=1&b=x%26y&c&d=+e&&a=2"),
              ElementsAre(Pair("a", "1"), Pair("b", "x&y"), Pair("c", ""), Pair("d", " e"),
                          Pair("a", "2")));
  EXPECT_TRUE(ReadQuery("")->empty());
  for (const char* const broken : {"=1", "a=%", "%zz=1", "a=%00", "a=1&b=%0d%0a"}) {
    EXPECT_FALSE(ReadQuery(broken).has_value()) << broken;
  }
}

}  // namespace
}  // namespace gateway::face
