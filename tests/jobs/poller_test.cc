#include "jobs/poller.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <numeric>
#include <vector>

#include "store/memory_job_store.h"
#include "support/fake_clock.h"
#include "support/fake_transport.h"
#include "support/records.h"
#include "support/upstream_rig.h"

namespace gateway::jobs {
namespace {

using namespace std::chrono_literals;
using test::Reply;

constexpr char kFailed[] =
    R"({"success":false,"data":{"status":"failed","error_code":"X","error_message":"no"}})";
constexpr char kDone[] =
    R"({"success":true,"data":{"status":"completed","videoURL":"https://cdn.example/v.mp4"}})";

http::Response LongerThan(std::size_t bytes) {
  http::Response response = test::Cut("too long", 200);
  response.longer_than_bytes = bytes;
  return response;
}

class PollerTest : public testing::Test {
 protected:
  PollerTest() {
    transport_.SetScript([this](const http::Request& r) { return Answer(r); });
  }

  void Make(BudgetOptions budget = {.requests_per_second = 1000, .burst = 1000},
            PollerOptions options = {}) {
    upstreams_ = MakeUpstreams(
        budget, transport_, clock_,
        {.rests = {},
         .degraded_changed = [this](const std::string&, bool now) { degraded_.push_back(now); }});
    upstream_ = upstreams_->Of(kDefaultAccount).get();
    ledger_ = std::make_unique<Ledger>(store_, store_, hub_);
    account_ = &UpstreamPeer::AccountOf(*upstream_);
    poller_ = std::make_unique<Poller>(
        options, shards_, *upstreams_, *ledger_, store_, clock_, clock_, random_,
        PollEvents{
            .replied = nullptr,
            .contradicted = nullptr,
            .storing =
                [this](JobRecord&) {
                  if (auto first = std::exchange(on_storing_, nullptr)) first();
                },
            .too_large =
                [this](const JobRecord& record) { too_large_.push_back(record.job.job_id); }});
    ledger_->Observe([this](const JobRecord& record, const SnapshotPtr& seen) {
      published_.push_back(record);
      if (on_publish_) on_publish_();
      poller_->OnChange(record, seen);
    });
  }

  // From now on requests wait for transport_.Answer().
  void Hold() {
    transport_.SetScript([](const http::Request&) { return std::nullopt; });
  }

  http::Response Answer(const http::Request& request) {
    const std::string id = request.path.substr(request.path.rfind('/') + 1);
    polls_.emplace_back(id, clock_.Now() - start_);
    const auto found = answers_.find(id);
    return found == answers_.end() ? Reply(200, kRunning) : found->second();
  }

  JobRecord Accepted(const std::string& id, const std::string& tenant = "default",
                     const std::string& account = kDefaultAccount) {
    JobRecord record = test::RecordOf(SubmissionState::kAccepted, "job-" + id, clock_.WallNow());
    record.job.tenant = tenant;
    record.job.account = account;
    record.job.pictory_job_id = id;
    store_.Begin(record, [](const auto& begun) { ASSERT_TRUE(begun.ok()); });
    record.version = 1;
    return record;
  }

  void Follow(const JobRecord& record) { poller_->OnChange(record, hub_.Publish(record)); }
  void FollowRecovered(const std::vector<JobRecord>& records) {
    std::map<std::string, std::size_t> jobs_of;
    for (const JobRecord& record : records) ++jobs_of[record.job.tenant];
    std::vector<Unfinished> unfinished;
    for (const auto& [tenant, jobs] : jobs_of) {
      unfinished.push_back(
          {.account = kDefaultAccount, .tenant = tenant, .jobs = jobs, .pollable = jobs});
    }
    poller_->Recover({}, unfinished);
    for (const JobRecord& record : records) {
      poller_->FollowRecovered(record, hub_.Publish(record));
    }
  }

  int PollsOf(const std::string& id) const {
    return static_cast<int>(std::count_if(polls_.begin(), polls_.end(),
                                          [&](const auto& poll) { return poll.first == id; }));
  }

  test::FakeClock clock_;
  Shards shards_{/*alone=*/true, clock_};
  const MonoTime start_ = clock_.Now();
  test::FakeTransport transport_;
  store::MemoryJobStore store_;
  WorkThread broadcaster_{"watchers", WorkThread::Rest::kDropped};
  Hub hub_{HubOptions{}, store_, broadcaster_};
  std::unique_ptr<Ledger> ledger_;
  Random random_{1};
  std::unique_ptr<Upstreams> upstreams_;
  Upstream* upstream_ = nullptr;  // the default account's
  Account* account_ = nullptr;    // behind it
  std::unique_ptr<Poller> poller_;
  std::map<std::string, std::function<http::Response()>> answers_;
  std::vector<std::pair<std::string, Duration>> polls_;  // Pictory id, time since start
  std::vector<JobRecord> published_;
  std::function<void()> on_publish_;
  std::function<void()> on_storing_;  // once
  std::vector<bool> degraded_;
  std::vector<std::string> too_large_;  // that were told
};

TEST_F(PollerTest, FollowsAJobToItsEndAndStoresBeforePublishing) {
  Make();
  Follow(Accepted("a"));
  clock_.Advance(60s);
  EXPECT_EQ(published_.size(), 1u);  // RUNNING, once
  EXPECT_EQ(published_[0].job.state, v1::JOB_STATE_RUNNING);

  answers_["a"] = [] { return Reply(200, kDone); };
  clock_.Advance(300s);
  ASSERT_EQ(published_.size(), 2u);
  EXPECT_EQ(published_[1].job.state, v1::JOB_STATE_SUCCEEDED);
  EXPECT_EQ(poller_->followed(), 0u);

  bool read = false;
  store_.Find("default", "job-a", [&](const auto& found) {
    ASSERT_TRUE(found.ok() && found->has_value());
    EXPECT_EQ((*found)->job, published_[1].job);
    read = true;
  });
  store_.ReadPart("default", "job-a", v1::RESULT_PART_RESULT_JSON, 0, 1000, [&](const auto& part) {
    ASSERT_TRUE(part.ok());
    EXPECT_EQ(part->data, R"({"status":"completed","videoURL":"https://cdn.example/v.mp4"})");
  });
  EXPECT_TRUE(read);

  const int polls = PollsOf("a");
  clock_.Advance(24h);
  EXPECT_EQ(PollsOf("a"), polls);
}

TEST_F(PollerTest, AFailureIsAskedAboutOnceMoreAlthoughTheBytesAreTheSame) {
  Make();
  answers_["a"] = [] { return Reply(200, kFailed); };
  Follow(Accepted("a"));
  clock_.Advance(6s);
  EXPECT_EQ(PollsOf("a"), 1);
  EXPECT_TRUE(published_.empty());
  clock_.Advance(5s);
  EXPECT_EQ(PollsOf("a"), 2);
  ASSERT_EQ(published_.size(), 1u);
  EXPECT_EQ(published_[0].job.state, v1::JOB_STATE_FAILED);
  EXPECT_EQ(published_[0].job.error_code, "X");
}

TEST_F(PollerTest, TheSameBytesAgainAreNeitherStoredNorPublished) {
  Make();
  Follow(Accepted("a"));
  clock_.Advance(10min);
  EXPECT_GT(PollsOf("a"), 5);
  EXPECT_EQ(published_.size(), 1u);
}

TEST_F(PollerTest, AWatcherMakesPollsDenser) {
  Make();
  Follow(Accepted("quiet"));
  Follow(Accepted("watched"));
  poller_->SetWatched("default", "job-watched", true);
  clock_.Advance(20min);
  EXPECT_GT(PollsOf("watched"), 2 * PollsOf("quiet"));
  EXPECT_LE(PollsOf("watched"), 55);
}

TEST_F(PollerTest, AHintIsOnePollAtOnceAndManyAreOneInTwoSeconds) {
  Make(BudgetOptions{.requests_per_second = 1000, .burst = 1000},
       {.curve = {.first = 1h, .max_watched = 1h, .max_unwatched = 1h}});
  Follow(Accepted("a"));
  for (int i = 0; i < 999; ++i) {  // a hundred a second, for ten
    poller_->Hint("default", "job-a");
    clock_.Advance(10ms);
  }
  ASSERT_EQ(PollsOf("a"), 5);
  for (std::size_t i = 1; i < polls_.size(); ++i) {
    EXPECT_GE(polls_[i].second - polls_[i - 1].second, limits::kHintInterval);
  }
  clock_.Advance(2s);
  EXPECT_EQ(PollsOf("a"), 6) << "the last ones count too";
  clock_.Advance(10min);
  EXPECT_EQ(PollsOf("a"), 6);
  poller_->Hint("default", "no-such-job");
}

// The job ends after ten minutes, which Pictory tells by a webhook call; in one case no call
// arrives.
TEST_F(PollerTest, ATenMinuteRenderWithCallbacksCostsFewerPollsAndIsSeenAtOnce) {
  struct Seen {
    int polls = 0;
    Duration late{};
  };
  const auto render = [this](const PollCurve& curve, bool watched, bool webhook_called) {
    Make({.requests_per_second = 1000, .burst = 1000}, {.curve = curve});
    answers_.clear();
    const std::string id = "r" + std::to_string(published_.size());
    Follow(Accepted(id));
    poller_->SetWatched("default", "job-" + id, watched);
    clock_.Advance(10min);
    const MonoTime end = clock_.Now();
    answers_[id] = [] { return Reply(200, kDone); };
    if (webhook_called) poller_->Hint("default", "job-" + id);
    while (poller_->followed() > 0) clock_.Advance(100ms);
    return Seen{PollsOf(id), clock_.Now() - end};
  };
  const PollCurve hooked = WithWebhooks({});
  for (const bool watched : {true, false}) {
    const Seen plain = render({}, watched, false);
    const Seen called = render(hooked, watched, true);
    const Seen lost = render(hooked, watched, false);
    EXPECT_LT(called.polls, plain.polls) << watched;
    EXPECT_LE(called.late, 100ms);
    EXPECT_LE(lost.polls, plain.polls);
    EXPECT_LE(lost.late, (watched ? 60s : 240s) * 1.2);
  }
}

TEST_F(PollerTest, TheFirstWatcherPullsAFarPollNear) {
  Make();
  Follow(Accepted("a"));
  clock_.Advance(20min);  // by now polled every two minutes
  const int before = PollsOf("a");
  poller_->SetWatched("default", "job-a", true);
  clock_.Advance(5s);
  EXPECT_EQ(PollsOf("a"), before + 1);
}

TEST_F(PollerTest, AWatchThatBeganBeforeTheJobWasFollowedCounts) {
  Make();
  poller_->SetWatched("default", "job-early", true);
  poller_->SetWatched("default", "job-left", true);
  poller_->SetWatched("default", "job-left", false);
  Follow(Accepted("early"));
  Follow(Accepted("left"));
  clock_.Advance(20min);
  EXPECT_GT(PollsOf("early"), 2 * PollsOf("left"));
}

TEST_F(PollerTest, AWatcherWhoComesWhileNewsIsStoredWaitsNoLonger) {
  Make({.requests_per_second = 1000, .burst = 1000},
       {.curve = {.first = 5s, .max_watched = 5s, .max_unwatched = 1h, .growth = 1000}});
  on_publish_ = [this] { poller_->SetWatched("default", "job-a", true); };
  Follow(Accepted("a"));
  clock_.Advance(7s);
  ASSERT_EQ(PollsOf("a"), 1);
  ASSERT_EQ(published_.size(), 1u);
  clock_.Advance(5s);
  EXPECT_EQ(PollsOf("a"), 2);
}

TEST_F(PollerTest, NeverExceedsTheBudgetAndUsesIt) {
  Make({.requests_per_second = 10, .burst = 2});
  for (int i = 0; i < 500; ++i) Follow(Accepted("j" + std::to_string(i)));
  clock_.Advance(30s);
  polls_.clear();
  const Duration from = clock_.Now() - start_;
  clock_.Advance(100s);
  std::vector<int> per_second(101, 0);
  for (const auto& [id, at] : polls_) ++per_second[(at - from) / 1s];
  for (std::size_t i = 0; i + 10 <= 100; ++i) {
    const int in_ten = std::accumulate(per_second.begin() + i, per_second.begin() + i + 10, 0);
    EXPECT_LE(in_ten, 102) << i;
    EXPECT_GE(in_ten, 95) << i;
  }
}

TEST_F(PollerTest, ATenantWithManyJobsDoesNotDelayOneWithFew) {
  Make({.requests_per_second = 10, .burst = 2});
  for (int i = 0; i < 2000; ++i) Follow(Accepted("many" + std::to_string(i), "big"));
  for (int i = 0; i < 3; ++i) Follow(Accepted("few" + std::to_string(i), "small"));
  clock_.Advance(8s);  // all are due by now, and 80 polls were made
  for (int i = 0; i < 3; ++i) EXPECT_EQ(PollsOf("few" + std::to_string(i)), 1);
}

// The polls of ten jobs in an hour are counted.
TEST_F(PollerTest, ATenantIsPolledHalfAsOftenAtWorstBesideOneWithNineThousandJobs) {
  const auto polls_in_an_hour = [this](int of_the_other) {
    Make({.requests_per_second = limits::kBudgetPerSecond, .burst = limits::kBudgetBurst});
    const std::string prefix = std::to_string(of_the_other) + "-";
    for (int i = 0; i < of_the_other; ++i)
      Follow(Accepted(prefix + "many" + std::to_string(i), "big"));
    for (int i = 0; i < 10; ++i) Follow(Accepted(prefix + "few" + std::to_string(i), "small"));
    polls_.clear();
    clock_.Advance(1h);
    return std::count_if(polls_.begin(), polls_.end(),
                         [&](const auto& poll) { return poll.first.starts_with(prefix + "few"); });
  };
  const auto alone = polls_in_an_hour(0);
  EXPECT_GT(alone, 10 * 10);
  EXPECT_GE(2 * polls_in_an_hour(9'000), alone);
  EXPECT_GE(polls_.size(), 3600 * limits::kBudgetPerSecond * 0.95)
      << "the budget is used all the same";
}

class ManyJobs : public PollerTest {
 protected:
  // Polls so many jobs, each due every interval, with budget for all.
  void NoneIsPolledLaterThanAnIntervalAfterItIsDue(int jobs, Duration interval) {
    Make({.requests_per_second = 2000, .burst = 100},
         {.curve = {.first = interval, .max_watched = interval, .max_unwatched = interval}});
    std::vector<MonoTime> last(jobs);
    Duration longest{0};
    int polls = 0;
    transport_.SetScript([&](const http::Request& request) {
      MonoTime& at = last.at(std::stoul(request.path.substr(request.path.rfind('/') + 1)));
      longest = std::max(longest, clock_.Now() - std::exchange(at, clock_.Now()));
      ++polls;
      return Reply(200, kRunning);
    });
    for (int i = 0; i < jobs; ++i) {
      last[i] = clock_.Now();
      Follow(Accepted(std::to_string(i)));
      if (i % 200 == 0) clock_.Advance(100ms);
    }
    clock_.Advance(2 * interval);
    for (const MonoTime at : last) longest = std::max(longest, clock_.Now() - at);
    EXPECT_LE(longest, interval * 1.2 + interval);  // due after an interval and its jitter at most
    EXPECT_GE(polls, jobs * 2 * 0.95);
  }
};

TEST_F(ManyJobs, OfTenThousandNoneIsPolledLate) {
  NoneIsPolledLaterThanAnIntervalAfterItIsDue(10'000, 6s);
}

// This takes some 20 s without optimisation; the test jobs_long runs it.
TEST_F(ManyJobs, DISABLED_OfAHundredThousandNoneIsPolledLate) {
  NoneIsPolledLaterThanAnIntervalAfterItIsDue(100'000, 60s);
}

TEST_F(PollerTest, A429SilencesTheAccountForAsLongAsAskedAndChangesNoJob) {
  Make();
  answers_["a"] = [] { return Reply(429, "", {{"retry-after", "30"}}); };
  Follow(Accepted("a"));
  Follow(Accepted("b"));
  while (PollsOf("a") == 0) clock_.Advance(1ms);
  const std::size_t polls = polls_.size();
  clock_.Advance(29900ms);
  EXPECT_EQ(polls_.size(), polls);
  for (const JobRecord& record : published_) EXPECT_EQ(record.job.pictory_job_id, "b");
  answers_.clear();
  clock_.Advance(60s);
  EXPECT_GT(PollsOf("a"), 1);
}

// Whether the credentials are refused, or only for this job, is for Upstream to find out.
TEST_F(PollerTest, RefusedCredentialsMakeTheAccountSuspectAndChangeNoJob) {
  Make();
  int suspected = 0;
  account_->SetSuspected([&] { ++suspected; });
  for (const int status : {401, 403}) {
    suspected = 0;
    answers_["a"] = [status] { return Reply(status, R"({"message":"No"})"); };
    if (PollsOf("a") == 0) Follow(Accepted("a"));
    clock_.Advance(10min);
    EXPECT_GT(suspected, 0) << status;
  }
  EXPECT_TRUE(published_.empty());
  answers_["a"] = [] { return Reply(200, kDone); };
  clock_.Advance(10min);
  ASSERT_EQ(published_.size(), 1u);
  EXPECT_EQ(published_[0].job.state, v1::JOB_STATE_SUCCEEDED);
}

TEST_F(PollerTest, AnOutageShowsAsDegradedAndEndsNoJob) {
  Make();
  answers_["a"] = [] { return Reply(503, "<html>"); };
  Follow(Accepted("a"));
  clock_.Advance(10min);
  EXPECT_EQ(degraded_, std::vector<bool>{true});
  EXPECT_TRUE(published_.empty());
  answers_["a"] = [] { return Reply(200, kDone); };
  clock_.Advance(10min);
  EXPECT_EQ(degraded_, (std::vector<bool>{true, false}));
  EXPECT_EQ(published_.back().job.state, v1::JOB_STATE_SUCCEEDED);
}

TEST_F(PollerTest, AnyAnswerEndsDegradedAndSoDoesTheLastJobsEnd) {
  Make();
  answers_["a"] = [] { return Reply(503, "<html>"); };
  Follow(Accepted("a"));
  clock_.Advance(10min);
  ASSERT_EQ(degraded_, std::vector<bool>{true});
  account_->NoteSpoken();  // of a submit
  EXPECT_FALSE(account_->degraded());
  clock_.Advance(20min);
  EXPECT_TRUE(account_->degraded());

  // The last job is removed, as by its owner, and found gone after an answer that is none.
  JobRecord deleted = Accepted("b");
  deleted.job.job_id = "job-a";
  store_.Find("default", "job-a", [&](const auto& found) { deleted = **found; });
  deleted.submission = SubmissionState::kDeleted;
  store_.Delete(deleted, [](const absl::Status&) {});
  clock_.Advance(48h);  // from a day on an unanswered poll looks into the store
  EXPECT_EQ(poller_->followed(), 1u) << "nothing has been asked of an age, so the store was not";
  answers_["a"] = [] { return Reply(400, "{}"); };
  clock_.Advance(10min);
  EXPECT_EQ(poller_->followed(), 0u);
  EXPECT_FALSE(account_->degraded());
  EXPECT_FALSE(degraded_.back());
}

// In this test somebody else has told the job's progress at the last moment.
TEST_F(PollerTest, AReplyIsNewsOnceMoreOfARecordThatHasChangedMeanwhile) {
  Make();
  answers_["a"] = [] { return Reply(200, kDone); };
  const JobRecord before = Accepted("a");
  on_storing_ = [&] {
    JobRecord other = before;
    other.job.message = "of somebody else";
    other.job.revision = 5;
    ledger_->Update({.record = other},
                    [](const Ledger::Outcome& outcome) { ASSERT_TRUE(outcome.status.ok()); });
  };
  Follow(before);
  clock_.Advance(60s);
  ASSERT_EQ(published_.size(), 2u);
  EXPECT_EQ(published_[1].job.state, v1::JOB_STATE_SUCCEEDED);
  EXPECT_EQ(published_[1].job.revision, 6);
  EXPECT_EQ(PollsOf("a"), 1);
  EXPECT_EQ(poller_->followed(), 0u);
  EXPECT_EQ(poller_->in_flight(), 0u);
}

TEST_F(PollerTest, AJobThatWasDeletedMeanwhileIsFollowedNoLonger) {
  Make();
  answers_["a"] = [] { return Reply(200, kDone); };
  JobRecord record = Accepted("a");
  on_storing_ = [&] {
    record.submission = SubmissionState::kDeleted;
    ledger_->Delete(record,
                    [](const Ledger::Outcome& outcome) { ASSERT_TRUE(outcome.status.ok()); });
  };
  Follow(record);
  clock_.Advance(60s);
  EXPECT_TRUE(published_.empty());
  EXPECT_EQ(poller_->followed(), 0u);
  EXPECT_EQ(poller_->in_flight(), 0u);
}

TEST_F(PollerTest, WhatIsNotUnderstoodIsToldAtOnceAndStoredOnce) {
  Make();
  int n = 0;
  answers_["a"] = [&n] {
    return Reply(200, "<html><title>Maintenance</title>" + std::to_string(++n) + "</html>");
  };
  answers_["b"] = [] { return Reply(200, R"({"data":{"status":"canceled"}})"); };
  answers_["c"] = [] { return Reply(400, R"({"code":"BAD","message":"no"})"); };
  for (const char* id : {"a", "b", "c"}) Follow(Accepted(id));
  clock_.Advance(2h);
  EXPECT_GT(n, 10);
  EXPECT_TRUE(degraded_.empty());
  ASSERT_EQ(published_.size(), 3u) << "one change each";
  for (const JobRecord& record : published_) {
    EXPECT_EQ(record.job.state, v1::JOB_STATE_QUEUED);
    EXPECT_EQ(record.job.revision, 2);
    EXPECT_NE(record.job.message.find("HTTP "), std::string::npos) << record.job.message;
  }
  for (const char* id : {"a", "b", "c"}) answers_[id] = [] { return Reply(200, kDone); };
  clock_.Advance(10min);
  ASSERT_EQ(published_.size(), 6u);
  EXPECT_EQ(published_.back().job.state, v1::JOB_STATE_SUCCEEDED);
  EXPECT_EQ(published_.back().job.message, "");
}

TEST_F(PollerTest, AnIncompleteResultIsFoundOnePollLater) {
  Make();
  int polls = 0;
  answers_["a"] = [&polls] {
    return Reply(200, ++polls < 3 ? R"({"data":{"status":"completed"}})" : kDone);
  };
  Follow(Accepted("a"));
  clock_.Advance(30s);
  EXPECT_EQ(polls, 3);
  ASSERT_EQ(published_.size(), 2u) << "that it waits, and the end";
  EXPECT_EQ(published_.back().job.state, v1::JOB_STATE_SUCCEEDED);
}

TEST_F(PollerTest, WhatIsThereInPlaceOfAResultIsStoredWithItsParts) {
  Make();
  answers_["a"] = [] { return Reply(200, R"({"data":{"status":"completed","frames":[1]}})"); };
  JobRecord adopted = Accepted("a");
  adopted.job.kind = v1::JOB_KIND_UNSPECIFIED;
  store_.Update(adopted, {}, [](const absl::Status& stored) { ASSERT_TRUE(stored.ok()); });
  Follow(adopted);
  clock_.Advance(100s);
  EXPECT_EQ(published_.back().job.state, v1::JOB_STATE_RUNNING);
  clock_.Advance(60s);
  EXPECT_EQ(published_.back().job.state, v1::JOB_STATE_SUCCEEDED);
  store_.ReadPart("default", "job-a", v1::RESULT_PART_RESULT_JSON, 0, 100, [](const auto& part) {
    ASSERT_TRUE(part.ok());
    EXPECT_EQ(part->data, R"({"status":"completed","frames":[1]})");
  });
}

// A week without the gateway, refused credentials, a rate limit, an outage: none of them makes a
// job older.
TEST_F(PollerTest, ATimeInWhichPictoryCouldNotBeAskedEndsNoJob) {
  for (const auto& trouble : std::vector<std::function<http::Response()>>{
           [] { return Reply(503, ""); }, [] { return Reply(401, "{}"); },
           [] { return Reply(429, "{}"); }, [] { return test::NotSent(); },
           [] { return Reply(200, "<html>"); }}) {
    Make();
    const std::string id = "p" + std::to_string(polls_.size());
    Follow(Accepted(id));
    clock_.Advance(1h);
    answers_[id] = trouble;
    clock_.Advance(24h * 10);
    answers_[id] = [] { return Reply(200, kRunning); };
    clock_.Advance(24h * 6);
    EXPECT_EQ(poller_->followed(), 1u);
    answers_[id] = [] { return Reply(200, kDone); };
    clock_.Advance(2h);
    EXPECT_EQ(published_.back().job.state, v1::JOB_STATE_SUCCEEDED) << trouble().status;
  }
}

TEST_F(PollerTest, AJobThatIsAskedAboutAllTheTimeExpires) {
  Make();
  Follow(Accepted("a"));
  clock_.Advance(24h * 7 - 2h);
  EXPECT_EQ(poller_->followed(), 1u);
  clock_.Advance(4h);
  EXPECT_EQ(published_.back().job.state, v1::JOB_STATE_EXPIRED);
}

TEST_F(PollerTest, WhatTheProcessBeforeKnewOfTheTimeAskedIsStoredNowAndThen) {
  Make();
  Follow(Accepted("a"));
  poller_->SetWatched("default", "job-a", true);
  const WallTime start = clock_.WallNow();
  clock_.Advance(2h);
  const auto asked = [this] { return Latest(store_.Recover(clock_.WallNow())->asked); };
  EXPECT_GE(asked().answered, clock_.WallNow() - 12min);
  EXPECT_LE(asked().since, start + 10s);
  const JobRecord record = published_.back();

  // Away for a month: at the first answer the time begins anew.
  const Asked before = asked();
  poller_->Stop();
  clock_.Advance(24h * 30);
  Make();
  poller_->Recover({{kDefaultAccount, before}}, {});
  FollowRecovered({record});
  clock_.Advance(1min);
  EXPECT_EQ(poller_->followed(), 1u);
  EXPECT_GE(asked().since, clock_.WallNow() - 1min);
}

TEST_F(PollerTest, AClockThatIsSetByAYearEndsNoJob) {
  Make();
  Follow(Accepted("a"));
  for (const auto jump : {24h * 365, -24h * 365, -24h * 365, 24h * 365}) {
    clock_.Advance(1h);
    clock_.JumpWall(jump);
    clock_.Advance(3h);
    ASSERT_EQ(poller_->followed(), 1u);
  }
  answers_["a"] = [] { return Reply(200, kDone); };
  clock_.Advance(15min);
  EXPECT_EQ(published_.back().job.state, v1::JOB_STATE_SUCCEEDED);
}

TEST_F(PollerTest, AHintLeadsToAPollThoughPollsFail) {
  Make();
  answers_["a"] = [] { return Reply(503, ""); };
  Follow(Accepted("a"));
  clock_.Advance(1h);  // by now asked once in five minutes at most
  const int before = PollsOf("a");
  const MonoTime now = clock_.Now();
  answers_["a"] = [] { return Reply(200, kDone); };
  poller_->Hint("default", "job-a");
  clock_.Advance(limits::kHintInterval);
  EXPECT_EQ(PollsOf("a"), before + 1) << (clock_.Now() - now) / 1s;
  EXPECT_EQ(published_.back().job.state, v1::JOB_STATE_SUCCEEDED);
}

TEST_F(PollerTest, HintsWhilePollsFailAreBoundedAndWaitForTheAccount) {
  Make({.requests_per_second = 1000, .burst = 1000},
       {.curve = {.first = 1s, .error_first = 1h, .error_max = 1h}});
  answers_["a"] = [] { return Reply(503, ""); };
  Follow(Accepted("a"));
  clock_.Advance(2s);
  polls_.clear();
  for (int i = 0; i < 100; ++i) {
    poller_->Hint("default", "job-a");
    clock_.Advance(100ms);
  }
  EXPECT_GE(PollsOf("a"), 4);
  EXPECT_LE(PollsOf("a"), 6);
  account_->SetResting(absl::UnavailableError("silent"));
  polls_.clear();
  poller_->Hint("default", "job-a");
  clock_.Advance(1min);
  EXPECT_EQ(PollsOf("a"), 0);
  account_->SetResting(absl::OkStatus());
  clock_.Advance(1s);
  EXPECT_EQ(PollsOf("a"), 1);
}

// A reply that Pictory needs `needed` to begin; a request with less time gets no answer.
std::optional<http::Response> AnswerAfter(Duration needed, const http::Request& request) {
  if (request.timeout >= needed) return Reply(200, kDone);
  http::Response late = test::Cut();
  late.timed_out = true;
  return late;
}

TEST_F(PollerTest, AReplyThatTakesLongerIsGivenMoreTimeEachTime) {
  Make();
  std::vector<Duration> given;
  transport_.SetScript([&](const http::Request& request) {
    given.push_back(request.timeout);
    return AnswerAfter(100s, request);
  });
  Follow(Accepted("a"));
  clock_.Advance(10min);
  EXPECT_EQ(given, (std::vector<Duration>{10s, 20s, 40s, 80s, 120s}));
  ASSERT_EQ(published_.size(), 1u);
  EXPECT_EQ(published_[0].job.state, v1::JOB_STATE_SUCCEEDED);

  given.clear();
  transport_.SetScript([&](const http::Request& request) {
    given.push_back(request.timeout);
    return AnswerAfter(1h, request);
  });
  Follow(Accepted("b"));
  clock_.Advance(2h);
  EXPECT_EQ(*std::max_element(given.begin(), given.end()), limits::kSlowPollTimeoutMax);
}

TEST_F(PollerTest, SlowRepliesDoNotTakeAllPlaces) {
  constexpr int kPlaces = 8;
  Make({.requests_per_second = 1000, .burst = 1000}, {.curve = {}, .in_flight_max = kPlaces});
  transport_.SetScript([&](const http::Request& request) -> std::optional<http::Response> {
    if (request.path.find("slow") == std::string::npos) return Answer(request);
    if (request.timeout > limits::kPollTimeout) return std::nullopt;  // until it is answered below
    return AnswerAfter(12s, request);
  });
  for (int i = 0; i < 20; ++i) Follow(Accepted("slow" + std::to_string(i)));
  Follow(Accepted("quick"));
  clock_.Advance(1h);
  EXPECT_EQ(transport_.held(), static_cast<std::size_t>(kPlaces / limits::kSlowPollsShare));
  EXPECT_GT(PollsOf("quick"), 10);
  int read = 0;
  while (poller_->followed() > 1 && read < 100) {
    while (transport_.Answer(Reply(200, kDone))) ++read;
    clock_.Advance(10min);
  }
  EXPECT_EQ(read, 20) << "each has had a place in the end";
  EXPECT_EQ(poller_->in_flight(), 0u);
}

TEST_F(PollerTest, AJobIsNeverPolledTwiceAtOnce) {
  Make();
  Hold();
  Follow(Accepted("a"));
  clock_.Advance(10s);
  ASSERT_EQ(transport_.held(), 1u);
  poller_->SetWatched("default", "job-a", true);
  Follow(Accepted("a"));
  clock_.Advance(10min);
  EXPECT_EQ(transport_.held(), 1u);
}

TEST_F(PollerTest, PollsInFlightAreBounded) {
  Make({.requests_per_second = 1000, .burst = 1000}, {.curve = {}, .in_flight_max = 5});
  Hold();
  for (int i = 0; i < 20; ++i) Follow(Accepted("j" + std::to_string(i)));
  clock_.Advance(10s);
  EXPECT_EQ(transport_.held(), 5u);
  transport_.Answer(Reply(200, kRunning));
  EXPECT_EQ(transport_.held(), 5u);
  EXPECT_EQ(transport_.requests().size(), 6u);
}

TEST_F(PollerTest, AnAccountThatIsSilentHoldsUpNoOther) {
  Make({.requests_per_second = 1000, .burst = 1000}, {.curve = {}, .in_flight_max = 8});
  upstreams_->Open("silent", {.client = {.api_key = Secret("pictai_s"), .user_agent = "t"},
                              .budget = {.requests_per_second = 1000, .burst = 1000}});
  transport_.SetScript([this](const http::Request& request) -> std::optional<http::Response> {
    http::Response answer = Answer(request);
    if (polls_.back().first.starts_with("s")) return std::nullopt;
    return answer;
  });
  for (int i = 0; i < 20; ++i) Follow(Accepted("s" + std::to_string(i), "acme", "silent"));
  for (int i = 0; i < 5; ++i) Follow(Accepted("a" + std::to_string(i)));
  clock_.Advance(1min);
  EXPECT_EQ(transport_.held(), 4u) << "half of the places stay for others";
  for (int i = 0; i < 5; ++i) EXPECT_GE(PollsOf("a" + std::to_string(i)), 4) << i;
}

TEST_F(PollerTest, LargeRepliesOfASilentAccountHoldUpNoOther) {
  Make({.requests_per_second = 1000, .burst = 1000}, {.curve = {}, .large_in_flight_max = 1});
  upstreams_->Open("silent", {.client = {.api_key = Secret("pictai_s"), .user_agent = "t"},
                              .budget = {.requests_per_second = 1000, .burst = 1000}});
  bool silent = false;
  transport_.SetScript([&](const http::Request& request) -> std::optional<http::Response> {
    const std::string id = request.path.substr(request.path.rfind('/') + 1);
    polls_.emplace_back(id, clock_.Now() - start_);
    if (id.starts_with("s") && silent) return test::NotSent();
    if (request.max_body_bytes == limits::kSmallReplyMaxBytes) {
      return LongerThan(request.max_body_bytes);
    }
    return Reply(200, kRunning);
  });
  for (int i = 0; i < 4; ++i) Follow(Accepted("s" + std::to_string(i), "acme", "silent"));
  Follow(Accepted("a"));
  clock_.Advance(1min);
  silent = true;
  const int before = PollsOf("a");
  clock_.Advance(10min);
  EXPECT_GT(PollsOf("a"), before + 3);
}

TEST_F(PollerTest, AfterARestartATenantWithFewJobsWaitsForNoneOfAnothers) {
  Make({.requests_per_second = 10, .burst = 10});
  std::vector<JobRecord> records;
  for (int i = 0; i < 2000; ++i) records.push_back(Accepted("m" + std::to_string(i), "many"));
  for (int i = 0; i < 3; ++i) records.push_back(Accepted("f" + std::to_string(i), "few"));
  FollowRecovered(records);
  clock_.Advance(31s);
  for (int i = 0; i < 3; ++i) EXPECT_GE(PollsOf("f" + std::to_string(i)), 1) << i;
  EXPECT_GT(polls_.size(), 100u) << "the others are polled meanwhile";
}

TEST_F(PollerTest, ARestartSpreadsTheFirstPolls) {
  Make({.requests_per_second = 10, .burst = 10});
  std::vector<JobRecord> records;
  for (int i = 0; i < 100; ++i) records.push_back(Accepted("j" + std::to_string(i)));
  FollowRecovered(records);
  clock_.Advance(3s);
  EXPECT_LT(polls_.size(), 25u);
  clock_.Advance(57s);
  for (int i = 0; i < 100; ++i) EXPECT_GE(PollsOf("j" + std::to_string(i)), 1) << i;
}

TEST_F(PollerTest, UnconfirmedAndFinalJobsAreNotFollowed) {
  Make();
  JobRecord unconfirmed = Accepted("u");
  unconfirmed.job.pictory_job_id.clear();
  unconfirmed.job.state = v1::JOB_STATE_UNCONFIRMED;
  unconfirmed.submission = SubmissionState::kUnknown;
  Follow(unconfirmed);
  JobRecord final = Accepted("f");
  final.job.state = v1::JOB_STATE_FAILED;
  FollowRecovered({unconfirmed, final});
  EXPECT_EQ(poller_->followed(), 0u);
}

TEST_F(PollerTest, AfterStopNothingStartsAndALateAnswerIsDropped) {
  Make();
  Hold();
  Follow(Accepted("a"));
  Follow(Accepted("b"));
  clock_.Advance(10s);
  ASSERT_EQ(transport_.held(), 2u);
  poller_->Stop();
  transport_.Answer(Reply(200, kDone));
  clock_.Advance(1h);
  EXPECT_EQ(transport_.requests().size(), 2u);
  EXPECT_TRUE(published_.empty());
}

TEST_F(PollerTest, AJumpOfTheWallClockMakesNeitherBurstNorStall) {
  Make();
  for (int i = 0; i < 20; ++i) Follow(Accepted("j" + std::to_string(i)));
  clock_.Advance(10min);
  polls_.clear();
  clock_.JumpWall(1h);
  clock_.Advance(1s);
  EXPECT_LT(polls_.size(), 5u);
  clock_.JumpWall(-2h);
  clock_.Advance(10min);
  for (int i = 0; i < 20; ++i) EXPECT_GE(PollsOf("j" + std::to_string(i)), 1) << i;
}

TEST_F(PollerTest, ALargeReplyIsAskedForAgainAtOnceAndWhole) {
  Make();
  std::vector<std::size_t> asked;
  transport_.SetScript([&](const http::Request& request) -> std::optional<http::Response> {
    asked.push_back(request.max_body_bytes);
    if (request.max_body_bytes == limits::kSmallReplyMaxBytes) {
      return LongerThan(request.max_body_bytes);
    }
    return Reply(200, kDone);
  });
  Follow(Accepted("a"));
  clock_.Advance(7s);
  EXPECT_EQ(asked,
            (std::vector<std::size_t>{limits::kSmallReplyMaxBytes, limits::kJobReplyMaxBytes}));
  ASSERT_EQ(published_.size(), 1u);
  EXPECT_EQ(published_[0].job.state, v1::JOB_STATE_SUCCEEDED);
  EXPECT_TRUE(degraded_.empty());
}

TEST_F(PollerTest, FewLargeRepliesAreUnderWayAtOnceAndSmallOnesPassThem) {
  Make();
  Hold();
  for (int i = 0; i < 8; ++i) Follow(Accepted("j" + std::to_string(i)));
  clock_.Advance(7s);
  ASSERT_EQ(transport_.held(), 8u);
  for (int i = 0; i < 8; ++i) transport_.Answer(LongerThan(limits::kSmallReplyMaxBytes));
  EXPECT_EQ(transport_.held(), 2u);
  Follow(Accepted("small"));
  clock_.Advance(7s);
  EXPECT_EQ(transport_.held(), 3u);
  int finished = 0;
  while (transport_.held() > 0) {
    const bool small = transport_.oldest_held().path == "/v1/jobs/small";
    EXPECT_LE(transport_.held(), 3u);
    transport_.Answer(Reply(200, kDone));
    if (!small) ++finished;
  }
  EXPECT_EQ(finished, 8);
  EXPECT_EQ(poller_->followed(), 0u);
  EXPECT_EQ(poller_->in_flight(), 0u);
}

TEST_F(PollerTest, AResultOverTheSettingIsKeptForARestartWithAHigherOne) {
  Make();
  transport_.SetScript([](const http::Request& request) -> std::optional<http::Response> {
    return LongerThan(request.max_body_bytes);
  });
  Follow(Accepted("a"));
  clock_.Advance(24h);
  EXPECT_LT(transport_.requests().size(), 35u);  // once an hour, and twice at first
  EXPECT_TRUE(degraded_.empty());
  ASSERT_FALSE(published_.empty());
  const JobRecord waiting = published_.back();
  EXPECT_EQ(waiting.job.state, v1::JOB_STATE_RUNNING);
  EXPECT_NE(waiting.job.message.find("--max-job-reply-mib"), std::string::npos);
  EXPECT_EQ(too_large_, std::vector<std::string>{"job-a"}) << "once, not at each poll";
  EXPECT_EQ(poller_->too_large(), 1u);
  poller_->SetWatched("default", "job-a", true);
  const std::size_t polls = transport_.requests().size();
  clock_.Advance(10min);
  EXPECT_LE(transport_.requests().size(), polls + 1);

  Make();
  transport_.AnswerAllWith(Reply(200, kDone));
  FollowRecovered({waiting});
  EXPECT_EQ(poller_->too_large(), 1u);
  clock_.Advance(31s);
  EXPECT_EQ(published_.back().job.state, v1::JOB_STATE_SUCCEEDED);
  EXPECT_EQ(published_.back().job.message, "");
  EXPECT_EQ(poller_->too_large(), 0u);
  EXPECT_EQ(too_large_.size(), 1u);
}

TEST_F(PollerTest, JobsThatAreSeldomPolledAreNotOverdue) {
  Make();
  EXPECT_EQ(poller_->overdue(), 0s);
  Follow(Accepted("old"));
  answers_["unknown"] = [] { return Reply(404, R"({"message":"no such job"})"); };
  Follow(Accepted("unknown"));
  for (int i = 0; i < 3 * 24 * 60; ++i) {  // both are polled hourly in the end
    clock_.Advance(1min);
    ASSERT_EQ(poller_->overdue(), 0s) << i;
  }
  const std::size_t polls = polls_.size();
  clock_.Advance(4h);
  EXPECT_LE(polls_.size() - polls, 10u);
}

TEST_F(PollerTest, APollThatIsNotAnsweredGetsOverdue) {
  Make();
  Hold();
  Follow(Accepted("a"));
  clock_.Advance(7s);
  ASSERT_EQ(transport_.held(), 1u);
  const Duration before = poller_->overdue();
  EXPECT_LT(before, 7s);
  clock_.Advance(20min);
  EXPECT_EQ(poller_->overdue(), before + 20min);
  transport_.Answer(Reply(200, kRunning));
  EXPECT_EQ(poller_->overdue(), 0s);
}

TEST_F(PollerTest, APollThatNeverBeginsGetsOverdue) {
  Make({.requests_per_second = 0.0001, .burst = 1});
  Follow(Accepted("a"));
  Follow(Accepted("b"));
  clock_.Advance(7s);  // the only request of some hours is spent
  ASSERT_EQ(polls_.size(), 1u);
  clock_.Advance(20min);
  EXPECT_GT(poller_->overdue(), 20min);
}

TEST_F(PollerTest, WhoWaitsBecausePollsAreManyIsNotOverdue) {
  Make({.requests_per_second = 10, .burst = 10});
  account_->SetResting(absl::UnavailableError("silent"));
  for (int i = 0; i < 1000; ++i) Follow(Accepted("j" + std::to_string(i)));
  clock_.Advance(1h);
  EXPECT_EQ(poller_->overdue(), 0s) << "nobody can ask";
  account_->SetResting(absl::OkStatus());
  clock_.Advance(5s);
  for (int i = 0; i < 60; ++i) {
    clock_.Advance(1s);
    EXPECT_LT(poller_->overdue(), 2s) << i;
  }
  EXPECT_LT(polls_.size(), 1000u) << "some have waited for an hour, and wait on";
}

constexpr char kKeyAccount[] = "key-0123456789abcdef0123456789abcdef";

TEST_F(PollerTest, JobsWhoseAccountIsNotOpenAreNotOverdue) {
  Make();
  Follow(Accepted("a", "default", kKeyAccount));
  Follow(Accepted("b", "default", "gone"));
  Follow(Accepted("c", "default", "gone"));
  clock_.Advance(1h);
  EXPECT_EQ(poller_->followed(), 3u);
  EXPECT_EQ(polls_.size(), 0u);
  EXPECT_EQ(poller_->overdue(), 0s);
  EXPECT_EQ(poller_->unasked().key_not_shown, 1u);
  EXPECT_EQ(poller_->unasked().account_gone, 2u);
  Follow(Accepted("d"));
  upstreams_->Open("gone", {});
  EXPECT_EQ(poller_->unasked().account_gone, 0u);
}

TEST_F(PollerTest, AJobWaitsWhileTheAccountRestsAndGoesOnAfterwards) {
  Make();
  Follow(Accepted("a"));
  account_->SetResting(absl::UnavailableError("silent"));
  clock_.Advance(300s);
  EXPECT_EQ(PollsOf("a"), 0);
  account_->SetResting(absl::OkStatus());
  clock_.Advance(1s);
  EXPECT_EQ(PollsOf("a"), 1);
}

TEST_F(PollerTest, PollsWithoutAnAnswerAreReported) {
  Make();
  int silent = 0;
  account_->SetSuspected([&] { ++silent; });
  for (int i = 0; i < limits::kOutageSuspectedAfter; ++i) {
    const std::string id = "p" + std::to_string(i);
    answers_[id] = [] { return Reply(503, "busy"); };
    Follow(Accepted(id));
  }
  clock_.Advance(7s);
  EXPECT_GE(silent, 1);
  answers_.clear();
  clock_.Advance(300s);
  const int told = silent;
  clock_.Advance(300s);
  EXPECT_EQ(silent, told);
}

// A poller under pressure: polls are shed.
class ShedPollerTest : public PollerTest {
 protected:
  ShedPollerTest() { Make({.requests_per_second = 1000, .burst = 1000}, {.shedding = &shedding_}); }
  // Sets whether polls are shed.
  void Press(bool on) {
    const Pressure pressure{.store_queue = on ? limits::kPressureStoreQueue + 1 : 0};
    for (int i = 0; i < 5; ++i) shedding_.Look(pressure, pressed_at_ += 1s);
    ASSERT_EQ(shedding_.Sheds(Shed::kPolls), on);
  }
  // A poll that is under way for as long as the test wants.
  void Occupy() {
    Follow(Accepted("slow"));
    Hold();
    clock_.Advance(10s);
    ASSERT_EQ(poller_->in_flight(), 1u);
    transport_.SetScript([this](const http::Request& r) { return Answer(r); });
  }

  Shedding shedding_;
  MonoTime pressed_at_{1h};
};

TEST_F(ShedPollerTest, JobsThatNobodyWatchesWaitAndWatchedOnesDoNot) {
  Occupy();
  Follow(Accepted("quiet"));
  Follow(Accepted("watched"));
  poller_->SetWatched("default", "job-watched", true);
  Press(true);
  clock_.Advance(10min);
  EXPECT_EQ(PollsOf("quiet"), 0);
  EXPECT_GT(PollsOf("watched"), 15);
  EXPECT_GT(shedding_.refused(Shed::kPolls), 2u);
  EXPECT_LT(shedding_.refused(Shed::kPolls), 10u) << "it is put off by its slowest interval";

  Press(false);
  clock_.Advance(3min);
  EXPECT_GT(PollsOf("quiet"), 0) << "nothing is left behind";
}

TEST_F(ShedPollerTest, OneAtATimeGoesOnSoThatJobsEnd) {
  for (int i = 0; i < 20; ++i) {
    const std::string id = "j" + std::to_string(i);
    answers_[id] = [] { return Reply(200, kDone); };
    Follow(Accepted(id));
  }
  Press(true);
  clock_.Advance(30min);
  EXPECT_EQ(poller_->followed(), 0u);
}

TEST_F(ShedPollerTest, AHintIsPolledAllTheSame) {
  Occupy();
  Follow(Accepted("hinted"));
  Press(true);
  clock_.Advance(1min);
  ASSERT_EQ(PollsOf("hinted"), 0);
  answers_["hinted"] = [] { return Reply(200, kDone); };
  poller_->Hint("default", "job-hinted");
  clock_.Advance(3s);
  EXPECT_EQ(PollsOf("hinted"), 1);
  ASSERT_FALSE(published_.empty());
  EXPECT_EQ(published_.back().job.state, v1::JOB_STATE_SUCCEEDED);
}

TEST_F(ShedPollerTest, VeryManyAreNotPutOffInOneGo) {
  Make({.requests_per_second = 1000, .burst = 1000},
       {.curve = {.jitter = 0}, .shedding = &shedding_});
  Occupy();
  for (int i = 0; i < 3 * limits::kPollsPutOffMax; ++i) Follow(Accepted("j" + std::to_string(i)));
  Press(true);
  std::uint64_t most = 0;
  for (int i = 0; i < 10'000; ++i) {
    const std::uint64_t before = shedding_.refused(Shed::kPolls);
    clock_.Advance(1ms);
    most = std::max(most, shedding_.refused(Shed::kPolls) - before);
  }
  EXPECT_EQ(shedding_.refused(Shed::kPolls), 3u * limits::kPollsPutOffMax);
  EXPECT_EQ(most, std::uint64_t{limits::kPollsPutOffMax});
}

}  // namespace
}  // namespace gateway::jobs
