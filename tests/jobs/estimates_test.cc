#include "jobs/estimates.h"

#include <gtest/gtest.h>

#include <string>

#include "base/limits.h"
#include "pictory/jobs/v1/pictory_jobs.pb.h"
#include "rpc/fake_store.h"
#include "support/fake_clock.h"

namespace gateway::jobs {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;
using test::MakeJob;

class EstimatesTest : public ::testing::Test {
 protected:
  // A job that has ended now, and took so long.
  JobRecord Ended(seconds took, JobState state = v1::JOB_STATE_SUCCEEDED) {
    JobRecord record = test::MakeRecord(MakeJob("e" + std::to_string(++jobs_), state, 3));
    record.sent_at = clock_.WallNow() - took;
    record.job.finish_time = record.job.update_time = clock_.WallNow();
    return record;
  }
  // One that was sent and changed now.
  JobRecord Running(JobState state = v1::JOB_STATE_RUNNING) {
    JobRecord record = test::MakeRecord(MakeJob("j1", state, 2));
    record.sent_at = record.job.update_time = clock_.WallNow();
    return record;
  }
  void Fill(Estimates& estimates, int count, seconds took = seconds(100)) {
    for (int i = 0; i < count; ++i) estimates.OnEnded(Ended(took));
  }
  static bool Told(const std::optional<v1::JobEstimate>& estimate) {
    return estimate.has_value() && estimate->has_likely_finish_time();
  }
  static v1::Job JobIn(const Frame& frame) {
    v1::GetJobResponse response;
    EXPECT_TRUE(response.ParseFromString(*frame));
    return response.job();
  }

  test::FakeClock clock_;
  test::FakeStore store_;
  int jobs_ = 0;
};

TEST_F(EstimatesTest, AreOfTheSameAccountAndKind) {
  Estimates estimates(minutes(6), store_, clock_);
  Fill(estimates, 5);
  EXPECT_TRUE(Told(estimates.Of(Running(), false)));
  JobRecord other = Running();
  other.job.kind = v1::JOB_KIND_PREVIEW;
  EXPECT_FALSE(estimates.Of(other, false).has_value());
  other = Running();
  other.job.account = "other";
  EXPECT_FALSE(estimates.Of(other, false).has_value());
}

TEST_F(EstimatesTest, OnlyJobsThatPictoryWorksOnHaveOne) {
  Estimates estimates(minutes(6), store_, clock_);
  Fill(estimates, 5);
  for (int state = v1::JobState_MIN; state <= v1::JobState_MAX; ++state) {
    const bool works = state == v1::JOB_STATE_QUEUED || state == v1::JOB_STATE_RUNNING;
    EXPECT_EQ(estimates.Of(Running(static_cast<JobState>(state)), false).has_value(), works)
        << state;
  }
  JobRecord found_at_pictory = Running();
  found_at_pictory.sent_at = {};
  EXPECT_FALSE(estimates.Of(found_at_pictory, false).has_value());
}

TEST_F(EstimatesTest, OnlyJobsThatSucceededAreCounted) {
  Estimates estimates(minutes(6), store_, clock_);
  Fill(estimates, 4);
  for (const JobState state : {v1::JOB_STATE_FAILED, v1::JOB_STATE_EXPIRED, v1::JOB_STATE_CLEANED,
                               v1::JOB_STATE_OUTCOME_UNKNOWN, v1::JOB_STATE_CANCELLED}) {
    estimates.OnEnded(Ended(seconds(100), state));
  }
  JobRecord adopted = Ended(seconds(100));
  adopted.sent_at = {};
  estimates.OnEnded(adopted);
  JobRecord before_it_began = Ended(-seconds(100));
  estimates.OnEnded(before_it_began);
  EXPECT_FALSE(estimates.Of(Running(), false).has_value());
  Fill(estimates, 1);
  EXPECT_EQ(estimates.Of(Running(), false)->past_jobs(), 5);
}

TEST_F(EstimatesTest, PastJobsOfATenantAreReadOnce) {
  for (int i = 0; i < 7; ++i) store_.Put(Ended(seconds(100)));
  clock_.Advance(seconds(1));
  Estimates estimates(minutes(6), store_, clock_);
  store_.Put(Ended(seconds(100)));  // it is told by OnEnded
  EXPECT_FALSE(estimates.Of(Running(), false).has_value());
  store_.Hold();
  estimates.OnTenant("default");
  estimates.OnTenant("default");
  estimates.OnTenant("other");
  EXPECT_EQ(store_.held(), 1u) << "one after the other";
  store_.Release();
  EXPECT_EQ(estimates.Of(Running(), false)->past_jobs(), 7);
  estimates.OnTenant("default");
  EXPECT_EQ(estimates.Of(Running(), false)->past_jobs(), 7);
}

TEST_F(EstimatesTest, NothingIsReadOnceItIsStopped) {
  Estimates estimates(minutes(6), store_, clock_);
  store_.Hold();
  estimates.OnTenant("default");
  estimates.OnTenant("other");
  estimates.Stop();
  estimates.OnTenant("third");
  EXPECT_EQ(store_.held(), 1u);
  store_.Release();
  store_.Hold();
  estimates.OnTenant("fourth");
  EXPECT_EQ(store_.held(), 0u);
}

TEST_F(EstimatesTest, OfAnyNumberOfJobsOnlyTheNewestAreRead) {
  for (int i = 0; i < limits::kPastJobsRead + 1'000; ++i) {
    const bool old = i < 1'000;
    JobRecord record = Ended(old ? seconds(100) : seconds(1'000),
                             old || i % 8 == 0 ? v1::JOB_STATE_SUCCEEDED : v1::JOB_STATE_FAILED);
    record.job.job_id = "e" + std::to_string(1'000'000 + i);
    store_.Put(record);
  }
  clock_.Advance(seconds(1));
  Estimates estimates(minutes(6), store_, clock_);
  estimates.OnTenant("default");
  const auto estimate = estimates.Of(Running(), false);
  ASSERT_TRUE(Told(estimate));
  EXPECT_EQ(estimate->past_jobs(), limits::kPastJobsRead / 8);
  EXPECT_NEAR(static_cast<double>(estimate->likely_finish_time().seconds() -
                                  clock_.WallNow().time_since_epoch() / seconds(1)),
              1'000, 120);
}

TEST_F(EstimatesTest, AccountsAndKindsAreBounded) {
  Estimates estimates(minutes(6), store_, clock_);
  Fill(estimates, 5);
  for (std::size_t i = 0; i < limits::kPastJobsKinds; ++i) {
    JobRecord ended = Ended(seconds(100));
    ended.job.account = "key-" + std::to_string(i);
    if (i == limits::kPastJobsKinds / 2) Fill(estimates, 1);
    estimates.OnEnded(ended);
  }
  EXPECT_TRUE(Told(estimates.Of(Running(), false))) << "it was used of late";
  for (std::size_t i = 0; i <= limits::kPastJobsKinds / 2; ++i) {
    JobRecord ended = Ended(seconds(100));
    ended.job.account = "more-" + std::to_string(i);
    estimates.OnEnded(ended);
  }
  EXPECT_FALSE(estimates.Of(Running(), false).has_value());
}

TEST_F(EstimatesTest, AFrameIsSharedForAMoment) {
  Estimates estimates(minutes(6), store_, clock_);
  Fill(estimates, 20);
  const SnapshotPtr job = MakeSnapshot(Running());
  const Frame first = estimates.FrameOf(job, false);
  EXPECT_TRUE(JobIn(first).estimate().has_likely_finish_time());
  EXPECT_FALSE(JobIn(first).upstream_degraded());
  EXPECT_EQ(JobIn(first).job_id(), "j1");
  EXPECT_EQ(estimates.FrameOf(job, false), first) << "whoever watches gets the same bytes";

  const Frame degraded = estimates.FrameOf(job, true);
  EXPECT_TRUE(JobIn(degraded).upstream_degraded());
  EXPECT_FALSE(JobIn(degraded).estimate().has_stall_time());

  clock_.Advance(minutes(7));
  EXPECT_TRUE(JobIn(estimates.FrameOf(job, false)).estimate().stalled());
}

TEST_F(EstimatesTest, AFrameWithoutAnEstimateIsThatOfTheSnapshot) {
  Estimates estimates(minutes(6), store_, clock_);
  const SnapshotPtr job = MakeSnapshot(Running());
  EXPECT_EQ(estimates.FrameOf(job, false).get(), &job->frame);
  Fill(estimates, 20);
  const SnapshotPtr ended = MakeSnapshot(Ended(seconds(100)));
  EXPECT_EQ(estimates.FrameOf(ended, false).get(), &ended->frame);
  EXPECT_EQ(FrameOf(nullptr, ended, false).get(), &ended->frame);
}

TEST_F(EstimatesTest, AJobDoesNotStandStillWhileItCouldNotBeSeen) {
  JobRecord job = Running();
  clock_.Advance(minutes(60));
  Estimates estimates(minutes(6), store_, clock_);  // the gateway was away until now
  Fill(estimates, 20);
  EXPECT_FALSE(estimates.Of(job, false)->stalled());
  clock_.Advance(minutes(7));
  EXPECT_TRUE(estimates.Of(job, false)->stalled());
  estimates.OnBack("default");
  EXPECT_FALSE(estimates.Of(job, false)->stalled()) << "Pictory could not be asked until now";
  clock_.Advance(minutes(7));
  EXPECT_TRUE(estimates.Of(job, false)->stalled());
  EXPECT_FALSE(estimates.Of(job, true).has_value()) << "and cannot be asked now";
}

}  // namespace
}  // namespace gateway::jobs
