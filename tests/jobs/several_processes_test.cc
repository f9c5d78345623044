// Several processes on one store: who polls what, who hears of what, and what a process that was
// stopped, killed or cut off does not do.
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "base/errors.h"
#include "jobs/core.h"
#include "pictory/jobs/v1/pictory_jobs.pb.h"
#include "support/fake_clock.h"
#include "support/fake_transport.h"
#include "support/shared_store.h"
#include "support/upstream_peer.h"

namespace gateway::jobs {
namespace {

using std::chrono::seconds;
using test::Reply;

constexpr char kTakenAsP1[] = R"({"success":true,"data":{"jobId":"p1"}})";
constexpr char kStillGoesOn[] = R"({"success":true,"data":{"status":"in-progress"}})";
constexpr char kHasFailed[] =
    R"({"success":true,"data":{"status":"failed","error_message":"no voice"}})";

// The timers of one process. They stop with it, and go on late if it goes on.
class ProcessTimers final : public Timers {
 public:
  explicit ProcessTimers(test::FakeClock& clock) : clock_(clock) {}

  Id At(MonoTime when, std::function<void()> callback) override {
    const Id id = ++last_;
    callbacks_[id] = std::move(callback);
    clock_.At(when, [this, id] { Fire(id); });
    return id;
  }
  bool Cancel(Id id) override { return callbacks_.erase(id) > 0; }

  void Stop() { stopped_ = true; }
  void GoOn() {
    stopped_ = false;
    for (const Id id : std::exchange(late_, {})) Fire(id);
  }
  void Kill() { callbacks_.clear(); }

 private:
  void Fire(Id id) {
    if (stopped_) {
      late_.push_back(id);
      return;
    }
    auto call = callbacks_.extract(id);
    if (!call.empty()) call.mapped()();
  }

  test::FakeClock& clock_;
  std::map<Id, std::function<void()>> callbacks_;
  std::vector<Id> late_;
  Id last_ = kNone;
  bool stopped_ = false;
};

class Watching final : public Watcher {
 public:
  void OnSnapshot(const SnapshotPtr& snapshot) override {
    if (!seen.empty()) {
      EXPECT_LE(seen.back()->revision, snapshot->revision) << "a watcher never sees a job go back";
    }
    seen.push_back(snapshot);
  }
  void OnGone() override { gone = true; }

  std::vector<SnapshotPtr> seen;
  bool gone = false;
};

struct Process {
  Process(test::SharedDisk& disk, test::FakeClock& clock, const std::string& name)
      : timers(clock),
        store(disk, name),
        random(std::hash<std::string>()(name)),
        broadcaster([&clock](WorkThread::Slice slice) { RunLater(clock, std::move(slice)); }) {
    transport.AnswerAllWith(Reply(200, kStillGoesOn));
    CoreOptions options;
    options.accounts[kDefaultAccount] = {
        .client = {.api_key = Secret("pictai_k"), .user_agent = "t"},
        .budget = {.requests_per_second = 1000, .burst = 1000}};
    core = std::make_unique<Core>(std::move(options), CoreEvents{},
                                  CoreGround{.store = store,
                                             .transport = transport,
                                             .broadcaster = broadcaster,
                                             .clock = clock,
                                             .timers = timers,
                                             .random = random},
                                  *store.Recover(clock.WallNow()));
    UpstreamPeer::StayAwake(*core->upstreams.Of(kDefaultAccount));
    EXPECT_TRUE(core->TakeUp().ok());
  }

  static void RunLater(test::FakeClock& clock, WorkThread::Slice slice) {
    clock.At(clock.Now(), [&clock, slice = std::move(slice)]() mutable {
      if (slice()) RunLater(clock, std::move(slice));
    });
  }

  int Posts() const { return Count(http::Lane::kPaid); }
  int Polls() const { return Count(http::Lane::kRead); }
  int Count(http::Lane lane) const {
    int count = 0;
    for (const http::Request& request : transport.requests()) count += request.lane == lane;
    return count;
  }

  ProcessTimers timers;
  test::SharedStore store;
  test::FakeTransport transport;
  Random random;
  WorkThread broadcaster;
  std::unique_ptr<Core> core;
};

class SeveralProcessesTest : public testing::Test {
 protected:
  ~SeveralProcessesTest() override {
    clock_.Forget();
    for (Process* process : {&a_, &b_}) process->core->Stop();
  }

  static SubmitRequest Preview(const std::string& request_id) {
    auto message = std::make_shared<v1::CreatePreviewRequest>();
    message->mutable_storyboard()->set_video_name("n");
    message->mutable_storyboard()->add_scenes()->set_story("Hello.");
    SubmitRequest request;
    request.kind = v1::JOB_KIND_PREVIEW;
    request.request_id = request_id;
    request.fingerprint = "print";
    request.request = std::move(message);
    return request;
  }

  // What is answered, now or later.
  using Answered = std::shared_ptr<std::optional<Submitter::Answer>>;
  static Answered Submit(Process& process, SubmitRequest request) {
    auto answered = std::make_shared<std::optional<Submitter::Answer>>();
    process.core->submitter.Submit(
        std::move(request),
        [answered](Submitter::Answer answer, const AnswerSource&) { *answered = answer; });
    return answered;
  }

  // Submits at a process, with Pictory accepting it as p1.
  std::string SubmitAt(Process& process) {
    process.transport.SetScript([](const http::Request& request) {
      return Reply(200, request.lane == http::Lane::kPaid ? kTakenAsP1 : kStillGoesOn);
    });
    const Answered answered = Submit(process, Preview("r1"));
    EXPECT_TRUE(answered->has_value() && (*answered)->ok());
    return std::string((**answered)->get()->job_id());
  }

  SnapshotPtr Load(Process& process, const std::string& name) {
    SnapshotPtr found;
    process.core->hub.Load(tenants::kDefaultTenant, name,
                           [&found](absl::StatusOr<SnapshotPtr> loaded) {
                             if (loaded.ok()) found = *loaded;
                           });
    return found;
  }

  JobRecord Stored(const std::string& request_id) {
    JobRecord record;
    disk_.jobs.FindRequest(tenants::kDefaultTenant, request_id, [&](const auto& found) {
      if (found.ok() && found->has_value()) record = **found;
    });
    return record;
  }

  test::FakeClock clock_;
  test::SharedDisk disk_{clock_};
  Process a_{disk_, clock_, "a"};
  Process b_{disk_, clock_, "b"};
};

TEST_F(SeveralProcessesTest, ShareTheShards) {
  clock_.Advance(2 * limits::kStoreLease);
  EXPECT_EQ(a_.core->shards.count(), 512);
  EXPECT_EQ(b_.core->shards.count(), 512);
  for (std::int32_t shard = 0; shard < limits::kShards; ++shard) {
    EXPECT_NE(a_.core->shards.Holds(shard), b_.core->shards.Holds(shard)) << shard;
  }
  b_.timers.Kill();
  b_.store.Close();
  clock_.Advance(2 * limits::kStoreLease);
  EXPECT_EQ(a_.core->shards.count(), limits::kShards);
}

TEST_F(SeveralProcessesTest, EachMayAskItsPartOfTheRate) {
  clock_.Advance(2 * limits::kStoreLease);
  EXPECT_DOUBLE_EQ(a_.core->upstreams.Of(kDefaultAccount)->requests_per_second(), 500);
  b_.timers.Kill();
  b_.store.Close();
  clock_.Advance(2 * limits::kStoreLease);
  EXPECT_DOUBLE_EQ(a_.core->upstreams.Of(kDefaultAccount)->requests_per_second(), 1000);
}

TEST_F(SeveralProcessesTest, AWatchEndsWhereverItIs) {
  clock_.Advance(2 * limits::kStoreLease);
  const std::string job = SubmitAt(a_);
  ASSERT_NE(Load(b_, job), nullptr) << "any process answers for any job";
  auto watcher = std::make_shared<Watching>();
  const auto subscribed = b_.core->hub.Subscribe(tenants::kDefaultTenant, job, watcher);
  ASSERT_NE(subscribed.present, nullptr);
  clock_.Advance(seconds(60));
  EXPECT_GT(a_.Polls(), 0);
  EXPECT_EQ(b_.Polls(), 0) << "each job is polled once";
  a_.transport.AnswerAllWith(Reply(200, kHasFailed));
  clock_.Advance(seconds(120));
  ASSERT_FALSE(watcher->seen.empty());
  EXPECT_EQ(watcher->seen.back()->state, v1::JOB_STATE_FAILED);
}

TEST_F(SeveralProcessesTest, AJobOfAnotherIsReadFromTheStore) {
  clock_.Advance(2 * limits::kStoreLease);
  const std::string job = SubmitAt(a_);
  EXPECT_EQ(Load(b_, job)->state, v1::JOB_STATE_QUEUED);
  b_.timers.Stop();  // it hears of nothing
  a_.transport.AnswerAllWith(Reply(200, kHasFailed));
  clock_.Advance(seconds(120));
  EXPECT_EQ(Load(b_, job)->state, v1::JOB_STATE_FAILED);
}

TEST_F(SeveralProcessesTest, AnUnreachableStoreLeavesWhatIsKnown) {
  clock_.Advance(2 * limits::kStoreLease);
  const std::string job = SubmitAt(a_);
  ASSERT_NE(Load(b_, job), nullptr);
  b_.store.SetAway(true);
  EXPECT_NE(Load(b_, job), nullptr);
}

TEST_F(SeveralProcessesTest, TheJobsOfOneThatIsGoneArePolledElsewhere) {
  clock_.Advance(2 * limits::kStoreLease);
  SubmitAt(a_);
  clock_.Advance(seconds(20));
  a_.timers.Kill();
  clock_.Advance(2 * limits::kStoreLease);
  EXPECT_EQ(b_.core->poller.followed(), 1u);
  clock_.Advance(seconds(30));
  EXPECT_GT(b_.Polls(), 0);
}

TEST_F(SeveralProcessesTest, OneThatWasStoppedPollsNothingThatIsAnothersNow) {
  clock_.Advance(2 * limits::kStoreLease);
  const std::string job = SubmitAt(a_);
  clock_.Advance(seconds(10));
  // A poll is under way when it is stopped, and its answer is read when it goes on.
  a_.transport.SetScript([](const http::Request&) { return std::nullopt; });
  while (a_.transport.held() == 0) clock_.Advance(seconds(1));
  a_.timers.Stop();
  b_.transport.AnswerAllWith(Reply(200, kHasFailed));
  clock_.Advance(seconds(300));
  const JobRecord ended = Stored("r1");
  ASSERT_EQ(ended.job.state, v1::JOB_STATE_FAILED);
  const int polls = a_.Polls();
  a_.transport.Answer(Reply(200, kStillGoesOn));
  a_.timers.GoOn();
  EXPECT_EQ(Stored("r1"), ended) << "no state goes back";
  EXPECT_EQ(a_.Polls(), polls);
  clock_.Advance(2 * limits::kStoreLease);
  EXPECT_EQ(Load(a_, job)->state, v1::JOB_STATE_FAILED);
  EXPECT_EQ(a_.core->poller.followed(), 0u);
}

TEST_F(SeveralProcessesTest, OneRequestIsPaidOnceWhereverItIsRepeated) {
  clock_.Advance(2 * limits::kStoreLease);
  a_.transport.SetScript([](const http::Request&) { return std::nullopt; });
  const Answered first = Submit(a_, Preview("r1"));
  const Answered second = Submit(b_, Preview("r1"));
  clock_.Advance(seconds(5));
  EXPECT_FALSE(second->has_value()) << "it waits for what the first hears of Pictory";
  a_.transport.Answer(Reply(200, kTakenAsP1));
  ASSERT_TRUE(first->has_value());
  clock_.Advance(seconds(1));
  ASSERT_TRUE(second->has_value() && (*second)->ok());
  EXPECT_EQ((**second)->get()->job_id(), (**first)->get()->job_id());
  EXPECT_EQ((**second)->get()->state, v1::JOB_STATE_QUEUED);
  EXPECT_EQ(a_.Posts() + b_.Posts(), 1);
}

TEST_F(SeveralProcessesTest, WhoCannotWaitLongerIsToldThatItIsUnconfirmed) {
  clock_.Advance(2 * limits::kStoreLease);
  a_.transport.SetScript([](const http::Request&) { return std::nullopt; });
  Submit(a_, Preview("r1"));
  SubmitRequest repeated = Preview("r1");
  repeated.deadline = clock_.Now() + seconds(10);
  const Answered second = Submit(b_, std::move(repeated));
  clock_.Advance(seconds(10) - limits::kPeerAnswerBefore);
  ASSERT_TRUE(second->has_value() && (*second)->ok());
  EXPECT_EQ((**second)->get()->state, v1::JOB_STATE_UNCONFIRMED);
  EXPECT_EQ((**second)->get()->job_id(), Stored("r1").job.job_id);
  EXPECT_EQ(Stored("r1").submission, SubmissionState::kSending) << "the first goes on";
  EXPECT_EQ(b_.Posts(), 0);
}

TEST_F(SeveralProcessesTest, NothingIsSentLongAfterItWasRecordedAsSent) {
  clock_.Advance(2 * limits::kStoreLease);
  a_.transport.SetScript([](const http::Request&) { return std::nullopt; });
  Submit(a_, Preview("r1"));
  const auto may_send = a_.transport.oldest_held().may_send;
  ASSERT_TRUE(may_send);
  clock_.Advance(limits::kSendWithin);
  EXPECT_TRUE(may_send());
  clock_.Advance(seconds(1));
  EXPECT_FALSE(may_send());
}

TEST_F(SeveralProcessesTest, AnyProcessDecidesAboutAnUnconfirmedJob) {
  clock_.Advance(2 * limits::kStoreLease);
  a_.transport.AnswerAllWith(test::Cut());
  const Answered answered = Submit(a_, Preview("r1"));
  ASSERT_TRUE(answered->has_value() && (*answered)->ok());
  const std::string job((**answered)->get()->job_id());
  ASSERT_EQ(a_.core->resolver.unconfirmed(), 1u);
  v1::ResolveJobRequest request;
  request.set_job_id(job);
  request.set_abandon(true);
  std::optional<absl::StatusOr<v1::ResolveJobResponse>> resolved;
  b_.core->resolver.Resolve(tenants::kDefaultTenant, request,
                            [&](auto response) { resolved = std::move(response); });
  ASSERT_TRUE(resolved.has_value() && resolved->ok()) << resolved->status();
  EXPECT_EQ(Stored("r1").job.state, v1::JOB_STATE_OUTCOME_UNKNOWN);
  clock_.Advance(seconds(1));
  EXPECT_EQ(a_.core->resolver.unconfirmed(), 0u) << "who looks after it hears of it";
  EXPECT_EQ(Load(a_, job)->state, v1::JOB_STATE_OUTCOME_UNKNOWN);
}

TEST_F(SeveralProcessesTest, AHintReachesWhoLooksAfterTheJob) {
  clock_.Advance(2 * limits::kStoreLease);
  a_.transport.AnswerAllWith(test::Cut());
  Submit(a_, Preview("r1"));
  a_.timers.Kill();
  b_.transport.AnswerAllWith(Reply(200, kStillGoesOn));
  disk_.jobs.KeepHints({Stored("r1").job.tenant, Stored("r1").job.job_id}, {"p7"},
                       [](const absl::Status&) {});
  clock_.Advance(3 * limits::kStoreLease);
  EXPECT_EQ(Stored("r1").job.pictory_job_id, "p7")
      << "it was kept by another process, which is gone";
}

TEST_F(SeveralProcessesTest, AHintThatAGapOfTheFeedHasHiddenIsFound) {
  clock_.Advance(2 * limits::kStoreLease);
  a_.transport.AnswerAllWith(test::Cut());
  Submit(a_, Preview("r1"));
  a_.transport.AnswerAllWith(Reply(200, kStillGoesOn));
  clock_.Advance(seconds(1));
  disk_.jobs.KeepHints({Stored("r1").job.tenant, Stored("r1").job.job_id}, {"p7"},
                       [](const absl::Status&) {});
  clock_.Advance(seconds(10));
  ASSERT_EQ(Stored("r1").job.pictory_job_id, "") << "nothing has told of it";
  a_.store.ForgetFeed();
  clock_.Advance(seconds(10));
  EXPECT_EQ(Stored("r1").job.pictory_job_id, "p7");
}

TEST_F(SeveralProcessesTest, AStoreThatWasAwayChangesNothing) {
  clock_.Advance(2 * limits::kStoreLease);
  const std::string job = SubmitAt(a_);
  auto watcher = std::make_shared<Watching>();
  const auto subscribed = a_.core->hub.Subscribe(tenants::kDefaultTenant, job, watcher);
  for (Process* process : {&a_, &b_}) process->store.SetAway(true);
  clock_.Advance(2 * limits::kStoreLease);
  EXPECT_NE(Load(a_, job), nullptr);
  EXPECT_FALSE(watcher->gone);
  for (Process* process : {&a_, &b_}) process->store.SetAway(false);
  clock_.Advance(2 * limits::kStoreLease);
  EXPECT_EQ(a_.core->shards.count() + b_.core->shards.count(), limits::kShards);
  a_.transport.AnswerAllWith(Reply(200, kHasFailed));
  b_.transport.AnswerAllWith(Reply(200, kHasFailed));
  clock_.Advance(seconds(120));
  EXPECT_EQ(Load(a_, job)->state, v1::JOB_STATE_FAILED);
  EXPECT_EQ(watcher->seen.back()->state, v1::JOB_STATE_FAILED);
}

// What refuses a new submit says that nothing was submitted, which a repetition must not be told.
TEST_F(SeveralProcessesTest, ARepetitionIsRefusedForNoLimitWhileTheStoreIsAway) {
  clock_.Advance(2 * limits::kStoreLease);
  SubmitAt(a_);
  a_.core->spending.SetStoppedForAll(true);
  a_.store.SetAway(true);
  const Answered again = Submit(a_, Preview("r1"));
  ASSERT_TRUE(again->has_value());
  EXPECT_EQ((*again)->status().code(), absl::StatusCode::kUnavailable) << (*again)->status();
  a_.store.SetAway(false);
  const Answered later = Submit(a_, Preview("r1"));
  ASSERT_TRUE(later->has_value() && (*later)->ok());
}

// A render that waits for a preview of another process is looked after where the preview is.
TEST_F(SeveralProcessesTest, WhatWaitsIsWithWhatItWaitsFor) {
  clock_.Advance(2 * limits::kStoreLease);
  const std::string preview = SubmitAt(a_);
  auto message = std::make_shared<v1::RenderRequest>();
  message->set_preview_job_id(preview);
  SubmitRequest render;
  render.kind = v1::JOB_KIND_RENDER;
  render.request_id = "r2";
  render.fingerprint = "render";
  render.waits = true;
  render.request = std::move(message);
  const Answered answered = Submit(b_, std::move(render));
  ASSERT_TRUE(answered->has_value() && (*answered)->ok()) << (*answered)->status();
  EXPECT_EQ((**answered)->get()->state, v1::JOB_STATE_WAITING);
  EXPECT_EQ(Stored("r2").job.shard, Stored("r1").job.shard);
  EXPECT_EQ(b_.core->waiting.waiting(), 0u);
  clock_.Advance(seconds(1));
  EXPECT_EQ(a_.core->waiting.waiting(), 1u);
  a_.transport.AnswerAllWith(Reply(200, kHasFailed));
  clock_.Advance(seconds(120));
  EXPECT_EQ(Stored("r2").job.state, v1::JOB_STATE_FAILED) << "the preview has failed";
  // What another process has begun counts, whatever comes of it; nothing stays reserved.
  EXPECT_EQ(a_.core->spending.spent_today().submits, 2u);
  EXPECT_EQ(b_.core->spending.spent_today().submits, 1u);
}

TEST_F(SeveralProcessesTest, SubmitsOfAllCount) {
  clock_.Advance(2 * limits::kStoreLease);
  SubmitAt(a_);
  clock_.Advance(seconds(1));
  EXPECT_EQ(a_.core->spending.spent_today().submits, 1u) << "its own once";
  EXPECT_EQ(b_.core->spending.spent_today().submits, 1u);
}

TEST_F(SeveralProcessesTest, SubmitsNeedARequestIdWhileThereAreOthers) {
  EXPECT_TRUE(b_.core->needs_request_id()) << "it came second";
  clock_.Advance(2 * limits::kStoreLease);
  EXPECT_TRUE(a_.core->needs_request_id());
  b_.timers.Kill();
  b_.store.Close();
  clock_.Advance(limits::kStoreLease);
  EXPECT_FALSE(a_.core->needs_request_id());
}

TEST_F(SeveralProcessesTest, NothingIsSubmittedBeforeItIsKnownWhetherSubmitsAreStopped) {
  EXPECT_TRUE(a_.core->spending.stopped());
  clock_.Advance(seconds(1));
  EXPECT_FALSE(a_.core->spending.stopped());
}

// The store is asked about a job that it does not show yet; meanwhile the job is accepted here.
TEST_F(SeveralProcessesTest, AJobThatComesWhileTheStoreIsAskedIsNotGone) {
  clock_.Advance(2 * limits::kStoreLease);
  a_.transport.SetScript([](const http::Request&) { return std::nullopt; });
  SubmitRequest request = Preview("r1");
  Submit(a_, std::move(request));
  std::function<void()> answer;
  a_.store.HoldFindMany(&answer);
  JobRecord sending = Stored("r1");
  sending.job.message = "somebody else has written it";
  disk_.jobs.Update(sending, {}, [](const absl::Status& stored) { ASSERT_TRUE(stored.ok()); });
  clock_.Advance(seconds(1));
  ASSERT_TRUE(answer) << "it is news, and looked at";
  a_.transport.Answer(Reply(200, kTakenAsP1));
  ASSERT_EQ(a_.core->poller.followed(), 1u);
  answer();
  EXPECT_EQ(a_.core->poller.followed(), 1u);
}

// A watch's look at the store is overtaken by the change that it waits for.
TEST_F(SeveralProcessesTest, ALoadThatIsOvertakenIsMadeAgain) {
  clock_.Advance(2 * limits::kStoreLease);
  const std::string job = SubmitAt(a_);
  std::function<void()> answer;
  b_.store.HoldFind(&answer);
  SnapshotPtr loaded;
  b_.core->hub.Load(tenants::kDefaultTenant, job,
                    [&loaded](const absl::StatusOr<SnapshotPtr>& found) { loaded = *found; });
  ASSERT_TRUE(answer);
  a_.transport.AnswerAllWith(Reply(200, kHasFailed));
  clock_.Advance(seconds(120));
  answer();
  ASSERT_NE(loaded, nullptr);
  EXPECT_EQ(loaded->state, v1::JOB_STATE_FAILED);
}

TEST_F(SeveralProcessesTest, WhatAGapHasHiddenIsReadAgainIfTheStoreGoesAwayMeanwhile) {
  clock_.Advance(2 * limits::kStoreLease);
  const std::string job = SubmitAt(a_);
  ASSERT_NE(Load(b_, job), nullptr);
  auto watcher = std::make_shared<Watching>();
  const auto subscribed = b_.core->hub.Subscribe(tenants::kDefaultTenant, job, watcher);
  b_.timers.Stop();
  a_.transport.AnswerAllWith(Reply(200, kHasFailed));
  clock_.Advance(seconds(120));
  ASSERT_EQ(Stored("r1").job.state, v1::JOB_STATE_FAILED);
  b_.store.ForgetFeed();
  b_.store.GoAwayInFindMany();
  b_.timers.GoOn();
  clock_.Advance(seconds(10));
  ASSERT_TRUE(watcher->seen.empty()) << "the store is away";
  b_.store.SetAway(false);
  clock_.Advance(seconds(10));
  ASSERT_FALSE(watcher->seen.empty());
  EXPECT_EQ(watcher->seen.back()->state, v1::JOB_STATE_FAILED);
}

TEST_F(SeveralProcessesTest, ADeletedJobIsGoneEverywhere) {
  clock_.Advance(2 * limits::kStoreLease);
  const std::string job = SubmitAt(a_);
  a_.transport.AnswerAllWith(Reply(200, kHasFailed));
  clock_.Advance(seconds(120));
  ASSERT_EQ(Load(b_, job)->state, v1::JOB_STATE_FAILED);
  a_.core->deleter.Delete(tenants::kDefaultTenant, job, [](const absl::StatusOr<v1::Job>& deleted) {
    EXPECT_TRUE(deleted.ok()) << deleted.status();
  });
  clock_.Advance(seconds(1));
  EXPECT_EQ(Load(b_, job), nullptr);
}

}  // namespace
}  // namespace gateway::jobs
