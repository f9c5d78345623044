#include "base/errors.h"

#include <gtest/gtest.h>

#include "absl/strings/cord.h"
#include "base/clean_text.h"
#include "base/limits.h"
#include "base/payloads.h"

namespace gateway::errors {
namespace {

TEST(Errors, CarryReasonRetryAndViolations) {
  const absl::Status busy = BudgetExhausted(std::chrono::milliseconds(1500), Call::kSubmit);
  EXPECT_EQ(busy.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(Reason(busy), "UPSTREAM_BUDGET");
  EXPECT_EQ(RetryDelay(busy), std::chrono::milliseconds(1500));

  const absl::Status invalid = Invalid({{"a.b", "too long"}, {"c", "missing"}});
  EXPECT_EQ(invalid.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(invalid.message(), "a.b: too long; c: missing");
  ASSERT_EQ(Violations(invalid).size(), 2u);
  EXPECT_EQ(Violations(invalid)[0].field, "a.b");
  EXPECT_EQ(RetryDelay(invalid), Duration::zero());
}

TEST(Errors, MessageShowsTheFirstViolationsAndCountsTheRest) {
  std::vector<Violation> many;
  for (int i = 0; i < 9; ++i) many.push_back({"f" + std::to_string(i), "bad"});
  const absl::Status status = Invalid(many);
  EXPECT_EQ(Violations(status).size(), 9u);
  EXPECT_NE(status.message().find("and 4 more"), absl::string_view::npos);
}

TEST(Clean, KeepsTextAndDropsWhatCouldForgeALogLineOrBreakUtf8) {
  EXPECT_EQ(Clean("plain ä € 🎬"), "plain ä € 🎬");
  EXPECT_EQ(Clean("a\r\n{\"level\":\"fatal\"}"), "a  {\"level\":\"fatal\"}");
  EXPECT_EQ(Clean(std::string("a\0b", 3)), "a b");
  EXPECT_EQ(Clean("\xff\xc0\x80"), "???");
  EXPECT_EQ(Clean("\xed\xa0\x80"), "???");       // a surrogate
  EXPECT_EQ(Clean("\xe0\x80\x80"), "???");       // overlong
  EXPECT_EQ(Clean("\xf4\x90\x80\x80"), "????");  // beyond U+10FFFF
  EXPECT_EQ(Clean("\xe2\x82"), "??");            // cut
}

TEST(Clean, DropsWhatSteersATerminalInUtf8Too) {
  EXPECT_EQ(Clean("a\xc2\x9b"
                  "2Jb"),
            "a 2Jb");  // CSI in one character
  EXPECT_EQ(Clean("a\xc2\xa0"
                  "b"),
            "a\xc2\xa0"
            "b");
  EXPECT_EQ(Clean("a\xe2\x80\xae"
                  "b"),
            "a b");  // from right to left
  EXPECT_EQ(Clean("a\xe2\x81\xa7"
                  "b"),
            "a b");
  EXPECT_EQ(Clean("a\xe2\x80\xa8"
                  "b"),
            "a b");  // a line's end
  EXPECT_EQ(Clean("a\xe2\x80\x8d"
                  "b…"),
            "a\xe2\x80\x8d"
            "b…")
      << "joins emoji";
}

TEST(Clean, WholeKeepsLongText) {
  const std::string url = "https://h/" + std::string(1500, 'x');
  EXPECT_EQ(CleanText(url), url);
  EXPECT_EQ(CleanText(std::string(100, '\xff'), 10), "??????????...");
  EXPECT_EQ(CleanText("a\nb"), "a b");
}

TEST(Clean, IsBounded) {
  const std::string cleaned = Clean(std::string(10'000, 'x'));
  EXPECT_EQ(cleaned.size(), limits::kUpstreamTextMaxBytes + 3);
  std::string wide;
  for (int i = 0; i < 1000; ++i) wide += "€";
  EXPECT_LE(Clean(wide).size(), limits::kUpstreamTextMaxBytes + 3);
}

// Whoever compares two answers, or two log lines, sees the same error as the same.
TEST(Errors, AreTheSameBytesEachTime) {
  const auto refused = [] {
    return UpstreamRefused(absl::StatusCode::kInvalidArgument, "UPSTREAM_INVALID", "no", "4001",
                           400, {{"b", "wrong"}, {"a", "wrong"}});
  };
  const auto first = Payloads(refused());
  ASSERT_EQ(first.size(), 2u);
  for (int i = 0; i < 200; ++i) ASSERT_EQ(Payloads(refused()), first);
  EXPECT_EQ(Violations(refused())[0].field,
            "b");  // as they were found, which is the request's order
}

// Retrying is what a program decides first.
TEST(Errors, TheirDetailsHaveOneOrder) {
  absl::Status status = absl::UnavailableError("x");
  const char* const names[] = {"ErrorInfo",    "RetryInfo",    "BadRequest",
                               "QuotaFailure", "ResourceInfo", "Zebra"};
  for (int first = 0; first < 6; ++first) {
    absl::Status turned = status;
    for (int i = 0; i < 6; ++i) {
      turned.SetPayload(std::string("type.googleapis.com/google.rpc.") + names[(first + i) % 6],
                        absl::Cord("value"));
    }
    const auto payloads = Payloads(turned);
    ASSERT_EQ(payloads.size(), 6u);
    for (std::size_t i = 0; i < 6; ++i) {
      EXPECT_EQ(payloads[i].first, std::string("type.googleapis.com/google.rpc.") + names[i]);
    }
  }
}

}  // namespace
}  // namespace gateway::errors
