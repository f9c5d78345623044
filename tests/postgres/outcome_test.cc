// What is said of a write whose COMMIT was cut off is true.
#include "store/store_calls.h"  // first, see there

#include <gmock/gmock.h>

#include "base/errors.h"
#include "cut.h"
#include "postgres/postgres_job_store.h"
#include "server.h"

namespace gateway::postgres {
namespace {

using jobs::JobRecord;
using store::Accepted;
using store::Begun;
using store::StoreCalls;

class OutcomeTest : public ::testing::TestWithParam<CutProxy::When> {
 protected:
  OutcomeTest() {
    PostgresServer::Shared().Empty();
    auto opened = PostgresJobStore::Open(
        {.conninfo = proxy_.conninfo(), .gateway = "one", .address = "here"});
    EXPECT_TRUE(opened.ok()) << opened.status();
    store_ = *std::move(opened);
    calls_.emplace(*store_);
    EXPECT_TRUE(calls_->Adopt(Accepted("first", "p-first")).ok());  // a session is there now
  }

  CutProxy proxy_{PostgresServer::Shared().socket()};
  std::unique_ptr<PostgresJobStore> store_;
  std::optional<StoreCalls> calls_;
};
std::string CutName(const ::testing::TestParamInfo<CutProxy::When>& cut) {
  switch (cut.param) {
    case CutProxy::When::kBeforeCommit:
      return "BeforeTheServerHasIt";
    case CutProxy::When::kAfterCommit:
      return "AfterTheServerHasDoneIt";
    case CutProxy::When::kStrangeError:
      return "WithAnErrorThatSaysNothing";
    default:
      return "WithoutTheStandby";
  }
}
INSTANTIATE_TEST_SUITE_P(Cuts, OutcomeTest,
                         ::testing::Values(CutProxy::When::kBeforeCommit,
                                           CutProxy::When::kAfterCommit, CutProxy::When::kWarning,
                                           CutProxy::When::kStrangeError),
                         CutName);

TEST_P(OutcomeTest, ABeginIsDoneOnceAndSaysSo) {
  proxy_.CutNext(GetParam());
  const auto begun = calls_->Begin(Begun("j1", "r1"));
  EXPECT_EQ(proxy_.cuts(), 1);
  ASSERT_TRUE(begun.ok()) << begun.status();
  EXPECT_TRUE(begun->begun) << "it is not taken for somebody else's";
  EXPECT_EQ(calls_->VersionOf(Begun("j1", "r1")), 1);
  EXPECT_FALSE(calls_->Begin(Begun("j2", "r1"))->begun);
}

TEST_P(OutcomeTest, AnUpdateIsDoneOnceAndIsNoStrangers) {
  proxy_.CutNext(GetParam());
  JobRecord record = Accepted("first", "p-first");
  record.version = 1;
  record.job.message = "changed";
  const absl::Status updated = calls_->UpdateVersion(record, {{jobs::v1::RESULT_PART_TXT, "text"}});
  EXPECT_EQ(proxy_.cuts(), 1);
  EXPECT_TRUE(updated.ok()) << updated;
  EXPECT_EQ(calls_->VersionOf(record), 2);
  EXPECT_EQ(calls_->Find("acme", "first").value()->job.message, "changed");
  EXPECT_EQ(calls_->ReadPart("acme", "first", jobs::v1::RESULT_PART_TXT, 0, 9)->data, "text");
}

TEST_P(OutcomeTest, ACountIsRaisedOnce) {
  proxy_.CutNext(GetParam());
  EXPECT_TRUE(calls_->Claim("acme", "first", 0).value());
  EXPECT_EQ(proxy_.cuts(), 1);
  EXPECT_EQ(PostgresServer::Shared().Number("SELECT claims FROM pictory.jobs"), 1);
}

// One after the other in one store, which takes longer to open than all of them.
TEST_P(OutcomeTest, HintsDeletionsTakeOversAndLeasesAreDoneOnce) {
  PostgresServer& server = PostgresServer::Shared();
  JobRecord submitted = Begun("submitted", "r1");
  submitted.submission = jobs::SubmissionState::kUnknown;
  ASSERT_TRUE(calls_->Adopt(submitted).ok());
  proxy_.CutNext(GetParam());
  const absl::Status kept = calls_->KeepHints("acme", "submitted", {"p1", "p2"});
  EXPECT_EQ(proxy_.cuts(), 1);
  EXPECT_TRUE(kept.ok()) << kept;
  EXPECT_EQ(server.Number("SELECT count(*) FROM pictory.hints"), 2);

  ASSERT_TRUE(calls_->Adopt(store::Adopted("adopted", "p1")).ok());
  submitted.submission = jobs::SubmissionState::kAccepted;
  submitted.job.pictory_job_id = "p1";
  proxy_.CutNext(GetParam());
  const auto taken = calls_->TakeOver(submitted);
  EXPECT_EQ(proxy_.cuts(), 2);
  ASSERT_TRUE(taken.ok()) << taken.status();
  EXPECT_EQ(*taken, "adopted");
  EXPECT_EQ(calls_->VersionOf(submitted), 2);
  EXPECT_EQ(calls_->Find("acme", "adopted").value(), submitted);

  const JobRecord first = Accepted("first", "p-first");
  ASSERT_TRUE(calls_->Update(first, {{jobs::v1::RESULT_PART_TXT, "text"}}).ok());
  proxy_.CutNext(GetParam());
  const absl::Status deleted = calls_->Delete(store::Deleted(first));
  EXPECT_EQ(proxy_.cuts(), 3);
  EXPECT_TRUE(deleted.ok()) << deleted;
  EXPECT_EQ(calls_->VersionOf(first), 3);
  EXPECT_EQ(server.Number("SELECT count(*) FROM pictory.parts"), 0);

  proxy_.CutNext(GetParam());
  const auto renewed = calls_->Renew();
  EXPECT_EQ(proxy_.cuts(), 4);
  ASSERT_TRUE(renewed.ok()) << renewed.status();
  EXPECT_EQ(renewed->leases.size(), static_cast<std::size_t>(limits::kShards));
  EXPECT_EQ(server.Number("SELECT count(*) FROM pictory.shards WHERE owner <> ''"),
            limits::kShards);
}

// It is written in several commits, of which each may be cut off. Part of `ctest -L long`.
TEST_P(OutcomeTest, DISABLED_ALargeResultIsThereOnceAndWhole) {
  const JobRecord record = Accepted("first", "p-first");
  std::string text(limits::kStoreGroupMaxBytes + limits::kPartSliceBytes + 1, 'x');
  text.back() = 'y';
  const auto slices = static_cast<std::int64_t>(limits::kStoreGroupMaxBytes) /
                          static_cast<std::int64_t>(limits::kPartSliceBytes) +
                      2;
  constexpr int kCommits = 4;  // its number, two that put it aside, and the change itself
  for (int commit = 1; commit <= kCommits; ++commit) {
    const int before = proxy_.cuts();
    proxy_.CutNext(GetParam(), /*times=*/1, /*pass=*/commit - 1);
    const absl::Status updated = calls_->Update(record, {{jobs::v1::RESULT_PART_TXT, text}});
    EXPECT_EQ(proxy_.cuts(), before + 1) << commit;
    EXPECT_TRUE(updated.ok()) << commit << ": " << updated;
    EXPECT_EQ(calls_->VersionOf(record), 1 + commit);
    EXPECT_EQ(PostgresServer::Shared().Number("SELECT count(*) FROM pictory.parts"), slices);
    const auto end = calls_->ReadPart("acme", "first", jobs::v1::RESULT_PART_TXT,
                                      static_cast<std::int64_t>(text.size()) - 2, 9);
    ASSERT_TRUE(end.ok()) << end.status();
    EXPECT_EQ(end->data, "xy");
  }
}

TEST_P(OutcomeTest, TheFeedHasTheChangeOnce) {
  const std::string before = calls_->FindFeedEnd().value();
  proxy_.CutNext(GetParam());
  ASSERT_TRUE(calls_->Begin(Begun("j1", "r1")).ok());
  ASSERT_TRUE(calls_->Begin(Begun("j2", "r2")).ok());
  const auto page = calls_->ReadFeed(before, 9);
  ASSERT_TRUE(page.ok()) << page.status();
  ASSERT_EQ(page->entries.size(), 2u);
  EXPECT_EQ(page->entries[0].job.id, "j1");
  EXPECT_EQ(page->entries[1].job.id, "j2");
  EXPECT_TRUE(calls_->ReadFeed(page->position, 9)->entries.empty());
}

// The COMMIT of the session that reads the truth is cut off as well.
TEST_P(OutcomeTest, ASecondCutOnTheWayToTheTruthChangesNothing) {
  proxy_.CutNext(GetParam(), /*times=*/2);
  JobRecord record = Accepted("first", "p-first");
  record.version = 1;
  EXPECT_TRUE(calls_->UpdateVersion(record).ok());
  EXPECT_EQ(proxy_.cuts(), 2);
  EXPECT_EQ(calls_->VersionOf(record), 2);
}

// Whatever is written at the time of a cut is there exactly if it was said to be.
TEST_P(OutcomeTest, ManyAtOnceAreAllDoneOnce) {
  constexpr int kWrites = 200;
  std::vector<store::Answer<absl::StatusOr<jobs::BeginResult>>> answers(kWrites);
  for (int i = 0; i < kWrites; ++i) {
    if (i % 40 == 20) proxy_.CutNext(GetParam());
    const std::string n = std::to_string(i);
    store_->Begin(Begun("j" + n, "r" + n), answers[static_cast<std::size_t>(i)].Callback());
  }
  for (auto& answer : answers) {
    const auto begun = answer.Wait();
    ASSERT_TRUE(begun.ok()) << begun.status();
    EXPECT_TRUE(begun->begun);
  }
  EXPECT_GE(proxy_.cuts(), 1);
  EXPECT_EQ(PostgresServer::Shared().Number(
                "SELECT count(*) FROM pictory.jobs WHERE request_id <> '' AND version = 1"),
            kWrites + 1);
}

// A standby that is gone holds up each COMMIT, for longer than anybody waits. What it holds up is
// told as it was once there is a way on.
TEST(StandbyGoneTest, ACommitThatWaitsForAStandbyIsNeitherToldAsDoneNorAsFailed) {
  PostgresServer server;
  std::promise<std::string> away;
  auto opened = PostgresJobStore::Open({.conninfo = server.conninfo(),
                                        .gateway = "one",
                                        .address = "here",
                                        .on_fatal = [](absl::Status why) { FAIL() << why; },
                                        .on_away = First(away),
                                        .away_wait = std::chrono::hours(1)});
  ASSERT_TRUE(opened.ok()) << opened.status();
  StoreCalls calls(**opened);
  ASSERT_TRUE(calls.Begin(Begun("j0", "r0")).ok());
  server.Sql("ALTER SYSTEM SET synchronous_standby_names = 'nobody'");
  server.Sql("SELECT pg_reload_conf()");
  // Commits wait from when the checkpointer has read it, which is later than a session says so.
  auto probe = Connection::Open(server.conninfo(), std::chrono::seconds(2));
  try {
    for (int i = 0;; ++i) probe->Script("CREATE TABLE probe_" + std::to_string(i) + " ()");
  } catch (const NoAnswer&) {
  }
  std::atomic<bool> told{false};
  store::Answer<absl::StatusOr<jobs::BeginResult>> answer;
  (*opened)->Begin(Begun("j1", "r1"), [&told, answered = answer.Callback()](auto begun) {
    told = true;
    answered(std::move(begun));
  });
  away.get_future().get();
  EXPECT_FALSE(told);
  EXPECT_EQ(errors::Reason(calls.Begin(Begun("j2", "r2")).status()), "STORE_AWAY");
  server.Sql("ALTER SYSTEM RESET synchronous_standby_names");
  server.Sql("SELECT pg_reload_conf()");
  const auto begun = answer.Wait();
  ASSERT_TRUE(begun.ok()) << begun.status();
  EXPECT_TRUE(begun->begun);
  EXPECT_EQ(calls.VersionOf(Begun("j1", "r1")), 1);
}

}  // namespace
}  // namespace gateway::postgres
