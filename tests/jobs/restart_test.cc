#include "jobs/restart.h"

#include <gtest/gtest.h>

namespace gateway::jobs {
namespace {

WallTime At(int seconds) { return WallTime(std::chrono::seconds(seconds)); }

JobRecord Record(SubmissionState submission) {
  JobRecord record;
  record.job.tenant = "acme";
  record.job.job_id = "j1";
  record.job.request_id = "r1";
  record.job.state = v1::JOB_STATE_QUEUED;
  record.job.revision = 5;
  record.job.message = "as it was";
  record.job.create_time = At(1);
  record.job.update_time = At(2);
  record.job.labels = {{"a", "b"}};
  record.version = 7;
  record.attempt = 3;
  record.submission = submission;
  record.fingerprint = std::string(33, '\1');
  record.delivery = Delivery::kLost;
  return record;
}

TEST(InterruptedTest, ARestartEndsWhatWasUnderWayAndNothingElse) {
  struct Case {
    SubmissionState was;
    std::optional<SubmissionState> becomes;
    JobState state = v1::JOB_STATE_QUEUED;
    int revision = 5;
    const char* message = "as it was";
  };
  const Case cases[] = {
      {SubmissionState::kIntent, SubmissionState::kNotSent},
      {SubmissionState::kSending, SubmissionState::kUnknown, v1::JOB_STATE_UNCONFIRMED, 6,
       kUnconfirmedMessage},
      {SubmissionState::kAccepted, std::nullopt},
      {SubmissionState::kRejected, std::nullopt},
      {SubmissionState::kNotSent, std::nullopt},
      {SubmissionState::kUnknown, std::nullopt},
      {SubmissionState::kAbandoned, std::nullopt},
      {SubmissionState::kDeleted, std::nullopt},
      {SubmissionState::kWaiting, std::nullopt},
  };
  ASSERT_EQ(std::size(cases), kSubmissionStates.size());
  for (const Case& c : cases) {
    const std::optional<JobRecord> ended = Interrupted(Record(c.was), At(9));
    EXPECT_EQ(ended.has_value(), IsInFlight(c.was)) << static_cast<int>(c.was);
    EXPECT_EQ(ended.has_value(), c.becomes.has_value()) << static_cast<int>(c.was);
    if (!ended.has_value() || !c.becomes.has_value()) continue;
    JobRecord expected = Record(*c.becomes);
    expected.job.state = c.state;
    expected.job.revision = c.revision;
    expected.job.message = c.message;
    expected.job.update_time = At(9);
    EXPECT_EQ(*ended, expected) << static_cast<int>(c.was);
    EXPECT_FALSE(Interrupted(*ended, At(10)).has_value()) << "once is enough";
  }
}

TEST(BeginAgainTest, OnlyWhatWasNeverSentAndIsTheSameRequestRunsAgain) {
  for (const SubmissionState state : kSubmissionStates) {
    EXPECT_EQ(BeginAgain(Record(state), Record(SubmissionState::kIntent)).has_value(),
              state == SubmissionState::kNotSent)
        << static_cast<int>(state);
  }
  const JobRecord known = Record(SubmissionState::kNotSent);
  struct Case {
    std::string fingerprint;
    bool begins;
  };
  for (const Case& c : {Case{std::string(33, '\1'), true}, Case{"\1" + std::string(32, 'x'), false},
                        Case{std::string(32, '\1'), true},  // of before there were versions
                        Case{"\2" + std::string(32, 'x'), true}}) {
    JobRecord wanted = Record(SubmissionState::kIntent);
    wanted.fingerprint = c.fingerprint;
    EXPECT_EQ(BeginAgain(known, wanted).has_value(), c.begins) << c.fingerprint.size();
  }
}

TEST(BeginAgainTest, ItKeepsTheNameAndIsTheNextAttemptOfIt) {
  const JobRecord known = Record(SubmissionState::kNotSent);
  JobRecord wanted = Record(SubmissionState::kIntent);
  wanted.job.job_id = "j2";
  wanted.job.create_time = At(100);
  wanted.job.labels = {{"new", "label"}};
  wanted.version = 0;
  wanted.attempt = 1;
  wanted.owner_epoch = 9;
  wanted.correlation_token = "token";
  wanted.delivery = Delivery::kUnsaid;
  JobRecord expected = wanted;
  expected.job.job_id = "j1";
  expected.job.create_time = At(1);
  expected.attempt = 4;
  expected.version = 7;
  EXPECT_EQ(BeginAgain(known, wanted), expected);
}

}  // namespace
}  // namespace gateway::jobs
