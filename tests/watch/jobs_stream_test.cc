#include "watch/jobs_stream.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/errors.h"
#include "jobs/ledger.h"
#include "store/memory_job_store.h"
#include "support/fake_clock.h"
#include "support/records.h"
#include "watch/fake_jobs_sink.h"

namespace gateway::watch {
namespace {

using jobs::JobRecord;
using jobs::JobState;
using jobs::SubmissionState;
namespace v1 = jobs::v1;
using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

// The answers of this store to reads come when the test says so.
class HeldStore final : public store::MemoryJobStore {
 public:
  using store::MemoryJobStore::MemoryJobStore;
  bool holding = false;
  bool holding_end = false;  // then also where the feed ends
  std::vector<std::function<void()>> held;

  void List(std::string tenant, jobs::ListQuery query,
            Callback<std::vector<JobRecord>> done) override {
    MemoryJobStore::List(std::move(tenant), std::move(query), Held(std::move(done)));
  }
  void FindFeedEnd(Callback<std::string> done) override {
    MemoryJobStore::FindFeedEnd(holding_end ? Held(std::move(done)) : std::move(done));
  }
  void ReadFeed(std::string position, int limit, Callback<jobs::FeedPage> done) override {
    ++feed_reads;
    MemoryJobStore::ReadFeed(std::move(position), limit, Held(std::move(done)));
  }
  void Find(std::string tenant, std::string name,
            Callback<std::optional<JobRecord>> done) override {
    ++finds;
    MemoryJobStore::Find(std::move(tenant), std::move(name), Held(std::move(done)));
  }
  void Release() {
    holding = false;
    for (auto& answer : std::exchange(held, {})) answer();
  }
  int feed_reads = 0;
  int finds = 0;

 private:
  template <class T>
  Callback<T> Held(Callback<T> done) {
    return [this, done = std::move(done)](absl::StatusOr<T> answer) {
      if (!holding) return done(std::move(answer));
      held.push_back([done, answer = std::move(answer)] { done(answer); });
    };
  }
};

// One process on a store that may have others.
struct Process {
  Process(jobs::Store& s, test::FakeClock& c) : store(s), clock(c) {
    ledger.Observe([this](const JobRecord& record, const jobs::SnapshotPtr& seen) {
      follower.OnChange(record, seen);
    });
    ledger.HiddenBy([this](const JobRecord& record) { follower.OnHiddenChange(record); });
  }
  jobs::Store& store;
  test::FakeClock& clock;
  WorkThread broadcaster{"watchers", WorkThread::Rest::kDropped};
  jobs::Hub hub{jobs::HubOptions{}, store, broadcaster};
  Follower follower{store, hub, clock, clock, broadcaster};
  jobs::Ledger ledger{store, store, hub};
};

// A call of WatchJobs, and its caller.
struct Call {
  test::FakeJobsSink sink;
  std::shared_ptr<JobsStream> stream;
};

class JobsStreamTest : public ::testing::Test {
 protected:
  void SetUp() override {
    clock_.SettleBeforeMoving([this] { WaitUntilQuiet(); });
  }
  void WaitUntilQuiet() {
    here_->broadcaster.WaitIdle();
    if (there_ != nullptr) there_->broadcaster.WaitIdle();
  }

  // A job of a process: as it comes to be, and as it changes.
  JobRecord Make(const std::string& id, JobState state = v1::JOB_STATE_QUEUED,
                 std::map<std::string, std::string> labels = {}, Process* process = nullptr) {
    JobRecord record = test::RecordOf(SubmissionState::kAccepted, id, clock_.WallNow());
    record.job.request_id.clear();
    record.job.state = state;
    record.job.labels = std::move(labels);
    if (jobs::IsFinal(state)) record.job.finish_time = clock_.WallNow();
    (process == nullptr ? *here_ : *process).ledger.Adopt(record, [](const auto& outcome) {
      EXPECT_TRUE(outcome.status.ok()) << outcome.status;
    });
    WaitUntilQuiet();
    return Stored(id);
  }
  JobRecord Stored(const std::string& id) {
    JobRecord record;
    store_.MemoryJobStore::Find("default", id, [&](const auto& found) {
      if (found.ok() && found->has_value()) record = **found;
    });
    return record;
  }
  void Change(const std::string& id, JobState state, bool hidden = false,
              Process* process = nullptr) {
    JobRecord record = Stored(id);
    record.job.state = state;
    if (!hidden) ++record.job.revision;
    if (jobs::IsFinal(state)) record.job.finish_time = clock_.WallNow();
    (process == nullptr ? *here_ : *process)
        .ledger.Update({.record = record, .hidden = hidden}, [](const auto& outcome) {
          EXPECT_TRUE(outcome.status.ok()) << outcome.status;
        });
    WaitUntilQuiet();
  }
  void Delete(const std::string& id) {
    JobRecord record = Stored(id);
    record.submission = SubmissionState::kDeleted;
    here_->ledger.Delete(
        record, [](const auto& outcome) { EXPECT_TRUE(outcome.status.ok()) << outcome.status; });
    WaitUntilQuiet();
  }

  Call& Start(JobFilter filter = {}, const std::string& token = "",
              std::vector<std::string> names = {}) {
    calls_.push_back(std::make_unique<Call>());
    Call& call = *calls_.back();
    JobsStreamOptions options;
    filter.tenant = "default";
    filter.by_id = !names.empty();
    options.filter = std::move(filter);
    options.names = std::move(names);
    options.filter_hash = "01234567";
    options.resume = ReadResumeToken(token);
    EXPECT_EQ(options.resume.has_value(), !token.empty());
    options.max_life = life_;
    options.store_away = [this] { return away_.load(); };
    if (full_) {
      options.load_full = [](const jobs::SnapshotPtr& job, const auto& done) {
        v1::WatchJobsResponse full;
        *full.mutable_job() = jobs::ToProto(*job);
        full.mutable_job()->set_job_id("full " + full.job().job_id());
        done(std::make_shared<const std::string>(full.SerializeAsString()));
      };
    }
    call.stream = std::make_shared<JobsStream>(std::move(options),
                                               JobsStreamGround{.jobs = store_,
                                                                .feed = store_,
                                                                .hub = here_->hub,
                                                                .follower = here_->follower,
                                                                .clock = clock_},
                                               call.sink);
    wheel_.Add(call.stream, call.stream->FirstTick());
    call.stream->Begin();
    return call;
  }
  // Takes all that there is to read.
  std::vector<std::string> Read(Call& call) {
    for (;;) {
      WaitUntilQuiet();
      if (!call.sink.writing) return call.sink.Written();
      Take(call);
    }
  }
  // Takes one message.
  void Take(Call& call) {
    ASSERT_TRUE(call.sink.writing);
    call.sink.writing = false;
    call.stream->OnWriteDone(true);
  }
  // The caller goes.
  void Cut(Call& call) {
    if (call.sink.writing) {
      call.sink.writing = false;
      call.stream->OnWriteDone(false);
    }
    call.stream->OnCancel();
    EXPECT_TRUE(call.sink.finished);
  }
  void Advance(Duration by) { clock_.Advance(by); }

  test::FakeClock clock_;
  HeldStore store_{3};
  std::unique_ptr<Process> here_ = std::make_unique<Process>(store_, clock_);
  std::unique_ptr<Process> there_;
  StreamWheel wheel_{clock_, clock_, here_->broadcaster};
  Duration life_ = Duration::max();
  bool full_ = false;
  std::atomic<bool> away_{false};  // the store
  std::vector<std::unique_ptr<Call>> calls_;
};

TEST_F(JobsStreamTest, ListsThenTellsOfChangesAndOfNewJobs) {
  Make("j1");
  Make("j2", v1::JOB_STATE_RUNNING);
  Call& call = Start();
  EXPECT_THAT(Read(call), ElementsAre("list", "j2 RUNNING 1", "j1 QUEUED 1", "listed"));
  Change("j1", v1::JOB_STATE_RUNNING);
  EXPECT_THAT(Read(call), ElementsAre("j1 RUNNING 2"));
  Make("j3");
  Change("j2", v1::JOB_STATE_SUCCEEDED);
  EXPECT_THAT(Read(call), ElementsAre("j3 QUEUED 1", "j2 SUCCEEDED 2"));
  EXPECT_FALSE(call.sink.finished) << "it goes on";
}

TEST_F(JobsStreamTest, AnEmptyListIsCompleteToo) {
  Call& call = Start();
  EXPECT_THAT(Read(call), ElementsAre("list", "listed"));
}

TEST_F(JobsStreamTest, OnlyWhatFitsIsTold) {
  Make("j1", v1::JOB_STATE_RUNNING, {{"batch", "a"}});
  Make("j2", v1::JOB_STATE_RUNNING, {{"batch", "b"}});
  Call& call = Start({.labels = {{"batch", "a"}}});
  EXPECT_THAT(Read(call), ElementsAre("list", "j1 RUNNING 1", "listed"));
  Change("j2", v1::JOB_STATE_FAILED);
  Make("j3", v1::JOB_STATE_QUEUED, {{"batch", "a"}, {"more", "yes"}});
  EXPECT_THAT(Read(call), ElementsAre("j3 QUEUED 1"));
  JobRecord foreign = test::RecordOf(SubmissionState::kAccepted, "f1", clock_.WallNow());
  foreign.job.tenant = "other";
  foreign.job.labels = {{"batch", "a"}};
  here_->ledger.Adopt(foreign, [](const auto&) {});
  EXPECT_THAT(Read(call), IsEmpty()) << "another tenant's";
}

TEST_F(JobsStreamTest, AJobEntersAndLeavesTheFilter) {
  Make("j1");
  Call& call = Start({.states = {v1::JOB_STATE_RUNNING}});
  EXPECT_THAT(Read(call), ElementsAre("list", "listed"));
  Make("j2");
  EXPECT_THAT(Read(call), IsEmpty()) << "it has never fitted";
  Change("j1", v1::JOB_STATE_RUNNING);
  EXPECT_THAT(Read(call), ElementsAre("j1 RUNNING 2"));
  Change("j1", v1::JOB_STATE_SUCCEEDED);
  EXPECT_THAT(Read(call), ElementsAre("left j1 SUCCEEDED 3"));
}

TEST_F(JobsStreamTest, DeletedAndForgottenJobsAreTold) {
  Make("j1", v1::JOB_STATE_SUCCEEDED);
  Make("j2", v1::JOB_STATE_FAILED);
  Call& call = Start();
  EXPECT_THAT(Read(call), SizeIs(4));
  Delete("j1");
  Advance(limits::kFeedInterval);
  EXPECT_THAT(Read(call), ElementsAre("gone j1"));
  here_->ledger.Prune({.finished_before = clock_.WallNow(), .untouched_since = {}, .limit = 9},
                      [](const auto& pruned) { EXPECT_EQ(pruned.value(), 1u); });
  Advance(limits::kFeedInterval);
  EXPECT_THAT(Read(call), ElementsAre("gone j2"));
}

TEST_F(JobsStreamTest, JobsAreNamedByEitherIdAndUnknownOnesAreGone) {
  Make("j1");
  Make("j2");
  Call& call = Start({}, "", {"p-j1", "nobody"});
  EXPECT_THAT(Read(call), ElementsAre("list", "j1 QUEUED 1", "gone nobody", "listed"));
  Change("j2", v1::JOB_STATE_RUNNING);
  Change("j1", v1::JOB_STATE_RUNNING);
  EXPECT_THAT(Read(call), ElementsAre("j1 RUNNING 2"));
}

// The change comes while the list is being read, and before it is complete.
TEST_F(JobsStreamTest, NothingIsMissedBetweenListAndChanges) {
  Make("j1");
  store_.holding = true;
  Call& call = Start();
  Take(call);  // "list"
  ASSERT_THAT(store_.held, SizeIs(1)) << "the page is read, and does not arrive";
  Change("j1", v1::JOB_STATE_RUNNING);
  Make("j2");
  store_.Release();
  const std::vector<std::string> told = Read(call);
  EXPECT_THAT(told, Contains("j2 QUEUED 1"));
  EXPECT_THAT(told, Contains("j1 RUNNING 2"));
  EXPECT_THAT(told, Not(Contains("j1 QUEUED 1"))) << "what the page says is old";
}

// The change comes after the last page of the feed was read, and before the follower tells.
TEST_F(JobsStreamTest, NothingIsMissedBetweenCatchingUpAndFollowing) {
  Make("j1");
  Call& call = Start();
  store_.holding = true;
  for (int i = 0; i < 4 && call.sink.writing; ++i) {
    Take(call);
    if (!store_.held.empty() && i < 2) store_.Release(), store_.holding = true;
  }
  int revision = 1;
  while (!store_.held.empty()) {
    Change("j1", v1::JOB_STATE_RUNNING);
    ++revision;
    store_.Release();
    store_.holding = true;
    while (call.sink.writing) Take(call);
  }
  store_.Release();
  Advance(2 * limits::kFeedInterval);
  EXPECT_THAT(Read(call), Contains("j1 RUNNING " + std::to_string(revision)));
  EXPECT_GT(revision, 1) << "else this shows nothing";
}

TEST_F(JobsStreamTest, ASlowReaderGetsTheNewestOfEachJob) {
  Make("j1");
  Make("j2");
  Call& call = Start();
  Read(call);
  Change("j1", v1::JOB_STATE_RUNNING);
  ASSERT_TRUE(call.sink.writing) << "and is not read";
  for (int i = 0; i < 100; ++i) {
    Change("j1", v1::JOB_STATE_RUNNING);
    Change("j2", v1::JOB_STATE_RUNNING);
  }
  EXPECT_THAT(Read(call), ElementsAre("j1 RUNNING 2", "j1 RUNNING 102", "j2 RUNNING 101"));
}

TEST_F(JobsStreamTest, AVerySlowReaderHoldsNoMoreThanTheBoundAndMissesNothing) {
  const int jobs = static_cast<int>(limits::kWatchJobsQueueMax) + 50;
  Call& call = Start();
  Read(call);
  Make("first");
  ASSERT_TRUE(call.sink.writing);
  for (int i = 0; i < jobs; ++i) Make("j" + std::to_string(i));
  for (int i = 0; i < jobs; ++i) Change("j" + std::to_string(i), v1::JOB_STATE_RUNNING);
  EXPECT_EQ(here_->follower.readers(), 0u) << "it reads the store instead";
  std::set<std::string> told;
  for (const std::string& message : Read(call)) told.insert(message);
  for (int i = 0; i < jobs; ++i) {
    EXPECT_TRUE(told.contains("j" + std::to_string(i) + " RUNNING 2")) << i;
  }
  EXPECT_EQ(here_->follower.readers(), 1u) << "it is live again";
  Change("j0", v1::JOB_STATE_SUCCEEDED);
  EXPECT_THAT(Read(call), ElementsAre("j0 SUCCEEDED 3"));
}

TEST_F(JobsStreamTest, AnotherStreamGoesOnBehindAMessage) {
  Make("j1");
  Make("j2");
  Call& first = Start();
  Read(first);
  Change("j1", v1::JOB_STATE_RUNNING);
  Read(first);
  Advance(limits::kFeedInterval);
  Change("j2", v1::JOB_STATE_RUNNING);
  Read(first);
  Cut(first);
  Change("j2", v1::JOB_STATE_SUCCEEDED);
  Make("j3");
  Call& second = Start({}, first.sink.token);
  EXPECT_THAT(Read(second), ElementsAre("j2 SUCCEEDED 3", "j3 QUEUED 1"));
  Change("j1", v1::JOB_STATE_FAILED);
  EXPECT_THAT(Read(second), ElementsAre("j1 FAILED 3"));
}

TEST_F(JobsStreamTest, WhoResumesAndHasMissedNothingGetsAHeartbeat) {
  Make("j1");
  Call& first = Start();
  Read(first);
  Cut(first);
  Call& second = Start({}, first.sink.token);
  EXPECT_THAT(Read(second), ElementsAre("beat"));
}

// Each message of a stream is one from which another goes on: nothing is missed, wherever it is
// cut.
TEST_F(JobsStreamTest, EveryMessageCanBeResumedFrom) {
  for (int i = 0; i < 5; ++i) Make("j" + std::to_string(i));
  for (int cut = 1; cut < 12; ++cut) {
    SCOPED_TRACE(cut);
    Call& first = Start();
    std::vector<std::string> told;
    for (int i = 1; i < cut; ++i) {
      WaitUntilQuiet();
      if (!first.sink.writing) Change("j" + std::to_string(i % 5), v1::JOB_STATE_RUNNING);
      WaitUntilQuiet();
      if (i % 3 == 0) Advance(limits::kFeedInterval);
      ASSERT_TRUE(first.sink.writing);
      Take(first);
    }
    WaitUntilQuiet();
    // What is being written may arrive or not: it does not count.
    told.assign(first.sink.written.begin(), first.sink.written.begin() + cut - 1);
    const std::string token = cut == 1 ? "" : first.sink.tokens[static_cast<std::size_t>(cut) - 2];
    Cut(first);
    Change("j2", v1::JOB_STATE_RUNNING);
    Call& second = Start({}, token);
    for (const std::string& message : Read(second)) told.push_back(message);
    for (int i = 0; i < 5; ++i) {
      const JobRecord now = Stored("j" + std::to_string(i));
      EXPECT_THAT(told, Contains(now.job.job_id + " " + jobs::StateName(now.job.state) + " " +
                                 std::to_string(now.job.revision)));
    }
    Cut(second);
  }
}

TEST_F(JobsStreamTest, AListThatWasCutGoesOnWhereItWas) {
  for (int i = 0; i < 150; ++i) Make("j" + std::to_string(100 + i));
  Call& first = Start();
  for (int i = 0; i < 121; ++i) {
    WaitUntilQuiet();
    Take(first);
  }
  const std::string last = first.sink.written[120];
  EXPECT_EQ(last, "j130 QUEUED 1");
  const std::string token = first.sink.tokens[120];
  Cut(first);
  Call& second = Start({}, token);
  const std::vector<std::string> told = Read(second);
  ASSERT_THAT(told, SizeIs(31));
  EXPECT_EQ(told.front(), "j129 QUEUED 1");
  EXPECT_EQ(told.back(), "listed");
}

TEST_F(JobsStreamTest, APositionThatIsTooOldBeginsWithTheListAgain) {
  for (int i = 0; i < 5; ++i) Make("j" + std::to_string(i), v1::JOB_STATE_SUCCEEDED);
  Call& first = Start();
  Read(first);
  Cut(first);
  Make("j5");
  here_->ledger.Prune({.finished_before = clock_.WallNow() + std::chrono::seconds(1),
                       .untouched_since = {},
                       .limit = 9},
                      [](const auto& pruned) { EXPECT_EQ(pruned.value(), 5u); });
  Call& second = Start({}, first.sink.token);
  EXPECT_THAT(Read(second), ElementsAre("restart", "j5 QUEUED 1", "listed"));
}

TEST_F(JobsStreamTest, APositionOfAnotherStoreBeginsWithTheListAgain) {
  Make("j1");
  const std::string foreign = TextOf(
      {.filter_hash = "01234567", .position = "other.1", .listing = false, .last_job_id = {}});
  Call& call = Start({}, foreign);
  EXPECT_THAT(Read(call), ElementsAre("restart", "j1 QUEUED 1", "listed"));
  Change("j1", v1::JOB_STATE_RUNNING);
  EXPECT_THAT(Read(call), ElementsAre("j1 RUNNING 2"));
}

TEST_F(JobsStreamTest, AfterARestartAStreamGoesOnFromAToken) {
  Make("j1");
  Call& first = Start();
  Read(first);
  Change("j1", v1::JOB_STATE_RUNNING);
  Read(first);
  Cut(first);
  there_ = std::make_unique<Process>(store_, clock_);  // another one of the same store
  std::swap(here_, there_);
  Change("j1", v1::JOB_STATE_SUCCEEDED);
  Call& second = Start({}, first.sink.token);
  EXPECT_THAT(Read(second), ElementsAre("j1 SUCCEEDED 3"));
}

TEST_F(JobsStreamTest, ChangesOfAnotherProcessAreToldWithinTheFeedsInterval) {
  there_ = std::make_unique<Process>(store_, clock_);
  Make("j1");
  Call& call = Start();
  Read(call);
  Change("j1", v1::JOB_STATE_RUNNING, false, there_.get());
  Make("j2", v1::JOB_STATE_QUEUED, {}, there_.get());
  EXPECT_THAT(Read(call), IsEmpty());
  Advance(limits::kFeedInterval);
  EXPECT_THAT(Read(call), UnorderedElementsAre("j1 RUNNING 2", "j2 QUEUED 1"));
  EXPECT_EQ(here_->hub.Find("default", "j1")->revision, 2) << "and its watchers know as well";
}

TEST_F(JobsStreamTest, WhatThisProcessWritesIsNotReadAgain) {
  Make("j1");
  Make("j2");
  Call& call = Start();
  Read(call);
  const int before = store_.finds;
  Change("j1", v1::JOB_STATE_RUNNING);
  Change("j2", v1::JOB_STATE_QUEUED, /*hidden=*/true);
  Advance(limits::kFeedInterval);
  EXPECT_THAT(Read(call), ElementsAre("j1 RUNNING 2")) << "once";
  EXPECT_EQ(store_.finds, before);
}

TEST_F(JobsStreamTest, ThePositionGoesOnOnlyWhenAllBeforeItIsTold) {
  for (const char* id : {"j1", "j2", "j3"}) Make(id);
  Call& call = Start();
  Read(call);
  for (const char* id : {"j1", "j2", "j3"}) Change(id, v1::JOB_STATE_RUNNING);
  Advance(limits::kFeedInterval);  // the follower has read all three, and j3 is not told
  Take(call);
  EXPECT_EQ(call.sink.written.back(), "j2 RUNNING 2");
  const std::string token = call.sink.token;
  Cut(call);
  Call& again = Start({}, token);
  EXPECT_THAT(Read(again), Contains("j3 RUNNING 2"));
}

TEST_F(JobsStreamTest, NobodyReadsTheFeedForNobody) {
  Call& call = Start();
  Read(call);
  Advance(seconds(1));
  const int before = store_.feed_reads;
  EXPECT_GT(before, 2);
  Cut(call);
  Advance(seconds(5));
  EXPECT_EQ(store_.feed_reads, before);
  EXPECT_EQ(here_->follower.readers(), 0u);
}

TEST_F(JobsStreamTest, AQuietStreamBeatsAndThePositionIsNewInIt) {
  Call& call = Start({.labels = {{"batch", "a"}}});
  Read(call);
  const std::string before = call.sink.token;
  Make("other");
  Advance(limits::kHeartbeatInterval + seconds(1));
  EXPECT_THAT(Read(call), ElementsAre("beat"));
  EXPECT_NE(call.sink.token, before) << "what it need not be told is not read again";
}

TEST_F(JobsStreamTest, ABeatSaysThatTheStoreIsAwayForAsLongAsItIs) {
  Call& call = Start();
  Read(call);
  away_ = true;
  Advance(limits::kHeartbeatInterval + seconds(1));
  EXPECT_THAT(Read(call), ElementsAre("away beat"));
  away_ = false;
  Advance(limits::kHeartbeatInterval + seconds(1));
  EXPECT_THAT(Read(call), ElementsAre("beat"));
}

TEST_F(JobsStreamTest, ABeatBeforeTheListIsNothingToGoOnFrom) {
  store_.holding = store_.holding_end = true;
  Call& call = Start();
  Advance(limits::kHeartbeatInterval + seconds(1));
  WaitUntilQuiet();
  ASSERT_THAT(call.sink.Written(), ElementsAre("beat"));
  EXPECT_EQ(call.sink.token, "") << "a call with it begins with the list";
  store_.Release();
}

TEST_F(JobsStreamTest, ARecordThatCallersHaveNotSeenIsNotGone) {
  Make("j1");
  store_.holding = true;
  Call& call = Start();
  Take(call);  // "list"
  for (const auto submission : {SubmissionState::kSending, SubmissionState::kRejected}) {
    JobRecord record = test::RecordOf(
        submission, submission == SubmissionState::kSending ? "s1" : "s2", clock_.WallNow());
    record.job.request_id = record.job.job_id;
    here_->ledger.Begin(record, [](const auto& begun) { EXPECT_TRUE(begun.ok()); });
  }
  store_.Release();
  EXPECT_THAT(Read(call),
              AllOf(Contains("j1 QUEUED 1"), Not(Contains("gone s1")), Not(Contains("gone s2"))));
}

TEST_F(JobsStreamTest, ADrainEndsItAsAWatch) {
  Call& call = Start();
  Read(call);
  wheel_.EndAll([] { return errors::Draining(seconds(1)); }, seconds(0));
  Advance(seconds(1));
  EXPECT_TRUE(call.sink.finished);
  EXPECT_EQ(errors::Reason(call.sink.status), "DRAINING");
  EXPECT_EQ(here_->follower.readers(), 0u);
}

TEST_F(JobsStreamTest, AnOldOneEndsToComeBack) {
  life_ = seconds(60);
  Call& call = Start();
  Read(call);
  for (int i = 0; i < 62; ++i) {
    Advance(seconds(1));
    Read(call);
  }
  EXPECT_TRUE(call.sink.finished);
  EXPECT_EQ(errors::Reason(call.sink.status), "DRAINING") << call.sink.status;
}

// Something is always being written to it, so that no tick finds it quiet.
TEST_F(JobsStreamTest, ASlowReaderDoesNotOutliveItsTime) {
  life_ = seconds(60);
  for (const char* id : {"j1", "j2"}) Make(id);
  Call& call = Start();
  Read(call);
  for (int i = 0; i < 60; ++i) {
    ASSERT_FALSE(call.sink.finished) << i;
    for (const char* id : {"j1", "j2"}) Change(id, v1::JOB_STATE_RUNNING);
    if (i > 0) Take(call);
    ASSERT_TRUE(call.sink.writing) << i;
    Advance(seconds(1));
  }
  Take(call);
  EXPECT_TRUE(call.sink.finished);
  EXPECT_EQ(errors::Reason(call.sink.status), "DRAINING") << call.sink.status;
}

TEST_F(JobsStreamTest, WhatALostReaderHasMissedIsReadFromTheStore) {
  Make("j1");
  Call& call = Start();
  Read(call);
  store_.holding = true;
  call.stream->OnLost();
  for (const char* id : {"j1", "j1"}) Change(id, v1::JOB_STATE_RUNNING);
  Make("j2");
  EXPECT_THAT(Read(call), IsEmpty());
  store_.Release();
  EXPECT_THAT(Read(call), UnorderedElementsAre("j1 RUNNING 3", "j2 QUEUED 1"));
  EXPECT_EQ(here_->follower.readers(), 1u);
}

TEST_F(JobsStreamTest, IdsAreResumedWhereTheyWere) {
  for (const char* id : {"j1", "j2", "j3"}) Make(id);
  Call& first = Start({}, "", {"j1", "p-j2"});
  Read(first);
  Change("j1", v1::JOB_STATE_RUNNING);
  Read(first);
  Cut(first);
  for (const char* id : {"j2", "j3"}) Change(id, v1::JOB_STATE_SUCCEEDED);
  Call& second = Start({}, first.sink.token, {"j1", "p-j2"});
  EXPECT_THAT(Read(second), AllOf(Contains("j2 SUCCEEDED 2"), Not(Contains("j3 SUCCEEDED 2")),
                                  Not(Contains("list"))));
  Change("j1", v1::JOB_STATE_FAILED);
  EXPECT_THAT(Read(second), ElementsAre("j1 FAILED 3"));
}

// The list is cut in its middle: ids are looked at anew.
TEST_F(JobsStreamTest, AListOfIdsThatWasCutBeginsAgain) {
  for (const char* id : {"j1", "j2"}) Make(id);
  Call& first = Start({}, "", {"j1", "j2", "p-j9"});
  for (int i = 0; i < 2; ++i) Take(first);
  const std::string token = first.sink.token;
  Cut(first);
  Call& second = Start({}, token, {"j1", "j2", "p-j9"});
  EXPECT_THAT(Read(second),
              ElementsAre("list", "j1 QUEUED 1", "j2 QUEUED 1", "gone p-j9", "listed"));
}

// An earlier stream has told the job by the gateway's id, so that is what must be told as gone.
TEST_F(JobsStreamTest, AJobNamedByPictorysIdIsGoneByOursToo) {
  for (const char* id : {"j1", "j2"}) Make(id, v1::JOB_STATE_SUCCEEDED);
  Call& first = Start({}, "", {"p-j1", "p-j2"});
  EXPECT_THAT(Read(first), ElementsAre("list", "j1 SUCCEEDED 1", "j2 SUCCEEDED 1", "listed"));
  Cut(first);
  Delete("j1");
  Call& second = Start({}, first.sink.token, {"p-j1", "p-j2"});
  EXPECT_THAT(Read(second), AllOf(Contains("gone j1"), Contains("gone p-j1")));
  Make("j3", v1::JOB_STATE_SUCCEEDED);
  Delete("j3");
  Advance(limits::kFeedInterval);
  EXPECT_THAT(Read(second), IsEmpty()) << "once it is live it knows whose ids they are";
}

TEST_F(JobsStreamTest, AReaderThatTakesNothingIsCutOff) {
  Make("j1");
  Call& call = Start();
  ASSERT_TRUE(call.sink.writing);
  Advance(limits::kHeartbeatInterval + limits::kWriteStuckAfter + seconds(2));
  EXPECT_EQ(call.sink.cancels, 1);
}

TEST_F(JobsStreamTest, FullResultsAreToldOfJobsThatSucceedAndNotInLists) {
  full_ = true;
  Make("j1");
  Make("j2", v1::JOB_STATE_SUCCEEDED);
  Call& call = Start();
  EXPECT_THAT(Read(call), ElementsAre("list", "j2 SUCCEEDED 1", "j1 QUEUED 1", "listed"));
  Change("j1", v1::JOB_STATE_RUNNING);
  Change("j1", v1::JOB_STATE_SUCCEEDED);
  EXPECT_THAT(Read(call), ElementsAre("j1 RUNNING 2", "full j1 SUCCEEDED 3"));
}

TEST_F(JobsStreamTest, AStoreThatFailsEndsTheStream) {
  store_.Close();
  Call& call = Start();
  EXPECT_TRUE(call.sink.finished);
  EXPECT_TRUE(absl::IsUnavailable(call.sink.status)) << call.sink.status;
}

}  // namespace
}  // namespace gateway::watch
