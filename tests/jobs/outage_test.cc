#include "jobs/outage.h"
#include "base/limits.h"

#include <gtest/gtest.h>

#include <vector>

#include "base/errors.h"
#include "support/fake_clock.h"
#include "support/fake_transport.h"

namespace gateway::jobs {
namespace {

using namespace std::chrono_literals;
namespace v1 = ::pictory::jobs::v1;
using test::Cut;
using test::Reply;

class OutageTest : public testing::Test {
 protected:
  void Silence(int times) {
    for (int i = 0; i < times; ++i) account_.NoteAnswer(false);
  }
  bool MaySubmit() { return account_.TryTake(Budget::Share::kSubmit); }
  std::size_t probes() const { return transport_.requests().size(); }

  test::FakeClock clock_;
  test::FakeTransport transport_;
  pictory::PictoryClient client_{
      {.api_key = Secret("pictai_k"), .user_agent = "t"}, transport_, clock_};
  Account account_{{.requests_per_second = 100, .burst = 100}, clock_};
  std::vector<bool> changes_;
  OutageWatch outage_{account_, client_, clock_, clock_,
                      [this](const absl::Status& why) { changes_.push_back(!why.ok()); }};
};

TEST_F(OutageTest, AFewSilencesAreNoOutage) {
  transport_.AnswerAllWith(Cut());
  Silence(limits::kOutageSuspectedAfter - 1);
  account_.NoteAnswer(true);
  Silence(limits::kOutageSuspectedAfter - 1);
  EXPECT_EQ(probes(), 0u);
  EXPECT_TRUE(MaySubmit());
}

TEST_F(OutageTest, AnAnswerToTheProbeClearsTheSuspicion) {
  transport_.AnswerAllWith(Reply(404, ""));
  Silence(limits::kOutageSuspectedAfter);
  ASSERT_EQ(probes(), 1u);
  EXPECT_EQ(transport_.requests()[0].method, "GET");
  EXPECT_EQ(transport_.requests()[0].path, "/v1/quota");
  EXPECT_FALSE(account_.resting());
  EXPECT_TRUE(changes_.empty());
}

// A call that always fails is suspected again and again, but costs few probes.
TEST_F(OutageTest, ProbesKeepTheirInterval) {
  transport_.AnswerAllWith(Reply(200, "{}"));
  for (int i = 0; i < 100; ++i) {
    Silence(limits::kOutageSuspectedAfter);
    clock_.Advance(100ms);
  }
  EXPECT_LE(probes(), 3u);
  EXPECT_TRUE(changes_.empty());
}

TEST_F(OutageTest, RestsUntilTheProbeIsAnswered) {
  transport_.AnswerAllWith(Reply(503, "busy"));
  Silence(limits::kOutageSuspectedAfter);
  EXPECT_TRUE(account_.resting());
  EXPECT_TRUE(account_.degraded());
  EXPECT_FALSE(MaySubmit());
  EXPECT_FALSE(account_.TryTake(Budget::Share::kPoll));
  const absl::Status refusal = account_.Refusal(Budget::Share::kSubmit, errors::Call::kSubmit);
  EXPECT_TRUE(absl::IsUnavailable(refusal));
  EXPECT_GT(errors::RetryDelay(refusal), 0s);

  Silence(100);  // what was under way
  clock_.Advance(60s);
  EXPECT_EQ(probes(), 1u + 60 / 5);
  EXPECT_EQ(changes_, std::vector<bool>({true}));

  transport_.AnswerAllWith(Reply(200, "{}"));
  clock_.Advance(5s);
  EXPECT_EQ(changes_, std::vector<bool>({true, false}));
  EXPECT_TRUE(MaySubmit());
  clock_.Advance(60s);
  EXPECT_EQ(probes(), 2u + 60 / 5);
}

// A refusal of any call counts; here it is a call about a single job.
TEST_F(OutageTest, RestsWhileTheCredentialsAreRefused) {
  transport_.AnswerAllWith(Reply(401, ""));
  client_.GetJob("a", v1::JOB_KIND_RENDER, 0, [](const pictory::JobReply&) {});
  ASSERT_EQ(probes(), 2u);
  EXPECT_FALSE(account_.resting()) << "it is to be confirmed";
  EXPECT_TRUE(MaySubmit());
  clock_.Advance(limits::kCredentialsConfirmAfter);
  ASSERT_EQ(probes(), 3u);
  EXPECT_TRUE(account_.credentials_refused());
  EXPECT_FALSE(MaySubmit());
  EXPECT_EQ(errors::Reason(account_.Refusal(Budget::Share::kSubmit, errors::Call::kSubmit)),
            errors::kUpstreamCredentials);
  clock_.Advance(10 * limits::kCredentialsProbeInterval);
  EXPECT_EQ(probes(), 3u + 10);
  EXPECT_EQ(changes_, std::vector<bool>({true}));

  transport_.AnswerAllWith(Reply(200, "{}"));
  clock_.Advance(limits::kCredentialsProbeInterval);
  EXPECT_FALSE(account_.credentials_refused());
  EXPECT_TRUE(MaySubmit());
  EXPECT_EQ(changes_, std::vector<bool>({true, false}));
}

TEST_F(OutageTest, A401OfOneJobAloneStopsNobody) {
  transport_.SetScript([](const http::Request& request) {
    return request.path == "/v1/quota" ? Reply(200, "{}") : Reply(401, "");
  });
  client_.GetJob("a", v1::JOB_KIND_RENDER, 0, [](const pictory::JobReply&) {});
  EXPECT_FALSE(account_.resting());
  EXPECT_TRUE(changes_.empty());
}

// Something on the way refuses for a moment, and the probe falls into it too.
TEST_F(OutageTest, AStrayMomentOfRefusalsStopsNobody) {
  transport_.AnswerAllWith(Reply(401, ""));
  client_.GetJob("a", v1::JOB_KIND_RENDER, 0, [](const pictory::JobReply&) {});
  transport_.AnswerAllWith(Reply(200, "{}"));
  for (Duration passed{}; passed < limits::kCredentialsProbeInterval; passed += 100ms) {
    EXPECT_FALSE(account_.resting());
    EXPECT_TRUE(MaySubmit());
    clock_.Advance(100ms);
  }
  EXPECT_EQ(probes(), 3u);
  EXPECT_TRUE(changes_.empty());
}

// The plan of the account does not have the call that probes, or a proxy refuses it.
TEST_F(OutageTest, AnAccountWhoseOtherCallsAreAcceptedDoesNotRest) {
  for (const int status : {401, 403}) {
    transport_.AnswerAllWith(Reply(status, "{}"));
    client_.GetJob("a", v1::JOB_KIND_RENDER, 0, [](const pictory::JobReply&) {});
    account_.NoteSuspect();
    account_.NoteSpoken();  // of another job
    clock_.Advance(limits::kCredentialsConfirmAfter);
    EXPECT_FALSE(account_.resting()) << status;
    clock_.Advance(10 * limits::kCredentialsProbeInterval);
    EXPECT_TRUE(changes_.empty());
  }
}

// A key that is refused for good is found out, however the answers to older calls straggle in.
TEST_F(OutageTest, AfterAWordThatCameLateTheNextRefusalCounts) {
  transport_.AnswerAllWith(Reply(401, ""));
  account_.NoteSuspect();
  account_.NoteSpoken();
  clock_.Advance(limits::kCredentialsConfirmAfter);
  ASSERT_FALSE(account_.resting());
  clock_.Advance(limits::kOutageProbeInterval);
  account_.NoteSuspect();
  clock_.Advance(limits::kCredentialsConfirmAfter);
  EXPECT_TRUE(account_.credentials_refused());
}

TEST_F(OutageTest, SilenceAfterARefusalIsAnOutage) {
  transport_.AnswerAllWith(Reply(401, ""));
  account_.NoteSuspect();
  transport_.AnswerAllWith(Cut());
  clock_.Advance(limits::kCredentialsConfirmAfter);
  EXPECT_TRUE(account_.resting());
  EXPECT_FALSE(account_.credentials_refused());
}

TEST_F(OutageTest, ANewKeyEndsTheRestAtOnce) {
  transport_.SetScript([](const http::Request& request) {
    return test::HeaderOf(request, "Authorization") == "pictai_new" ? Reply(200, "{}")
                                                                    : Reply(401, "");
  });
  client_.GetJob("a", v1::JOB_KIND_RENDER, 0, [](const pictory::JobReply&) {});
  clock_.Advance(limits::kCredentialsConfirmAfter);
  ASSERT_TRUE(account_.credentials_refused());
  client_.ReplaceSecret(Secret("pictai_new"));
  outage_.AskNow();
  EXPECT_FALSE(account_.resting());
  const std::size_t asked = probes();
  clock_.Advance(10 * limits::kCredentialsProbeInterval);
  EXPECT_EQ(probes(), asked);
}

// The answer under way is to a call with the old key, and may say nothing of the new one.
TEST_F(OutageTest, AProbeUnderWayIsRepeatedForANewKey) {
  Silence(limits::kOutageSuspectedAfter);
  ASSERT_EQ(probes(), 1u);
  outage_.AskNow();
  EXPECT_EQ(probes(), 1u);
  transport_.Answer(Cut());
  clock_.Advance(0s);
  EXPECT_EQ(probes(), 2u);
}

TEST_F(OutageTest, AProbeUnderWayIsTheOnlyOne) {
  Silence(3 * limits::kOutageSuspectedAfter);
  clock_.Advance(60s);
  Silence(limits::kOutageSuspectedAfter);
  EXPECT_EQ(probes(), 1u);
  EXPECT_FALSE(account_.resting());  // not before it is known
  transport_.Answer(Cut());
  EXPECT_TRUE(account_.resting());
  clock_.Advance(0s);
  EXPECT_EQ(probes(), 2u);  // it has waited long enough
}

TEST_F(OutageTest, TheIntervalCountsFromTheEndOfAProbe) {
  Silence(limits::kOutageSuspectedAfter);
  clock_.Advance(3s);
  transport_.Answer(Cut());
  clock_.Advance(4s);
  EXPECT_EQ(probes(), 1u);
  clock_.Advance(1s);
  EXPECT_EQ(probes(), 2u);
}

TEST_F(OutageTest, NoProbeAfterStop) {
  transport_.AnswerAllWith(Cut());
  Silence(limits::kOutageSuspectedAfter);
  outage_.Stop();
  clock_.Advance(60s);
  EXPECT_EQ(probes(), 1u);
}

}  // namespace
}  // namespace gateway::jobs
