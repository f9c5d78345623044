#include "store_suite.h"  // first, see there

#include <gmock/gmock.h>

#include <algorithm>

#include "base/limits.h"

namespace gateway::store {
namespace {

using jobs::JobRecord;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

class LeasesTest : public StoreSuite {
 protected:
  // The shards and epochs of all leases, in order.
  static std::vector<std::pair<std::int32_t, std::int64_t>> Held(const jobs::Holding& holding) {
    std::vector<std::pair<std::int32_t, std::int64_t>> held;
    for (const jobs::Lease& lease : holding.leases) held.emplace_back(lease.shard, lease.epoch);
    return held;
  }
};
INSTANTIATE_TEST_SUITE_P(Stores, LeasesTest, ::testing::ValuesIn(Backends()), BackendName);

TEST_P(LeasesTest, AProcessThatIsAloneHoldsAll) {
  ASSERT_TRUE(store_->Recover(At(1)).ok());
  const BootTime before = SystemClock().BootNow();
  const auto held = calls_.Renew();
  ASSERT_TRUE(held.ok()) << held.status();
  EXPECT_EQ(held->processes, 1);
  ASSERT_EQ(held->leases.size(), static_cast<std::size_t>(limits::kShards));
  for (std::int32_t shard = 0; shard < limits::kShards; ++shard) {
    EXPECT_EQ(held->leases[shard].shard, shard);
    EXPECT_GT(held->leases[shard].until, before);
  }
  const auto again = calls_.Renew();
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(Held(*again), Held(*held)) << "and goes on holding them";
  EXPECT_GE(again->leases[0].until, held->leases[0].until);
}

TEST_P(LeasesTest, TheNextProcessHasALaterEpoch) {
  ASSERT_TRUE(store_->Recover(At(1)).ok());
  const std::int64_t first = calls_.Renew().value().leases.at(0).epoch;
  ASSERT_TRUE(store_->Recover(At(2)).ok());
  EXPECT_GT(calls_.Renew().value().leases.at(0).epoch, first);
}

TEST_P(LeasesTest, AClosedStoreGrantsNone) {
  store_->Close();
  EXPECT_TRUE(absl::IsUnavailable(calls_.Renew().status()));
}

TEST_P(LeasesTest, ReadsTheUnfinishedJobsOfSomeShards) {
  const auto put = [this](const std::string& id, std::int32_t shard,
                          jobs::JobState state = jobs::v1::JOB_STATE_RUNNING) {
    JobRecord record = Accepted(id, "p-" + id);
    record.job.shard = shard;
    record.job.state = state;
    ASSERT_TRUE(calls_.Adopt(record).ok());
  };
  put("j0", 0);
  put("j7", 7);
  put("j7b", 7);
  put("ended", 7, jobs::v1::JOB_STATE_SUCCEEDED);
  put("j9", 9);
  JobRecord hidden = Begun("hidden", "r");
  hidden.job.shard = 7;
  ASSERT_TRUE(calls_.Begin(hidden).ok());
  EXPECT_THAT(Ids(calls_.ReadShards({7, 9, 11}).value()), UnorderedElementsAre("j7", "j7b", "j9"));
  EXPECT_THAT(calls_.ReadShards({11}).value(), IsEmpty());
  EXPECT_THAT(calls_.ReadShards({}).value(), IsEmpty());
  store_->Close();
  EXPECT_TRUE(absl::IsUnavailable(calls_.ReadShards({7}).status()));
}

class FindManyTest : public StoreSuite {};
INSTANTIATE_TEST_SUITE_P(Stores, FindManyTest, ::testing::ValuesIn(Backends()), BackendName);

TEST_P(FindManyTest, FindsWhatThereIsInTheOrderAskedFor) {
  for (const char* id : {"j1", "j2", "j3"}) {
    ASSERT_TRUE(calls_.Adopt(Accepted(id, std::string("p-") + id)).ok());
  }
  ASSERT_TRUE(calls_.Adopt(Accepted("j1", "p-other", "other")).ok());
  ASSERT_TRUE(calls_.Begin(Begun("hidden", "r")).ok());
  const auto found = calls_.FindMany({{"acme", "j3"},
                                      {"acme", "nobody"},
                                      {"other", "j1"},
                                      {"other", "j2"},
                                      {"acme", "hidden"},
                                      {"acme", "p-j2"},
                                      {"acme", "j1"}});
  ASSERT_TRUE(found.ok()) << found.status();
  EXPECT_THAT(Ids(*found), ElementsAre("j3", "j1", "j1")) << "and by their job ids alone";
  EXPECT_EQ(found->at(1).job.tenant, "other");
  EXPECT_EQ(found->at(2), Accepted("j1", "p-j1"));
  EXPECT_THAT(calls_.FindMany({}).value(), IsEmpty());
  store_->Close();
  EXPECT_TRUE(absl::IsUnavailable(calls_.FindMany({{"acme", "j1"}}).status()));
}

// Whoever reads many large results has them in memory all at once.
TEST_P(FindManyTest, EndsOnceItHasReadAsMuchAsItMay) {
  constexpr std::size_t kJobs = 5;
  std::vector<jobs::JobKey> keys;
  for (std::size_t i = 0; i < kJobs; ++i) {
    const std::string id = "j" + std::to_string(i);
    JobRecord record = Accepted(id, "p-" + id);
    record.job.result_wire = std::string(limits::kListReadMaxBytes / 2, 'r');
    ASSERT_TRUE(calls_.Adopt(record).ok());
    keys.push_back({"acme", id});
  }
  std::vector<std::string> read;
  while (read.size() < kJobs) {
    const auto some =
        calls_.FindMany({keys.begin() + static_cast<std::ptrdiff_t>(read.size()), keys.end()});
    ASSERT_TRUE(some.ok()) << some.status();
    ASSERT_FALSE(some->empty());
    EXPECT_LE(some->size(), 2u);
    for (const std::string& id : Ids(*some)) read.push_back(id);
  }
  EXPECT_THAT(read, ElementsAre("j0", "j1", "j2", "j3", "j4"));
}

}  // namespace
}  // namespace gateway::store
