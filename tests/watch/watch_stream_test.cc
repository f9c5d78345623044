#include "watch/watch_stream.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/errors.h"
#include "pictory/jobs/v1/pictory_jobs.pb.h"
#include "rpc/fake_store.h"
#include "support/fake_clock.h"
#include "watch/fake_sink.h"

namespace gateway::watch {
namespace {

using jobs::Frame;
using jobs::Hub;
using jobs::HubOptions;
using jobs::JobState;
using jobs::MakeSnapshot;
using jobs::SnapshotPtr;
namespace v1 = jobs::v1;
using std::chrono::milliseconds;
using std::chrono::seconds;
using test::MakeJob;
using ::testing::ElementsAre;

using test::FakeSink;

class WatchStreamTest : public ::testing::Test {
 protected:
  void SetUp() override {
    clock_.SettleBeforeMoving([this] { broadcaster_.WaitIdle(); });
    hub_.Publish(MakeJob("j1", v1::JOB_STATE_QUEUED, 1));
  }

  void Make(WatchOptions options = {}) {
    stream_ = std::make_shared<WatchStream>(std::move(options), clock_, sink_);
    wheel_.Add(stream_, stream_->FirstTick());
  }
  void Begin() { stream_->Begin(hub_.Subscribe("default", "j1", stream_)); }
  void Start(WatchOptions options = {}) {
    Make(std::move(options));
    Begin();
  }
  void Publish(JobState state, std::int32_t revision) {
    hub_.Publish(MakeJob("j1", state, revision));
    broadcaster_.WaitIdle();
  }
  void WriteDone(bool ok = true) {
    ASSERT_TRUE(sink_.writing);
    sink_.writing = false;
    stream_->OnWriteDone(ok);
  }
  void Advance(Duration by) { clock_.Advance(by); }

  test::FakeClock clock_;
  test::FakeStore store_;
  WorkThread broadcaster_{"watchers", WorkThread::Rest::kDropped};
  Hub hub_{HubOptions{}, store_, broadcaster_};
  StreamWheel wheel_{clock_, clock_, broadcaster_};
  FakeSink sink_;
  std::shared_ptr<WatchStream> stream_;
};

TEST_F(WatchStreamTest, PresentStateThenEachThenTheFinalOneThenOk) {
  Start();
  EXPECT_THAT(sink_.written, ElementsAre("1"));
  WriteDone();
  Publish(v1::JOB_STATE_RUNNING, 2);
  WriteDone();
  Publish(v1::JOB_STATE_FAILED, 3);
  EXPECT_FALSE(sink_.finished);
  WriteDone();
  EXPECT_THAT(sink_.written, ElementsAre("1", "2", "3"));
  EXPECT_TRUE(sink_.finished);
  EXPECT_TRUE(sink_.status.ok());
  EXPECT_EQ(hub_.watchers(), 0u);
}

TEST_F(WatchStreamTest, AFinalJobIsSentOnceAndEnds) {
  hub_.Publish(MakeJob("j1", v1::JOB_STATE_SUCCEEDED, 9));
  Start();
  WriteDone();
  EXPECT_THAT(sink_.written, ElementsAre("9"));
  EXPECT_TRUE(sink_.status.ok());
  EXPECT_TRUE(sink_.finished);
}

TEST_F(WatchStreamTest, ASlowReaderOfAThousandStatesGetsTheNewestAndTheFinalOne) {
  Start();
  for (int revision = 2; revision <= 1000; ++revision) Publish(v1::JOB_STATE_RUNNING, revision);
  EXPECT_THAT(sink_.written, ElementsAre("1"));
  WriteDone();
  EXPECT_THAT(sink_.written, ElementsAre("1", "1000"));
  Publish(v1::JOB_STATE_FAILED, 1001);
  WriteDone();
  WriteDone();
  EXPECT_THAT(sink_.written, ElementsAre("1", "1000", "1001"));
  EXPECT_TRUE(sink_.status.ok());
}

TEST_F(WatchStreamTest, TheFinalStateReplacesWhatWaitedAndNothingReplacesIt) {
  Start();
  Publish(v1::JOB_STATE_RUNNING, 2);
  Publish(v1::JOB_STATE_SUCCEEDED, 3);
  stream_->OnSnapshot(MakeSnapshot(MakeJob("j1", v1::JOB_STATE_RUNNING, 4)));
  WriteDone();
  EXPECT_THAT(sink_.written, ElementsAre("1", "3"));
  WriteDone();
  EXPECT_TRUE(sink_.finished);
}

TEST_F(WatchStreamTest, AJobThatGoesOnUnderAnotherNameEndsTheWatchToComeBack) {
  Start();
  WriteDone();
  hub_.Forget("default", "j1");
  broadcaster_.WaitIdle();
  EXPECT_TRUE(sink_.finished);
  EXPECT_EQ(errors::Reason(sink_.status), "DRAINING") << sink_.status;
}

TEST_F(WatchStreamTest, RevisionsSeenBeforeAreNotSentAgain) {
  Start();
  WriteDone();
  Publish(v1::JOB_STATE_RUNNING, 5);
  WriteDone();
  stream_->OnSnapshot(MakeSnapshot(MakeJob("j1", v1::JOB_STATE_RUNNING, 5)));
  stream_->OnSnapshot(MakeSnapshot(MakeJob("j1", v1::JOB_STATE_RUNNING, 4)));
  EXPECT_THAT(sink_.written, ElementsAre("1", "5"));
}

TEST_F(WatchStreamTest, ResumingAtThePresentRevisionBeginsWithAHeartbeat) {
  Start({.after_revision = 1});
  EXPECT_THAT(sink_.written, ElementsAre("beat 1"));
  WriteDone();
  Publish(v1::JOB_STATE_RUNNING, 2);
  EXPECT_THAT(sink_.written, ElementsAre("beat 1", "2"));
}

TEST_F(WatchStreamTest, ResumingAtAnotherRevisionBeginsWithTheState) {
  Start({.after_revision = 7});
  EXPECT_THAT(sink_.written, ElementsAre("1"));
}

TEST_F(WatchStreamTest, ResumingAtTheFinalRevisionEndsAtOnce) {
  hub_.Publish(MakeJob("j1", v1::JOB_STATE_FAILED, 4));
  Start({.after_revision = 4});
  EXPECT_TRUE(sink_.written.empty());
  EXPECT_TRUE(sink_.finished);
  EXPECT_TRUE(sink_.status.ok());
}

TEST_F(WatchStreamTest, ResumingAtAnOlderRevisionOfAFinalJobSendsIt) {
  hub_.Publish(MakeJob("j1", v1::JOB_STATE_FAILED, 4));
  Start({.after_revision = 3});
  WriteDone();
  EXPECT_THAT(sink_.written, ElementsAre("4"));
  EXPECT_TRUE(sink_.finished);
}

TEST_F(WatchStreamTest, AStatePublishedBetweenSubscribingAndBeginningIsNotLost) {
  Make();
  Hub::Subscribed subscribed = hub_.Subscribe("default", "j1", stream_);
  Publish(v1::JOB_STATE_FAILED, 2);
  EXPECT_TRUE(sink_.written.empty());
  stream_->Begin(std::move(subscribed));
  EXPECT_THAT(sink_.written, ElementsAre("2"));
  WriteDone();
  EXPECT_TRUE(sink_.status.ok());
  EXPECT_TRUE(sink_.finished);
}

TEST_F(WatchStreamTest, HeartbeatsAfterQuietOnly) {
  Start({.degraded = [](const std::string&) { return true; }});
  EXPECT_TRUE(sink_.last.job().upstream_degraded());
  WriteDone();
  Advance(seconds(24));
  EXPECT_THAT(sink_.written, ElementsAre("1"));
  Publish(v1::JOB_STATE_RUNNING, 2);
  WriteDone();
  Advance(milliseconds(24'500));
  EXPECT_THAT(sink_.written, ElementsAre("1", "2"));
  Advance(milliseconds(1'500));
  EXPECT_THAT(sink_.written, ElementsAre("1", "2", "beat 2"));
  EXPECT_TRUE(sink_.last.heartbeat().upstream_degraded());
  WriteDone();
  Advance(seconds(26));
  EXPECT_THAT(sink_.written, ElementsAre("1", "2", "beat 2", "beat 2"));
}

TEST_F(WatchStreamTest, TheEstimateOfAJobThatDoesNotChangeComesWithTheHeartbeats) {
  jobs::Estimates estimates(seconds(60), store_, clock_);
  jobs::JobRecord record;
  const auto at = [&](JobState state, std::int32_t revision) -> const jobs::JobRecord& {
    record.job = MakeJob("j1", state, revision);
    record.job.update_time = clock_.WallNow();
    return record;
  };
  record.sent_at = clock_.WallNow();
  for (int i = 0; i < 20; ++i) {
    jobs::JobRecord past = at(v1::JOB_STATE_SUCCEEDED, 3);
    past.job.finish_time = past.sent_at + seconds(100);
    estimates.OnEnded(past);
  }
  hub_.Publish(at(v1::JOB_STATE_RUNNING, 2));
  Start({.estimates = &estimates, .heartbeat = seconds(200)});
  EXPECT_GT(sink_.last.job().estimate().likely_finish_time().seconds(), 0);
  EXPECT_FALSE(sink_.last.job().estimate().stalled());
  WriteDone();
  Advance(seconds(201));
  EXPECT_THAT(sink_.written, ElementsAre("2", "beat 2"));
  EXPECT_TRUE(sink_.last.heartbeat().estimate().stalled());
  WriteDone();
  hub_.Publish(at(v1::JOB_STATE_SUCCEEDED, 3));
  broadcaster_.WaitIdle();
  EXPECT_THAT(sink_.written, ElementsAre("2", "beat 2", "3"));
  EXPECT_FALSE(sink_.last.job().has_estimate());
}

TEST_F(WatchStreamTest, AHeartbeatSaysThatTheStoreIsAwayForAsLongAsItIs) {
  bool away = true;
  Start({.store_away = [&away] { return away; }});
  WriteDone();
  Advance(seconds(26));
  EXPECT_THAT(sink_.written, ElementsAre("1", "beat 1"));
  EXPECT_TRUE(sink_.last.heartbeat().store_away());
  WriteDone();
  away = false;
  Advance(seconds(26));
  EXPECT_THAT(sink_.written, ElementsAre("1", "beat 1", "beat 1"));
  EXPECT_FALSE(sink_.last.heartbeat().store_away());
}

TEST_F(WatchStreamTest, AWriteThatDoesNotEndIsCancelledOnceAndThenEnds) {
  Start();
  sink_.on_cancel = [this] {
    // The library fails the write and reports the cancel, at once and from anywhere.
    stream_->OnCancel();
    sink_.writing = false;
    stream_->OnWriteDone(false);
    EXPECT_FALSE(sink_.finished) << "the sink is still inside TryCancel";
  };
  Advance(milliseconds(29'500));
  EXPECT_EQ(sink_.cancels, 0);
  Advance(seconds(2));
  EXPECT_EQ(sink_.cancels, 1);
  EXPECT_TRUE(sink_.finished);
  EXPECT_EQ(sink_.status.code(), absl::StatusCode::kCancelled);
  EXPECT_EQ(hub_.watchers(), 0u);
  Advance(seconds(90));
  EXPECT_EQ(sink_.cancels, 1);
  EXPECT_EQ(wheel_.size(), 0u);
}

TEST_F(WatchStreamTest, AnOldWatchEndsUnavailable) {
  Start({.max_life = seconds(40)});
  WriteDone();
  Advance(seconds(39));
  EXPECT_FALSE(sink_.finished);
  if (sink_.writing) WriteDone();
  Advance(seconds(3));
  EXPECT_TRUE(sink_.finished);
  EXPECT_EQ(sink_.status.code(), absl::StatusCode::kUnavailable);
}

// The tests from here on are the races, each in both orders.

TEST_F(WatchStreamTest, CancelBeforeBegin) {
  Make();
  stream_->OnCancel();
  EXPECT_TRUE(sink_.finished);
  EXPECT_EQ(sink_.status.code(), absl::StatusCode::kCancelled);
  Begin();
  Publish(v1::JOB_STATE_FAILED, 2);
  EXPECT_TRUE(sink_.written.empty());
  EXPECT_EQ(hub_.watchers(), 0u);
}

TEST_F(WatchStreamTest, CancelBeforeFail) {
  Make();
  stream_->OnCancel();
  stream_->End(errors::JobNotFound("j9"));
  EXPECT_EQ(sink_.status.code(), absl::StatusCode::kCancelled);
}

TEST_F(WatchStreamTest, FailBeforeCancel) {
  Make();
  stream_->End(errors::JobNotFound("j9"));
  stream_->OnCancel();
  EXPECT_EQ(sink_.status.code(), absl::StatusCode::kNotFound);
}

TEST_F(WatchStreamTest, CancelDuringAWriteWaitsForItsEnd) {
  Start();
  stream_->OnCancel();
  EXPECT_FALSE(sink_.finished);
  WriteDone(false);
  EXPECT_TRUE(sink_.finished);
  EXPECT_EQ(sink_.status.code(), absl::StatusCode::kCancelled);
  EXPECT_EQ(hub_.watchers(), 0u);
}

TEST_F(WatchStreamTest, CancelAfterTheFinalWriteEndedWell) {
  Start();
  Publish(v1::JOB_STATE_FAILED, 2);
  WriteDone();
  WriteDone();
  stream_->OnCancel();
  EXPECT_TRUE(sink_.status.ok());
}

TEST_F(WatchStreamTest, AFailedWriteEndsTheStream) {
  Start();
  Publish(v1::JOB_STATE_FAILED, 2);
  WriteDone(false);
  EXPECT_THAT(sink_.written, ElementsAre("1"));
  EXPECT_EQ(sink_.status.code(), absl::StatusCode::kCancelled);
  stream_->OnCancel();
}

TEST_F(WatchStreamTest, CancelWithTheFinalStateWaiting) {
  Start();
  Publish(v1::JOB_STATE_FAILED, 2);
  stream_->OnCancel();
  WriteDone(true);
  EXPECT_THAT(sink_.written, ElementsAre("1"));
  EXPECT_EQ(sink_.status.code(), absl::StatusCode::kCancelled);
}

TEST_F(WatchStreamTest, DrainWhenIdleEndsUnavailableWithARetryDelay) {
  Start();
  WriteDone();
  stream_->End(errors::Draining(milliseconds(700)));
  EXPECT_TRUE(sink_.finished);
  EXPECT_EQ(sink_.status.code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(errors::RetryDelay(sink_.status), milliseconds(700));
}

TEST_F(WatchStreamTest, DrainDuringAWriteWaitsForItAndDropsWhatIsNotFinal) {
  Start();
  Publish(v1::JOB_STATE_RUNNING, 2);
  stream_->End(errors::Draining(seconds(1)));
  EXPECT_FALSE(sink_.finished);
  WriteDone();
  EXPECT_THAT(sink_.written, ElementsAre("1"));
  EXPECT_EQ(sink_.status.code(), absl::StatusCode::kUnavailable);
}

TEST_F(WatchStreamTest, DrainDoesNotCostTheFinalState) {
  Start();
  Publish(v1::JOB_STATE_FAILED, 2);
  stream_->End(errors::Draining(seconds(1)));
  WriteDone();
  WriteDone();
  EXPECT_THAT(sink_.written, ElementsAre("1", "2"));
  EXPECT_TRUE(sink_.status.ok());
}

TEST_F(WatchStreamTest, TheFinalStateAfterADrainWasAskedForIsStillSent) {
  Start();
  stream_->End(errors::Draining(seconds(1)));
  Publish(v1::JOB_STATE_FAILED, 2);
  WriteDone();
  WriteDone();
  EXPECT_THAT(sink_.written, ElementsAre("1", "2"));
  EXPECT_TRUE(sink_.status.ok());
}

TEST_F(WatchStreamTest, DrainBeforeBegin) {
  Make();
  stream_->End(errors::Draining(seconds(1)));
  Begin();
  EXPECT_TRUE(sink_.written.empty());
  EXPECT_EQ(sink_.status.code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(hub_.watchers(), 0u);
}

TEST_F(WatchStreamTest, TheFullViewLoadsTheFinalStateOnceAndSendsIt) {
  std::function<void(absl::StatusOr<Frame>)> loaded;
  int loads = 0;
  Start({.load_final = [&](SnapshotPtr snapshot, std::function<void(absl::StatusOr<Frame>)> done) {
    EXPECT_EQ(snapshot->revision, 2);
    ++loads;
    loaded = std::move(done);
  }});
  Publish(v1::JOB_STATE_SUCCEEDED, 2);
  EXPECT_EQ(loads, 0);
  WriteDone();
  EXPECT_EQ(loads, 1);
  Advance(seconds(60));
  EXPECT_THAT(sink_.written, ElementsAre("1"));
  v1::Job full;
  full.mutable_render()->set_video_url("https://mp4");
  loaded(FullFrame(*MakeSnapshot(MakeJob("j1", v1::JOB_STATE_SUCCEEDED, 2)),
                   full.SerializeAsString(), false));
  EXPECT_EQ(sink_.last.job().render().video_url(), "https://mp4");
  WriteDone();
  EXPECT_TRUE(sink_.finished);
  EXPECT_TRUE(sink_.status.ok());
}

TEST_F(WatchStreamTest, AFullViewThatCannotBeLoadedIsAnError) {
  Start({.load_final = [](SnapshotPtr, std::function<void(absl::StatusOr<Frame>)> done) {
    done(errors::StoreFailed("disk"));
  }});
  WriteDone();
  Publish(v1::JOB_STATE_SUCCEEDED, 2);
  EXPECT_EQ(sink_.status.code(), absl::StatusCode::kInternal);
}

TEST_F(WatchStreamTest, CancelWhileTheFullViewLoads) {
  std::function<void(absl::StatusOr<Frame>)> loaded;
  Start({.load_final = [&](SnapshotPtr, std::function<void(absl::StatusOr<Frame>)> done) {
    loaded = std::move(done);
  }});
  WriteDone();
  Publish(v1::JOB_STATE_SUCCEEDED, 2);
  stream_->OnCancel();
  EXPECT_TRUE(sink_.finished);
  loaded(absl::StatusOr<Frame>(std::make_shared<const std::string>()));
  EXPECT_THAT(sink_.written, ElementsAre("1"));
}

TEST_F(WatchStreamTest, AFailedJobNeedsNoLoading) {
  Start({.load_final = [](SnapshotPtr, std::function<void(absl::StatusOr<Frame>)>) { FAIL(); }});
  WriteDone();
  Publish(v1::JOB_STATE_FAILED, 2);
  WriteDone();
  EXPECT_TRUE(sink_.status.ok());
}

}  // namespace
}  // namespace gateway::watch
