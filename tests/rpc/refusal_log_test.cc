// What an operator reads of calls that were refused, and what stays out of it.
#include "rpc/refusal_log.h"
#include "base/limits.h"

#include <gmock/gmock.h>

#include <string>
#include <vector>

#include "base/errors.h"
#include "support/fake_clock.h"

namespace gateway::rpc {
namespace {

using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

class RefusalLogTest : public ::testing::Test {
 protected:
  void Refuse(const absl::Status& status, bool served = false) {
    log_.Tell({.method = "Render",
               .status = status,
               .peer = "ipv4:192.0.2.7:5000",
               .request_id = "r-1",
               .served = served});
  }

  test::FakeClock clock_;
  std::vector<std::string> lines_;
  RefusalLog log_{
      clock_, clock_, [this](std::string_view event, std::span<const obs::Field> fields) {
        lines_.push_back(obs::FormatLine(obs::LogFormat::kText, obs::Level::kInfo, event, fields));
      }};
};

TEST_F(RefusalLogTest, SaysWhoWhatAndWhy) {
  Refuse(errors::TooMany("submits", 500, seconds(1)));
  EXPECT_THAT(
      lines_,
      ElementsAre(
          R"(info call_refused method="Render" peer="ipv4:192.0.2.7:5000" code="RESOURCE_EXHAUSTED" )"
          R"(reason="TOO_MANY" request_id="r-1" message="Too many submits at once; the limit is 500")"));
}

TEST_F(RefusalLogTest, NamesTheJobOfAnErrorAboutOne) {
  Refuse(errors::JobNotFinished("job-7", "RUNNING"));
  Refuse(errors::RequestIdReused("r-1", "job-8"));
  ASSERT_THAT(lines_, SizeIs(2));
  EXPECT_THAT(lines_[0], HasSubstr(R"(job_id="job-7")"));
  EXPECT_THAT(lines_[1], HasSubstr(R"(job_id="job-8")"));
}

// Descriptions quote the request, and whoever reads the log is not to read what callers made.
TEST_F(RefusalLogTest, OfAWrongRequestThereAreTheFieldsAlone) {
  Refuse(
      errors::Invalid({{"storyboard.scenes[2].story", "is \"my secret film\", which is too long"},
                       {"labels", "are too many"}}));
  ASSERT_THAT(lines_, SizeIs(1));
  EXPECT_THAT(lines_[0], HasSubstr(R"(fields="storyboard.scenes[2].story, labels")"));
  EXPECT_THAT(lines_[0], Not(HasSubstr("secret")));
}

TEST_F(RefusalLogTest, WhatPictoryWroteStaysOut) {
  Refuse(errors::UpstreamRefused(absl::StatusCode::kFailedPrecondition, "UPSTREAM_REFUSED",
                                 "the text my secret film is not allowed", "5012", 422, {}));
  Refuse(errors::UpstreamCredentials("HTTP 401: the key my secret is not known"));
  Refuse(
      errors::UpstreamUnreachable("HTTP 503: my secret film", seconds(1), errors::Call::kSubmit));
  ASSERT_THAT(lines_, SizeIs(3));
  EXPECT_THAT(lines_[0], HasSubstr(R"(http_status="422" pictory_code="5012")"));
  for (const std::string& line : lines_) EXPECT_THAT(line, Not(HasSubstr("secret")));
}

TEST_F(RefusalLogTest, IsOneLineOfBoundedLengthWhateverCallersWrite) {
  std::vector<errors::Violation> violations;
  for (int i = 0; i < 1000; ++i)
    violations.push_back({"f\n\x1b[2J" + std::string(5000, 'x'), "wrong"});
  const absl::Status status = errors::Invalid(std::move(violations));
  log_.Tell({.method = "Render",
             .status = status,
             .peer = std::string(5000, 'p'),
             .request_id = "a\nb\x7f" + std::string(5000, 'r')});
  const absl::Status ours = errors::Internal("\x1b[31m\n" + std::string(5000, 'm'));
  log_.Tell({.method = "Render", .status = ours});
  ASSERT_THAT(lines_, SizeIs(2));
  EXPECT_THAT(lines_[0], HasSubstr("and 995 more"));
  for (const std::string& line : lines_) {
    EXPECT_LT(line.size(), 1000u) << line;
    for (const char c : line) EXPECT_GE(static_cast<unsigned char>(c), 0x20) << line;
  }
}

TEST_F(RefusalLogTest, NothingOfWhatNobodyWasRefused) {
  Refuse(absl::OkStatus());
  Refuse(errors::Cancelled());
  Refuse(errors::JobNotFound("job-7"));
  Refuse(errors::PartNotFound("job-7", "summary"));
  Refuse(errors::Draining(seconds(1)), true);  // a watch, at the end of the server
  Refuse(errors::StreamIdle(seconds(30)), true);
  EXPECT_THAT(lines_, IsEmpty());
}

TEST_F(RefusalLogTest, ARefusalDuringADrainAndAnUnknownProjectAreTold) {
  Refuse(errors::Draining(seconds(1)));
  Refuse(
      errors::UpstreamRefused(absl::StatusCode::kNotFound, "UPSTREAM_NOT_FOUND", "?", "", 404, {}));
  EXPECT_THAT(lines_, SizeIs(2));
}

TEST_F(RefusalLogTest, AFloodOfOneReasonIsCountedAndHidesNoOther) {
  for (int i = 0; i < 5000; ++i) Refuse(errors::TooMany("submits", 500, seconds(1)));
  EXPECT_THAT(lines_, SizeIs(limits::kRefusalLinesMax));
  Refuse(errors::RequestTooLarge(9, 8));
  EXPECT_THAT(lines_, SizeIs(limits::kRefusalLinesMax + 1));
  clock_.Advance(limits::kRefusalWindow);
  ASSERT_THAT(lines_, SizeIs(limits::kRefusalLinesMax + 2));
  EXPECT_EQ(lines_.back(), R"(info refusals_left_out reason="TOO_MANY" calls=4990)");
  Refuse(errors::TooMany("submits", 500, seconds(1)));
  EXPECT_THAT(lines_, SizeIs(limits::kRefusalLinesMax + 3));
  EXPECT_EQ(clock_.pending(), 0u);
}

TEST_F(RefusalLogTest, TheEndTellsWhatWasLeftOut) {
  for (int i = 0; i < limits::kRefusalLinesMax + 3; ++i) Refuse(errors::RequestTooLarge(9, 8));
  log_.TellLeftOut();
  EXPECT_EQ(lines_.back(), R"(info refusals_left_out reason="REQUEST_TOO_LARGE" calls=3)");
  const std::size_t before = lines_.size();
  log_.TellLeftOut();
  clock_.Advance(limits::kRefusalWindow);
  EXPECT_THAT(lines_, SizeIs(before));
}

}  // namespace
}  // namespace gateway::rpc
