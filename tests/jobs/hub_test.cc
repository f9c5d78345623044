#include "jobs/hub.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "base/errors.h"
#include "rpc/fake_store.h"

namespace gateway::jobs {
namespace {

using test::FakeStore;
using test::MakeJob;
using test::MakeRecord;
using ::testing::ElementsAre;

class Recorder final : public Watcher {
 public:
  void OnSnapshot(const SnapshotPtr& snapshot) override {
    MutexLock lock(mutex_);
    revisions_.push_back(snapshot->revision);
  }
  void OnGone() override {
    MutexLock lock(mutex_);
    gone_ = true;
  }
  bool gone() {
    MutexLock lock(mutex_);
    return gone_;
  }
  std::vector<std::int32_t> revisions() {
    MutexLock lock(mutex_);
    return revisions_;
  }

 private:
  Mutex mutex_;
  std::vector<std::int32_t> revisions_;
  bool gone_ = false;
};

class HubTest : public ::testing::Test {
 protected:
  absl::StatusOr<SnapshotPtr> Load(const std::string& name) {
    absl::StatusOr<SnapshotPtr> answer = absl::UnknownError("not answered");
    hub_.Load("default", name, [&answer](absl::StatusOr<SnapshotPtr> a) { answer = std::move(a); });
    return answer;
  }

  FakeStore store_;
  WorkThread broadcaster_{"watchers", WorkThread::Rest::kDropped};
  Hub hub_{HubOptions{.finished_max = 32, .finished_max_bytes = limits::kMiB}, store_,
           broadcaster_};
};

TEST_F(HubTest, FindsByEitherIdAndOnlyForTheTenant) {
  hub_.Publish(MakeJob("j1", v1::JOB_STATE_QUEUED, 1));
  ASSERT_NE(hub_.Find("default", "j1"), nullptr);
  EXPECT_EQ(hub_.Find("default", "pictory-j1")->job_id(), "j1");
  EXPECT_EQ(hub_.Find("other", "j1"), nullptr);
  EXPECT_EQ(hub_.Find("other", "pictory-j1"), nullptr);
}

TEST_F(HubTest, OnlyAHigherRevisionReplaces) {
  hub_.Publish(MakeJob("j1", v1::JOB_STATE_RUNNING, 3));
  EXPECT_EQ(hub_.Publish(MakeJob("j1", v1::JOB_STATE_QUEUED, 2))->revision, 3);
  EXPECT_EQ(hub_.Publish(MakeJob("j1", v1::JOB_STATE_QUEUED, 3))->state, v1::JOB_STATE_RUNNING);
  EXPECT_EQ(hub_.Publish(MakeJob("j1", v1::JOB_STATE_RUNNING, 4))->revision, 4);
  EXPECT_EQ(hub_.Find("default", "j1")->revision, 4);
}

TEST_F(HubTest, NobodyIsGivenAnOlderStateBecauseTheStoreIsAway) {
  hub_.SetCurrent([](const Snapshot&) { return false; });
  hub_.Publish(MakeJob("j1", v1::JOB_STATE_RUNNING, 3));
  store_.FailWith(errors::StoreAway(std::chrono::seconds(1)));
  for (const std::int32_t revision : {0, 3, 4}) {
    absl::StatusOr<SnapshotPtr> answer = absl::UnknownError("not answered");
    hub_.Load(
        "default", "j1", [&answer](absl::StatusOr<SnapshotPtr> a) { answer = std::move(a); },
        revision);
    EXPECT_EQ(answer.ok(), revision <= 3) << revision;
    EXPECT_EQ(errors::Reason(answer.status()), revision <= 3 ? "" : "STORE_AWAY");
  }
}

TEST_F(HubTest, FinishedJobsAreForgottenLeastRecentlyUsedFirstUnfinishedNever) {
  for (int i = 0; i < 100; ++i)
    hub_.Publish(MakeJob("u" + std::to_string(i), v1::JOB_STATE_QUEUED, 1));
  for (int i = 0; i < 1000; ++i) {
    hub_.Publish(MakeJob("f" + std::to_string(i), v1::JOB_STATE_FAILED, 1));
  }
  EXPECT_EQ(hub_.unfinished(), 100u);
  EXPECT_LE(hub_.finished_cached(), 32u);
  EXPECT_GT(hub_.finished_cached(), 0u);
  EXPECT_EQ(hub_.Find("default", "f0"), nullptr);
  EXPECT_EQ(hub_.Find("default", "pictory-f0"), nullptr);
  EXPECT_NE(hub_.Find("default", "f999"), nullptr);
  EXPECT_NE(hub_.Find("default", "u0"), nullptr);
}

TEST_F(HubTest, FinishedJobsAreBoundedInBytesToo) {
  for (int i = 0; i < 64; ++i) {
    Job job = MakeJob("f" + std::to_string(i), v1::JOB_STATE_SUCCEEDED, 1);
    v1::Job result;
    result.mutable_transcription()->set_txt(std::string(60'000, 'x'));
    job.result_wire = result.SerializeAsString();
    hub_.Publish(std::move(job));
  }
  EXPECT_LE(hub_.finished_cached(), 16u);  // one a shard: 1 MiB holds no two of them in a sixteenth
}

TEST_F(HubTest, LoadAsksTheStoreOnceForAllWhoAskAtOnce) {
  store_.Put(MakeRecord(MakeJob("j1", v1::JOB_STATE_FAILED, 4)));
  store_.Hold();
  int answers = 0;
  for (int i = 0; i < 5; ++i) {
    hub_.Load("default", "j1", [&answers](absl::StatusOr<SnapshotPtr> answer) {
      ASSERT_TRUE(answer.ok());
      EXPECT_EQ((*answer)->revision, 4);
      ++answers;
    });
  }
  EXPECT_EQ(answers, 0);
  store_.Release();
  EXPECT_EQ(answers, 5);
  EXPECT_EQ(store_.finds(), 1);
  EXPECT_TRUE(Load("j1").ok());
  EXPECT_EQ(store_.finds(), 1);
}

TEST_F(HubTest, LoadSaysNotFoundAndPassesFailuresOn) {
  const auto missing = Load("nobody");
  EXPECT_EQ(missing.status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(errors::Reason(missing.status()), "JOB_NOT_FOUND");
  store_.FailWith(errors::StoreFailed("disk"));
  EXPECT_EQ(Load("nobody").status().code(), absl::StatusCode::kInternal);
}

TEST_F(HubTest, AnOldAnswerOfTheStoreDoesNotReplaceWhatCameMeanwhile) {
  store_.Put(MakeRecord(MakeJob("j1", v1::JOB_STATE_QUEUED, 1)));
  store_.Hold();
  SnapshotPtr loaded;
  hub_.Load("default", "j1", [&](absl::StatusOr<SnapshotPtr> answer) { loaded = *answer; });
  hub_.Publish(MakeJob("j1", v1::JOB_STATE_RUNNING, 2));
  store_.Release();
  EXPECT_EQ(loaded->revision, 2);
}

TEST_F(HubTest, AJobPublishedWhileTheStoreFoundNothingIsFound) {
  store_.Hold();
  SnapshotPtr loaded;
  hub_.Load("default", "j1", [&](absl::StatusOr<SnapshotPtr> answer) { loaded = *answer; });
  hub_.Publish(MakeJob("j1", v1::JOB_STATE_QUEUED, 1));
  store_.Release();
  ASSERT_NE(loaded, nullptr);
}

TEST_F(HubTest, AForgottenJobDoesNotComeBackByALoadUnderWay) {
  store_.Put(MakeRecord(MakeJob("j1", v1::JOB_STATE_FAILED, 1)));
  store_.Hold();
  absl::Status answer;
  hub_.Load("default", "pictory-j1", [&](absl::StatusOr<SnapshotPtr> a) { answer = a.status(); });
  store_.Remove("default", "j1");
  hub_.Forget("default", "j1");
  store_.Release();
  EXPECT_EQ(answer.code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(hub_.Find("default", "j1"), nullptr);
}

TEST_F(HubTest, ALoadThatReadAJobBeforeAnotherTookItOverFindsTheOther) {
  store_.Put(MakeRecord(MakeJob("j1", v1::JOB_STATE_RUNNING, 1)));
  store_.Hold();
  absl::StatusOr<SnapshotPtr> loaded;
  hub_.Load("default", "pictory-j1", [&](absl::StatusOr<SnapshotPtr> answer) { loaded = answer; });
  Job other = MakeJob("j2", v1::JOB_STATE_RUNNING, 2);
  other.pictory_job_id = "pictory-j1";
  store_.Remove("default", "j1");
  store_.Put(MakeRecord(other));
  hub_.Forget("default", "j1");
  store_.Release();
  ASSERT_TRUE(loaded.ok()) << loaded.status();
  EXPECT_EQ((*loaded)->job_id(), "j2");
  EXPECT_EQ(hub_.Find("default", "j1"), nullptr);
}

TEST_F(HubTest, ForgetRemovesBothNames) {
  hub_.Publish(MakeJob("j1", v1::JOB_STATE_FAILED, 1));
  hub_.Forget("default", "j1");
  EXPECT_EQ(hub_.Find("default", "j1"), nullptr);
  EXPECT_EQ(hub_.Find("default", "pictory-j1"), nullptr);
  EXPECT_EQ(hub_.finished_cached(), 0u);
}

TEST_F(HubTest, WatchersHearOfWhatComesAndNotAfterTheyLeft) {
  hub_.Publish(MakeJob("j1", v1::JOB_STATE_QUEUED, 1));
  auto watcher = std::make_shared<Recorder>();
  {
    Hub::Subscribed subscribed = hub_.Subscribe("default", "j1", watcher);
    EXPECT_EQ(subscribed.present->revision, 1);
    EXPECT_EQ(hub_.watchers(), 1u);
    hub_.Publish(MakeJob("j1", v1::JOB_STATE_RUNNING, 2));
    broadcaster_.WaitIdle();
    hub_.Publish(MakeJob("j1", v1::JOB_STATE_QUEUED, 1));
    broadcaster_.WaitIdle();
  }
  EXPECT_EQ(hub_.watchers(), 0u);
  hub_.Publish(MakeJob("j1", v1::JOB_STATE_FAILED, 3));
  broadcaster_.WaitIdle();
  EXPECT_THAT(watcher->revisions(), ElementsAre(2));
}

TEST_F(HubTest, SubscribingToAJobThatIsNotHereSubscribesNothing) {
  auto watcher = std::make_shared<Recorder>();
  EXPECT_EQ(hub_.Subscribe("default", "j1", watcher).present, nullptr);
  EXPECT_EQ(hub_.watchers(), 0u);
}

TEST_F(HubTest, EveryOneOfManyWatchersHearsTheLastState) {
  hub_.Publish(MakeJob("j1", v1::JOB_STATE_QUEUED, 1));
  std::vector<std::shared_ptr<Recorder>> watchers;
  std::vector<Hub::Subscribed> subscriptions;
  for (int i = 0; i < 3000; ++i) {
    watchers.push_back(std::make_shared<Recorder>());
    subscriptions.push_back(hub_.Subscribe("default", "j1", watchers.back()));
  }
  for (int revision = 2; revision <= 50; ++revision) {
    hub_.Publish(MakeJob("j1", v1::JOB_STATE_RUNNING, revision));
    subscriptions[static_cast<std::size_t>(revision)].subscription.Reset();
  }
  hub_.Publish(MakeJob("j1", v1::JOB_STATE_FAILED, 51));
  broadcaster_.WaitIdle();
  for (std::size_t i = 51; i < watchers.size(); ++i) {
    ASSERT_FALSE(watchers[i]->revisions().empty());
    ASSERT_EQ(watchers[i]->revisions().back(), 51);
  }
}

TEST_F(HubTest, WatchersOfAJobThatIsForgottenAreToldItsNewestStateAndThatItIsGone) {
  hub_.Publish(MakeJob("j1", v1::JOB_STATE_QUEUED, 1));
  auto watcher = std::make_shared<Recorder>();
  const Hub::Subscribed subscribed = hub_.Subscribe("default", "j1", watcher);
  hub_.Publish(MakeJob("j1", v1::JOB_STATE_RUNNING, 2));
  hub_.Forget("default", "j1");
  hub_.Publish(MakeJob("j1", v1::JOB_STATE_RUNNING, 3));
  broadcaster_.WaitIdle();
  EXPECT_EQ(watcher->revisions().back(), 2);
  EXPECT_TRUE(watcher->gone());
}

TEST_F(HubTest, WatchersOfOneConnectionAreToldOneAfterTheOther) {
  class Named final : public Watcher {
   public:
    Named(std::string name, std::vector<std::string>& told) : name_(std::move(name)), told_(told) {}
    void OnSnapshot(const SnapshotPtr&) override { told_.push_back(name_); }
    void OnGone() override {}

   private:
    const std::string name_;
    std::vector<std::string>& told_;
  };
  std::vector<std::string> told;
  std::vector<std::shared_ptr<Named>> watchers;
  std::vector<Hub::Subscribed> subscriptions;
  hub_.Publish(MakeJob("j1", v1::JOB_STATE_QUEUED, 1));
  for (const auto& [name, connection] :
       {std::pair("a1", 7), {"b1", 5}, {"a2", 7}, {"b2", 5}, {"a3", 7}}) {
    watchers.push_back(std::make_shared<Named>(name, told));
    subscriptions.push_back(hub_.Subscribe("default", "j1", watchers.back(), connection));
  }
  subscriptions[2].subscription.Reset();
  hub_.Publish(MakeJob("j1", v1::JOB_STATE_RUNNING, 2));
  broadcaster_.WaitIdle();
  EXPECT_THAT(told, ElementsAre("b1", "b2", "a1", "a3"));
}

// A watcher that stops the broadcaster's thread until the test lets it go.
class Gate final : public Watcher {
 public:
  void OnSnapshot(const SnapshotPtr&) override {
    std::unique_lock<Mutex> lock(mutex_);
    entered_ = true;
    changed_.notify_all();
    changed_.wait(lock, [this] { return open_; });
  }
  void AwaitEntered() {
    std::unique_lock<Mutex> lock(mutex_);
    changed_.wait(lock, [this] { return entered_; });
  }
  void Open() {
    MutexLock lock(mutex_);
    open_ = true;
    changed_.notify_all();
  }
  void OnGone() override {}

 private:
  Mutex mutex_;
  CondVar changed_;
  bool entered_ = false;
  bool open_ = false;
};

TEST_F(HubTest, ACrowdedJobDoesNotHoldUpAnother) {
  hub_.Publish(MakeJob("gate", v1::JOB_STATE_QUEUED, 1));
  hub_.Publish(MakeJob("crowded", v1::JOB_STATE_QUEUED, 1));
  hub_.Publish(MakeJob("quiet", v1::JOB_STATE_QUEUED, 1));
  auto gate = std::make_shared<Gate>();
  auto quiet = std::make_shared<Recorder>();
  std::vector<std::shared_ptr<Recorder>> crowd;
  std::vector<Hub::Subscribed> subscriptions;
  subscriptions.push_back(hub_.Subscribe("default", "gate", gate));
  for (int i = 0; i < 2000; ++i) {
    crowd.push_back(std::make_shared<Recorder>());
    subscriptions.push_back(hub_.Subscribe("default", "crowded", crowd.back()));
  }
  // The quiet job's watcher notes how many of the crowd had been told before it.
  class Counter final : public Watcher {
   public:
    explicit Counter(const std::vector<std::shared_ptr<Recorder>>& all) : all_(all) {}
    void OnSnapshot(const SnapshotPtr&) override {
      for (const auto& one : all_) told_before += one->revisions().empty() ? 0 : 1;
    }
    void OnGone() override {}
    int told_before = 0;

   private:
    const std::vector<std::shared_ptr<Recorder>>& all_;
  };
  auto counter = std::make_shared<Counter>(crowd);
  subscriptions.push_back(hub_.Subscribe("default", "quiet", counter));

  hub_.Publish(MakeJob("gate", v1::JOB_STATE_RUNNING, 2));
  gate->AwaitEntered();
  hub_.Publish(MakeJob("crowded", v1::JOB_STATE_RUNNING, 2));
  hub_.Publish(MakeJob("quiet", v1::JOB_STATE_RUNNING, 2));
  gate->Open();
  broadcaster_.WaitIdle();
  EXPECT_GT(counter->told_before, 0);
  EXPECT_LE(counter->told_before, 256);
  EXPECT_FALSE(crowd.back()->revisions().empty());
}

TEST(HubWatchersChangedTest, TheLastCountIsRightHoweverJoinsAndLeavesInterleave) {
  FakeStore store;
  WorkThread broadcaster{"watchers", WorkThread::Rest::kDropped};
  Hub hub(HubOptions{}, store, broadcaster);
  Mutex mutex;
  std::map<std::string, std::size_t> counts;
  hub.SetWatchersChanged(
      [&](const std::string& tenant, const std::string& job_id, std::size_t count) {
        MutexLock lock(mutex);
        EXPECT_EQ(tenant, "default");
        counts[job_id] = count;
      });
  hub.Publish(MakeJob("j1", v1::JOB_STATE_QUEUED, 1));
  auto watcher = std::make_shared<Recorder>();
  std::vector<std::thread> threads;
  std::array<std::vector<Hub::Subscribed>, 4> kept;
  for (std::size_t t = 0; t < kept.size(); ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 500; ++i) {
        Hub::Subscribed subscribed = hub.Subscribe("default", "j1", watcher);
        if (i % 100 == 0) kept[t].push_back(std::move(subscribed));
      }
    });
  }
  for (auto& thread : threads) thread.join();
  broadcaster.WaitIdle();
  {
    MutexLock lock(mutex);
    EXPECT_EQ(counts["j1"], 20u);
  }
  for (auto& list : kept) list.clear();
  broadcaster.WaitIdle();
  MutexLock lock(mutex);
  EXPECT_EQ(counts["j1"], 0u);
}

TEST(HubLifeTest, ASubscriptionMayOutliveTheHub) {
  FakeStore store;
  WorkThread broadcaster{"watchers", WorkThread::Rest::kDropped};
  auto watcher = std::make_shared<Recorder>();
  Hub::Subscribed subscribed;
  {
    Hub hub(HubOptions{}, store, broadcaster);
    hub.Publish(MakeJob("j1", v1::JOB_STATE_QUEUED, 1));
    subscribed = hub.Subscribe("default", "j1", watcher);
    hub.Publish(MakeJob("j1", v1::JOB_STATE_QUEUED, 2));
  }
  broadcaster.WaitIdle();
  subscribed.subscription.Reset();
  EXPECT_THAT(watcher->revisions(), ElementsAre(2));
}

// A tenant that was moved to another account has jobs of both, whose ids may be equal.
TEST_F(HubTest, OfTwoJobsWithOnePictoryIdTheNewerIsFound) {
  Job older = MakeJob("a1", v1::JOB_STATE_RUNNING, 1);
  older.account = "east";
  older.pictory_job_id = "p-1";
  Job newer = MakeJob("b1", v1::JOB_STATE_RUNNING, 1);
  newer.account = "west";
  newer.pictory_job_id = "p-1";
  hub_.Publish(older);
  hub_.Publish(newer);
  EXPECT_EQ(hub_.Find("default", "p-1")->job_id(), "b1");
  ++older.revision;
  hub_.Publish(older);
  EXPECT_EQ(hub_.Find("default", "p-1")->job_id(), "b1") << "as in the store";
  EXPECT_EQ(hub_.Find("default", "a1")->revision, 2);
  hub_.Forget("default", "a1");
  EXPECT_EQ(hub_.Find("default", "p-1")->job_id(), "b1");
}

}  // namespace
}  // namespace gateway::jobs
