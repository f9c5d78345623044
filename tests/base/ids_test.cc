#include "base/ids.h"

#include <gtest/gtest.h>

#include <set>

namespace gateway {
namespace {

WallTime At(std::int64_t millis) { return WallTime(std::chrono::milliseconds(millis)); }

TEST(JobIds, SortByTimeAndAreOpaqueCallerIds) {
  Random random(1);
  std::string last;
  for (std::int64_t millis : {0LL, 1LL, 31LL, 32LL, 1'700'000'000'000LL, 1'700'000'000'001LL}) {
    const std::string id = MintJobId(At(millis), random);
    EXPECT_EQ(id.size(), 26u);
    EXPECT_TRUE(IsCallerId(id));
    EXPECT_GT(id, last);
    last = id;
  }
}

TEST(JobIds, DifferWithinAMillisecond) {
  Random random(1);
  std::set<std::string> seen;
  for (int i = 0; i < 1000; ++i) seen.insert(MintJobId(At(5), random));
  EXPECT_EQ(seen.size(), 1000u);
}

TEST(RequestIds, AreVersion4Uuids) {
  Random random(7);
  const std::string id = MintRequestId(random);
  ASSERT_EQ(id.size(), 36u);
  EXPECT_EQ(id[8], '-');
  EXPECT_EQ(id[14], '4');
  EXPECT_NE(std::string("89ab").find(id[19]), std::string::npos);
  EXPECT_TRUE(IsRequestId(id));
}

TEST(CallerIds, RefuseWhatCouldBeAPathOrAHeader) {
  for (const char* bad : {"", "../x", "a/b", "a%2fb", "a?b", "a#b", "a;b", "a b", "ä"}) {
    EXPECT_FALSE(IsCallerId(bad)) << bad;
  }
  EXPECT_FALSE(IsCallerId(std::string("a\0b", 3)));
  EXPECT_TRUE(IsCallerId(std::string(128, 'a')));
  EXPECT_FALSE(IsCallerId(std::string(129, 'a')));
  EXPECT_TRUE(IsRequestId(std::string(64, 'a')));
  EXPECT_FALSE(IsRequestId(std::string(65, 'a')));
}

TEST(UpstreamIds, AreAnyVisibleAscii) {
  EXPECT_TRUE(IsUpstreamId("53g4-x/..b?"));
  EXPECT_TRUE(IsUpstreamId(std::string(256, '~')));
  EXPECT_FALSE(IsUpstreamId(std::string(257, '~')));
  EXPECT_FALSE(IsUpstreamId("a b"));
  EXPECT_FALSE(IsUpstreamId("a\n"));
  EXPECT_FALSE(IsUpstreamId("\x7f"));
  EXPECT_FALSE(IsUpstreamId("\xc3\xa4"));
}

// However often somebody on the way decodes it.
TEST(UpstreamIds, NoneLeadsOutOfItsPlaceInAPath) {
  for (const char* bad :
       {".",       "..",    "../",      "../x", "x/..",   "x/../y", "x/./y",  "./x",
        "..\\x",   "x\\..", "%2e%2e/x", "%2E.", "..%2fx", "..%2Fx", "..%5cx", "%252e%252e%252fx",
        "%25252e", "..;/x", "..;a=b/x", "..?x", "..#x",   "x/..?",  "/.."}) {
    EXPECT_FALSE(IsUpstreamId(bad)) << bad;
  }
  for (const char* good :
       {"...", "..x", "x..", ".x", "a.b", "a/b", "%", "%2", "%zz", "a%2fb", "a;b", "Zm9v+/8="}) {
    EXPECT_TRUE(IsUpstreamId(good)) << good;
  }
}

TEST(PercentEncode, MakesAnyIdOneSegment) {
  EXPECT_EQ(PercentEncode("Az09-_.~"), "Az09-_.~");
  EXPECT_EQ(PercentEncode("53g4-x/...?"), "53g4-x%2F...%3F");
  EXPECT_EQ(PercentEncode("%"), "%25");
  EXPECT_EQ(PercentEncode("."), "%2E");
  EXPECT_EQ(PercentEncode(".."), "%2E%2E");
  EXPECT_EQ(PercentEncode("..."), "...");
  EXPECT_EQ(PercentEncode("\xff"), "%FF");
}

TEST(PercentDecode, LeavesWhatIsNoEscape) {
  EXPECT_EQ(PercentDecode("my%20talk%2fA+b.mp4"), "my talk/A+b.mp4");
  EXPECT_EQ(PercentDecode("%C3%A9"), "\xC3\xA9");
  EXPECT_EQ(PercentDecode("100%, 5%2, %g0%-1%"), "100%, 5%2, %g0%-1%");
}

}  // namespace
}  // namespace gateway
