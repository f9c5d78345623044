#include "store_suite.h"  // first, see there

#include "base/limits.h"

namespace gateway::store {
namespace {

class LeasesTest : public StoreSuite {};
INSTANTIATE_TEST_SUITE_P(Stores, LeasesTest, ::testing::ValuesIn(Backends()), BackendName);

// A process that is alone with its store gets all leases; another store may give fewer, and take
// some back.
TEST_P(LeasesTest, EachThatIsWantedIsGranted) {
  const std::int64_t epoch = store_->Recover(At(1)).value().epoch;
  const auto leases = calls_.Renew(limits::kShards);
  ASSERT_TRUE(leases.ok()) << leases.status();
  ASSERT_EQ(leases->size(), static_cast<std::size_t>(limits::kShards));
  for (std::int32_t shard = 0; shard < limits::kShards; ++shard) {
    EXPECT_EQ((*leases)[shard], (jobs::Lease{shard, epoch, MonoTime::max()}));
  }
  EXPECT_EQ(calls_.Renew(limits::kShards).value(), *leases) << "and stays so";
  EXPECT_EQ(calls_.Renew(3).value().size(), 3u);
  EXPECT_EQ(calls_.Renew(limits::kShards + 1).value().size(), leases->size())
      << "there are no more";
  EXPECT_TRUE(calls_.Renew(-1).value().empty());
}

TEST_P(LeasesTest, TheNextProcessHasALaterEpoch) {
  ASSERT_TRUE(store_->Recover(At(1)).ok());
  const std::int64_t first = calls_.Renew(1).value().at(0).epoch;
  ASSERT_TRUE(store_->Recover(At(2)).ok());
  EXPECT_GT(calls_.Renew(1).value().at(0).epoch, first);
}

TEST_P(LeasesTest, AClosedStoreGrantsNone) {
  store_->Close();
  EXPECT_TRUE(absl::IsUnavailable(calls_.Renew(1).status()));
}

}  // namespace
}  // namespace gateway::store
