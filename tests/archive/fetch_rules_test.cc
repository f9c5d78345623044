#include "archive/fetch_rules.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/limits.h"

namespace gateway::archive {
namespace {

using testing::HasSubstr;
using What = Verdict::What;
using namespace std::chrono_literals;

constexpr std::int64_t kMax = 1 << 20;

http::FetchHead Head(int status, std::vector<http::Header> headers = {},
                     std::int64_t length = 100) {
  return {.status = status,
          .headers = std::move(headers),
          .length = length,
          .ends_known = length >= 0,
          .location = ""};
}

TEST(Judge, TheWholeFileIsBegunAnewWhateverIsThere) {
  const Verdict first = Judge({}, Head(200, {{"etag", "\"a\""}}), kMax);
  EXPECT_EQ(first.what, What::kAnew);
  EXPECT_EQ(first.total, 100);
  EXPECT_EQ(first.validator, "\"a\"");
  const Known had{.had = 40, .total = 100, .validator = "\"a\""};
  EXPECT_EQ(Judge(had, Head(200, {{"etag", "\"b\""}}), kMax).what, What::kAnew);
}

TEST(Judge, TheRestGoesOnOnlyIfItIsOfTheSameVersion) {
  const Known had{.had = 40, .total = 100, .validator = "\"a\""};
  const auto judge = [&](const char* range, const char* tag) {
    return Judge(had, Head(206, {{"content-range", range}, {"etag", tag}}, 60), kMax).what;
  };
  EXPECT_EQ(judge("bytes 40-99/100", "\"a\""), What::kGoOn);
  EXPECT_EQ(judge("bytes 40-99/100", "\"b\""), What::kStale);
  EXPECT_EQ(judge("bytes 40-100/101", "\"a\""), What::kStale) << "another length";
  EXPECT_EQ(judge("bytes 0-99/100", "\"a\""), What::kStale) << "another place";
  EXPECT_EQ(judge("bytes 40-79/100", "\"a\""), What::kStale) << "not to the end";
  for (const char* odd : {"", "bytes", "bytes 40-99/*", "bytes x-99/100", "bytes 40-99/100 ",
                          "bytes 99-40/100", "bytes 40-99/99999999999999999999"}) {
    EXPECT_EQ(judge(odd, "\"a\""), What::kStale) << odd;
  }
}

TEST(Judge, AWeakTagSaysNothingOfBytes) {
  const Verdict verdict =
      Judge({}, Head(200, {{"etag", "W/\"a\""}, {"last-modified", "Mon, 02 Nov 2026"}}), kMax);
  EXPECT_EQ(verdict.validator, "Mon, 02 Nov 2026");
}

TEST(Judge, ARefusedLinkIsToldFromOtherRefusals) {
  for (const int status : {401, 403, 404, 410}) {
    const Verdict verdict = Judge({}, Head(status), kMax);
    EXPECT_EQ(verdict.what, What::kWrong);
    EXPECT_TRUE(absl::IsPermissionDenied(verdict.why)) << status;
    EXPECT_THAT(std::string(verdict.why.message()), HasSubstr(std::to_string(status)));
  }
  for (const int status : {400, 405, 451}) {
    EXPECT_TRUE(absl::IsFailedPrecondition(Judge({}, Head(status), kMax).why)) << status;
  }
  for (const int status : {408, 425, 429, 500, 502, 503}) {
    EXPECT_TRUE(absl::IsUnavailable(Judge({}, Head(status), kMax).why)) << status;
  }
}

TEST(Judge, WhatWasHadIsOfNoUseIfTheServerHasNothingBehindIt) {
  const Known had{.had = 40, .total = -1, .validator = "\"a\""};
  EXPECT_EQ(Judge(had, Head(416), kMax).what, What::kStale);
  EXPECT_EQ(Judge({}, Head(416), kMax).what, What::kWrong);
}

TEST(Judge, WhatCannotBeTheFileIsNotKept) {
  EXPECT_FALSE(Judge({}, Head(200, {{"content-encoding", "gzip"}}), kMax).why.ok());
  EXPECT_TRUE(Judge({}, Head(200, {{"content-encoding", "identity"}}), kMax).why.ok());
  EXPECT_THAT(
      std::string(
          Judge({}, Head(200, {{"content-type", "text/html; charset=utf-8"}}), kMax).why.message()),
      HasSubstr("a page"));
  EXPECT_FALSE(Judge({}, Head(200, {}, -1), kMax).why.ok()) << "nobody would see it cut off";
  const Verdict long_one = Judge({}, Head(200, {}, kMax + 1), kMax);
  EXPECT_TRUE(absl::IsOutOfRange(long_one.why)) << long_one.why;
  EXPECT_EQ(long_one.what, What::kStale);
}

TEST(Reach, OnlyPublicHttpsOrThisMachineInASandbox) {
  const std::set<std::string> sandbox = {"127.0.0.1:8080"};
  EXPECT_EQ(*ReachOf("https://d1.cloudfront.net/v.mp4", {}), Reach::kPublic);
  EXPECT_EQ(*ReachOf("http://127.0.0.1:8080/v.mp4", sandbox), Reach::kLoopback);
  EXPECT_EQ(*ReachOf("https://LOCALHOST/v.mp4", {"localhost:443"}), Reach::kLoopback);
  for (const char* no : {"http://127.0.0.1:8080/v.mp4", "http://d1.cloudfront.net/v.mp4",
                         "https://10.0.0.1/v", "https://localhost/v", "file:///etc/passwd", ""}) {
    EXPECT_TRUE(absl::IsInvalidArgument(ReachOf(no, {}).status())) << no;
  }
  // Nothing else of this machine: an admin port, a database.
  for (const char* no : {"http://127.0.0.1:8081/v", "http://127.0.0.2:8080/v", "http://127.0.0.1/v",
                         "http://localhost:8080/v", "http://[::1]:8080/v", "https://10.0.0.1/v",
                         "http://127.0.0.1:8080@10.0.0.1/v", "http://127.0.0.1:08081/v"}) {
    EXPECT_TRUE(absl::IsInvalidArgument(ReachOf(no, sandbox).status())) << no;
  }
}

TEST(Retry, ThePauseDoublesToAnHour) {
  EXPECT_EQ(RetryDelay(1, 0.5), 5s);
  EXPECT_EQ(RetryDelay(2, 0.5), 10s);
  EXPECT_EQ(RetryDelay(1000, 0.5), 1h);
  EXPECT_EQ(RetryDelay(1, 0), 4s);
}

TEST(Retry, RefusalsAndAWeekEndIt) {
  const absl::Status refused = absl::PermissionDeniedError("403");
  const int most = limits::kArchiveRefusalsMax;
  EXPECT_FALSE(IsGivenUp(refused, most - 1, 1h));
  EXPECT_TRUE(IsGivenUp(refused, most, 1h));
  EXPECT_FALSE(IsGivenUp(absl::UnavailableError("x"), 0, limits::kArchiveGiveUpAfter - 1h));
  EXPECT_TRUE(IsGivenUp(absl::UnavailableError("x"), 0, limits::kArchiveGiveUpAfter));
  EXPECT_FALSE(IsGivenUp(absl::ResourceExhaustedError("x"), 0, limits::kArchiveGiveUpAfter));
  EXPECT_FALSE(IsGivenUp(absl::InternalError("x"), 0, limits::kArchiveGiveUpAfter));
  EXPECT_TRUE(IsGivenUp(absl::OutOfRangeError("x"), 0, 1h));
  EXPECT_TRUE(IsGivenUp(absl::InvalidArgumentError("x"), 0, 1h));
  EXPECT_FALSE(IsGivenUp(absl::CancelledError("x"), 99, 1000h));
  EXPECT_TRUE(IsRefusal(refused) && IsRefusal(absl::FailedPreconditionError("x")));
  EXPECT_FALSE(IsRefusal(absl::UnavailableError("x")));
}

}  // namespace
}  // namespace gateway::archive
