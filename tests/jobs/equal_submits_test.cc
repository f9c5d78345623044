#include "jobs/equal_submits.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace gateway::jobs {
namespace {

JobRecord Record(const std::string& id, SubmissionState submission,
                 Delivery delivery = Delivery::kUnsaid) {
  JobRecord record;
  record.job.job_id = id;
  record.submission = submission;
  record.delivery = delivery;
  record.sent_at = WallTime(std::chrono::seconds(1));
  return record;
}

JobRecord EndedAs(const std::string& id, JobState state, bool sent) {
  JobRecord record = Record(id, SubmissionState::kAccepted);
  record.job.state = state;
  record.job.finish_time = WallTime(std::chrono::seconds(2));
  if (!sent) record.sent_at = {};
  return record;
}

TEST(EqualSubmitsTest, WhatMayBeRepeated) {
  for (const SubmissionState state : kSubmissionStates) {
    const bool runs = IsInFlight(state) || state == SubmissionState::kWaiting;
    const bool owed = state == SubmissionState::kAccepted || state == SubmissionState::kUnknown;
    EXPECT_EQ(MayBeRepeated(Record("j", state)), runs || owed) << static_cast<int>(state);
    EXPECT_EQ(MayBeRepeated(Record("j", state, Delivery::kLost)), runs || owed);
    EXPECT_EQ(MayBeRepeated(Record("j", state, Delivery::kArrived)), runs)
        << static_cast<int>(state);
  }
}

TEST(EqualSubmitsTest, TheFirstThatIsDecidedIsRepeated) {
  EXPECT_EQ(FirstToRepeat({}), nullptr);
  EXPECT_EQ(FirstToRepeat({Record("a", SubmissionState::kNotSent)}), nullptr);
  const std::vector<JobRecord> found = {
      Record("a", SubmissionState::kIntent), Record("c", SubmissionState::kAccepted),
      Record("b", SubmissionState::kSending), Record("0", SubmissionState::kRejected)};
  EXPECT_EQ(FirstToRepeat(found)->job.job_id, "b");
}

TEST(EqualSubmitsTest, WhatEndedWithoutBeingSentIsNotRepeated) {
  EXPECT_FALSE(MayBeRepeated(EndedAs("a", v1::JOB_STATE_CANCELLED, /*sent=*/false)));
  EXPECT_FALSE(MayBeRepeated(EndedAs("a", v1::JOB_STATE_FAILED, /*sent=*/false)));
  EXPECT_TRUE(MayBeRepeated(EndedAs("a", v1::JOB_STATE_FAILED, /*sent=*/true)));
}

TEST(EqualSubmitsTest, WhatRunsIsRepeatedBeforeWhatHasEnded) {
  JobRecord waits = Record("c", SubmissionState::kWaiting);
  waits.job.state = v1::JOB_STATE_WAITING;
  waits.sent_at = {};
  const JobRecord ended = EndedAs("a", v1::JOB_STATE_SUCCEEDED, /*sent=*/true);
  const JobRecord intent = Record("0", SubmissionState::kIntent);
  EXPECT_EQ(FirstToRepeat({ended, waits, intent})->job.job_id, "c");
  EXPECT_EQ(FirstToRepeat({ended, intent})->job.job_id, "a");
}

// Submits of processes with one store, each of which does one step at a time: it stores its intent,
// looks, and then sends, gives way or looks again.
class Race {
 public:
  explicit Race(int submits) : steps_(static_cast<std::size_t>(submits), Step::kStore) {}

  bool over(std::size_t of) const { return steps_[of] == Step::kOver; }
  bool over() const {
    for (std::size_t at = 0; at < steps_.size(); ++at) {
      if (!over(at)) return false;
    }
    return true;
  }
  int sent() const {
    int sent = 0;
    for (const JobRecord& record : stored_) sent += record.submission == SubmissionState::kSending;
    return sent;
  }

  void Do(std::size_t of) {
    const std::string id(1, static_cast<char>('a' + of));
    switch (steps_[of]) {
      case Step::kStore:
        stored_.push_back(Record(id, SubmissionState::kIntent));
        steps_[of] = Step::kLook;
        return;
      case Step::kLook:
        switch (ContestOf(Record(id, SubmissionState::kIntent), stored_).end) {
          case Contest::End::kGoOn:
            steps_[of] = Step::kSend;
            return;
          case Contest::End::kGiveWay:
            steps_[of] = Step::kGiveWay;
            return;
          case Contest::End::kLookAgain:
            return;
        }
        return;
      case Step::kSend:
      case Step::kGiveWay:
        for (JobRecord& record : stored_) {
          if (record.job.job_id != id) continue;
          record.submission =
              steps_[of] == Step::kSend ? SubmissionState::kSending : SubmissionState::kNotSent;
        }
        steps_[of] = Step::kOver;
        return;
      case Step::kOver:
        return;
    }
  }

 private:
  enum class Step { kStore, kLook, kSend, kGiveWay, kOver };
  std::vector<Step> steps_;
  std::vector<JobRecord> stored_;
};

// Runs all orders of so many steps; whoever has not come to an end then goes on in turn.
int RunAllOrders(const Race& race, int submits, int steps) {
  int orders = 0;
  for (int of = 0; steps > 0 && of < submits; ++of) {
    if (race.over(static_cast<std::size_t>(of))) continue;
    Race next = race;
    next.Do(static_cast<std::size_t>(of));
    orders += RunAllOrders(next, submits, steps - 1);
  }
  if (orders > 0) return orders;
  Race rest = race;
  for (int round = 0; round < 9 && !rest.over(); ++round) {
    for (int of = 0; of < submits; ++of) rest.Do(static_cast<std::size_t>(of));
  }
  EXPECT_TRUE(rest.over()) << "nobody waits for ever";
  EXPECT_EQ(rest.sent(), 1);
  return 1;
}

TEST(EqualSubmitsTest, OneOfTwoAndOfThreeIsSentInEachOrder) {
  EXPECT_GT(RunAllOrders(Race(2), 2, 8), 20);
  EXPECT_GT(RunAllOrders(Race(3), 3, 11), 1'000);
}

}  // namespace
}  // namespace gateway::jobs
