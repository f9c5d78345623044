// Several processes on one store: who polls what, who hears of what, and what a process that was
// stopped, killed or cut off does not do.
#include <gtest/gtest.h>

#include <atomic>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/errors.h"
#include "jobs/core.h"
#include "jobs/notification.h"
#include "pictory/jobs/v1/pictory_jobs.pb.h"
#include "support/fake_clock.h"
#include "support/fake_transport.h"
#include "support/shared_store.h"
#include "support/upstream_peer.h"
#include "support/waiting_peer.h"

namespace gateway::jobs {
namespace {

using std::chrono::seconds;
using test::Reply;

std::string TakenAs(const std::string& pictory_id) {
  return R"({"success":true,"data":{"jobId":")" + pictory_id + "\"}}";
}
const std::string kTakenAsP1 = TakenAs("p1");
constexpr char kStillGoesOn[] = R"({"success":true,"data":{"status":"in-progress"}})";
constexpr char kHasFailed[] =
    R"({"success":true,"data":{"status":"failed","error_message":"no voice"}})";
constexpr char kIsDone[] =
    R"({"success":true,"data":{"status":"completed","preview":"https://p.example/p",)"
    R"("renderParams":{"a":1}}})";

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

constexpr BudgetOptions kMuch{.requests_per_second = 1000, .burst = 1000};

struct Process {
  Process(test::SharedDisk& disk, test::FakeClock& clock, const std::string& name,
          SpendingLimits spending = {}, Spending::LimitsOf limits_of = nullptr,
          BudgetOptions budget = kMuch)
      : timers(clock),
        store(disk, name),
        random(std::hash<std::string>()(name)),
        broadcaster([&clock](WorkThread::Slice slice) { RunLater(clock, std::move(slice)); }) {
    transport.AnswerAllWith(Reply(200, kStillGoesOn));
    CoreOptions options;
    options.accounts[kDefaultAccount] = {
        .client = {.api_key = Secret("pictai_k"), .user_agent = "t"}, .budget = budget};
    options.spending = spending;
    options.limits_of = std::move(limits_of);
    CoreEvents events;
    events.notifying = [this](const ShardJob& job) { notifying.push_back(job); };
    events.ended = [this](const Job& job) { ended.push_back(job.job_id); };
    core = std::make_unique<Core>(std::move(options), std::move(events),
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
  std::vector<ShardJob> notifying;
  std::vector<std::string> ended;  // as the log and the metrics hear of them
  std::unique_ptr<Core> core;
};

class SeveralProcessesTest : public testing::Test {
 protected:
  explicit SeveralProcessesTest(SpendingLimits spending = {}, BudgetOptions budget = kMuch)
      : spending_(spending), budget_(budget) {}
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

  // A render that may wait for a preview.
  static SubmitRequest RenderOf(const std::string& preview, const std::string& request_id) {
    auto message = std::make_shared<v1::RenderRequest>();
    message->set_preview_job_id(preview);
    SubmitRequest render;
    render.kind = v1::JOB_KIND_RENDER;
    render.request_id = request_id;
    render.fingerprint = "render";
    render.waits = true;
    render.request = std::move(message);
    return render;
  }

  // The same without a request_id: the gRPC service mints one.
  static SubmitRequest Keyless(SubmitRequest request, RetryEvidence retry = {}) {
    static int minted = 0;
    request.request_id = "minted-" + std::to_string(++minted);
    request.minted_request_id = true;
    request.retry = std::move(retry);
    return request;
  }
  // Records a submit without a request_id as a process has it that is none of both.
  JobRecord BeginElsewhere(const std::string& job_id, const std::string& fingerprint) {
    JobRecord record;
    record.job.tenant = tenants::kDefaultTenant;
    record.job.job_id = job_id;
    record.job.request_id = "minted-elsewhere-" + job_id;
    record.job.kind = v1::JOB_KIND_PREVIEW;
    record.job.create_time = record.job.update_time = clock_.WallNow();
    record.fingerprint = fingerprint;
    record.minted_request_id = true;
    record.owner_epoch = 99;
    disk_.jobs.Begin(record, [&record](const absl::StatusOr<BeginResult>& begun) {
      ASSERT_TRUE(begun.ok() && begun->begun);
      record = begun->record;
    });
    return record;
  }
  void Store(JobRecord& record) {
    disk_.jobs.Update(record, {}, [](const absl::Status& stored) { ASSERT_TRUE(stored.ok()); });
    ++record.version;
  }
  // What is answered, now or later.
  using Answered = std::shared_ptr<std::optional<Submitter::Answer>>;
  static Answered Submit(Process& process, SubmitRequest request) {
    auto answered = std::make_shared<std::optional<Submitter::Answer>>();
    process.core->submitter.Submit(
        std::move(request), [answered](Submitter::Answer answer, const AnswerSource& source) {
          *answered = answer;
          if (source.call != nullptr) source.call->Arrived();
        });
    return answered;
  }

  static std::string JobOf(const Answered& answered) {
    if (!answered->has_value()) return "no answer yet";
    if (!(*answered)->ok()) return std::string((*answered)->status().message());
    return std::string((**answered)->get()->job_id());
  }

  // Submits at a process, with Pictory accepting it as p1, or of n as pn.
  std::string SubmitAt(Process& process, const std::string& n = "1") {
    process.transport.SetScript([n](const http::Request& request) {
      return Reply(200, request.lane == http::Lane::kPaid ? TakenAs("p" + n) : kStillGoesOn);
    });
    const Answered answered = Submit(process, Preview("r" + n));
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

  std::optional<JobRecord> Found(const std::string& job_id) {
    std::optional<JobRecord> record;
    disk_.jobs.Find(tenants::kDefaultTenant, job_id, [&](const auto& found) { record = *found; });
    return record;
  }

  JobRecord Stored(const std::string& request_id) {
    JobRecord record;
    disk_.jobs.FindRequest(tenants::kDefaultTenant, request_id, [&](const auto& found) {
      if (found.ok() && found->has_value()) record = **found;
    });
    return record;
  }

  // Leaves r1 UNCONFIRMED at the first process, and a hint about it in the store of which nothing
  // has told that process.
  void KeepHintUntold() {
    clock_.Advance(2 * limits::kStoreLease);
    a_.transport.AnswerAllWith(test::Cut());
    Submit(a_, Preview("r1"));
    a_.transport.AnswerAllWith(Reply(200, kStillGoesOn));
    clock_.Advance(seconds(1));
    disk_.jobs.KeepHints({Stored("r1").job.tenant, Stored("r1").job.job_id}, {"p7"},
                         [](const absl::Status&) {});
  }

  const SpendingLimits spending_;
  const BudgetOptions budget_;
  tenants::TenantLimits limits_;  // of every tenant
  const Spending::LimitsOf limits_of_ = [this](const std::string&) { return limits_; };
  test::FakeClock clock_;
  test::SharedDisk disk_{clock_};
  Process a_{disk_, clock_, "a", spending_, limits_of_, budget_};
  Process b_{disk_, clock_, "b", spending_, limits_of_, budget_};
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

TEST_F(SeveralProcessesTest, OneForgetsWhatIsOldForAll) {
  clock_.Advance(2 * limits::kStoreLease);
  const bool a_has = a_.core->shards.Holds(0);
  Process& holder = a_has ? a_ : b_;
  Process& other = a_has ? b_ : a_;
  ASSERT_FALSE(other.core->shards.Holds(0));
  int before = holder.store.prunes();
  const int of_other = other.store.prunes();
  clock_.Advance(limits::kPruneInterval);
  EXPECT_GT(holder.store.prunes(), before);
  EXPECT_EQ(other.store.prunes(), of_other);
  holder.timers.Kill();
  before = holder.store.prunes();
  clock_.Advance(2 * limits::kStoreLease + limits::kPruneInterval);
  EXPECT_EQ(holder.store.prunes(), before);
  EXPECT_GT(other.store.prunes(), of_other) << "who has its shards now goes on";
}

TEST_F(SeveralProcessesTest, EachMayAskItsPartOfTheRate) {
  clock_.Advance(2 * limits::kStoreLease);
  EXPECT_DOUBLE_EQ(a_.core->upstreams.Of(kDefaultAccount)->requests_per_second(), 500);
  b_.timers.Kill();
  b_.store.Close();
  clock_.Advance(2 * limits::kStoreLease);
  EXPECT_DOUBLE_EQ(a_.core->upstreams.Of(kDefaultAccount)->requests_per_second(), 1000);
}

// Two requests a second each, after a quarter of the burst for submits and one for polls.
class SeveralWithLittleTest : public SeveralProcessesTest {
 protected:
  explicit SeveralWithLittleTest(double burst = 240)
      : SeveralProcessesTest({}, {.requests_per_second = 4, .burst = burst}) {
    clock_.Advance(2 * limits::kStoreLease);
  }
  std::size_t followed() const { return a_.core->poller.followed() + b_.core->poller.followed(); }
};

TEST_F(SeveralWithLittleTest, JobsThatAllCameToOneArePolledWithTheBudgetOfAll) {
  // So many it can ask about every five seconds, and that is as often as it would.
  constexpr std::size_t kOfOne = 10;
  std::size_t submitted = 0;
  while (submitted < kOfOne + 1) SubmitAt(a_, std::to_string(++submitted));
  clock_.Advance(2 * limits::kFeedInterval);
  EXPECT_EQ(a_.core->poller.followed(), submitted) << "who takes a submit looks after its job";
  while (submitted < 6 * kOfOne) SubmitAt(a_, std::to_string(++submitted));
  clock_.Advance(2 * limits::kFeedInterval);
  EXPECT_EQ(followed(), submitted);
  EXPECT_GE(b_.core->poller.followed(), kOfOne);
  const int before = a_.Polls() + b_.Polls();
  clock_.Advance(std::chrono::minutes(1));
  EXPECT_GT(a_.Polls() + b_.Polls() - before, 60 + 2 * 60) << "the most that one alone could";
}

class SeveralWithLeastTest : public SeveralWithLittleTest {
 protected:
  SeveralWithLeastTest() : SeveralWithLittleTest(4) {}
};

TEST_F(SeveralWithLeastTest, ASubmitWaitsForItsTurnThoughThatIsAPartOfTheTurns) {
  a_.transport.AnswerAllWith(Reply(200, kTakenAsP1));
  std::vector<Answered> answers;
  for (int n = 0; n < 4; ++n) answers.push_back(Submit(a_, Preview("r" + std::to_string(n))));
  clock_.Advance(2 * limits::kSubmitBudgetMaxWait);
  for (const Answered& answered : answers) {
    ASSERT_TRUE(answered->has_value());
    EXPECT_TRUE((*answered)->ok()) << (*answered)->status();
  }
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

// What is to be told is taken up with its shard, once, and not at any start.
TEST_F(SeveralProcessesTest, NotificationsOfOneThatIsGoneComeWithItsShards) {
  clock_.Advance(2 * limits::kStoreLease);
  a_.core->ledger.CompleteWith([](JobRecord& record) {
    if (IsFinal(record.job.state)) PlanNotification(record, /*has_room=*/true);
  });
  SubmitAt(a_);
  a_.transport.AnswerAllWith(Reply(200, kHasFailed));
  clock_.Advance(seconds(120));
  ASSERT_EQ(NotifyingOf(Stored("r1")), v1::NOTIFICATION_STATE_PENDING);
  const ShardJob told{{tenants::kDefaultTenant, Stored("r1").job.job_id}, Stored("r1").job.shard};
  Process c{disk_, clock_, "c"};
  EXPECT_TRUE(c.notifying.empty()) << "somebody else looks after it";
  a_.timers.Kill();
  clock_.Advance(2 * limits::kStoreLease);
  std::vector<ShardJob> taken = b_.notifying;
  taken.insert(taken.end(), c.notifying.begin(), c.notifying.end());
  EXPECT_EQ(taken, std::vector<ShardJob>{told});
  c.core->Stop();
}

// Before it hears of the end it writes something about the job that callers do not see.
TEST_F(SeveralProcessesTest, AHiddenChangeDoesNotHideWhatItWasMadeOf) {
  clock_.Advance(2 * limits::kStoreLease);
  const std::string job = SubmitAt(a_);
  ASSERT_NE(Load(b_, job), nullptr);
  auto watcher = std::make_shared<Watching>();
  const auto subscribed = b_.core->hub.Subscribe(tenants::kDefaultTenant, job, watcher);
  b_.timers.Stop();
  a_.transport.AnswerAllWith(Reply(200, kHasFailed));
  clock_.Advance(seconds(120));
  bool stored = false;
  b_.core->ledger.Update({.record = Stored("r1"), .hidden = true},
                         [&stored](const Ledger::Outcome& done) { stored = done.status.ok(); });
  ASSERT_TRUE(stored);
  b_.timers.GoOn();
  clock_.Advance(seconds(1));
  ASSERT_FALSE(watcher->seen.empty());
  EXPECT_EQ(watcher->seen.back()->state, v1::JOB_STATE_FAILED);
}

// Of how many past jobs a process tells.
int PastJobs(Process& process, const JobRecord& like, WallTime now) {
  JobRecord record = like;
  record.job.state = v1::JOB_STATE_RUNNING;
  record.sent_at = record.job.update_time = now;
  const auto estimate = process.core->estimates.Of(record, /*degraded=*/false);
  return estimate.has_value() ? estimate->past_jobs() : 0;
}

// Who has stored an end tells the log and the metrics. For estimates each learns of it that knew
// the job: once, whichever of the store's answer, the feed and a look comes first.
TEST_F(SeveralProcessesTest, AnEndIsToldOnceByWhoStoredIt) {
  clock_.Advance(2 * limits::kStoreLease);
  std::vector<std::shared_ptr<Watching>> watchers;
  std::vector<Hub::Subscribed> watches;  // so that the other process knows the jobs, too
  for (int n = 1; n <= limits::kEstimateJobsMin; ++n) {
    const std::string job = SubmitAt(a_, std::to_string(n));
    ASSERT_NE(Load(b_, job), nullptr);
    watchers.push_back(std::make_shared<Watching>());
    watches.push_back(b_.core->hub.Subscribe(tenants::kDefaultTenant, job, watchers.back()));
    clock_.Advance(seconds(10));
    a_.transport.AnswerAllWith(Reply(200, kIsDone));
    std::function<void()> answer;
    if (n % 2 == 1) a_.store.HoldUpdate(&answer);
    const bool looks = n % 3 == 1;
    if (looks) b_.timers.Stop();  // a look at the job is quicker than the feed
    clock_.Advance(seconds(120));
    if (looks) {
      b_.core->hub.Refresh({tenants::kDefaultTenant, job}, [](const auto&) {});
      b_.timers.GoOn();
      clock_.Advance(seconds(120));
    }
    if (n % 2 == 1) {
      ASSERT_TRUE(answer);
      EXPECT_EQ(Load(a_, job)->state, v1::JOB_STATE_SUCCEEDED) << "the feed is quicker";
      EXPECT_EQ(a_.ended.size(), static_cast<std::size_t>(n - 1));
      answer();
    }
    ASSERT_EQ(a_.ended.size(), static_cast<std::size_t>(n)) << n;
    EXPECT_EQ(a_.ended.back(), job);
    EXPECT_EQ(Load(b_, job)->state, v1::JOB_STATE_SUCCEEDED);
  }
  EXPECT_TRUE(b_.ended.empty());
  EXPECT_EQ(PastJobs(a_, Stored("r1"), clock_.WallNow()), limits::kEstimateJobsMin);
  EXPECT_EQ(PastJobs(b_, Stored("r1"), clock_.WallNow()), limits::kEstimateJobsMin);
}

TEST_F(SeveralProcessesTest, WhoEndsAJobThatItDoesNotKnowTellsOfIt) {
  clock_.Advance(2 * limits::kStoreLease);
  const std::string preview = SubmitAt(a_);
  const Answered answered = Submit(a_, RenderOf(preview, "r2"));
  ASSERT_TRUE(answered->has_value() && (*answered)->ok()) << (*answered)->status();
  const std::string job((**answered)->get()->job_id());
  ASSERT_EQ(b_.core->hub.Find(tenants::kDefaultTenant, job), nullptr);
  b_.core->deleter.Delete(tenants::kDefaultTenant, job, [](const absl::StatusOr<v1::Job>& deleted) {
    EXPECT_EQ(deleted->state(), v1::JOB_STATE_CANCELLED);
  });
  clock_.Advance(seconds(1));
  EXPECT_EQ(b_.ended, std::vector<std::string>{job});
  EXPECT_TRUE(a_.ended.empty());
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

TEST_F(SeveralProcessesTest, OneThatDrainsGivesItsJobsToOthersAndItsWatchesGoOn) {
  clock_.Advance(2 * limits::kStoreLease);
  const std::string job = SubmitAt(a_);
  auto watcher = std::make_shared<Watching>();
  const auto subscribed = a_.core->hub.Subscribe(tenants::kDefaultTenant, job, watcher);
  a_.core->Leave();
  EXPECT_EQ(a_.core->shards.count(), 0) << "at once";
  const int polls = a_.Polls();
  clock_.Advance(seconds(1));
  EXPECT_EQ(b_.core->shards.count(), limits::kShards);
  EXPECT_EQ(b_.core->poller.followed(), 1u);
  b_.transport.AnswerAllWith(Reply(200, kHasFailed));
  clock_.Advance(seconds(120));
  EXPECT_EQ(a_.Polls(), polls);
  ASSERT_FALSE(watcher->seen.empty());
  EXPECT_EQ(watcher->seen.back()->state, v1::JOB_STATE_FAILED);
  EXPECT_EQ(Load(a_, job)->state, v1::JOB_STATE_FAILED);
}

TEST_F(SeveralProcessesTest, WhatOneThatDrainsHasUnderWayIsFollowedByOthers) {
  clock_.Advance(2 * limits::kStoreLease);
  a_.transport.SetScript([](const http::Request&) { return std::nullopt; });
  const Answered first = Submit(a_, Preview("r1"));
  a_.core->Leave();
  clock_.Advance(2 * limits::kStoreLease);
  ASSERT_EQ(b_.core->shards.count(), limits::kShards);
  EXPECT_EQ(Stored("r1").submission, SubmissionState::kSending);
  a_.transport.Answer(Reply(200, kTakenAsP1));
  ASSERT_TRUE(first->has_value() && (*first)->ok());
  EXPECT_EQ(a_.core->poller.followed(), 0u);
  clock_.Advance(seconds(1));
  EXPECT_EQ(b_.core->poller.followed(), 1u);
}

TEST_F(SeveralProcessesTest, OneThatDrainsAloneGoesOnToPoll) {
  clock_.Advance(2 * limits::kStoreLease);
  SubmitAt(a_);
  b_.timers.Kill();
  b_.store.Close();
  a_.core->Leave();
  clock_.Advance(seconds(60));
  EXPECT_EQ(a_.core->shards.count(), limits::kShards);
  EXPECT_GT(a_.Polls(), 0);
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

// A job that one has under way, and that another calls UNCONFIRMED because its caller's time is
// over.
class ToldElsewhereTest : public SeveralProcessesTest {
 protected:
  ToldElsewhereTest() {
    clock_.Advance(2 * limits::kStoreLease);
    a_.transport.SetScript([](const http::Request&) { return std::nullopt; });
  }

  static constexpr seconds kPatience{10};

  // Repeats it at the other process, which cannot wait for Pictory's answer.
  Answered TellAtB(SubmitRequest request) {
    request.deadline = clock_.Now() + kPatience;
    Answered told = Submit(b_, std::move(request));
    clock_.Advance(kPatience - limits::kPeerAnswerBefore);
    return told;
  }
  void ExpectSeenEverywhere(const std::string& request_id, JobState state) {
    const Job job = Stored(request_id).job;
    EXPECT_EQ(StateName(job.state), StateName(state)) << request_id;
    for (Process* process : {&a_, &b_}) {
      const SnapshotPtr seen = Load(*process, job.job_id);
      ASSERT_NE(seen, nullptr) << request_id;
      EXPECT_EQ(StateName(seen->state), StateName(state)) << request_id;
      EXPECT_EQ(seen->revision, job.revision) << request_id;
    }
  }
};

TEST_F(ToldElsewhereTest, WhoCannotWaitLongerIsToldThatItIsUnconfirmedAndSoItIs) {
  const Answered first = Submit(a_, Preview("r1"));
  const Answered told = TellAtB(Preview("r1"));
  ASSERT_TRUE(told->has_value() && (*told)->ok()) << JobOf(told);
  EXPECT_EQ((**told)->get()->state, v1::JOB_STATE_UNCONFIRMED);
  EXPECT_EQ((**told)->get()->job_id(), Stored("r1").job.job_id);
  EXPECT_EQ((**told)->get()->revision, Stored("r1").job.revision);
  ExpectSeenEverywhere("r1", v1::JOB_STATE_UNCONFIRMED);
  EXPECT_FALSE(first->has_value()) << "the first goes on";
  a_.transport.Answer(Reply(200, kTakenAsP1));
  ASSERT_TRUE(first->has_value() && (*first)->ok());
  EXPECT_EQ((**first)->get()->state, v1::JOB_STATE_QUEUED);
  EXPECT_GT((**first)->get()->revision, (**told)->get()->revision) << "a watch goes on from there";
  clock_.Advance(seconds(1));
  ExpectSeenEverywhere("r1", v1::JOB_STATE_QUEUED);
  EXPECT_EQ(b_.Posts(), 0);
}

// Whatever came of it, the job that somebody was told of is there, and says so.
TEST_F(ToldElsewhereTest, WhatPictoryRefusesOrNeverGotHasFailed) {
  const std::vector<std::pair<std::string, http::Response>> ends = {
      {"refused", Reply(400, R"({"message":"no"})")},
      {"not-sent", test::NotSent()},
      {"too-many", Reply(429, "{}")}};
  for (const auto& [id, end] : ends) {
    SCOPED_TRACE(id);
    const Answered first = Submit(a_, Preview(id));
    const Answered told = TellAtB(Preview(id));
    ASSERT_TRUE(told->has_value() && (*told)->ok()) << JobOf(told);
    a_.transport.Answer(end);
    ASSERT_TRUE(first->has_value());
    EXPECT_EQ(JobOf(first), JobOf(told)) << "the job is known, so the failure is its own";
    clock_.Advance(seconds(1));
    ExpectSeenEverywhere(id, v1::JOB_STATE_FAILED);
    for (Process* process : {&a_, &b_})
      EXPECT_EQ(JobOf(Submit(*process, Preview(id))), JobOf(told));
    EXPECT_EQ(Stored(id).sent_at, WallTime{}) << "it counts in no limit";
  }
  EXPECT_EQ(a_.Posts() + b_.Posts(), 3);
}

TEST_F(ToldElsewhereTest, OneThatEndsTellsWhatTheOtherHasTold) {
  const Answered first = Submit(a_, Preview("r1"));
  const Answered told = TellAtB(Preview("r1"));
  a_.core->submitter.AnswerUnconfirmed();
  ASSERT_TRUE(first->has_value() && (*first)->ok()) << JobOf(first);
  EXPECT_EQ((**first)->get()->state, v1::JOB_STATE_UNCONFIRMED);
  EXPECT_EQ((**first)->get()->revision, (**told)->get()->revision);
  a_.transport.Answer(Reply(200, kTakenAsP1));
  ExpectSeenEverywhere("r1", v1::JOB_STATE_QUEUED);
}

// Nobody has to be told anything, so nothing is said of the job.
TEST_F(ToldElsewhereTest, WhoDrainsOrIsLeftSaysNothingOfAnothersJob) {
  const Answered first = Submit(a_, Preview("r1"));
  SubmitRequest left = Preview("r1");
  left.cancelled = std::make_shared<std::atomic<bool>>(false);
  const auto cancelled = left.cancelled;
  const Answered nobody = Submit(b_, std::move(left));
  clock_.Advance(seconds(1));
  *cancelled = true;
  clock_.Advance(seconds(1));
  EXPECT_EQ(b_.core->submitter.running(), 0u);
  const Answered repeated = Submit(b_, Preview("r1"));
  clock_.Advance(seconds(1));
  EXPECT_FALSE(repeated->has_value());
  bool idle = false;
  b_.core->submitter.Drain([&idle] { idle = true; });
  clock_.Advance(seconds(1));
  EXPECT_TRUE(idle);
  ASSERT_TRUE(repeated->has_value());
  EXPECT_EQ(errors::Reason((*repeated)->status()), "DRAINING");
  EXPECT_EQ(Stored("r1").submission, SubmissionState::kSending);
  a_.transport.Answer(Reply(200, kTakenAsP1));
  EXPECT_EQ((**first)->get()->revision, 1);
}

// It was recorded as SENDING, and a drain keeps it from being sent.
TEST_F(ToldElsewhereTest, WhatWasCertainlyNotSentDoesNotStayUnconfirmed) {
  std::function<void()> stored;
  a_.store.HoldUpdate(&stored);
  const Answered first = Submit(a_, Keyless(Preview("")));
  ASSERT_TRUE(stored);
  const Answered told = TellAtB(Keyless(Preview("")));
  ASSERT_TRUE(told->has_value() && (*told)->ok()) << JobOf(told);
  a_.core->submitter.Drain([] {});
  stored();
  EXPECT_EQ(a_.Posts(), 0);
  EXPECT_EQ(JobOf(first), JobOf(told));
  ASSERT_NE(Found(JobOf(told)), std::nullopt);
  EXPECT_EQ(Found(JobOf(told))->job.state, v1::JOB_STATE_FAILED);
  EXPECT_EQ(a_.core->submitter.running(), 0u);
}

// Another says that the intent was left behind by one that is gone, as of one that was stopped.
TEST_F(SeveralProcessesTest, AnIntentThatAnotherHasEndedIsToBeRepeated) {
  clock_.Advance(2 * limits::kStoreLease);
  const std::string preview = SubmitAt(a_);
  for (const bool waits : {false, true}) {
    SCOPED_TRACE(waits);
    std::function<void()> first_look, second_look;
    a_.store.HoldFindEqual(&first_look);
    SubmitRequest request = Keyless(waits ? RenderOf(preview, "") : Preview(""));
    const std::string id = request.request_id;
    const Answered answered = Submit(a_, std::move(request));
    a_.store.HoldFindEqual(&second_look);
    first_look();
    ASSERT_TRUE(second_look);
    JobRecord left = Stored(id);
    ASSERT_EQ(left.submission, SubmissionState::kIntent);
    left.submission = SubmissionState::kNotSent;
    Store(left);
    second_look();
    ASSERT_TRUE(answered->has_value());
    EXPECT_TRUE(absl::IsUnavailable((*answered)->status())) << (*answered)->status();
    EXPECT_GT(errors::RetryDelay((*answered)->status()), Duration::zero());
    EXPECT_EQ(a_.core->waiting.waiting(), 0u);
    EXPECT_TRUE(WaitingJobsPeer::IsEmpty(a_.core->waiting));
  }
  EXPECT_EQ(a_.Posts(), 1);
}

// The machine sleeps between the record and the request, and the clock of its timers with it.
TEST_F(SeveralProcessesTest, AMachineThatWasSuspendedSendsNothingAndHoldsNothing) {
  clock_.Advance(2 * limits::kStoreLease);
  a_.transport.SetScript([](const http::Request&) { return std::nullopt; });
  Submit(a_, Preview("r1"));
  const auto may_send = a_.transport.oldest_held().may_send;
  const std::int32_t shard = Stored("r1").job.shard;
  ASSERT_TRUE(may_send && may_send());
  ASSERT_TRUE(a_.core->shards.Holds(shard));
  clock_.Suspend(2 * limits::kStoreLease);
  EXPECT_FALSE(may_send());
  EXPECT_FALSE(a_.core->shards.Holds(shard));
  clock_.Advance(limits::kStoreLeaseRenewal);
  EXPECT_TRUE(a_.core->shards.Holds(shard)) << "it has asked for it anew";
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
  KeepHintUntold();
  clock_.Advance(seconds(10));
  ASSERT_EQ(Stored("r1").job.pictory_job_id, "") << "nothing has told of it";
  a_.store.ForgetFeed();
  clock_.Advance(seconds(10));
  EXPECT_EQ(Stored("r1").job.pictory_job_id, "p7");
}

TEST_F(SeveralProcessesTest, AHintThatCannotBeReadAtOnceIsReadLater) {
  KeepHintUntold();
  a_.store.RefuseHints(true);
  a_.store.ForgetFeed();
  clock_.Advance(seconds(10));
  ASSERT_EQ(Stored("r1").job.pictory_job_id, "");
  a_.store.RefuseHints(false);
  clock_.Advance(2 * limits::kHintsReadAgain);
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
  const Answered answered = Submit(b_, RenderOf(preview, "r2"));
  ASSERT_TRUE(answered->has_value() && (*answered)->ok()) << (*answered)->status();
  EXPECT_EQ((**answered)->get()->state, v1::JOB_STATE_WAITING);
  EXPECT_EQ(Stored("r2").job.shard, Stored("r1").job.shard);
  EXPECT_EQ(b_.core->waiting.waiting(), 0u);
  clock_.Advance(seconds(1));
  EXPECT_EQ(a_.core->waiting.waiting(), 1u);
  a_.transport.AnswerAllWith(Reply(200, kHasFailed));
  clock_.Advance(seconds(120));
  EXPECT_EQ(Stored("r2").job.state, v1::JOB_STATE_FAILED) << "the preview has failed";
  clock_.Advance(limits::kStoreLease);
  for (Process* process : {&a_, &b_}) {
    EXPECT_EQ(process->core->spending.spent_today().submits, 1u) << "nothing stays reserved";
  }
}

// The shard of a preview and of the render that waits for it moves to another process.
TEST_F(SeveralProcessesTest, WhatIsReservedForAJobThatWaitsMovesWithIt) {
  for (const bool is_sent : {true, false}) {
    SCOPED_TRACE(is_sent ? "sent" : "cancelled");
    test::SharedDisk disk(clock_);
    Process first(disk, clock_, "first");
    Process second(disk, clock_, "second");
    clock_.Advance(2 * limits::kStoreLease);
    const std::string preview = SubmitAt(first);
    const Answered answered = Submit(first, RenderOf(preview, "r2"));
    ASSERT_TRUE(answered->has_value() && (*answered)->ok()) << JobOf(answered);
    EXPECT_EQ(first.core->waiting.waiting(), 1u);
    clock_.Advance(seconds(1));

    first.timers.Stop();
    clock_.Advance(2 * limits::kStoreLease);
    EXPECT_EQ(second.core->waiting.waiting(), 1u);
    first.timers.GoOn();
    EXPECT_TRUE(WaitingJobsPeer::IsEmpty(first.core->waiting));

    if (is_sent) {
      second.transport.SetScript([](const http::Request& request) {
        return Reply(200, request.lane == http::Lane::kPaid ? TakenAs("p2") : kIsDone);
      });
      clock_.Advance(seconds(60));
      EXPECT_EQ(second.Posts(), 1);
    } else {
      first.core->deleter.Delete(tenants::kDefaultTenant, JobOf(answered),
                                 [](const auto& cancelled) { EXPECT_TRUE(cancelled.ok()); });
      clock_.Advance(seconds(1));
    }
    for (Process* process : {&first, &second}) {
      EXPECT_TRUE(WaitingJobsPeer::IsEmpty(process->core->waiting));
    }
    EXPECT_EQ(first.Posts(), 1);
    clock_.Forget();
    for (Process* process : {&first, &second}) process->core->Stop();
  }
}

// The shard moves while the first is sending, and what it sends certainly does not arrive.
TEST_F(SeveralProcessesTest, AJobThatWaitsAgainIsLookedAfterByWhoHasItsShardNow) {
  clock_.Advance(2 * limits::kStoreLease);
  const std::string preview = SubmitAt(a_);
  const Answered answered = Submit(a_, RenderOf(preview, "r2"));
  ASSERT_TRUE(answered->has_value() && (*answered)->ok()) << JobOf(answered);
  a_.transport.SetScript([](const http::Request& request) -> std::optional<http::Response> {
    if (request.lane == http::Lane::kPaid) return std::nullopt;
    return Reply(200, kIsDone);
  });
  while (a_.transport.held() == 0) clock_.Advance(seconds(1));
  ASSERT_EQ(Stored("r2").submission, SubmissionState::kSending);
  a_.timers.Stop();
  clock_.Advance(2 * limits::kStoreLease);
  a_.timers.GoOn();
  ASSERT_FALSE(a_.core->shards.Has(Stored("r2").job.shard));
  EXPECT_EQ(b_.core->waiting.waiting(), 0u) << "it is being sent";
  b_.transport.SetScript([](const http::Request& request) {
    return Reply(200, request.lane == http::Lane::kPaid ? TakenAs("p2") : kStillGoesOn);
  });
  a_.transport.Answer(http::Response{});
  EXPECT_TRUE(WaitingJobsPeer::IsEmpty(a_.core->waiting));
  clock_.Advance(seconds(5));
  EXPECT_EQ(Stored("r2").job.pictory_job_id, "p2");
  EXPECT_EQ(b_.Posts(), 1);
  EXPECT_TRUE(WaitingJobsPeer::IsEmpty(b_.core->waiting));
}

TEST_F(SeveralProcessesTest, SubmitsOfAllCount) {
  clock_.Advance(2 * limits::kStoreLease);
  SubmitAt(a_);
  clock_.Advance(limits::kStoreLeaseRenewal);
  for (Process* process : {&a_, &b_}) {
    EXPECT_EQ(process->core->spending.spent_today().submits, 1u);
    EXPECT_EQ(process->core->spending.spent_by_tenant().at("default").submits, 1u);
  }
}

class SeveralSpendTest : public SeveralProcessesTest {
 protected:
  SeveralSpendTest() : SeveralProcessesTest({.per_day = 6}) {
    TakeAll();
    clock_.Advance(2 * limits::kStoreLease);
  }

  // Pictory accepts each submit from now on.
  void TakeAll() {
    for (Process* process : {&a_, &b_}) {
      process->transport.SetScript([this](const http::Request& request) {
        if (request.lane != http::Lane::kPaid) return Reply(200, kStillGoesOn);
        return Reply(200,
                     R"({"success":true,"data":{"jobId":"p)" + std::to_string(++taken_) + R"("}})");
      });
    }
  }

  // Submits so many at each of both in turn; returns how many were taken.
  int SubmitBoth(int times) {
    int taken = 0;
    for (int i = 0; i < times; ++i) {
      for (Process* process : {&a_, &b_}) {
        const Answered answered = Submit(*process, Preview("s" + std::to_string(++asked_)));
        EXPECT_TRUE(answered->has_value());
        if ((*answered)->ok()) {
          ++taken;
        } else {
          EXPECT_EQ(errors::Reason((*answered)->status()), "SPENDING_LIMIT")
              << (*answered)->status();
        }
      }
    }
    return taken;
  }

  int taken_ = 0;
  int asked_ = 0;
};

TEST_F(SeveralSpendTest, KeepTheLimitOfAllTogether) {
  EXPECT_EQ(SubmitBoth(10), 6);
  EXPECT_EQ(a_.Posts() + b_.Posts(), 6);
  clock_.Advance(std::chrono::hours(25));
  EXPECT_EQ(SubmitBoth(10), 6);
}

TEST_F(SeveralSpendTest, AnyTellsWhatAllHaveUsed) {
  ASSERT_EQ(SubmitBoth(2), 4);
  const auto use = [](Process& process) {
    std::optional<Core::Use> told;
    process.core->FindUse("default", [&told](const Core::Use& found) { told = found; });
    return told.value();
  };
  for (Process* process : {&a_, &b_}) {
    EXPECT_EQ(use(*process).spent.submits, 4u);
    EXPECT_EQ(use(*process).active_jobs, 4u);
  }
  clock_.Advance(limits::kStoreLeaseRenewal);
  b_.store.SetAway(true);
  EXPECT_EQ(use(b_).spent.submits, 4u) << "as it has heard last";
  EXPECT_EQ(use(b_).active_jobs, 2u) << "its own";
}

TEST_F(SeveralSpendTest, KeepTheLimitsOfATenantTogether) {
  limits_ = {.submits_per_minute = 3};
  EXPECT_EQ(SubmitBoth(5), 3);
  clock_.Advance(seconds(70));  // a minute, and the step
  EXPECT_EQ(SubmitBoth(5), 3);
}

TEST_F(SeveralSpendTest, AJobThatHasEndedLetsAnotherInAnywhere) {
  limits_ = {.active_jobs = 3};
  EXPECT_EQ(SubmitBoth(5), 3) << "and not a part for each";
  for (Process* process : {&a_, &b_}) process->transport.AnswerAllWith(Reply(200, kHasFailed));
  clock_.Advance(seconds(120));
  TakeAll();
  EXPECT_EQ(SubmitBoth(5), 3);
}

TEST_F(SeveralSpendTest, WhatPictoryRefusesIsGivenBackToAll) {
  for (Process* process : {&a_, &b_}) {
    process->transport.AnswerAllWith(
        Reply(400, R"({"success":false,"data":{"error_message":"no"}})"));
  }
  limits_ = {.submits_per_day = 2};
  for (int i = 0; i < 5; ++i) {
    for (Process* process : {&a_, &b_}) {
      const Answered answered = Submit(*process, Preview("x" + std::to_string(++asked_)));
      ASSERT_TRUE(answered->has_value());
      EXPECT_NE(errors::Reason((*answered)->status()), "SPENDING_LIMIT");
    }
  }
  EXPECT_EQ(a_.Posts() + b_.Posts(), 10);
}

TEST_F(SeveralSpendTest, ARepetitionIsAnsweredThoughNoLimitHasRoom) {
  limits_ = {.submits_per_day = 1};
  const Answered first = Submit(a_, Preview("r1"));
  ASSERT_TRUE(first->has_value() && (*first)->ok());
  const Answered again = Submit(b_, Preview("r1"));
  ASSERT_TRUE(again->has_value() && (*again)->ok()) << (*again)->status();
  EXPECT_EQ((**again)->get()->job_id(), (**first)->get()->job_id());
  EXPECT_FALSE((*Submit(b_, Preview("r2")))->ok());
}

// A render that waits has its place, whoever sends it; what sends it is limited as others are.
TEST_F(SeveralSpendTest, WhatWaitsHasItsPlaceEverywhere) {
  limits_ = {.submits_per_day = 2};
  const Answered preview = Submit(a_, Preview("r1"));
  ASSERT_TRUE(preview->has_value() && (*preview)->ok());
  auto message = std::make_shared<v1::RenderRequest>();
  message->set_preview_job_id(std::string((**preview)->get()->job_id()));
  SubmitRequest render;
  render.kind = v1::JOB_KIND_RENDER;
  render.request_id = "r2";
  render.fingerprint = "render";
  render.waits = true;
  render.request = std::move(message);
  const Answered waiting = Submit(b_, std::move(render));
  ASSERT_TRUE(waiting->has_value() && (*waiting)->ok()) << (*waiting)->status();
  EXPECT_EQ(errors::Reason((*Submit(a_, Preview("r3")))->status()), "SPENDING_LIMIT");
  clock_.Advance(seconds(1));
  a_.transport.AnswerAllWith(Reply(200, kHasFailed));
  clock_.Advance(seconds(120));
  ASSERT_EQ(Stored("r2").job.state, v1::JOB_STATE_FAILED) << "the preview has failed";
  TakeAll();
  EXPECT_EQ(SubmitBoth(3), 1) << "its place was given back";
}

// As an Envoy, a library, or a loop by hand repeats a call, to the other process.
TEST_F(SeveralProcessesTest, ARepetitionWithoutARequestIdIsPaidOnceWhileTheFirstRuns) {
  clock_.Advance(2 * limits::kStoreLease);
  const std::vector<std::pair<RetryEvidence, RetryEvidence>> calls = {
      {{.mesh_request_id = "x"}, {.by_mesh = true, .mesh_request_id = "x"}},
      {{}, {.by_library = true}},
      {{.mesh_request_id = "x1"}, {.by_library = true, .mesh_request_id = "x2"}},
      {{}, {}}};
  int n = 0;
  for (const auto& [first_says, second_says] : calls) {
    SubmitRequest content = Preview("");
    content.fingerprint = "print " + std::to_string(++n);
    a_.transport.SetScript([](const http::Request&) { return std::nullopt; });
    const Answered first = Submit(a_, Keyless(content, first_says));
    ASSERT_EQ(a_.Posts(), n);
    const Answered second = Submit(b_, Keyless(content, second_says));
    clock_.Advance(seconds(2));
    EXPECT_FALSE(second->has_value()) << n;
    a_.transport.SetScript([](const http::Request&) { return Reply(200, kStillGoesOn); });
    while (a_.transport.oldest_held().lane != http::Lane::kPaid) {
      a_.transport.Answer(Reply(200, kStillGoesOn));
    }
    a_.transport.Answer(Reply(200, TakenAs("p" + std::to_string(n))));
    clock_.Advance(seconds(1));
    EXPECT_EQ(JobOf(second), JobOf(first)) << n;
    EXPECT_EQ(a_.Posts() + b_.Posts(), n);
    EXPECT_EQ(b_.core->spending.spent_today().repeated, static_cast<std::size_t>(n));
  }
}

// Neither has recorded anything when the other looks for the first time.
TEST_F(SeveralProcessesTest, OfTwoThatBeginAtOnceOneIsSent) {
  clock_.Advance(2 * limits::kStoreLease);
  for (const bool both_are_intents : {false, true}) {
    SubmitRequest content = Preview("");
    content.fingerprint = both_are_intents ? "print 1" : "print 0";
    const int before = a_.Posts() + b_.Posts();
    const std::string id = both_are_intents ? "p1" : "p0";
    a_.transport.SetScript([id](const http::Request& request) {
      return Reply(200, request.lane == http::Lane::kPaid ? TakenAs(id) : kStillGoesOn);
    });
    b_.transport.SetScript([](const http::Request& request) {
      EXPECT_EQ(request.lane, http::Lane::kRead);
      return Reply(200, kStillGoesOn);
    });
    std::function<void()> first_look, other_look, second_look;
    a_.store.HoldFindEqual(&first_look);
    const Answered first = Submit(a_, Keyless(content));
    b_.store.HoldFindEqual(&other_look);
    const Answered second = Submit(b_, Keyless(content));
    ASSERT_TRUE(first_look && other_look);
    if (both_are_intents) a_.store.HoldFindEqual(&second_look);
    first_look();
    EXPECT_EQ(first->has_value(), !both_are_intents);
    clock_.Advance(std::chrono::milliseconds(5));
    other_look();
    if (both_are_intents) {
      EXPECT_EQ(a_.Posts() + b_.Posts(), before) << "nothing is sent before the second look";
      second_look();
    }
    clock_.Advance(seconds(1));
    ASSERT_TRUE(first->has_value() && (*first)->ok()) << JobOf(first);
    EXPECT_EQ(JobOf(second), JobOf(first));
    EXPECT_EQ(a_.Posts() + b_.Posts(), before + 1);
    EXPECT_EQ(b_.core->submitter.running(), 0u);
  }
}

// A third call has met the intent that gives way, and must not put it back beside the one that was
// sent, which is of its own process.
TEST_F(SeveralProcessesTest, WhoWaitedForOneThatGaveWayGetsTheOneThatWasSent) {
  clock_.Advance(2 * limits::kStoreLease);
  for (Process* process : {&a_, &b_}) {
    process->transport.SetScript([](const http::Request& request) {
      return Reply(200, request.lane == http::Lane::kPaid ? kTakenAsP1 : kStillGoesOn);
    });
  }
  const SubmitRequest content = Preview("");
  const RetryEvidence again{.by_mesh = true, .mesh_request_id = "x"};
  std::function<void()> first_look, other_look, first_second_look, other_second_look;
  a_.store.HoldFindEqual(&first_look);
  const Answered first = Submit(a_, Keyless(content, {.mesh_request_id = "x"}));
  b_.store.HoldFindEqual(&other_look);
  const Answered other = Submit(b_, Keyless(content, again));
  ASSERT_TRUE(first_look && other_look);
  a_.store.HoldFindEqual(&first_second_look);
  first_look();
  clock_.Advance(std::chrono::milliseconds(5));
  b_.store.HoldFindEqual(&other_second_look);
  other_look();
  ASSERT_TRUE(first_second_look && other_second_look) << "both have recorded their intents";
  clock_.Advance(std::chrono::milliseconds(5));
  const Answered third = Submit(a_, Keyless(content, again));
  EXPECT_FALSE(third->has_value());
  other_second_look();
  first_second_look();
  clock_.Advance(seconds(2));
  ASSERT_TRUE(first->has_value() && (*first)->ok()) << JobOf(first);
  EXPECT_EQ(JobOf(other), JobOf(first));
  EXPECT_EQ(JobOf(third), JobOf(first));
  EXPECT_EQ(a_.Posts() + b_.Posts(), 1);
  EXPECT_EQ(a_.core->submitter.running() + b_.core->submitter.running(), 0u);
}

TEST_F(SeveralProcessesTest, TheEarlierOfTwoIntentsWaitsForTheOtherToGiveWayOrToGoOn) {
  clock_.Advance(2 * limits::kStoreLease);
  for (const bool gives_way : {true, false}) {
    const int before = a_.Posts();
    a_.transport.SetScript([](const http::Request& request) {
      return Reply(200, request.lane == http::Lane::kPaid ? kTakenAsP1 : kStillGoesOn);
    });
    std::function<void()> first_look;
    a_.store.HoldFindEqual(&first_look);
    SubmitRequest content = Preview("");
    content.fingerprint = gives_way ? "print 1" : "print 0";
    const std::string id = "zzz " + content.fingerprint;
    const Answered answered = Submit(a_, Keyless(content));
    JobRecord other = BeginElsewhere(id, content.fingerprint);
    first_look();
    clock_.Advance(seconds(5));
    EXPECT_FALSE(answered->has_value());
    EXPECT_EQ(a_.Posts(), before);
    other.submission = gives_way ? SubmissionState::kNotSent : SubmissionState::kSending;
    Store(other);
    clock_.Advance(seconds(1));
    if (!gives_way) {
      EXPECT_FALSE(answered->has_value()) << "it waits for what the other hears";
      other.submission = SubmissionState::kAccepted;
      other.job.state = v1::JOB_STATE_QUEUED;
      other.job.pictory_job_id = "p2";
      other.job.revision = 1;
      Store(other);
      clock_.Advance(seconds(1));
    }
    ASSERT_TRUE(answered->has_value() && (*answered)->ok()) << JobOf(answered);
    EXPECT_EQ(JobOf(answered) == id, !gives_way);
    EXPECT_EQ(a_.Posts() - before, gives_way ? 1 : 0);
  }
}

// Nobody knows whether it will be sent, so who comes after it is refused and not paid for.
TEST_F(SeveralProcessesTest, AnIntentOfOneThatIsGoneHoldsUpUntilItIsEnded) {
  clock_.Advance(2 * limits::kStoreLease);
  JobRecord left = BeginElsewhere("0", "print");
  SubmitRequest request = Keyless(Preview(""));
  request.deadline = clock_.Now() + seconds(20);
  const Answered refused = Submit(a_, std::move(request));
  clock_.Advance(seconds(20));
  ASSERT_TRUE(refused->has_value());
  EXPECT_FALSE((*refused)->ok());
  EXPECT_EQ(a_.Posts(), 0);
  a_.transport.SetScript([](const http::Request& sent) {
    return Reply(200, sent.lane == http::Lane::kPaid ? kTakenAsP1 : kStillGoesOn);
  });
  left.submission = SubmissionState::kNotSent;
  Store(left);
  const Answered answered = Submit(a_, Keyless(Preview("")));
  ASSERT_TRUE(answered->has_value() && (*answered)->ok()) << JobOf(answered);
  EXPECT_EQ(a_.Posts(), 1);
}

TEST_F(SeveralProcessesTest, AnAnswerIsOwedElsewhereUntilTheRecordSaysThatItHasArrived) {
  clock_.Advance(2 * limits::kStoreLease);
  for (Process* process : {&a_, &b_}) {
    process->transport.SetScript([process](const http::Request& request) {
      return Reply(200, request.lane == http::Lane::kPaid
                            ? TakenAs(std::to_string(reinterpret_cast<std::uintptr_t>(process)) +
                                      std::to_string(process->Posts()))
                            : kStillGoesOn);
    });
  }
  const Answered first = Submit(a_, Keyless(Preview("")));
  clock_.Advance(seconds(20));
  EXPECT_EQ(JobOf(Submit(b_, Keyless(Preview("")))), JobOf(first));
  clock_.Advance(limits::kKeylessSettle);
  // The other looks after it now, and does not know what became of the answer.
  a_.timers.Stop();
  clock_.Advance(2 * limits::kStoreLease);
  ASSERT_EQ(b_.core->poller.followed(), 1u);
  b_.transport.SetScript([](const http::Request&) { return Reply(200, kIsDone); });
  clock_.Advance(seconds(120));
  ASSERT_EQ(Found(JobOf(first))->job.state, v1::JOB_STATE_SUCCEEDED);
  EXPECT_EQ(Found(JobOf(first))->delivery, Delivery::kUnsaid);
  EXPECT_EQ(JobOf(Submit(b_, Keyless(Preview("")))), JobOf(first));
  EXPECT_EQ(a_.Posts() + b_.Posts(), 1);
  JobRecord arrived = *Found(JobOf(first));
  arrived.delivery = Delivery::kArrived;
  Store(arrived);
  clock_.Advance(limits::kOwedWindow);
  b_.transport.SetScript([](const http::Request&) { return Reply(200, TakenAs("p2")); });
  EXPECT_NE(JobOf(Submit(b_, Keyless(Preview("")))), JobOf(first));
  EXPECT_EQ(b_.Posts(), 1);
}

TEST_F(SeveralProcessesTest, WhoHasGivenTheAnswerSaysWhenItHasArrived) {
  clock_.Advance(2 * limits::kStoreLease);
  a_.transport.SetScript([](const http::Request& request) {
    return Reply(200, request.lane == http::Lane::kPaid ? kTakenAsP1 : kStillGoesOn);
  });
  const Answered first = Submit(a_, Keyless(Preview("")));
  clock_.Advance(limits::kKeylessSettle + seconds(1));
  a_.transport.AnswerAllWith(Reply(200, kIsDone));
  clock_.Advance(seconds(120));
  EXPECT_EQ(Found(JobOf(first))->delivery, Delivery::kArrived);
  b_.transport.AnswerAllWith(Reply(200, TakenAs("p2")));
  EXPECT_NE(JobOf(Submit(b_, Keyless(Preview("")))), JobOf(first));
  EXPECT_EQ(b_.Posts(), 1);
}

TEST_F(SeveralProcessesTest, AnEqualSubmitIsTheJobThatWaitsHoweverLongItDoes) {
  clock_.Advance(2 * limits::kStoreLease);
  const std::string preview = SubmitAt(a_);
  std::function<void()> first_look, other_look;
  a_.store.HoldFindEqual(&first_look);
  const Answered first = Submit(a_, Keyless(RenderOf(preview, "")));
  b_.store.HoldFindEqual(&other_look);
  const Answered second = Submit(b_, Keyless(RenderOf(preview, "")));
  ASSERT_TRUE(first_look && other_look);
  other_look();
  EXPECT_EQ((**second)->get()->state, v1::JOB_STATE_WAITING);
  first_look();
  clock_.Advance(seconds(1));
  EXPECT_EQ(JobOf(first), JobOf(second));
  EXPECT_EQ(a_.core->waiting.waiting() + b_.core->waiting.waiting(), 1u);
  clock_.Advance(2 * limits::kEqualElsewhere);
  for (Process* process : {&a_, &b_}) {
    EXPECT_EQ(JobOf(Submit(*process, Keyless(RenderOf(preview, "")))), JobOf(first));
  }
  EXPECT_EQ(a_.core->waiting.waiting() + b_.core->waiting.waiting(), 1u);
}

TEST_F(SeveralProcessesTest, AnEqualSubmitIsNoneThatEndedWithoutBeingSent) {
  clock_.Advance(2 * limits::kStoreLease);
  const std::string preview = SubmitAt(a_);
  const Answered first = Submit(a_, Keyless(RenderOf(preview, "")));
  ASSERT_TRUE(first->has_value() && (*first)->ok()) << JobOf(first);
  a_.core->deleter.Delete(tenants::kDefaultTenant, JobOf(first),
                          [](const auto& cancelled) { EXPECT_TRUE(cancelled.ok()); });
  ASSERT_EQ(Found(JobOf(first))->job.state, v1::JOB_STATE_CANCELLED);
  clock_.Advance(seconds(1));
  const Answered second = Submit(b_, Keyless(RenderOf(preview, "")));
  ASSERT_TRUE(second->has_value() && (*second)->ok()) << JobOf(second);
  EXPECT_EQ((**second)->get()->state, v1::JOB_STATE_WAITING);
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

// The feed does not bring the end of a job any more, nor that it was deleted.
TEST_F(SeveralProcessesTest, AJobThatWasDeletedInAGapOfTheFeedIsGone) {
  clock_.Advance(2 * limits::kStoreLease);
  const std::string job = SubmitAt(a_, "1");
  a_.transport.AnswerAllWith(Reply(200, kHasFailed));
  clock_.Advance(seconds(120));
  const std::string kept = SubmitAt(a_, "2");
  for (const std::string& one : {job, kept}) ASSERT_NE(Load(b_, one), nullptr);
  b_.store.ForgetFeed();
  const auto remove = [this](const std::string& name) {
    a_.core->deleter.Delete(tenants::kDefaultTenant, name, [](const auto& deleted) {
      EXPECT_TRUE(deleted.ok()) << deleted.status();
    });
  };
  remove(job);
  clock_.Advance(seconds(1));
  EXPECT_EQ(Load(b_, job), nullptr);
  EXPECT_EQ(b_.core->hub.Find(tenants::kDefaultTenant, "p1"), nullptr);
  EXPECT_NE(Load(b_, kept), nullptr);

  // A look is under way meanwhile, and what it has found is gone.
  a_.transport.AnswerAllWith(Reply(200, kHasFailed));
  clock_.Advance(seconds(120));
  b_.store.ForgetFeed();
  clock_.Advance(seconds(1));
  ASSERT_EQ(b_.core->hub.Find(tenants::kDefaultTenant, kept), nullptr);
  std::function<void()> loads, looks;
  std::optional<absl::Status> loaded;
  b_.store.HoldFind(&loads);
  b_.core->hub.Load(tenants::kDefaultTenant, kept,
                    [&](const absl::StatusOr<SnapshotPtr>& found) { loaded = found.status(); });
  b_.store.HoldFind(&looks);
  bool refreshed = false;
  b_.core->hub.Refresh({tenants::kDefaultTenant, kept}, [&](const auto& found) {
    refreshed = true;
    EXPECT_FALSE(found->has_value());
  });
  ASSERT_TRUE(loads && looks);
  b_.store.ForgetFeed();
  remove(kept);
  clock_.Advance(seconds(1));
  loads();
  looks();
  ASSERT_TRUE(loaded.has_value() && refreshed);
  EXPECT_TRUE(absl::IsNotFound(*loaded)) << *loaded;
  EXPECT_EQ(b_.core->hub.Find(tenants::kDefaultTenant, kept), nullptr);
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
