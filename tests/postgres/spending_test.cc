// Several gateways submit side by side, and together keep the limits.
#include "store/store_calls.h"  // first, see there

#include <gmock/gmock.h>

#include <cmath>
#include <limits>
#include <list>
#include <thread>

#include "absl/strings/str_cat.h"
#include "base/errors.h"
#include "cut.h"
#include "jobs/outcome.h"
#include "postgres/postgres_job_store.h"
#include "postgres/spending.h"
#include "server.h"
#include "support/quota.h"

namespace gateway::postgres {
namespace {

using jobs::JobRecord;
using jobs::SubmissionState;
using jobs::SubmitLimits;
using store::Begun;
using store::StoreCalls;
using ::testing::HasSubstr;
using ::testing::Pair;

WallTime Now() { return SystemClock().WallNow(); }

// A gateway as far as its store goes, with a way to the server that can be cut.
class Spender {
 public:
  Spender(const std::string& name, jobs::SubmitLimitsOf limits)
      : proxy_(PostgresServer::Shared().socket()) {
    auto opened = PostgresJobStore::Open({.conninfo = proxy_.conninfo(),
                                          .gateway = name,
                                          .address = "here",
                                          .away_wait = std::chrono::hours(1),
                                          .close_wait = std::chrono::milliseconds(500),
                                          .lease_times = {.lease = std::chrono::hours(1),
                                                          .renewal = std::chrono::hours(1),
                                                          .grace = Duration::zero()}});
    EXPECT_TRUE(opened.ok()) << opened.status();
    store_ = *std::move(opened);
    store_->LimitWith(std::move(limits));
    calls_.emplace(*store_);
    recovered_ = store_->Recover(Now()).value();
  }

  JobRecord Asking(const std::string& n, const std::string& tenant = "acme",
                   double credits = 0) const {
    JobRecord record = Begun("j" + n, "r" + n, tenant);
    record.submission = SubmissionState::kSending;
    record.owner_epoch = recovered_.epoch;
    record.credits_reserved = credits;
    record.sent_at = Now();
    return record;
  }
  // A submit that waits for another job.
  JobRecord Waiting(const std::string& n, double credits = 0) const {
    JobRecord record = Asking(n, "acme", credits);
    record.submission = SubmissionState::kWaiting;
    record.job.state = jobs::v1::JOB_STATE_WAITING;
    record.waiting_request = "what is to be sent";
    record.sent_at = {};
    return record;
  }
  absl::Status Begin(JobRecord record) { return calls_->Begin(std::move(record)).status(); }
  absl::Status Submit(const std::string& n, double credits = 0) {
    return Begin(Asking(n, "acme", credits));
  }
  JobRecord Find(const std::string& n, const std::string& tenant = "acme") {
    store::Answer<StoreCalls::MaybeRecord> answer;
    store_->FindRequest(tenant, "r" + n, answer.Callback());
    return answer.Wait().value().value();
  }
  // Changes the record as it is now.
  absl::Status Change(const std::string& n, const std::function<void(JobRecord&)>& change) {
    JobRecord record = Find(n);
    change(record);
    return calls_->UpdateVersion(std::move(record));
  }
  absl::Status GiveUp(const std::string& n) {
    return Change(n, [](JobRecord& record) { record.submission = SubmissionState::kNotSent; });
  }
  // Pictory has taken it, and it has ended.
  absl::Status End(const std::string& n, std::optional<double> used) {
    return Change(n, [&](JobRecord& record) {
      record.submission = SubmissionState::kAccepted;
      record.job.pictory_job_id = "p" + n;
      record.job.state = jobs::v1::JOB_STATE_SUCCEEDED;
      record.job.credits_used = used;
      record.job.finish_time = Now();
    });
  }
  // As if it was killed: it says nothing more.
  void Kill() {
    proxy_.SetOpen(false);
    store_->Close();
  }

  PostgresJobStore& store() { return *store_; }
  StoreCalls& calls() { return *calls_; }
  CutProxy& proxy() { return proxy_; }

 private:
  CutProxy proxy_;
  std::unique_ptr<PostgresJobStore> store_;
  std::optional<StoreCalls> calls_;
  jobs::Recovered recovered_;
};

class SpendingTest : public ::testing::Test {
 protected:
  SpendingTest() { server_.Empty(); }

  Spender& Join(const std::string& name) {
    return spenders_.emplace_back(name, [this](const std::string&) { return limits_; });
  }
  long Counted(const std::string& tenant = "", const std::string& what = "submits") {
    return server_.Number("SELECT coalesce(sum(" + what + "), 0)::bigint FROM pictory.spending" +
                          " WHERE span = 3600 AND tenant = '" + tenant + "'");
  }
  // What the rows of jobs say, and the sums by both steps, are one.
  void ExpectSumsAreThoseOfTheJobs() {
    for (const char* span : {"3600", "6"}) {
      EXPECT_EQ(
          server_.Number(
              std::string("SELECT count(*) FROM"
                          " (SELECT tenant, sum(submits) AS n, sum(credits) AS c, sum(reserved) AS"
                          " r FROM pictory.spending WHERE span = ") +
              span +
              " GROUP BY tenant) AS s FULL JOIN (SELECT whose.tenant, count(*) AS n,"
              " sum(counted_credits) AS c, sum(counted_reserved) AS r FROM pictory.jobs AS j"
              " CROSS JOIN LATERAL (VALUES (j.tenant), (''::bytea)) AS whose (tenant)"
              " WHERE counted_at IS NOT NULL GROUP BY whose.tenant) AS j USING (tenant)"
              " WHERE coalesce(s.n, 0) <> coalesce(j.n, 0) OR coalesce(s.c, 0) <> coalesce(j.c, 0)"
              " OR coalesce(s.r, 0) <> coalesce(j.r, 0)"),
          0)
          << span;
    }
  }

  PostgresServer& server_ = PostgresServer::Shared();
  SubmitLimits limits_;  // changed while nobody submits
  std::list<Spender> spenders_;
};

struct LimitCase {
  const char* name;
  SubmitLimits limits;
  int of_acme;  // how many of it, and of all, may be
  int of_all;
};

class EachLimitTest : public SpendingTest, public ::testing::WithParamInterface<LimitCase> {};
INSTANTIATE_TEST_SUITE_P(
    Limits, EachLimitTest,
    ::testing::Values(LimitCase{"MinuteOfAll", {.all_per_minute = 50}, -1, 50},
                      LimitCase{"DayOfAll", {.all_per_day = 40}, -1, 40},
                      LimitCase{"MinuteOfATenant", {.tenant = {.submits_per_minute = 30}}, 30, 60},
                      LimitCase{"DayOfATenant", {.tenant = {.submits_per_day = 20}}, 20, 40},
                      LimitCase{"CreditsOfATenant", {.tenant = {.credits_per_day = 77}}, 25, 50},
                      LimitCase{"ActiveOfATenant", {.tenant = {.active_jobs = 35}}, 35, 70},
                      LimitCase{"AllTogether",
                                {.all_per_minute = 66,
                                 .all_per_day = 55,
                                 .tenant = {.submits_per_minute = 45, .submits_per_day = 40}},
                                -1,
                                55}),
    [](const auto& limit) { return std::string(limit.param.name); });

TEST_P(EachLimitTest, IsMetExactlyByThreeThatSubmitSideBySide) {
  limits_ = GetParam().limits;
  std::vector<Spender*> gateways;
  for (const char* name : {"one", "two", "three"}) gateways.push_back(&Join(name));
  constexpr int kEach = 60;  // of each gateway
  const std::string position = gateways[0]->calls().FindFeedEnd().value();
  std::atomic<int> begun{0}, refused{0};
  std::vector<std::thread> threads;
  for (std::size_t g = 0; g < gateways.size(); ++g) {
    threads.emplace_back([&, g] {
      std::vector<store::Answer<absl::StatusOr<jobs::BeginResult>>> answers(kEach);
      for (int i = 0; i < kEach; ++i) {
        gateways[g]->store().Begin(
            gateways[g]->Asking(absl::StrCat(g, "-", i), i % 2 == 0 ? "acme" : "umbra", 3),
            answers[static_cast<std::size_t>(i)].Callback());
      }
      for (auto& answer : answers) {
        const auto is = answer.Wait();
        if (is.ok() && is->begun) {
          ++begun;
        } else {
          EXPECT_EQ(errors::Reason(is.status()), "SPENDING_LIMIT") << is.status();
          EXPECT_TRUE(absl::IsResourceExhausted(is.status()));
          EXPECT_GT(errors::RetryDelay(is.status()), Duration::zero());
          ++refused;
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(begun, GetParam().of_all);
  EXPECT_EQ(refused, 3 * kEach - GetParam().of_all);
  EXPECT_EQ(server_.Number("SELECT count(*) FROM pictory.jobs"), GetParam().of_all);
  if (GetParam().of_acme >= 0) {
    EXPECT_EQ(server_.Number("SELECT count(*) FROM pictory.jobs WHERE tenant = 'acme'"),
              GetParam().of_acme);
  }
  EXPECT_EQ(Counted(), GetParam().of_all);
  EXPECT_EQ(static_cast<int>(gateways[1]->calls().ReadFeed(position, 999)->entries.size()),
            GetParam().of_all)
      << "nothing is told of what was refused";
  ExpectSumsAreThoseOfTheJobs();
}

TEST_F(SpendingTest, WithoutALimitNobodyWaitsForAnybody) {
  Spender& one = Join("one");
  Spender& two = Join("two");
  EXPECT_TRUE(one.Submit("1", 5).ok());
  EXPECT_TRUE(two.Submit("2", 6).ok());
  EXPECT_EQ(server_.Number("SELECT count(*) FROM pictory.spenders"), 0);
  EXPECT_EQ(Counted("acme"), 2) << "it is counted all the same";
  EXPECT_EQ(Counted("acme", "credits"), 11);
  limits_.tenant.submits_per_day = 2;
  EXPECT_FALSE(one.Submit("3").ok()) << "a limit that is set later knows what was before";
  ExpectSumsAreThoseOfTheJobs();
}

TEST_F(SpendingTest, WhatIsCertainlyNotPaidIsGivenBackOnceWhoeverSaysIt) {
  limits_ = {.all_per_minute = 1, .tenant = {.submits_per_day = 1, .credits_per_day = 9}};
  Spender& one = Join("one");
  Spender& two = Join("two");
  ASSERT_TRUE(one.Submit("1", 9).ok());
  JobRecord known = one.Find("1");
  EXPECT_FALSE(two.Submit("2", 9).ok());
  known.submission = SubmissionState::kRejected;
  EXPECT_TRUE(one.calls().UpdateVersion(known).ok());
  EXPECT_TRUE(absl::IsAborted(two.calls().UpdateVersion(known))) << "it comes second";
  EXPECT_EQ(Counted(), 0);
  EXPECT_EQ(Counted("acme", "credits"), 0);
  ASSERT_TRUE(two.Submit("2", 9).ok());
  EXPECT_FALSE(one.Submit("3").ok());
  ASSERT_TRUE(one.GiveUp("2").ok());
  ASSERT_TRUE(two.Submit("2", 9).ok()) << "the same request runs again";
  EXPECT_FALSE(one.Submit("3").ok()) << "and counts again";
  EXPECT_EQ(Counted(), 1);
  ExpectSumsAreThoseOfTheJobs();
}

TEST_F(SpendingTest, CreditsCountAsPictorySaysOnceAJobHasEnded) {
  limits_.tenant.credits_per_day = 10;
  Spender& one = Join("one");
  Spender& two = Join("two");
  ASSERT_TRUE(one.Submit("1", 8).ok());
  const absl::Status refused = two.Submit("2", 3);
  EXPECT_THAT(refused.message(), HasSubstr("8 are used or reserved"));
  EXPECT_THAT(test::QuotaOf(refused), Pair("tenant acme", "at most 10 AI credits a day"));
  ASSERT_TRUE(two.End("1", 2).ok());
  EXPECT_EQ(Counted("acme", "credits"), 2);
  EXPECT_EQ(Counted("acme", "reserved"), 0);
  ASSERT_TRUE(two.Submit("2", 8).ok());
  ASSERT_TRUE(one.Change("1", [](JobRecord& record) { record.job.message = "later"; }).ok());
  EXPECT_EQ(Counted("acme", "credits"), 10) << "once";
  ASSERT_TRUE(one.End("2", std::nullopt).ok());
  EXPECT_EQ(Counted("acme", "credits"), 2) << "it said nothing of credits, so it used none";
  JobRecord gone = one.Find("1");
  gone.submission = SubmissionState::kDeleted;
  gone.job.state = jobs::v1::JOB_STATE_CLEANED;
  ASSERT_TRUE(two.calls().DeleteVersion(gone).ok());
  EXPECT_EQ(Counted("acme", "credits"), 2) << "who deletes a job has paid for it";
  EXPECT_EQ(Counted(), 2);
  ExpectSumsAreThoseOfTheJobs();
}

// What Pictory says is stored, however odd it is, and the sums stay numbers.
TEST_F(SpendingTest, OddCreditsHarmNobody) {
  Spender& one = Join("one");
  const double infinite = std::numeric_limits<double>::infinity();
  int n = 0;
  for (const double odd : {1e308, 1e308, infinite, -infinite, -5.0, std::nan("")}) {
    const std::string name = std::to_string(++n);
    ASSERT_TRUE(one.Submit(name, odd).ok()) << odd;
    ASSERT_TRUE(one.Begin(one.Waiting("w" + name, odd)).ok()) << odd;
    ASSERT_TRUE(one.End(name, odd).ok()) << odd;
  }
  limits_.tenant.credits_per_day = 100;
  EXPECT_EQ(errors::Reason(one.Submit("more", 1)), "SPENDING_LIMIT");
}

TEST_F(SpendingTest, AnActiveJobIsOneUntilItHasEnded) {
  limits_.tenant.active_jobs = 2;
  Spender& one = Join("one");
  Spender& two = Join("two");
  ASSERT_TRUE(one.Submit("1").ok());
  ASSERT_TRUE(one.Begin(one.Waiting("2")).ok());
  const absl::Status active = two.Submit("3");
  EXPECT_THAT(active.message(), HasSubstr("2 jobs that have not ended"));
  EXPECT_THAT(test::QuotaOf(active), Pair("tenant acme", "at most 2 active jobs"));
  ASSERT_TRUE(one.Begin(one.Asking("4", "umbra")).ok()) << "another tenant's are its own";
  ASSERT_TRUE(two.End("1", 0).ok());
  ASSERT_TRUE(two.Submit("3").ok());
  EXPECT_FALSE(one.Submit("5").ok());
  ASSERT_TRUE(
      two.Change("2", [](JobRecord& record) { record = jobs::Cancelled(record, Now()); }).ok());
  EXPECT_TRUE(one.Submit("5").ok());
}

TEST_F(SpendingTest, WhatWaitsKeepsItsPlaceUntilItIsSentOrEnds) {
  limits_ = {.all_per_minute = 1, .all_per_day = 3, .tenant = {.credits_per_day = 20}};
  Spender& one = Join("one");
  Spender& two = Join("two");
  ASSERT_TRUE(one.Begin(one.Waiting("1", 5)).ok());
  ASSERT_TRUE(two.Begin(two.Waiting("2", 5)).ok());
  EXPECT_EQ(Counted(), 0);
  EXPECT_FALSE(one.Begin(one.Waiting("3", 11)).ok()) << "the credits are reserved";
  ASSERT_TRUE(one.Begin(one.Waiting("3", 5)).ok());
  const absl::Status whole = two.Submit("4");
  EXPECT_THAT(whole.message(), HasSubstr("3 submits a day"));
  EXPECT_THAT(test::QuotaOf(whole), Pair("this gateway", "at most 3 submits a day"));
  const auto send = [](double credits) {
    return [credits](JobRecord& record) {
      record.submission = SubmissionState::kSending;
      record.sent_at = Now();
      record.credits_reserved = credits;
    };
  };
  EXPECT_FALSE(two.Change("1", send(11)).ok()) << "it may use more than was reserved";
  ASSERT_TRUE(two.Change("1", send(6)).ok()) << "it has its place";
  EXPECT_EQ(Counted(), 1);
  const absl::Status refused = one.Change("2", send(5));
  EXPECT_EQ(errors::Reason(refused), "SPENDING_LIMIT") << "a minute allows one";
  EXPECT_EQ(one.Find("2").submission, SubmissionState::kWaiting) << "and it waits on";
  ASSERT_TRUE(two.Change("1", [](JobRecord& record) { record = jobs::WaitingOn(record); }).ok());
  EXPECT_EQ(Counted(), 0);
  ASSERT_TRUE(one.Change("2", send(5)).ok());
  EXPECT_THAT(two.Submit("4").message(), HasSubstr("3 submits a day"));
  ASSERT_TRUE(
      one.Change("3", [](JobRecord& record) { record = jobs::Cancelled(record, Now()); }).ok());
  EXPECT_THAT(two.Submit("4").message(), HasSubstr("1 submits a minute"));
  ExpectSumsAreThoseOfTheJobs();
}

TEST_F(SpendingTest, ARepetitionCostsNothingAndTakesNoPlace) {
  constexpr int kKnown = 20;
  limits_ = {.all_per_day = kKnown + 1};
  Spender& one = Join("one");
  Spender& two = Join("two");
  std::vector<JobRecord> asking;
  for (int i = 0; i < kKnown; ++i) {
    ASSERT_TRUE(one.Submit(absl::StrCat("known-", i)).ok());
    asking.push_back(two.Asking(absl::StrCat("known-", i)));
  }
  // All at once, so that most are of one group.
  asking.insert(asking.begin() + kKnown / 2, two.Asking("new"));
  asking.push_back(two.Asking("too-many"));
  std::vector<store::Answer<absl::StatusOr<jobs::BeginResult>>> answers(asking.size());
  for (std::size_t i = 0; i < asking.size(); ++i) {
    two.store().Begin(asking[i], answers[i].Callback());
  }
  int begun = 0, refused = 0;
  for (std::size_t i = 0; i < asking.size(); ++i) {
    const auto is = answers[i].Wait();
    const bool known = asking[i].job.request_id.starts_with("rknown");
    EXPECT_TRUE(!known || (is.ok() && !is->begun)) << is.status();
    begun += is.ok() && is->begun ? 1 : 0;
    refused += errors::Reason(is.status()) == "SPENDING_LIMIT" ? 1 : 0;
  }
  EXPECT_EQ(begun, 1);
  EXPECT_EQ(refused, 1);
  EXPECT_TRUE(one.Submit("known-0").ok()) << "it is answered, though no limit has room";
  EXPECT_EQ(Counted(), kKnown + 1);
  ExpectSumsAreThoseOfTheJobs();
}

// It was counted with its record, so it is given back with its record.
TEST_F(SpendingTest, WhatAGatewayLeavesThatWasKilledIsCountedOnce) {
  limits_ = {.all_per_day = 3};
  Spender& one = Join("one");
  Spender& two = Join("two");
  for (int i = 0; i < 2; ++i) {
    one.calls().Renew().value();
    two.calls().Renew().value();
  }
  ASSERT_TRUE(one.Submit("1", 4).ok());
  JobRecord intent = one.Asking("2", "acme", 4);
  intent.submission = SubmissionState::kIntent;
  ASSERT_TRUE(one.Begin(intent).ok());
  ASSERT_TRUE(one.Begin(one.Waiting("3", 4)).ok());
  EXPECT_FALSE(two.Submit("4").ok());
  one.Kill();
  EXPECT_FALSE(two.Submit("4").ok()) << "nobody knows yet what it has sent";
  server_.Sql("UPDATE pictory.gateways SET lease_until = 1 WHERE gateway = 'one'");
  // What it has left is looked for beside the renewals.
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  while (two.Find("2").submission != SubmissionState::kNotSent &&
         std::chrono::steady_clock::now() < until) {
    two.calls().Renew().value();
  }
  ASSERT_EQ(two.Find("1").submission, SubmissionState::kUnknown);
  ASSERT_EQ(two.Find("2").submission, SubmissionState::kNotSent);
  EXPECT_EQ(Counted(), 1);
  EXPECT_EQ(Counted("acme", "credits"), 4);
  ASSERT_TRUE(two.Submit("4").ok());
  EXPECT_FALSE(two.Submit("5").ok()) << "the one that waits has its place";
  Spender& again = Join("one");
  EXPECT_FALSE(again.Submit("5").ok());
  EXPECT_EQ(Counted(), 2);
  ExpectSumsAreThoseOfTheJobs();
}

class LostCommitTest : public SpendingTest, public ::testing::WithParamInterface<CutProxy::When> {};
INSTANTIATE_TEST_SUITE_P(Cuts, LostCommitTest,
                         ::testing::Values(CutProxy::When::kBeforeCommit,
                                           CutProxy::When::kAfterCommit, CutProxy::When::kWarning,
                                           CutProxy::When::kStrangeError),
                         [](const auto& cut) {
                           return absl::StrCat("Cut", static_cast<int>(cut.param));
                         });

TEST_P(LostCommitTest, CountsOnce) {
  limits_ = {.tenant = {.submits_per_day = 2, .credits_per_day = 20}};
  Spender& one = Join("one");
  Spender& two = Join("two");
  ASSERT_TRUE(one.Submit("1", 8).ok());
  one.proxy().CutNext(GetParam());
  ASSERT_TRUE(one.Submit("2", 8).ok());
  EXPECT_EQ(Counted(), 2);
  EXPECT_FALSE(two.Submit("3").ok());
  one.proxy().CutNext(GetParam());
  ASSERT_TRUE(one.GiveUp("2").ok());
  EXPECT_EQ(Counted(), 1);
  one.proxy().CutNext(GetParam());
  ASSERT_TRUE(one.End("1", 3).ok());
  EXPECT_EQ(Counted("acme", "credits"), 3);
  one.proxy().CutNext(GetParam());
  ASSERT_TRUE(one.Submit("2", 8).ok());
  one.proxy().CutNext(GetParam());
  EXPECT_FALSE(one.Submit("3").ok());
  EXPECT_EQ(Counted(), 2);
  ExpectSumsAreThoseOfTheJobs();
}

// Three gateways whose ways to the server break all the time.
TEST_F(SpendingTest, TheLimitHoldsWhateverBreaks) {
  limits_ = {.all_per_day = 60};
  std::vector<Spender*> gateways;
  for (const char* name : {"one", "two", "three"}) gateways.push_back(&Join(name));
  std::atomic<int> begun{0}, given_up{0};
  std::vector<std::thread> threads;
  for (std::size_t g = 0; g < gateways.size(); ++g) {
    threads.emplace_back([&, g] {
      for (int i = 0; i < 60; ++i) {
        if (i % 10 == 3) gateways[g]->proxy().CutNext(CutProxy::When::kAfterCommit);
        if (i % 10 == 8) gateways[g]->proxy().CutNext(CutProxy::When::kBeforeCommit);
        const std::string n = absl::StrCat(g, "-", i);
        if (!gateways[g]->Submit(n, 2).ok()) continue;
        ++begun;
        if (i % 3 == 0 && gateways[g]->GiveUp(n).ok()) ++given_up;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(begun - given_up, 60);
  EXPECT_EQ(Counted(), 60);
  EXPECT_EQ(Counted("", "credits"), 120);
  ExpectSumsAreThoseOfTheJobs();
}

TEST_F(SpendingTest, AnyGatewayTellsWhatAllHaveSpent) {
  Spender& one = Join("one");
  Spender& two = Join("two");
  ASSERT_TRUE(one.Submit("1", 5).ok());
  ASSERT_TRUE(two.Begin(two.Asking("2", "umbra", 7)).ok());
  ASSERT_TRUE(two.Begin(two.Waiting("3", 4)).ok());
  ASSERT_TRUE(two.End("1", 2).ok());
  const auto find = [](Spender& gateway, const std::optional<std::string>& tenant) {
    store::Answer<absl::StatusOr<std::vector<jobs::SpentTotal>>> answer;
    gateway.store().FindSpent(tenant, answer.Callback());
    return answer.Wait().value();
  };
  using jobs::SpentTotal;
  using ::testing::ElementsAre;
  for (Spender* gateway : {&one, &two}) {
    EXPECT_THAT(find(*gateway, std::nullopt),
                ElementsAre(SpentTotal{"", 3, 13, 11}, SpentTotal{"acme", 2, 6, 4},
                            SpentTotal{"umbra", 1, 7, 7}));
    EXPECT_THAT(find(*gateway, "acme"), ElementsAre(SpentTotal{"acme", 2, 6, 4, /*active=*/1}));
    EXPECT_THAT(find(*gateway, "nobody"), ElementsAre(SpentTotal{"nobody"}));
  }
}

TEST_F(SpendingTest, OldStepsAreForgotten) {
  limits_ = {.all_per_minute = 1, .all_per_day = 2};
  Spender& one = Join("one");
  ASSERT_TRUE(one.Submit("1", 5).ok());
  EXPECT_THAT(one.Submit("2").message(), HasSubstr("a minute"));
  server_.Sql("UPDATE pictory.spending SET begins = begins - 66000000 WHERE span = 6");
  ASSERT_TRUE(one.Submit("2").ok());
  EXPECT_THAT(one.Submit("3").message(), HasSubstr("a day"));
  server_.Sql(
      "UPDATE pictory.spending SET begins = begins - 90000000000;"
      "UPDATE pictory.jobs SET counted_at = counted_at - 90000000000");
  const jobs::PruneQuery nothing{.finished_before = {}, .untouched_since = {}, .limit = 1};
  ASSERT_TRUE(one.calls().Prune(nothing).ok());
  EXPECT_EQ(server_.Number("SELECT count(*) FROM pictory.spending"), 0);
  ASSERT_TRUE(one.End("1", 2).ok());
  EXPECT_EQ(server_.Number("SELECT count(*) FROM pictory.spending"), 0)
      << "what has left the windows changes nothing any more";
  EXPECT_TRUE(one.Submit("3").ok());
}

TEST_F(SpendingTest, AnAttemptThatIsBegunAgainADayLaterCountsFromThen) {
  limits_ = {.all_per_day = 2};
  Spender& one = Join("one");
  ASSERT_TRUE(one.Submit("1", 5).ok());
  server_.Sql(
      "UPDATE pictory.spending SET begins = begins - 90000000000;"
      "UPDATE pictory.jobs SET counted_at = counted_at - 90000000000");
  ASSERT_TRUE(one.GiveUp("1").ok());
  ASSERT_TRUE(one.Submit("1", 7).ok());
  ASSERT_TRUE(one.Submit("2").ok());
  EXPECT_THAT(one.Submit("3").message(), HasSubstr("a day"));
  EXPECT_EQ(server_.Number("SELECT sum(credits)::bigint FROM pictory.spending WHERE tenant = ''"
                           " AND span = 3600 AND begins > extract(epoch FROM clock_timestamp())"
                           " * 1000000 - 86400000000"),
            7);
}

// A gateway of the version before counts nothing; the next that changes its record does.
TEST_F(SpendingTest, WhatAnOlderProgramBeginsIsCountedWhenItChanges) {
  Spender& one = Join("one");
  ASSERT_TRUE(one.Submit("1", 5).ok());
  server_.Sql(
      "UPDATE pictory.jobs SET counted_at = NULL, counted_credits = 0,"
      " counted_reserved = 0; DELETE FROM pictory.spending");
  ASSERT_TRUE(one.End("1", 3).ok());
  EXPECT_EQ(Counted(), 1);
  EXPECT_EQ(Counted("acme", "credits"), 3);
  ExpectSumsAreThoseOfTheJobs();
}

TEST_F(SpendingTest, AnOlderStoreIsBroughtForwardWithWhatItHasSpent) {
  {
    Spender& one = Join("one");
    ASSERT_TRUE(one.Submit("1", 5).ok());
    ASSERT_TRUE(one.End("1", 2).ok());
    ASSERT_TRUE(one.Submit("2", 5).ok());
    ASSERT_TRUE(
        one.Change("2", [](JobRecord& record) { record.submission = SubmissionState::kUnknown; })
            .ok());
    ASSERT_TRUE(one.Submit("3", 5).ok());
    ASSERT_TRUE(one.End("3", 5).ok());
    ASSERT_TRUE(
        one.Change("3", [](JobRecord& record) { record.sent_at = Now() - std::chrono::hours(25); })
            .ok());
    one.store().Close();
  }
  server_.Sql(
      "DROP TABLE pictory.spending, pictory.spenders;"
      "DROP INDEX pictory.jobs_active, pictory.jobs_waiting;"
      "ALTER TABLE pictory.jobs DROP COLUMN counted_at, DROP COLUMN counted_credits,"
      " DROP COLUMN counted_reserved; UPDATE pictory.store SET version = 3");
  limits_.tenant.submits_per_day = 3;
  Spender& newer = Join("newer");
  EXPECT_EQ(Counted(), 2);
  EXPECT_EQ(Counted("acme", "credits"), 7);
  EXPECT_EQ(Counted("acme", "reserved"), 5);
  ExpectSumsAreThoseOfTheJobs();
  EXPECT_TRUE(newer.Submit("4").ok());
  EXPECT_FALSE(newer.Submit("5").ok());
}

// As a copy does it, and as it was.
TEST_F(SpendingTest, CountedAnewItIsTheSame) {
  Spender& one = Join("one");
  ASSERT_TRUE(one.Submit("1", 5).ok());
  ASSERT_TRUE(one.End("1", 2).ok());
  ASSERT_TRUE(one.Submit("2", 4).ok());
  ASSERT_TRUE(
      one.Change("2", [](JobRecord& record) { record.submission = SubmissionState::kUnknown; })
          .ok());
  for (int i = 0; i < 2; ++i) {
    CountJobs(*Connection::Open(server_.conninfo(), std::chrono::seconds(60)));
    EXPECT_EQ(Counted(), 2);
    EXPECT_EQ(Counted("acme", "credits"), 6);
    EXPECT_EQ(Counted("acme", "reserved"), 4);
    ExpectSumsAreThoseOfTheJobs();
  }
}

}  // namespace
}  // namespace gateway::postgres
