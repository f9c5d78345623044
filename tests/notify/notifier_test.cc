#include "notify/notifier.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>

#include "base/errors.h"
#include "base/limits.h"
#include "jobs/notification.h"
#include "notify/signature.h"
#include "store/memory_job_store.h"
#include "support/fake_clock.h"
#include "support/fake_transport.h"
#include "support/records.h"

namespace gateway::notify {
namespace {

using jobs::JobKey;
using jobs::JobRecord;
using testing::ElementsAre;
using testing::HasSubstr;
using namespace std::chrono_literals;
namespace v1 = jobs::v1;

constexpr char kOwn[] = "https://own.example.com/hook";
constexpr char kNamed[] = "https://hooks.example.com/a?secret=1";

class NotifierTest : public testing::Test {
 protected:
  // The notifier of one process; another one stands for a restart.
  void Make() {
    NotifierHands hands;
    hands.rules = [this](const std::string&) { return rules_; };
    hands.keys = [this](const tenants::NotifyRules&) -> absl::StatusOr<std::vector<Secret>> {
      if (!keys_.ok()) return keys_;
      return std::vector<Secret>{Secret(std::string(24, 'k'))};
    };
    hands.run = [](const std::function<void()>& work) { work(); };
    notifier_ = std::make_unique<Notifier>(
        /*loopback=*/false, std::move(hands), transport_, shards_, ledger_, store_, clock_, clock_,
        random_,
        NotifierEvents{.tried = [this](const jobs::Job& job, const v1::Notification& notification,
                                       const std::string& host, const std::string&) {
          told_.push_back(job.job_id + " " +
                          v1::NotificationState_Name(notification.state()).substr(19) + " " + host);
        }});
  }
  void SetUp() override {
    rules_.url = kOwn;
    rules_.hosts = {"hooks.example.com:443"};
    rules_.secret_files = {"a"};
    ledger_.CompleteWith([this](JobRecord& record) { notifier_->Plan(record); });
    ledger_.Observe([this](const JobRecord& record, const jobs::SnapshotPtr& seen) {
      if (seen != nullptr) notifier_->OnChange(record);
    });
    Make();
    notifier_->Start();
  }

  JobRecord RecordIn(v1::JobState state, const std::string& id = "j1") {
    JobRecord record = test::RecordOf(jobs::SubmissionState::kAccepted, id, clock_.WallNow());
    record.job.state = state;
    record.job.request_id.clear();
    return record;
  }
  void Adopt(JobRecord record) {
    ledger_.Adopt(std::move(record),
                  [](const jobs::Ledger::Outcome& outcome) { ASSERT_TRUE(outcome.status.ok()); });
  }
  void End(const std::string& id = "j1", const std::string& url = "",
           v1::JobState state = v1::JOB_STATE_SUCCEEDED) {
    JobRecord record = RecordIn(state, id);
    if (!url.empty()) {
      v1::Notification named;
      named.set_url(url);
      jobs::SetNotification(named, record);
    }
    Adopt(std::move(record));
  }
  void Change(JobRecord record) {
    ++record.job.revision;
    ledger_.Update({.record = std::move(record)},
                   [](const jobs::Ledger::Outcome& outcome) { ASSERT_TRUE(outcome.status.ok()); });
  }
  JobRecord Stored(const std::string& id = "j1") {
    std::optional<JobRecord> stored;
    store_.Find("default", id, [&](const auto& found) { stored = *found; });
    return stored.value_or(JobRecord{});
  }
  v1::NotificationState StateOf(const std::string& id = "j1") {
    return jobs::NotificationOf(Stored(id)).state();
  }
  std::vector<std::string> Urls() {
    std::vector<std::string> urls;
    for (const http::Request& request : transport_.requests()) urls.push_back(request.url);
    return urls;
  }
  static std::string HeaderOf(const http::Request& request, const std::string& name) {
    for (const http::Header& header : request.headers) {
      if (header.name == name) return header.value;
    }
    return "";
  }
  void TakeUp(Notifier& notifier, std::vector<std::int32_t> shards = {0}) {
    store_.ReadNotifying(
        std::move(shards), [&notifier](const jobs::ShardJob& job) { notifier.Follow(job); },
        [](const absl::Status& read) { ASSERT_TRUE(read.ok()) << read; });
  }
  absl::StatusOr<v1::Notification> Replay(const std::string& id) {
    absl::StatusOr<v1::Notification> answer = absl::UnknownError("no answer");
    notifier_->Replay("default", id,
                      [&](absl::StatusOr<v1::Notification> got) { answer = std::move(got); });
    return answer;
  }

  test::FakeClock clock_;
  store::MemoryJobStore store_;
  WorkThread broadcaster_{"watchers", WorkThread::Rest::kDropped};
  jobs::Hub hub_{jobs::HubOptions{}, store_, broadcaster_};
  jobs::Ledger ledger_{store_, store_, hub_};
  Random random_{1};
  test::FakeTransport transport_;
  jobs::Shards shards_{/*alone=*/true, clock_};
  tenants::NotifyRules rules_;
  absl::Status keys_;
  std::vector<std::string> told_;
  std::unique_ptr<Notifier> notifier_;
};

TEST_F(NotifierTest, TellsOfAJobThatHasEndedSigned) {
  End();
  ASSERT_THAT(Urls(), ElementsAre(kOwn));
  const http::Request& request = transport_.requests().front();
  EXPECT_EQ(request.method, "POST");
  EXPECT_EQ(request.lane, http::Lane::kPaid) << "on a connection of its own, once";
  EXPECT_EQ(request.reach, http::Reach::kPublic);
  EXPECT_EQ(HeaderOf(request, "webhook-id"), "msg_j1_succeeded");
  EXPECT_THAT(HeaderOf(request, "content-type"), HasSubstr("application/cloudevents+json"));
  const auto seconds =
      std::chrono::floor<std::chrono::seconds>(clock_.WallNow()).time_since_epoch().count();
  EXPECT_EQ(HeaderOf(request, "webhook-timestamp"), std::to_string(seconds));
  EXPECT_EQ(HeaderOf(request, "webhook-signature"),
            Sign({Secret(std::string(24, 'k'))}, "msg_j1_succeeded", seconds, *request.body));
  EXPECT_EQ(StateOf(), v1::NOTIFICATION_STATE_PENDING);
  const std::int32_t revision = Stored().job.revision;
  transport_.Answer(test::Reply(200, ""));
  EXPECT_EQ(StateOf(), v1::NOTIFICATION_STATE_DELIVERED);
  EXPECT_EQ(Stored().job.revision, revision) << "callers see no change";
  EXPECT_THAT(told_, ElementsAre("j1 DELIVERED own.example.com:443"));
  EXPECT_EQ(notifier_->waiting(), 0u);
  EXPECT_EQ(notifier_->counts().delivered, 1u);
  EXPECT_EQ(clock_.pending(), 0u);
}

TEST_F(NotifierTest, TheUrlOfTheSubmitTakesThePlaceOfTheTenantsOwn) {
  End("j1", kNamed);
  EXPECT_THAT(Urls(), ElementsAre(kNamed));
}

TEST_F(NotifierTest, TellsOfTheStatesThatAreWantedAndOfNoOther) {
  transport_.AnswerAllWith(test::Reply(200, ""));
  for (int state = v1::JobState_MIN; state <= v1::JobState_MAX; ++state) {
    if (!v1::JobState_IsValid(state)) continue;
    const auto each = static_cast<v1::JobState>(state);
    const std::size_t before = transport_.requests().size();
    End("j" + std::to_string(state), "", each);
    EXPECT_EQ(transport_.requests().size() - before, jobs::IsFinal(each) ? 1u : 0u)
        << v1::JobState_Name(each);
  }
}

TEST_F(NotifierTest, WithoutAUrlNobodyIsTold) {
  rules_.url.clear();
  End();
  EXPECT_THAT(Urls(), ElementsAre());
  EXPECT_EQ(StateOf(), v1::NOTIFICATION_STATE_UNSPECIFIED);
  EXPECT_EQ(Replay("j1").status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(errors::Reason(Replay("j1").status()), "NO_NOTIFICATION");
  EXPECT_EQ(errors::Reason(Replay("j9").status()), "JOB_NOT_FOUND");
}

TEST_F(NotifierTest, AFailureIsRepeatedWithTheSameIdAfterAPause) {
  End();
  transport_.Answer(test::Reply(500, ""));
  EXPECT_EQ(StateOf(), v1::NOTIFICATION_STATE_PENDING);
  EXPECT_EQ(transport_.requests().size(), 1u);
  clock_.Advance(2s);
  EXPECT_EQ(transport_.requests().size(), 1u);
  clock_.Advance(5s);
  ASSERT_EQ(transport_.requests().size(), 2u);
  EXPECT_EQ(HeaderOf(transport_.requests()[1], "webhook-id"), "msg_j1_succeeded");
  EXPECT_NE(HeaderOf(transport_.requests()[1], "webhook-timestamp"),
            HeaderOf(transport_.requests()[0], "webhook-timestamp"));
  transport_.Answer(test::Reply(204, ""));
  EXPECT_EQ(StateOf(), v1::NOTIFICATION_STATE_DELIVERED);
  EXPECT_EQ(jobs::NotificationOf(Stored()).tries(), 2);
  EXPECT_THAT(told_,
              ElementsAre("j1 PENDING own.example.com:443", "j1 DELIVERED own.example.com:443"));
}

TEST_F(NotifierTest, AfterADayItIsGivenUpAndAReplayBeginsAnew) {
  transport_.AnswerAllWith(test::NotSent());
  End();
  clock_.Advance(30h);
  EXPECT_EQ(StateOf(), v1::NOTIFICATION_STATE_GIVEN_UP);
  const std::size_t tries = transport_.requests().size();
  EXPECT_GE(tries, 12u);
  EXPECT_LE(tries, 30u);
  EXPECT_EQ(clock_.pending(), 0u);
  EXPECT_EQ(notifier_->counts().given_up, 1u);

  transport_.AnswerAllWith(test::Reply(200, ""));
  const absl::StatusOr<v1::Notification> replayed = Replay("j1");
  ASSERT_TRUE(replayed.ok()) << replayed.status();
  EXPECT_EQ(replayed->state(), v1::NOTIFICATION_STATE_PENDING);
  EXPECT_EQ(replayed->tries(), 0);
  EXPECT_EQ(replayed->notification_id(), "msg_j1_succeeded");
  EXPECT_EQ(StateOf(), v1::NOTIFICATION_STATE_DELIVERED);
  EXPECT_EQ(transport_.requests().size(), tries + 1);
  ASSERT_TRUE(Replay("j1").ok()) << "what was delivered, too";
  EXPECT_EQ(transport_.requests().size(), tries + 2);
}

TEST_F(NotifierTest, GoneIsGivenUpAtOnce) {
  transport_.AnswerAllWith(test::Reply(410, ""));
  End();
  EXPECT_EQ(StateOf(), v1::NOTIFICATION_STATE_GIVEN_UP);
  clock_.Advance(48h);
  EXPECT_EQ(transport_.requests().size(), 1u);
}

TEST_F(NotifierTest, WhatIsNoLongerAllowedIsNotSent) {
  End("j1", "https://evil.example.com/");
  EXPECT_THAT(Urls(), ElementsAre());
  EXPECT_EQ(StateOf(), v1::NOTIFICATION_STATE_GIVEN_UP);
  EXPECT_THAT(jobs::NotificationOf(Stored()).problem(), HasSubstr("not allowed"));
}

TEST_F(NotifierTest, ASecretThatCannotBeReadIsAskedForAgain) {
  keys_ = absl::InvalidArgumentError("secret: cannot read");
  End();
  EXPECT_THAT(Urls(), ElementsAre());
  EXPECT_EQ(StateOf(), v1::NOTIFICATION_STATE_PENDING);
  keys_ = absl::OkStatus();
  clock_.Advance(10s);
  EXPECT_THAT(Urls(), ElementsAre(kOwn));
}

TEST_F(NotifierTest, ARestartTakesUpWhatWasNotDelivered) {
  End("j1");
  End("j2");
  transport_.Answer(test::Reply(500, ""));  // j1
  ASSERT_EQ(transport_.requests().size(), 2u);
  notifier_->Stop();
  clock_.Forget();
  Make();
  TakeUp(*notifier_);
  EXPECT_EQ(transport_.requests().size(), 2u) << "not before the start";
  notifier_->Start();
  ASSERT_EQ(transport_.requests().size(), 3u) << "j1 waits for its time";
  EXPECT_EQ(HeaderOf(transport_.requests()[2], "webhook-id"), "msg_j2_succeeded");
  clock_.Advance(10s);
  EXPECT_EQ(transport_.requests().size(), 4u);
  EXPECT_EQ(notifier_->waiting(), 2u);
}

// Two processes on one store, of which the one or the other has the only shard there is.
class TwoNotifiersTest : public NotifierTest {
 protected:
  void Hold(jobs::Shards& shards, Duration lease = 24h) {
    shards.Set({{.shard = 0, .epoch = ++epoch_, .until = clock_.BootNow() + lease}});
  }
  // The notifier of another process.
  std::unique_ptr<Notifier> Other(const jobs::Shards& shards) {
    NotifierHands hands;
    hands.rules = [this](const std::string&) { return rules_; };
    hands.keys = [](const tenants::NotifyRules&) -> absl::StatusOr<std::vector<Secret>> {
      return std::vector<Secret>{Secret(std::string(24, 'k'))};
    };
    hands.run = [](const std::function<void()>& work) { work(); };
    auto other =
        std::make_unique<Notifier>(/*loopback=*/false, std::move(hands), transport_, shards,
                                   ledger_, store_, clock_, clock_, random_, NotifierEvents{});
    other->Start();
    return other;
  }

  std::int64_t epoch_ = 0;
};

TEST_F(TwoNotifiersTest, OnlyWhoHasTheShardTells) {
  jobs::Shards shards(/*alone=*/false, clock_);
  const auto other = Other(shards);
  JobRecord record = RecordIn(v1::JOB_STATE_SUCCEEDED);
  other->Plan(record);
  store_.Adopt(record, [](const absl::Status& status) { ASSERT_TRUE(status.ok()); });
  other->OnChange(Stored());
  other->OnFound(Stored());
  TakeUp(*other);
  EXPECT_EQ(other->waiting(), 0u);
  EXPECT_THAT(Urls(), ElementsAre());
  Hold(shards);
  other->OnChange(Stored());
  EXPECT_THAT(Urls(), ElementsAre(kOwn)) << "what this process has ended, nobody else has told";
}

TEST_F(TwoNotifiersTest, WhatComesWithAShardWaitsForTheOneBefore) {
  jobs::Shards shards(/*alone=*/false, clock_);
  const auto other = Other(shards);
  End();
  ASSERT_EQ(transport_.held(), 1u) << "the first has sent it when its shard goes";
  Hold(shards);
  TakeUp(*other);
  other->OnFound(Stored());
  clock_.Advance(limits::kNotifyTimeout);
  transport_.Answer(test::Reply(200, ""));
  clock_.Advance(1h);
  EXPECT_EQ(transport_.requests().size(), 1u);
  EXPECT_EQ(StateOf(), v1::NOTIFICATION_STATE_DELIVERED);
  EXPECT_EQ(other->waiting(), 0u);
}

TEST_F(TwoNotifiersTest, WhatOneHasLeftThatIsGoneIsToldByTheOther) {
  jobs::Shards shards(/*alone=*/false, clock_);
  const auto other = Other(shards);
  End();
  notifier_->Stop();  // it hears of nothing any more
  Hold(shards);
  TakeUp(*other);
  clock_.Advance(limits::kNotifyHandOver - 1s);
  EXPECT_EQ(transport_.requests().size(), 1u);
  clock_.Advance(2s);
  ASSERT_EQ(transport_.requests().size(), 2u);
  EXPECT_EQ(HeaderOf(transport_.requests()[1], "webhook-id"),
            HeaderOf(transport_.requests()[0], "webhook-id"));
}

TEST_F(TwoNotifiersTest, NotificationsGoWithTheShard) {
  jobs::Shards shards(/*alone=*/false, clock_);
  Hold(shards);
  const auto other = Other(shards);
  for (const char* id : {"j1", "j2"}) {
    JobRecord record = RecordIn(v1::JOB_STATE_SUCCEEDED, id);
    other->Plan(record);
    store_.Adopt(record, [](const absl::Status& status) { ASSERT_TRUE(status.ok()); });
    other->OnChange(Stored(id));
  }
  transport_.Answer(test::Reply(500, ""));  // j1 waits, j2 is under way
  EXPECT_EQ(other->waiting(), 2u);
  shards.Set({});
  other->DropLost();
  EXPECT_EQ(other->waiting(), 1u);
  transport_.Answer(test::Reply(500, ""));
  EXPECT_EQ(other->waiting(), 0u);
  EXPECT_EQ(jobs::NotificationOf(Stored("j2")).tries(), 1) << "what came of it is noted";
  clock_.Advance(24h);
  EXPECT_EQ(transport_.requests().size(), 2u);
}

TEST_F(TwoNotifiersTest, NothingIsSentOnALeaseThatHasRunOut) {
  jobs::Shards shards(/*alone=*/false, clock_);
  Hold(shards, 10s);
  const auto other = Other(shards);
  clock_.Advance(11s);
  JobRecord record = RecordIn(v1::JOB_STATE_SUCCEEDED);
  other->Plan(record);
  store_.Adopt(record, [](const absl::Status& status) { ASSERT_TRUE(status.ok()); });
  other->OnChange(Stored());
  EXPECT_THAT(Urls(), ElementsAre());
  shards.Set({{.shard = 0, .epoch = epoch_, .until = clock_.BootNow() + 1h}});
  clock_.Advance(limits::kStoreLeaseRenewal);
  EXPECT_THAT(Urls(), ElementsAre(kOwn));
}

TEST_F(NotifierTest, UnconfirmedIsToldIfItIsWantedAndItsEndTakesItsPlace) {
  rules_.states.insert(v1::JOB_STATE_UNCONFIRMED);
  JobRecord record = RecordIn(v1::JOB_STATE_UNCONFIRMED);
  record.submission = jobs::SubmissionState::kUnknown;
  record.job.pictory_job_id.clear();
  Adopt(record);
  ASSERT_EQ(transport_.requests().size(), 1u);
  EXPECT_EQ(HeaderOf(transport_.requests()[0], "webhook-id"), "msg_j1_unconfirmed");
  record = Stored();
  record.submission = jobs::SubmissionState::kAbandoned;
  record.job.state = v1::JOB_STATE_OUTCOME_UNKNOWN;
  Change(record);
  EXPECT_EQ(transport_.requests().size(), 1u) << "one at a time of a job";
  transport_.Answer(test::Reply(500, ""));
  ASSERT_EQ(transport_.requests().size(), 2u);
  EXPECT_EQ(HeaderOf(transport_.requests()[1], "webhook-id"), "msg_j1_outcome_unknown");
  transport_.Answer(test::Reply(200, ""));
  EXPECT_EQ(StateOf(), v1::NOTIFICATION_STATE_DELIVERED);
  EXPECT_EQ(jobs::NotificationOf(Stored()).tries(), 1);
}

// The store makes UNCONFIRMED what a process before has left being sent.
TEST_F(NotifierTest, WhatARestartHasMadeUnconfirmedIsTold) {
  JobRecord record = RecordIn(v1::JOB_STATE_UNCONFIRMED);
  record.submission = jobs::SubmissionState::kUnknown;
  store_.Adopt(record, [](const absl::Status& status) { ASSERT_TRUE(status.ok()); });
  notifier_->OnChange(Stored());
  EXPECT_THAT(Urls(), ElementsAre()) << "by default it is not";
  rules_.states.insert(v1::JOB_STATE_UNCONFIRMED);
  notifier_->OnChange(Stored());
  EXPECT_THAT(Urls(), ElementsAre(kOwn));
}

TEST_F(NotifierTest, AChangeMeanwhileKeepsWhatBecameOfTheTry) {
  End();
  JobRecord record = Stored();
  record.job.message = "changed";
  Change(record);
  transport_.Answer(test::Reply(200, ""));
  EXPECT_EQ(StateOf(), v1::NOTIFICATION_STATE_DELIVERED);
  EXPECT_EQ(Stored().job.message, "changed");
  EXPECT_EQ(transport_.requests().size(), 1u);
}

TEST_F(NotifierTest, OfADeletedJobNothingIsTold) {
  transport_.AnswerAllWith(test::Reply(500, ""));
  End();
  JobRecord record = Stored();
  record.submission = jobs::SubmissionState::kDeleted;
  ledger_.Delete(record,
                 [](const jobs::Ledger::Outcome& outcome) { ASSERT_TRUE(outcome.status.ok()); });
  clock_.Advance(48h);
  EXPECT_EQ(transport_.requests().size(), 1u);
  EXPECT_EQ(notifier_->waiting(), 0u);
}

TEST_F(NotifierTest, AReceiverThatNeverAnswersHoldsUpItsOwnOnly) {
  for (int i = 0; i < 30; ++i) End("slow" + std::to_string(i));
  EXPECT_EQ(transport_.held(), static_cast<std::size_t>(limits::kNotifyInFlightOfHostMax));
  End("quick", kNamed);
  EXPECT_EQ(Urls().back(), kNamed);
  EXPECT_EQ(transport_.held(), static_cast<std::size_t>(limits::kNotifyInFlightOfHostMax) + 1);
  while (transport_.Answer(test::Reply(200, ""))) {
  }
  EXPECT_EQ(notifier_->counts().delivered, 31u);
  EXPECT_EQ(notifier_->waiting(), 0u);
}

TEST_F(NotifierTest, BeyondTheBoundOfATenantItIsGivenUpAndCanBeReplayed) {
  for (std::size_t i = 0; i < limits::kNotifyWaitingOfTenantMax; ++i) {
    notifier_->Follow({{"default", "other" + std::to_string(i)}});
  }
  // None of them exists, so that all have gone again; those of a slow store have not.
  EXPECT_EQ(notifier_->waiting(), 0u);
  notifier_->Stop();
  Make();
  for (std::size_t i = 0; i < limits::kNotifyWaitingOfTenantMax; ++i) {
    notifier_->Follow({{"default", "other" + std::to_string(i)}});
  }
  End();
  EXPECT_EQ(StateOf(), v1::NOTIFICATION_STATE_GIVEN_UP);
  EXPECT_EQ(notifier_->counts().given_up, 1u);
  notifier_->Start();
  ASSERT_TRUE(Replay("j1").ok());
  EXPECT_EQ(StateOf(), v1::NOTIFICATION_STATE_PENDING);
  EXPECT_THAT(Urls(), ElementsAre(kOwn));
}

}  // namespace
}  // namespace gateway::notify
