#include "store_suite.h"  // first, see there

#include <gmock/gmock.h>

namespace gateway::store {
namespace {

using jobs::FeedEntry;
using jobs::JobRecord;
using jobs::SubmissionState;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class FeedTest : public StoreSuite {
 protected:
  FeedTest() : StoreSuite(3) {}

  // The entries that came since the last call, or since the test began.
  std::vector<FeedEntry> News(int limit = 100) {
    auto page = calls_.ReadFeed(position_, limit);
    EXPECT_TRUE(page.ok()) << page.status();
    if (!page.ok()) return {};
    position_ = page->position;
    return page->entries;
  }

  std::string position_ = calls_.FindFeedEnd().value();
};
INSTANTIATE_TEST_SUITE_P(Stores, FeedTest, ::testing::ValuesIn(Backends()), BackendName);

FeedEntry Changed(const std::string& job_id, std::int64_t version) {
  return {.job = {"acme", job_id}, .shard = 0, .version = version, .gone = false};
}

FeedEntry Gone(const std::string& job_id, std::int64_t version = 0) {
  return {.job = {"acme", job_id}, .shard = 0, .version = version, .gone = true};
}

TEST_P(FeedTest, TellsOfEveryChangeOnceInTheirOrder) {
  EXPECT_THAT(News(), IsEmpty());
  ASSERT_TRUE(calls_.Begin(Begun("j1", "r1")).ok());
  JobRecord sharded = Accepted("j2", "p2");
  sharded.job.shard = 7;
  ASSERT_TRUE(calls_.Adopt(sharded).ok());
  FeedEntry second = Changed("j2", 1);
  second.shard = 7;
  EXPECT_THAT(News(), ElementsAre(Changed("j1", 1), second)) << "seen by callers or not";
  EXPECT_THAT(News(), IsEmpty());
  ASSERT_TRUE(calls_.Update(sharded).ok());
  ASSERT_TRUE(calls_.Update(Begun("j1", "r1")).ok());
  ASSERT_TRUE(calls_.Update(Begun("j1", "r1")).ok());
  second.version = 2;
  EXPECT_THAT(News(), ElementsAre(second, Changed("j1", 3))) << "as they were left";
}

TEST_P(FeedTest, ARefusedWriteIsNoChange) {
  ASSERT_TRUE(calls_.Adopt(Accepted("j1", "p1")).ok());
  News();
  EXPECT_FALSE(calls_.Adopt(Accepted("j2", "p1")).ok());
  EXPECT_FALSE(calls_.UpdateVersion(Accepted("j1", "p1")).ok());
  EXPECT_FALSE(calls_.Begin(Begun("j3", "request-of-j1"))->begun);
  ASSERT_TRUE(calls_.Claim("acme", "j1", 0).ok());
  EXPECT_THAT(News(), IsEmpty());
}

TEST_P(FeedTest, ComesInPages) {
  const std::string begin = position_;
  for (const char* id : {"j1", "j2", "j3"}) {
    ASSERT_TRUE(calls_.Begin(Begun(id, std::string("r-") + id)).ok());
  }
  EXPECT_THAT(News(2), ElementsAre(Changed("j1", 1), Changed("j2", 1)));
  EXPECT_THAT(News(0), IsEmpty());
  EXPECT_THAT(News(2), ElementsAre(Changed("j3", 1)));
  EXPECT_EQ(position_, calls_.FindFeedEnd().value());
  position_ = begin;
  EXPECT_EQ(News().size(), 3u) << "whoever reads it";
}

TEST_P(FeedTest, TellsWhatIsGone) {
  for (const char* id : {"deleted", "pruned"}) {
    JobRecord record = Accepted(id, std::string("p-") + id);
    record.job.finish_time = At(5);
    ASSERT_TRUE(calls_.Adopt(record).ok());
  }
  News();
  JobRecord deleted = Deleted(Accepted("deleted", "p-deleted"));
  ASSERT_TRUE(calls_.Delete(deleted).ok());
  ASSERT_EQ(calls_.Prune({.finished_before = At(6), .untouched_since = {}, .limit = 9})->size(),
            1u);
  EXPECT_THAT(News(), ElementsAre(Gone("deleted", 2), Gone("pruned")));
}

TEST_P(FeedTest, TellsWhatARestartHasEnded) {
  JobRecord sending = Begun("j1", "r1");
  sending.submission = SubmissionState::kSending;
  ASSERT_TRUE(calls_.Adopt(sending).ok());
  ASSERT_TRUE(calls_.Adopt(Accepted("j2", "p2")).ok());
  News();
  ASSERT_TRUE(store_->Recover(At(9)).ok());
  EXPECT_THAT(News(), ElementsAre(Changed("j1", 2)));
}

TEST_P(FeedTest, WhoWasAwayForTooLongStartsAnew) {
  const auto put = [this](const std::string& id) {
    JobRecord record = Accepted(id, "p-" + id);
    record.job.finish_time = At(5);
    ASSERT_TRUE(calls_.Adopt(record).ok());
  };
  const auto prune = [this] {
    ASSERT_TRUE(calls_.Prune({.finished_before = At(6), .untouched_since = {}, .limit = 9}).ok());
  };
  for (const char* id : {"j1", "j2", "j3"}) put(id);
  News();
  prune();
  const std::string old = position_;
  EXPECT_THAT(News(1), ElementsAre(Gone("j1"))) << "as many as are kept";
  put("j4");
  prune();
  EXPECT_THAT(News(), ElementsAre(Gone("j2"), Gone("j3"), Gone("j4")));
  EXPECT_TRUE(absl::IsOutOfRange(calls_.ReadFeed(old, 9).status()));
  EXPECT_TRUE(calls_.ReadFeed(calls_.FindFeedEnd().value(), 9).ok());
}

TEST_P(FeedTest, APositionOfNowhereIsRefused) {
  ASSERT_TRUE(calls_.Begin(Begun("j1", "r1")).ok());
  const std::string end = calls_.FindFeedEnd().value();
  const std::string id = end.substr(0, end.rfind('.') + 1);
  for (const std::string& position : {std::string(), std::string("x"), std::string("0"), id,
                                      id + "-1", id + "x", id + "2000000000", end + ".1"}) {
    EXPECT_TRUE(absl::IsOutOfRange(calls_.ReadFeed(position, 9).status())) << position;
  }
}

TEST_P(FeedTest, APositionOfAnotherStoreIsRefused) {
  ASSERT_TRUE(calls_.Begin(Begun("j1", "r1")).ok());
  const std::unique_ptr<Ground> other = GetParam().open(3);
  StoreCalls elsewhere(other->store());
  ASSERT_TRUE(elsewhere.Begin(Begun("j1", "r1")).ok());
  EXPECT_TRUE(absl::IsOutOfRange(elsewhere.ReadFeed(position_, 9).status()));
  EXPECT_EQ(elsewhere.ReadFeed(elsewhere.FindFeedEnd().value(), 9)->entries.size(), 0u);
}

TEST_P(FeedTest, AClosedStoreHasNone) {
  store_->Close();
  EXPECT_TRUE(absl::IsUnavailable(calls_.FindFeedEnd().status()));
  EXPECT_TRUE(absl::IsUnavailable(calls_.ReadFeed(position_, 9).status()));
}

}  // namespace
}  // namespace gateway::store
