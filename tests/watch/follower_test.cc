// Who is told what by the Follower, and what it holds for those who are slow.
#include "watch/follower.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "jobs/ledger.h"
#include "store/memory_job_store.h"
#include "support/fake_clock.h"
#include "support/records.h"

namespace gateway::watch {
namespace {

using jobs::JobRecord;
using jobs::SubmissionState;
namespace v1 = jobs::v1;
using ::testing::ElementsAre;

// Writes down what it is told.
class Reader final : public FeedReader {
 public:
  void OnChange(const JobChangePtr& change) override {
    if (on_change) on_change();
    told.push_back((change->gone ? "gone " : "") + change->job_id);
  }
  void OnPosition(const FeedPositionPtr&) override { ++positions; }
  void OnLost() override { told.emplace_back("lost"); }

  std::function<void()> on_change;  // inside the call
  std::vector<std::string> told;
  int positions = 0;
};

// Its answers to Find may come when the test says so.
class SlowStore final : public store::MemoryJobStore {
 public:
  void Find(std::string tenant, std::string name,
            Callback<std::optional<JobRecord>> done) override {
    if (!holding) return MemoryJobStore::Find(std::move(tenant), std::move(name), std::move(done));
    MemoryJobStore::Find(std::move(tenant), std::move(name),
                         [this, done = std::move(done)](const auto& found) {
                           held.push_back([done, found] { done(found); });
                         });
  }
  bool holding = false;
  std::vector<std::function<void()>> held;
};

class FollowerTest : public ::testing::Test {
 protected:
  void SetUp() override {
    clock_.SettleBeforeMoving([this] { TellAll(); });
    ledger_.Observe([this](const JobRecord& record, const jobs::SnapshotPtr& seen) {
      follower_.OnChange(record, seen);
    });
  }
  Follower::Following Follow(const std::shared_ptr<Reader>& reader, const std::string& tenant) {
    auto filter = std::make_shared<JobFilter>();
    filter->tenant = tenant;
    return follower_.Follow(filter, reader,
                            [](const absl::Status& begun) { EXPECT_TRUE(begun.ok()) << begun; });
  }
  JobRecord Make(const std::string& id, const std::string& tenant) {
    JobRecord record = test::RecordOf(SubmissionState::kAccepted, id, clock_.WallNow());
    record.job.tenant = tenant;
    record.job.request_id.clear();
    record.job.state = v1::JOB_STATE_SUCCEEDED;
    record.job.finish_time = clock_.WallNow();
    return record;
  }
  void Adopt(const JobRecord& record) {
    ledger_.Adopt(record, [](const auto& outcome) { EXPECT_TRUE(outcome.status.ok()); });
  }
  // A change of another process.
  void AdoptElsewhere(const JobRecord& record) {
    elsewhere_.Adopt(record, [](const auto& outcome) { EXPECT_TRUE(outcome.status.ok()); });
  }
  void Advance(Duration by) { clock_.Advance(by); }
  // Tells all that is to be told; nothing is told without it.
  void TellAll() {
    while (!slices_.empty()) {
      WorkThread::Slice slice = std::move(slices_.front());
      slices_.pop_front();
      if (slice()) slices_.push_back(std::move(slice));
    }
  }
  void Change(const std::string& id, const std::string& tenant) {
    const JobRecord record = Make(id, tenant);
    follower_.OnChange(record, jobs::MakeSnapshot(record.job));
  }
  void ChangeMany(std::size_t many, const std::string& tenant) {
    for (std::size_t i = 0; i < many; ++i) Change("c" + std::to_string(i), tenant);
  }

  test::FakeClock clock_;
  SlowStore store_;
  std::deque<WorkThread::Slice> slices_;
  WorkThread broadcaster_{[this](WorkThread::Slice slice) { slices_.push_back(std::move(slice)); }};
  jobs::Hub hub_{jobs::HubOptions{}, store_, broadcaster_};
  jobs::Hub other_hub_{jobs::HubOptions{}, store_, broadcaster_};
  Follower follower_{store_, hub_, clock_, clock_, broadcaster_};
  jobs::Ledger ledger_{store_, store_, hub_};
  jobs::Ledger elsewhere_{store_, store_, other_hub_};
};

TEST_F(FollowerTest, APositionIsToldSoonToThoseWhoWereToldOfAChangeAndSeldomToOthers) {
  const auto quiet = std::make_shared<Reader>(), busy = std::make_shared<Reader>();
  const Follower::Following one = Follow(quiet, "quiet"), other = Follow(busy, "busy");
  Advance(limits::kFeedPositionInterval + limits::kFeedInterval);
  EXPECT_EQ(quiet->positions, 0) << "nothing has happened in the store";
  Adopt(Make("j0", "busy"));
  Advance(limits::kFeedInterval);
  quiet->positions = busy->positions = 0;
  const int seconds = 20;
  for (int i = 0; i < seconds; ++i) {
    Adopt(Make("j" + std::to_string(1 + i), "busy"));
    Advance(std::chrono::seconds(1));
  }
  EXPECT_GE(busy->positions, seconds);
  EXPECT_GE(quiet->positions, 1);
  EXPECT_LE(quiet->positions, seconds / limits::kFeedPositionInterval.count() + 1);
}

TEST_F(FollowerTest, OneTenantsCrowdLosesNothingForOthers) {
  const auto crowd = std::make_shared<Reader>(), neighbour = std::make_shared<Reader>();
  const Follower::Following one = Follow(crowd, "crowd"), other = Follow(neighbour, "neighbour");
  ChangeMany(limits::kFeedBacklogOfTenantMax, "crowd");
  EXPECT_EQ(follower_.readers(), 2u);
  Change("one more", "crowd");
  EXPECT_EQ(follower_.readers(), 1u);
  ChangeMany(limits::kFeedBacklogMax, "crowd");
  Change("n", "neighbour");
  TellAll();
  EXPECT_THAT(neighbour->told, ElementsAre("n"));
  EXPECT_THAT(crowd->told, ElementsAre("lost"));
}

TEST_F(FollowerTest, WhenAllOfItIsTakenTheTenantWithTheMostGivesWay) {
  std::vector<std::shared_ptr<Reader>> crowds;
  std::vector<Follower::Following> following;
  const auto follow = [&](const std::string& tenant) {
    crowds.push_back(std::make_shared<Reader>());
    following.push_back(Follow(crowds.back(), tenant));
  };
  const std::size_t tenants = 8, each = limits::kFeedBacklogMax / tenants;
  for (std::size_t i = 0; i < tenants; ++i) follow("crowd" + std::to_string(i));
  follow("neighbour");
  for (std::size_t i = 0; i < tenants; ++i) {
    const bool most = i == 5, least = i == 0;
    ChangeMany(most ? each + 1 : least ? each - 1 : each, "crowd" + std::to_string(i));
  }
  EXPECT_EQ(follower_.readers(), tenants + 1);
  Change("n", "neighbour");
  TellAll();
  EXPECT_THAT(crowds.back()->told, ElementsAre("n"));
  for (std::size_t i = 0; i < tenants; ++i) {
    EXPECT_EQ(crowds[i]->told.back() == "lost", i == 5) << i;
  }
}

TEST_F(FollowerTest, TenantsTakeTurns) {
  const auto crowd = std::make_shared<Reader>(), neighbour = std::make_shared<Reader>();
  const Follower::Following one = Follow(crowd, "crowd"), other = Follow(neighbour, "neighbour");
  std::size_t before = 0;
  neighbour->on_change = [&] { before = crowd->told.size(); };
  ChangeMany(10'000, "crowd");
  Change("n", "neighbour");
  TellAll();
  EXPECT_EQ(crowd->told.size(), 10'000u);
  EXPECT_LE(before, limits::kWatchersTurnMax);
}

// A reader that is not told yet that it is lost is still told so when its tenant's line is dropped
// once more.
TEST_F(FollowerTest, WhoIsLostIsToldSoOnceEvenIfOthersAreLostMeanwhile) {
  const auto first = std::make_shared<Reader>(), second = std::make_shared<Reader>();
  const Follower::Following one = Follow(first, "crowd");
  ChangeMany(limits::kFeedBacklogOfTenantMax + 1, "crowd");
  EXPECT_EQ(follower_.readers(), 0u);
  const Follower::Following other = Follow(second, "crowd");
  ChangeMany(limits::kFeedBacklogOfTenantMax + 1, "crowd");
  EXPECT_EQ(follower_.readers(), 0u);
  TellAll();
  EXPECT_THAT(first->told, ElementsAre("lost"));
  EXPECT_THAT(second->told, ElementsAre("lost"));
}

TEST_F(FollowerTest, AFeedThatDoesNotGoBackFarEnoughLosesAll) {
  store::MemoryJobStore small(1);
  jobs::Hub hub(jobs::HubOptions{}, small, broadcaster_);
  Follower follower(small, hub, clock_, clock_, broadcaster_);
  jobs::Ledger ledger(small, small, hub);
  const auto one = std::make_shared<Reader>(), other = std::make_shared<Reader>();
  std::vector<Follower::Following> following;
  for (const auto& [reader, tenant] : {std::pair{one, "a"}, std::pair{other, "b"}}) {
    auto filter = std::make_shared<JobFilter>();
    filter->tenant = tenant;
    following.push_back(follower.Follow(filter, reader, [](const absl::Status&) {}));
  }
  for (const char* const id : {"j1", "j2", "j3"}) {
    ledger.Adopt(Make(id, "a"), [](const auto& outcome) { EXPECT_TRUE(outcome.status.ok()); });
  }
  ledger.Prune({.finished_before = clock_.WallNow() + std::chrono::seconds(1),
                .untouched_since = {},
                .limit = 9},
               [](const auto& pruned) { EXPECT_EQ(pruned.value(), 3u); });
  Advance(limits::kFeedInterval);
  EXPECT_THAT(one->told, ElementsAre("lost"));
  EXPECT_THAT(other->told, ElementsAre("lost"));
  EXPECT_EQ(follower.readers(), 0u);
}

TEST_F(FollowerTest, AJobThatIsDeletedWhileItIsReadIsNotShownAgain) {
  const auto reader = std::make_shared<Reader>();
  const Follower::Following following = Follow(reader, "default");
  AdoptElsewhere(Make("j1", "default"));
  store_.holding = true;
  Advance(limits::kFeedInterval);
  ASSERT_EQ(store_.held.size(), 1u) << "it was read, and the answer is on its way";
  store_.holding = false;
  JobRecord record;
  store_.Find("default", "j1", [&](const auto& found) { record = found->value(); });
  record.submission = SubmissionState::kDeleted;
  ledger_.Delete(record, [](const auto& outcome) { EXPECT_TRUE(outcome.status.ok()); });
  store_.held.front()();
  EXPECT_EQ(hub_.Find("default", "j1"), nullptr);
  Advance(limits::kFeedInterval);
  EXPECT_THAT(reader->told, ElementsAre("gone j1"));
}

}  // namespace
}  // namespace gateway::watch
