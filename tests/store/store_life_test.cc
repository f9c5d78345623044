#include "store_suite.h"  // first, see there

#include <gmock/gmock.h>

#include <atomic>
#include <thread>

#include "base/errors.h"
#include "base/ids.h"
#include "base/limits.h"
#include "jobs/archive_plan.h"
#include "jobs/notification.h"
#include "random_record.h"

namespace gateway::store {
namespace {

using jobs::JobRecord;
using jobs::SubmissionState;
namespace v1 = jobs::v1;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class StoreLifeTest : public StoreSuite {};
INSTANTIATE_TEST_SUITE_P(Stores, StoreLifeTest, ::testing::ValuesIn(Backends()), BackendName);

TEST_P(StoreLifeTest, WhatIsOwedAfterAnEndDependsOnHowItCame) {
  using std::chrono::minutes;
  const WallTime now = At(1'000'000);
  const auto put = [&](const std::string& id, std::int64_t epoch, Duration ago,
                       SubmissionState state = SubmissionState::kAccepted, bool minted = true,
                       jobs::Delivery delivery = jobs::Delivery::kUnsaid) {
    JobRecord record = Begun(id, "r-" + id);
    record.submission = state;
    record.minted_request_id = minted;
    record.owner_epoch = epoch;
    record.sent_at = now - std::chrono::duration_cast<WallTime::duration>(ago);
    record.delivery = delivery;
    ASSERT_TRUE(calls_.Adopt(record).ok());
  };
  const auto owed = [&](WallTime when) {
    std::vector<std::string> ids;
    const auto recovered = store_->Recover(when);
    EXPECT_TRUE(recovered.ok());
    for (const jobs::OwedJob& job : recovered->owed) {
      ids.push_back(job.job_id);
      EXPECT_EQ(job.request_id, "r-" + job.job_id);
      EXPECT_EQ(job.tenant, "acme");
      EXPECT_FALSE(job.fingerprint.empty());
    }
    return ids;
  };
  std::int64_t first = store_->Recover(now)->epoch;
  put("young", first, minutes(1));
  put("sending", first, minutes(2), SubmissionState::kSending);
  put("unknown", first, minutes(3), SubmissionState::kUnknown);
  put("keyed", first, minutes(1), SubmissionState::kAccepted, false);
  put("arrived", first, minutes(1), SubmissionState::kAccepted, true, jobs::Delivery::kArrived);
  put("refused", first, minutes(1), SubmissionState::kRejected);
  put("long ago", first, minutes(1) + limits::kOwedWindow + minutes(1));
  ASSERT_TRUE(calls_.Claim("acme", "young", 0).value());
  // The process died. All answers of which it did not say that they have arrived are owed, however
  // long it was away.
  EXPECT_EQ(owed(now + minutes(30)), (std::vector<std::string>{"unknown", "sending", "young"}));
  // The next process died as well, and owed the same.
  EXPECT_EQ(owed(now + minutes(31)), (std::vector<std::string>{"unknown", "sending", "young"}));
  // This process ends in order: only what it names is owed.
  const auto ends = [&](std::vector<std::pair<std::string, jobs::Delivery>> named) {
    std::vector<jobs::OwedJob> jobs;
    for (const auto& [id, delivery] : named) jobs.push_back({"acme", "", "", id, 0, delivery});
    ASSERT_TRUE(calls_.EndEpoch(jobs).ok());
  };
  ends({{"unknown", jobs::Delivery::kLost}, {"young", jobs::Delivery::kSeemsArrived}});
  // A change that was under way at the end takes nothing of it back.
  JobRecord late = calls_.FindRequest("acme", "r-unknown").value().value();
  late.delivery = jobs::Delivery::kUnsaid;
  ASSERT_TRUE(calls_.Update(late).ok());
  const auto recovered = store_->Recover(now + minutes(32));
  ASSERT_EQ(recovered->owed.size(), 2u);
  EXPECT_EQ(recovered->owed[0].delivery, jobs::Delivery::kLost);
  EXPECT_EQ(recovered->owed[1].delivery, jobs::Delivery::kSeemsArrived);
  EXPECT_EQ(recovered->owed[1].claims, 1);
  // The next process ends in order and names nothing: all answers have arrived meanwhile.
  ends({});
  EXPECT_EQ(owed(now + minutes(33)), std::vector<std::string>{});
}

TEST_P(StoreLifeTest, WhatIsOwedIsOfAShortTimeWhateverTheClockDid) {
  using std::chrono::minutes;
  const WallTime now = At(1'000'000);
  const std::int64_t epoch = store_->Recover(now)->epoch;
  const auto put = [&](const std::string& id, Duration ahead) {
    JobRecord record = Begun(id, "r-" + id);
    record.submission = SubmissionState::kAccepted;
    record.minted_request_id = true;
    record.owner_epoch = epoch;
    record.sent_at = now + std::chrono::duration_cast<WallTime::duration>(ahead);
    ASSERT_TRUE(calls_.Adopt(record).ok());
  };
  const auto owed = [&](WallTime when) {
    std::vector<std::string> ids;
    const auto recovered = store_->Recover(when);
    for (const jobs::OwedJob& job : recovered->owed) ids.push_back(job.job_id);
    return ids;
  };
  put("when the clock was ahead", minutes(50));
  put("then", minutes(1));
  EXPECT_EQ(owed(now + minutes(2)), (std::vector<std::string>{"then", "when the clock was ahead"}));
  EXPECT_EQ(owed(now + minutes(50) + limits::kOwedAcrossRestart + limits::kClockSlack + minutes(1)),
            std::vector<std::string>{})
      << "away for too long";
}

TEST_P(StoreLifeTest, HintsAboutJobsUnconfirmedSurvive) {
  JobRecord sending = Begun("sending", "r1");
  sending.submission = SubmissionState::kSending;
  JobRecord unknown = Begun("unknown", "r2");
  unknown.submission = SubmissionState::kUnknown;
  unknown.job.state = v1::JOB_STATE_UNCONFIRMED;
  ASSERT_TRUE(calls_.Adopt(sending).ok());
  ASSERT_TRUE(calls_.Adopt(unknown).ok());
  ASSERT_TRUE(calls_.Adopt(Accepted("accepted", "p1")).ok());
  ASSERT_TRUE(calls_.KeepHints("acme", "unknown", {"p3", "p2"}).ok());
  ASSERT_TRUE(calls_.KeepHints("acme", "sending", {"p4"}).ok());
  ASSERT_TRUE(calls_.KeepHints("acme", "unknown", {"p2", "p5", "p6", "p7", "p8"}).ok());
  ASSERT_TRUE(calls_.KeepHints("acme", "accepted", {"p9"}).ok());
  ASSERT_TRUE(calls_.KeepHints("acme", "nobody", {"p9"}).ok());
  ASSERT_TRUE(calls_.KeepHints("other", "unknown", {"p9"}).ok());
  using jobs::Hint;
  EXPECT_THAT(store_->Recover(At(2000)).value().hints,
              ElementsAre(Hint{{"acme", "unknown"}, "p3"}, Hint{{"acme", "unknown"}, "p2"},
                          Hint{{"acme", "sending"}, "p4"}, Hint{{"acme", "unknown"}, "p5"},
                          Hint{{"acme", "unknown"}, "p6"}));
  unknown.submission = SubmissionState::kAccepted;
  unknown.job.pictory_job_id = "p5";
  ASSERT_TRUE(calls_.Update(unknown).ok());
  EXPECT_THAT(store_->Recover(At(3000)).value().hints,
              ElementsAre(Hint{{"acme", "sending"}, "p4"}));
}

TEST_P(StoreLifeTest, RecoverCountsWhatMayHaveCostMoney) {
  if (store_->sharing().shared()) GTEST_SKIP() << "it counts by itself";
  const std::int64_t now = 1'000'000;
  const std::int64_t window = std::chrono::seconds(limits::kSpendingWindow).count();
  for (const SubmissionState submission : jobs::kSubmissionStates) {
    const int state = static_cast<int>(submission);
    JobRecord record = Begun("j" + std::to_string(state), "r" + std::to_string(state));
    record.submission = submission;
    record.sent_at = At(now - state);
    ASSERT_TRUE(calls_.Adopt(record).ok());
  }
  JobRecord early = Accepted("early", "p", "umbra");
  early.sent_at = At(now - window);
  ASSERT_TRUE(calls_.Adopt(early).ok());
  JobRecord too_early = Accepted("too-early", "q");
  too_early.sent_at = At(now - window - 1);
  ASSERT_TRUE(calls_.Adopt(too_early).ok());
  const auto recovered = store_->Recover(At(now));
  ASSERT_TRUE(recovered.ok()) << recovered.status();
  EXPECT_THAT(recovered->spent,
              ::testing::UnorderedElementsAre(
                  jobs::Spent{"acme", At(now - 2)}, jobs::Spent{"acme", At(now - 3)},
                  jobs::Spent{"acme", At(now - 6)}, jobs::Spent{"acme", At(now - 7)},
                  jobs::Spent{"acme", At(now - 8)}, jobs::Spent{"umbra", At(now - window)}));
}

TEST_P(StoreLifeTest, RecoverTellsWhatCreditsEachMayHaveCost) {
  if (store_->sharing().shared()) GTEST_SKIP() << "it counts by itself";
  const auto put = [this](const std::string& id, jobs::JobState state, double reserved,
                          std::optional<double> used) {
    JobRecord record = Accepted(id, "p-" + id);
    record.job.state = state;
    record.job.credits_used = used;
    record.credits_reserved = reserved;
    record.sent_at = At(1000);
    ASSERT_TRUE(calls_.Adopt(record).ok());
  };
  put("a", jobs::v1::JOB_STATE_RUNNING, 24, std::nullopt);
  put("b", jobs::v1::JOB_STATE_SUCCEEDED, 24, 7.5);
  put("c", jobs::v1::JOB_STATE_SUCCEEDED, 24, std::nullopt);
  put("d", jobs::v1::JOB_STATE_FAILED, 4, std::nullopt);
  // What a poll has told counts once the job has ended, as it does without a restart.
  put("e", jobs::v1::JOB_STATE_RUNNING, 12, 7.5);
  EXPECT_THAT(store_->Recover(At(1001)).value().spent,
              ::testing::UnorderedElementsAre(
                  jobs::Spent{"acme", At(1000), 24, 24}, jobs::Spent{"acme", At(1000), 7.5, 0},
                  jobs::Spent{"acme", At(1000), 0, 0}, jobs::Spent{"acme", At(1000), 4, 4},
                  jobs::Spent{"acme", At(1000), 12, 12}));
}

// Recover counts back from the last answer of Pictory's, if the clock has been set since.
TEST_P(StoreLifeTest, RecoverCountsThemWhateverTheClockIsSetTo) {
  if (store_->sharing().shared()) GTEST_SKIP() << "it counts by itself";
  const std::int64_t answered = 100'000'000, year = 365 * 24 * 3600, hour = 3600;
  for (const auto& [id, sent] : {std::pair{"old", answered - 25 * hour},
                                 {"one", answered - 23 * hour},
                                 {"two", answered + 60},
                                 {"ahead", answered + year}}) {
    JobRecord record = Accepted(id, std::string("p-") + id);
    record.sent_at = At(sent);
    ASSERT_TRUE(calls_.Adopt(record).ok());
  }
  ASSERT_TRUE(calls_.NoteAsked({.answered = At(answered), .since = At(5)}).ok());
  for (const std::int64_t now : {answered + year, answered - year, answered + 120}) {
    const auto recovered = store_->Recover(At(now));
    ASSERT_TRUE(recovered.ok()) << recovered.status();
    EXPECT_THAT(recovered->spent,
                ::testing::UnorderedElementsAre(jobs::Spent{"acme", At(answered - 23 * hour)},
                                                jobs::Spent{"acme", At(answered + 60)}))
        << now;
  }
}

TEST_P(StoreLifeTest, RecoverEndsInterruptedSubmissions) {
  for (const SubmissionState submission : jobs::kSubmissionStates) {
    const int state = static_cast<int>(submission);
    JobRecord record = Begun("j" + std::to_string(state), "r" + std::to_string(state));
    record.submission = submission;
    if (submission == SubmissionState::kWaiting) {
      record.job.state = v1::JOB_STATE_WAITING;
      record.waiting_request = "what is to be sent";
    }
    if (submission == SubmissionState::kAccepted) record.job.pictory_job_id = "p3";
    record.job.revision = 5;
    record.next_poll_at = At(100 - state);
    ASSERT_TRUE(calls_.Adopt(record).ok());
  }
  JobRecord done = Accepted("done", "p");
  done.job.state = v1::JOB_STATE_SUCCEEDED;
  ASSERT_TRUE(calls_.Adopt(done).ok());

  auto recovered = store_->Recover(At(7777));
  ASSERT_TRUE(recovered.ok()) << recovered.status();
  const auto unfinished = calls_.ReadUnfinished();
  EXPECT_EQ(Ids(unfinished), (std::vector<std::string>{"j9", "j7", "j6", "j3", "j2"}))
      << "visible and not final, by the time of their next poll";
  EXPECT_EQ(recovered->unfinished,
            (std::vector<jobs::Unfinished>{
                {.account = jobs::kDefaultAccount, .tenant = "acme", .jobs = 5, .pollable = 1}}));
  EXPECT_EQ(recovered->unfinished_jobs(), unfinished.size());
  EXPECT_GT(recovered->epoch, 0);

  JobRecord intent = Begun("j1", "r1");
  intent.job.revision = 5;
  intent.next_poll_at = At(99);
  intent.submission = SubmissionState::kNotSent;
  intent.job.update_time = At(7777);
  EXPECT_EQ(Stored("r1"), intent);

  JobRecord sending = Begun("j2", "r2");
  sending.next_poll_at = At(98);
  sending.submission = SubmissionState::kUnknown;
  sending.job.state = v1::JOB_STATE_UNCONFIRMED;
  sending.job.message = jobs::kUnconfirmedMessage;
  sending.job.revision = 6;
  sending.job.update_time = At(7777);
  EXPECT_EQ(Stored("r2"), sending);
  EXPECT_EQ(calls_.Find("acme", "j2").value(), sending);
  EXPECT_EQ(unfinished.back(), sending);
  EXPECT_EQ(Stored("r4").submission, SubmissionState::kRejected);
  EXPECT_EQ(Stored("r4").job.update_time, WallTime{});

  const auto again = store_->Recover(At(8888));
  ASSERT_TRUE(again.ok());
  EXPECT_GT(again->epoch, recovered->epoch);
  EXPECT_EQ(calls_.ReadUnfinished(), unfinished);
}

TEST_P(StoreLifeTest, TellsWhichJobsAreArchivingAndNoOthers) {
  const auto put = [this](const std::string& id, v1::ArchiveState state, int finished,
                          std::int32_t shard = 7) {
    JobRecord record = Accepted(id, "p-" + id);
    record.job.shard = shard;
    record.job.state = v1::JOB_STATE_SUCCEEDED;
    record.job.finish_time = At(finished);
    v1::Archive archive;
    archive.add_files()->set_state(v1::ARCHIVE_STATE_ARCHIVED);
    archive.add_files()->set_state(state);
    jobs::SetArchive(archive, record.job);
    ASSERT_TRUE(calls_.Adopt(record).ok());
  };
  put("elsewhere", v1::ARCHIVE_STATE_PENDING, 15, 9);
  put("later", v1::ARCHIVE_STATE_PENDING, 20);
  put("first", v1::ARCHIVE_STATE_PENDING, 10);
  put("done", v1::ARCHIVE_STATE_ARCHIVED, 5);
  put("given-up", v1::ARCHIVE_STATE_FAILED, 5);
  ASSERT_TRUE(calls_.Adopt(Accepted("runs", "p-runs")).ok());
  ASSERT_TRUE(store_->Recover(At(30)).ok());
  using Names = StoreCalls::Names;
  EXPECT_EQ(calls_.ReadArchiving({3, 7}).value(),
            (Names{{{"acme", "first"}, 7}, {{"acme", "later"}, 7}}));
  EXPECT_EQ(calls_.ReadArchiving({9}).value(), (Names{{{"acme", "elsewhere"}, 9}}));
  EXPECT_EQ(calls_.ReadArchiving({}).value(), Names{});
  store_->Close();
  EXPECT_TRUE(absl::IsUnavailable(calls_.ReadArchiving({7}).status()));
}

TEST_P(StoreLifeTest, TellsWhichNotificationsAreToBeDelivered) {
  const auto put = [this](const std::string& id, v1::NotificationState state,
                          std::int32_t shard = 7) {
    JobRecord record = Accepted(id, "p-" + id);
    record.job.shard = shard;
    record.job.state = v1::JOB_STATE_SUCCEEDED;
    v1::Notification notification;
    notification.set_job_state(v1::JOB_STATE_SUCCEEDED);
    notification.set_state(state);
    jobs::SetNotification(notification, record);
    ASSERT_TRUE(calls_.Adopt(record).ok());
  };
  put("pending", v1::NOTIFICATION_STATE_PENDING);
  put("delivered", v1::NOTIFICATION_STATE_DELIVERED);
  put("dead", v1::NOTIFICATION_STATE_GIVEN_UP);
  put("dead-too", v1::NOTIFICATION_STATE_GIVEN_UP, 9);
  put("deleted", v1::NOTIFICATION_STATE_PENDING);
  ASSERT_TRUE(calls_.Adopt(Accepted("runs", "p-runs")).ok());
  JobRecord deleted = **calls_.Find("acme", "deleted");
  deleted.submission = jobs::SubmissionState::kDeleted;
  ASSERT_TRUE(calls_.Delete(deleted).ok());
  JobRecord renewed = **calls_.Find("acme", "dead-too");
  v1::Notification again = jobs::NotificationOf(renewed);
  again.set_state(v1::NOTIFICATION_STATE_PENDING);
  jobs::SetNotification(again, renewed);
  ASSERT_TRUE(calls_.Update(renewed).ok());

  using Ids = std::vector<std::string>;
  EXPECT_EQ(Listed({.notification = v1::NOTIFICATION_STATE_GIVEN_UP, .limit = 9}), Ids{"dead"});
  EXPECT_EQ(Listed({.notification = v1::NOTIFICATION_STATE_PENDING, .limit = 9}),
            (Ids{"pending", "dead-too"}));
  EXPECT_EQ(Listed({.notification = v1::NOTIFICATION_STATE_PENDING, .limit = 1}), Ids{"pending"});
  EXPECT_EQ(
      Listed(
          {.before_job_id = "pending", .notification = v1::NOTIFICATION_STATE_PENDING, .limit = 9}),
      Ids{"dead-too"});
  EXPECT_EQ(Listed({.states = {v1::JOB_STATE_SUCCEEDED},
                    .notification = v1::NOTIFICATION_STATE_GIVEN_UP,
                    .limit = 9}),
            Ids{"dead"});
  EXPECT_EQ(Listed({.notification = v1::NOTIFICATION_STATE_GIVEN_UP, .limit = 9}, "other"), Ids{});
  ASSERT_TRUE(store_->Recover(At(30)).ok());
  const auto notifying = [this](std::vector<std::int32_t> shards) {
    Ids ids;
    const StoreCalls::Names names = calls_.ReadNotifying(shards).value();
    for (const jobs::ShardJob& job : names) {
      EXPECT_EQ(job.job.tenant, "acme");
      EXPECT_THAT(shards, ::testing::Contains(job.shard));
      ids.push_back(job.job.id);
    }
    std::sort(ids.begin(), ids.end());
    return ids;
  };
  EXPECT_EQ(notifying({7, 8, 9}), (Ids{"dead-too", "pending"}));
  EXPECT_EQ(notifying({7}), Ids{"pending"});
  EXPECT_EQ(notifying({8}), Ids{});
  store_->Close();
  EXPECT_TRUE(absl::IsUnavailable(calls_.ReadNotifying({7}).status()));
}

TEST_P(StoreLifeTest, EveryFieldSurvives) {
  RandomRecords random(42);
  for (int i = 0; i < 200; ++i) {
    const std::string id = "j" + std::to_string(i);
    JobRecord record = random.Next("Ténant", id);
    if (i % 2 == 0) {
      ASSERT_TRUE(calls_.Adopt(record).ok());
    } else {
      ASSERT_TRUE(calls_.Adopt(Begun(id, "request-" + id, "Ténant")).ok());
      ASSERT_TRUE(calls_.Update(record).ok());
      // The update says of `delivery` only that the answer has arrived.
      if (record.delivery != jobs::Delivery::kArrived) record.delivery = jobs::Delivery::kUnsaid;
    }
    ASSERT_EQ(Stored("request-" + id, "Ténant"), record) << i;
    ASSERT_EQ(calls_.Find("Ténant", id).value().has_value(), jobs::IsVisible(record)) << i;
  }
}

TEST_P(StoreLifeTest, ACallbackMayCallTheStore) {
  Answer<bool> chained;
  auto& store = *store_;
  store.Begin(Begun("j1", "r1"), [&store, done = chained.Callback()](auto begun) {
    ASSERT_TRUE(begun.ok());
    store.Update(begun->record, {}, [&store, done](absl::Status updated) {
      ASSERT_TRUE(updated.ok());
      store.FindRequest("acme", "r1", [done](auto found) {
        ASSERT_TRUE(found.ok() && found->has_value());
        done(true);
      });
    });
  });
  EXPECT_TRUE(chained.Wait());
}

TEST_P(StoreLifeTest, ManyThreadsAtOnce) {
  constexpr int kThreads = 8;
  constexpr int kOps = 500;
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([this, t] {
      StoreCalls calls(*store_);
      const std::string tenant = "t" + std::to_string(t % 4);
      for (int i = 0; i < kOps / 5; ++i) {
        const std::string id = std::to_string(t) + "-" + std::to_string(i);
        auto begun = calls.Begin(Begun("j" + id, "r" + id, tenant));
        ASSERT_TRUE(begun.ok() && begun->begun) << begun.status();
        JobRecord record = Accepted("j" + id, "p" + id, tenant);
        record.job.request_id = "r" + id;
        ASSERT_TRUE(calls.Update(record, {{v1::RESULT_PART_TXT, id}}).ok());
        // Every write whose callback ran is seen by every later read.
        ASSERT_EQ(calls.Find(tenant, "p" + id).value(), record);
        ASSERT_EQ(calls.ReadPart(tenant, "j" + id, v1::RESULT_PART_TXT, 0, 99).value().data, id);
        ASSERT_TRUE(calls.List(tenant, {.limit = 5}).ok());
      }
    });
  }
  for (auto& thread : threads) thread.join();
  std::size_t jobs = 0;
  for (const char* tenant : {"t0", "t1", "t2", "t3"}) {
    jobs += Listed({.limit = kThreads * kOps}, tenant).size();
  }
  EXPECT_EQ(jobs, kThreads * kOps / 5);
}

TEST_P(StoreLifeTest, CloseFinishesWhatWasHandedInAndRefusesTheRest) {
  std::atomic<int> done{0};
  for (int i = 0; i < 100; ++i) {
    store_->Begin(Begun("j" + std::to_string(i), "r" + std::to_string(i)), [&](auto begun) {
      EXPECT_TRUE(begun.ok()) << begun.status();
      ++done;
    });
  }
  store_->Close();
  EXPECT_EQ(done, 100);
  EXPECT_EQ(calls_.Begin(Begun("late", "late")).status().code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(calls_.Update(Begun("j1", "r1")).code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(calls_.Find("acme", "j1").status().code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(store_->Recover(At(1)).status().code(), absl::StatusCode::kUnavailable);
  store_->Close();
}

TEST_P(StoreLifeTest, WhenPictoryCouldBeAskedIsThereAtTheNextStart) {
  EXPECT_TRUE(store_->Recover(At(1))->asked.empty());
  const jobs::Asked asked{.answered = At(7'000'001), .since = At(5)};
  ASSERT_TRUE(calls_.NoteAsked({.answered = At(9), .since = At(3)}).ok());
  ASSERT_TRUE(calls_.NoteAsked(asked).ok());
  const jobs::Asked other{.answered = At(9), .since = At(8)};
  ASSERT_TRUE(calls_.NoteAsked(other, "second").ok());
  EXPECT_EQ(store_->Recover(At(2))->asked,
            (jobs::AskedOfAccounts{{jobs::kDefaultAccount, asked}, {"second", other}}));
}

}  // namespace
}  // namespace gateway::store
