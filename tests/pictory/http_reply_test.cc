#include "pictory/http_reply.h"

#include <gtest/gtest.h>

#include <set>

#include "support/fake_transport.h"

namespace gateway::pictory {
namespace {

using test::Cut;
using test::NotSent;
using test::Reply;
using namespace std::chrono_literals;

// 1994-11-06 08:49:37 UTC
constexpr WallTime kNow{std::chrono::microseconds(784'111'777'000'000)};

Duration After(const std::string& value) {
  return RetryAfter(Reply(429, "", {{"retry-after", value}}), kNow);
}

TEST(RetryAfter, Seconds) {
  EXPECT_EQ(After("7"), 7s);
  EXPECT_EQ(After(" 30 "), 30s);
  EXPECT_EQ(After("0"), limits::kRetryAfterMin);
  EXPECT_EQ(After("86400"), limits::kRetryAfterMax);
  EXPECT_EQ(After("99999999999999999999999"), limits::kRetryAfterMax);
}

TEST(RetryAfter, Date) {
  EXPECT_EQ(After("Sun, 06 Nov 1994 08:50:37 GMT"), 60s);
  EXPECT_EQ(After("Sun, 06 Nov 1994 08:00:00 GMT"), limits::kRetryAfterMin);
  EXPECT_EQ(After("Mon, 01 Jan 2035 00:00:00 GMT"), limits::kRetryAfterMax);
}

TEST(RetryAfter, NoneOrNonsenseAsksNothing) {
  EXPECT_EQ(RetryAfter(Reply(429, ""), kNow), 0s);
  for (const char* value :
       {"", "soon", "-5", "1.5", "5s", "Sun, 06 Nov 1994", "Sun, 31 Feb 1994 08:00:00 GMT",
        "Sun, 06 Nov 1994 99:00:00 GMT", "Sun, 0x Nov 1994 08:49:37 GMT"}) {
    EXPECT_EQ(After(value), 0s) << value;
  }
}

TEST(Describe, NamesWhatHappenedWithoutTheBody) {
  EXPECT_EQ(Describe(Reply(502, "<html>secret</html>")), "HTTP 502");
  EXPECT_EQ(Describe(NotSent("connection refused")), "not sent: connection refused");
  EXPECT_EQ(Describe(Cut("timeout", 200)), "no complete answer: timeout (HTTP 200)");
  EXPECT_NE(Describe(Reply(403, "<html>error code: 1010</html>")).find("bot filter"),
            std::string::npos);
}

TEST(BotFilter, IsToldFromPictorysOwn403) {
  EXPECT_TRUE(FromBotFilter(Reply(403, "error code: 1010")));
  EXPECT_TRUE(FromBotFilter(Reply(403, "<title>Attention Required! | Cloudflare</title>")));
  EXPECT_TRUE(FromBotFilter(Reply(403, "", {{"cf-ray", "1-FRA"}})));
  EXPECT_FALSE(FromBotFilter(Reply(403, R"({"message":"Forbidden"})", {{"cf-ray", "1-FRA"}})));
  EXPECT_FALSE(FromBotFilter(Reply(403, "<Error>AccessDenied</Error>")));
  EXPECT_FALSE(FromBotFilter(Reply(200, "error code: 1010")));
}

TEST(Digest, DiffersWithStatusAndEveryByte) {
  std::set<std::uint64_t> seen;
  std::string body(100, 'a');
  seen.insert(Digest(Reply(200, body)));
  EXPECT_TRUE(seen.insert(Digest(Reply(201, body))).second);
  for (std::size_t i = 0; i < body.size(); ++i) {
    std::string other = body;
    other[i] = 'b';
    EXPECT_TRUE(seen.insert(Digest(Reply(200, other))).second) << i;
  }
  for (std::size_t length = 0; length < 100; ++length) {
    EXPECT_TRUE(seen.insert(Digest(Reply(200, std::string(length, '\0')))).second) << length;
  }
  EXPECT_EQ(Digest(Reply(200, body)), Digest(Reply(200, body, {{"date", "now"}})));
  EXPECT_EQ(seen.count(0), 0U);
}

TEST(Digest, SwappedBlocksDiffer) {
  const std::string a(16, 'a'), b(16, 'b');
  EXPECT_NE(Digest(Reply(200, a + b)), Digest(Reply(200, b + a)));
  EXPECT_NE(Digest(Reply(200, "abcdefgh12345678")), Digest(Reply(200, "12345678abcdefgh")));
}

}  // namespace
}  // namespace gateway::pictory
