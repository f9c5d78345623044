// Several gateways on one store: who looks after what, and what becomes of what one leaves.
#include "store/store_calls.h"  // first, see there

#include <gmock/gmock.h>

#include <map>
#include <set>

#include "base/errors.h"
#include "cut.h"
#include "postgres/postgres_job_store.h"
#include "server.h"

namespace gateway::postgres {
namespace {

using jobs::JobRecord;
using jobs::SubmissionState;
using store::Accepted;
using store::At;
using store::Begun;
using store::StoreCalls;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr auto kHour = std::chrono::hours(1);

// A gateway as far as its store goes, with a way to the server that can be cut.
class Member {
 public:
  Member(const PostgresServer& server, std::string name, LeaseTimes times)
      : proxy_(server.socket()) {
    auto opened = PostgresJobStore::Open(
        {.conninfo = proxy_.conninfo(),
         .gateway = std::move(name),
         .address = "here",
         .on_fatal = [this](absl::Status why) { fatal_.set_value(std::move(why)); },
         .away_wait = kHour,
         .close_wait = std::chrono::milliseconds(500),
         .lease_times = times});
    EXPECT_TRUE(opened.ok()) << opened.status();
    store_ = *std::move(opened);
    calls_.emplace(*store_);
    auto recovered = store_->Recover(SystemClock().WallNow());
    EXPECT_TRUE(recovered.ok()) << recovered.status();
    recovered_ = *std::move(recovered);
  }

  // As if it was killed: it says nothing more.
  void Kill() {
    proxy_.SetOpen(false);
    store_->Close();
  }
  jobs::Holding Renew() {
    auto holding = calls_->Renew();
    EXPECT_TRUE(holding.ok()) << holding.status();
    return holding.ok() ? *std::move(holding) : jobs::Holding{};
  }
  std::set<std::int32_t> Shards() {
    std::set<std::int32_t> shards;
    for (const jobs::Lease& lease : Renew().leases) shards.insert(lease.shard);
    return shards;
  }
  JobRecord Find(const std::string& request_id) {
    store::Answer<StoreCalls::MaybeRecord> answer;
    store_->FindRequest("acme", request_id, answer.Callback());
    return answer.Wait().value().value();
  }
  // Begins an attempt in a shard; nothing of it is sent yet.
  JobRecord Sending(const std::string& n, std::int32_t shard) {
    JobRecord record = Begun("j" + n, "r" + n);
    record.submission = SubmissionState::kSending;
    record.owner_epoch = recovered_.epoch;
    record.job.shard = shard;
    EXPECT_TRUE(calls_->Begin(record).ok());
    record.version = 1;
    return record;
  }

  PostgresJobStore& store() { return *store_; }
  StoreCalls& calls() { return *calls_; }
  CutProxy& proxy() { return proxy_; }
  const jobs::Recovered& recovered() const { return recovered_; }
  absl::Status WaitForFatal() { return fatal_.get_future().get(); }

 private:
  CutProxy proxy_;
  std::promise<absl::Status> fatal_;
  std::unique_ptr<PostgresJobStore> store_;
  std::optional<StoreCalls> calls_;
  jobs::Recovered recovered_;
};

class GatewaysTest : public ::testing::Test {
 protected:
  GatewaysTest() { server_.Empty(); }

  Member& Join(const std::string& name) {
    members_.push_back(std::make_unique<Member>(server_, name, times_));
    return *members_.back();
  }
  // Each renews twice, and holds what it says then.
  std::map<const Member*, std::set<std::int32_t>> Spread(const std::vector<Member*>& members) {
    std::map<const Member*, std::set<std::int32_t>> held;
    for (int round = 0; round < 2; ++round) {
      for (Member* member : members) held[member] = member->Shards();
    }
    return held;
  }
  // Renews until somebody has found and ended an attempt that was left.
  static void AwaitEnd(const std::string& request_id, const std::vector<Member*>& members) {
    const auto until = std::chrono::steady_clock::now() + store::kPatience;
    while (jobs::IsInFlight(members.front()->Find(request_id).submission)) {
      ASSERT_LT(std::chrono::steady_clock::now(), until) << request_id;
      for (Member* member : members) member->Renew();
    }
  }
  // Renews until an answer is owed.
  static std::vector<jobs::OwedJob> AwaitOwed(Member& member) {
    const auto until = std::chrono::steady_clock::now() + store::kPatience;
    std::vector<jobs::OwedJob> owed;
    while (owed.empty() && std::chrono::steady_clock::now() < until) owed = member.Renew().owed;
    return owed;
  }
  // Each shard is somebody's, nobody's share is off by a fifth.
  static void ExpectFair(const std::map<const Member*, std::set<std::int32_t>>& held) {
    std::set<std::int32_t> all;
    const double fair = static_cast<double>(limits::kShards) / static_cast<double>(held.size());
    for (const auto& [member, shards] : held) {
      EXPECT_NEAR(static_cast<double>(shards.size()), fair, fair / 5);
      for (const std::int32_t shard : shards) EXPECT_TRUE(all.insert(shard).second) << shard;
    }
    EXPECT_THAT(all, SizeIs(limits::kShards));
  }
  // The lease of a gateway, as it is after so long without a word from it.
  void Age(const std::string& gateway, std::chrono::seconds silent) {
    server_.Sql(
        "UPDATE pictory.gateways SET lease_until = (extract(epoch FROM clock_timestamp())"
        " * 1000000)::bigint - " +
        std::to_string(std::chrono::microseconds(silent).count()) + " WHERE gateway = '" + gateway +
        "'");
  }
  long Gone() { return server_.Number("SELECT count(*) FROM pictory.gateways WHERE gone_at > 0"); }

  PostgresServer& server_ = PostgresServer::Shared();
  // Its own renewals must not come in between; and who is silent for a second is gone.
  LeaseTimes times_{.lease = kHour, .renewal = kHour, .grace = Duration::zero()};
  std::vector<std::unique_ptr<Member>> members_;
};

TEST_F(GatewaysTest, JoiningAndLeavingSpreadsTheShards) {
  std::vector<Member*> members;
  for (const char* name : {"one", "two", "three", "four", "five"}) {
    members.push_back(&Join(name));
    EXPECT_EQ(members.back()->Renew().processes, static_cast<int>(members.size()));
    ExpectFair(Spread(members));
  }
  members.back()->store().Close();
  members.pop_back();
  ExpectFair(Spread(members));
  members.back()->Kill();
  Age("four", std::chrono::seconds(0));
  members.pop_back();
  ExpectFair(Spread(members));
}

TEST_F(GatewaysTest, WhoIsStillRecoveringTakesNoShare) {
  Member& one = Join("one");
  Join("two");
  EXPECT_THAT(one.Shards(), SizeIs(limits::kShards));
  EXPECT_EQ(one.Renew().processes, 2) << "but may have been asked something soon";
}

// One that drains still hears answers, and may take submits for a while.
TEST_F(GatewaysTest, WhoLeavesGivesItsShardsToOthersAndKeepsItsLease) {
  times_.lease = std::chrono::seconds(15);
  Member& one = Join("one");
  Member& two = Join("two");
  Spread({&one, &two});
  JobRecord sending = one.Sending("1", 5);
  const auto sharers = [&two] {
    return two.calls().ReadFeed(two.calls().FindFeedEnd().value(), 9)->sharers;
  };
  EXPECT_EQ(sharers(), 2);
  one.store().Leave();
  EXPECT_THAT(one.Shards(), IsEmpty());
  EXPECT_EQ(sharers(), 1) << "so that the others take them at once";
  const jobs::Holding held = two.Renew();
  EXPECT_THAT(held.leases, SizeIs(limits::kShards));
  EXPECT_EQ(held.processes, 2);
  EXPECT_THAT(one.Shards(), IsEmpty());
  sending.submission = SubmissionState::kAccepted;
  sending.job.pictory_job_id = "p1";
  EXPECT_TRUE(one.calls().UpdateVersion(sending).ok()) << "its attempt is still its own";
  EXPECT_EQ(Gone(), 0);
  two.store().Close();
  EXPECT_THAT(one.Shards(), SizeIs(limits::kShards)) << "there is nobody else";
  Member& three = Join("three");
  EXPECT_THAT(three.Shards(), IsEmpty());
  EXPECT_THAT(one.Shards(), IsEmpty());
  EXPECT_THAT(three.Shards(), SizeIs(limits::kShards));
}

TEST_F(GatewaysTest, AShardThatMovesGetsALaterEpoch) {
  Member& one = Join("one");
  std::map<std::int32_t, std::int64_t> before;
  for (const jobs::Lease& lease : one.Renew().leases) before[lease.shard] = lease.epoch;
  Member& two = Join("two");
  two.Renew();
  for (const jobs::Lease& lease : one.Renew().leases) {
    EXPECT_EQ(lease.epoch, before.at(lease.shard)) << "what stays keeps its epoch";
  }
  const std::vector<jobs::Lease> moved = two.Renew().leases;
  EXPECT_FALSE(moved.empty());
  for (const jobs::Lease& lease : moved) EXPECT_GT(lease.epoch, before.at(lease.shard));
}

TEST_F(GatewaysTest, ALeaseEndsByTheHoldersClockBeforeItEndsByTheServers) {
  times_.lease = std::chrono::seconds(15);
  times_.margin = std::chrono::seconds(2);
  Member& one = Join("one");
  const BootTime before = SystemClock().BootNow();
  const jobs::Holding held = one.Renew();
  const BootTime after = SystemClock().BootNow();
  EXPECT_GE(held.leases.at(0).until, before + std::chrono::seconds(13));
  EXPECT_LE(held.leases.at(0).until, after + std::chrono::seconds(13));
  EXPECT_LT(held.ahead, after - before) << "one machine has one clock";
  EXPECT_GT(held.ahead, before - after);
}

// Its shards go to others at once; its attempts are ended once it is given up for gone.
TEST_F(GatewaysTest, WhatAGatewayLeavesThatWasKilledIsEndedByTheOwnerOfTheShard) {
  times_.grace = std::chrono::seconds(60);
  Member& one = Join("one");
  Spread({&one});
  one.Sending("1", 5);
  JobRecord intent = Begun("j2", "r2");
  intent.owner_epoch = one.recovered().epoch;
  intent.job.shard = 1'000;
  ASSERT_TRUE(one.calls().Begin(intent).ok());
  one.Kill();
  times_.grace = Duration::zero();
  Member& judge = Join("judge");
  times_.grace = kHour;
  Member& young = Join("young");
  Age("one", std::chrono::seconds(1));
  young.Renew();
  EXPECT_EQ(Gone(), 0) << "its grace is not over for this one";
  EXPECT_EQ(judge.Find("r1").submission, SubmissionState::kSending);
  const std::string position = judge.calls().FindFeedEnd().value();
  judge.Renew();
  EXPECT_EQ(Gone(), 1);
  ExpectFair(Spread({&judge, &young}));
  AwaitEnd("r1", {&judge, &young});
  AwaitEnd("r2", {&judge, &young});
  EXPECT_EQ(judge.Find("r1").submission, SubmissionState::kUnknown);
  EXPECT_EQ(judge.Find("r1").job.state, jobs::v1::JOB_STATE_UNCONFIRMED);
  EXPECT_EQ(judge.Find("r2").submission, SubmissionState::kNotSent);
  std::set<std::string> told;
  for (const auto& entry : judge.calls().ReadFeed(position, 99)->entries) told.insert(entry.job.id);
  EXPECT_THAT(told, ElementsAre("j1", "j2"));
}

// After an outage of the server all leases are old, and nobody is to blame.
TEST_F(GatewaysTest, AfterAnOutageOfTheServerNobodyIsGone) {
  PostgresServer server;
  times_.grace = limits::kStoreLeaseGrace;
  std::vector<std::unique_ptr<Member>> members;
  std::vector<Member*> all;
  for (const char* name : {"one", "two", "three"}) {
    members.push_back(std::make_unique<Member>(server, name, times_));
    all.push_back(members.back().get());
  }
  Spread(all);
  std::vector<JobRecord> sending;
  for (Member* member : all) {
    sending.push_back(member->Sending(std::to_string(sending.size()), 7));
  }
  server.Kill();
  server.Start();
  server.Sql("UPDATE pictory.gateways SET lease_until = 1");
  ExpectFair(Spread(all));
  EXPECT_EQ(server.Number("SELECT count(*) FROM pictory.gateways WHERE gone_at IS NULL"), 3);
  for (std::size_t i = 0; i < all.size(); ++i) {
    sending[i].submission = SubmissionState::kAccepted;
    sending[i].job.pictory_job_id = "p" + std::to_string(i);
    EXPECT_TRUE(all[i]->calls().UpdateVersion(sending[i]).ok()) << "each goes on where it was";
  }
}

// As after SIGSTOP and SIGCONT, hours later.
TEST_F(GatewaysTest, AGatewayThatWasGoneGoesOnWithoutWhatItHeld) {
  Member& sleeper = Join("sleeper");
  Member& judge = Join("judge");
  Spread({&sleeper, &judge});
  JobRecord sent = sleeper.Sending("1", 5);
  ASSERT_TRUE(sleeper.calls().Adopt(Accepted("j2", "p2")).ok());
  sleeper.proxy().SetStopped(true);
  JobRecord poll = Accepted("j2", "p2");
  poll.version = 1;
  poll.job.message = "of the past";
  store::Answer<absl::Status> polled, answered;
  sleeper.store().Update(poll, {}, polled.Callback());
  Age("sleeper", std::chrono::seconds(1));
  Spread({&judge});
  ASSERT_EQ(Gone(), 1);
  EXPECT_THAT(judge.Shards(), SizeIs(limits::kShards));
  AwaitEnd("r1", {&judge});
  EXPECT_EQ(judge.Find("r1").submission, SubmissionState::kUnknown);
  JobRecord newer = judge.Find("request-of-j2");
  newer.job.message = "newer";
  ASSERT_TRUE(judge.calls().UpdateVersion(newer).ok());
  sleeper.proxy().SetStopped(false);
  EXPECT_TRUE(absl::IsAborted(polled.Wait())) << "no state goes back";
  EXPECT_EQ(judge.Find("request-of-j2").job.message, "newer");
  // The answer to what it sent is an event: it is stored where it belongs now.
  sent.submission = SubmissionState::kAccepted;
  sent.job.pictory_job_id = "p1";
  EXPECT_TRUE(absl::IsAborted(sleeper.calls().UpdateVersion(sent)));
  JobRecord known = sleeper.Find("r1");
  known.submission = SubmissionState::kAccepted;
  known.job.pictory_job_id = "p1";
  EXPECT_TRUE(sleeper.calls().UpdateVersion(known).ok());
  EXPECT_EQ(Gone(), 0);
  sleeper.Sending("3", 5);
  JobRecord left = Begun("j4", "r4");
  left.owner_epoch = 1'000'000;  // nobody's
  left.job.shard = 5;
  ASSERT_TRUE(judge.calls().Begin(left).ok());
  ExpectFair(Spread({&sleeper, &judge}));
  AwaitEnd("r4", {&sleeper, &judge});
  EXPECT_EQ(judge.Find("r3").submission, SubmissionState::kSending) << "it has its epoch again";
}

TEST_F(GatewaysTest, OneThatWasCutOffForADayIsToldSo) {
  Member& sleeper = Join("sleeper");
  Member& judge = Join("judge");
  Spread({&sleeper, &judge});
  ASSERT_TRUE(sleeper.calls().Begin(Begun("j1", "r1")).ok());
  sleeper.proxy().SetOpen(false);
  Age("sleeper", std::chrono::seconds(1));
  judge.Renew();
  ASSERT_EQ(Gone(), 1);
  server_.Sql(
      "UPDATE pictory.gateways SET gone_at = 1 WHERE gone_at > 0;"
      " UPDATE pictory.writers SET ended_at = 1 WHERE ended_at > 0");
  const jobs::PruneQuery nothing{.finished_before = {}, .untouched_since = {}, .limit = 1};
  ASSERT_TRUE(judge.calls().Prune(nothing).ok());
  sleeper.proxy().SetOpen(true);
  EXPECT_FALSE(sleeper.calls().Begin(Begun("j2", "r2")).ok());
  const absl::Status why = sleeper.WaitForFatal();
  EXPECT_THAT(why.message(), ::testing::HasSubstr("longer than a day"));
  EXPECT_THAT(why.message(), ::testing::HasSubstr("start this gateway again"));
  EXPECT_THAT(why.message(), ::testing::Not(::testing::HasSubstr("lacks")));
  Member& again = Join("sleeper");
  EXPECT_EQ(again.Find("r1").job.job_id, "j1");
  ExpectFair(Spread({&again, &judge}));
}

// Its lease has run out and nobody has given it up: others have its shards, or are taking them.
TEST_F(GatewaysTest, ALeaseThatHasRunOutIsBegunAnew) {
  times_.grace = kHour;
  Member& one = Join("one");
  std::map<std::int32_t, std::int64_t> before;
  for (const jobs::Lease& lease : one.Renew().leases) before[lease.shard] = lease.epoch;
  Age("one", std::chrono::seconds(1));
  for (const jobs::Lease& lease : one.Renew().leases) {
    EXPECT_GT(lease.epoch, before.at(lease.shard));
  }
}

TEST_F(GatewaysTest, TwoOfOneNameAreOne) {
  Member& first = Join("one");
  Member& other = Join("other");
  Spread({&first, &other});
  first.Sending("1", 5);
  Member& second = Join("one");
  EXPECT_EQ(second.Find("r1").submission, SubmissionState::kUnknown) << "that start was its own";
  const absl::Status late = first.calls().Begin(Begun("j2", "r2")).status();
  EXPECT_EQ(errors::Reason(late), errors::kStoreFailed);
  EXPECT_THAT(first.WaitForFatal().message(), ::testing::HasSubstr("same name"));
  ExpectFair(Spread({&second, &other}));
}

TEST_F(GatewaysTest, TheRestartOfOneLeavesTheOthersAlone) {
  Member& one = Join("one");
  Member& two = Join("two");
  Spread({&one, &two});
  one.Sending("1", 5);
  JobRecord sending = two.Sending("2", 6);
  ASSERT_TRUE(two.calls().KeepHints("acme", "j2", {"p2"}).ok());
  ASSERT_TRUE(two.calls().KeepHints("acme", "j1", {"p1"}).ok());
  one.Kill();
  Member& again = Join("one");
  EXPECT_EQ(again.Find("r1").submission, SubmissionState::kUnknown);
  EXPECT_EQ(again.Find("r2"), sending);
  EXPECT_THAT(again.recovered().hints, ElementsAre(jobs::Hint{{"acme", "j1"}, "p1"}));
  two.Kill();
  Member& two_again = Join("two");
  EXPECT_THAT(two_again.recovered().hints, SizeIs(2)) << "the hint was kept for its own start";
}

JobRecord Keyless(const std::string& n, const Member& member, std::int32_t shard) {
  JobRecord record = Accepted("j" + n, "p" + n);
  record.minted_request_id = true;
  record.sent_at = SystemClock().WallNow();
  record.owner_epoch = member.recovered().epoch;
  record.job.shard = shard;
  return record;
}

std::vector<std::string> JobIds(const std::vector<jobs::OwedJob>& owed) {
  std::vector<std::string> ids;
  for (const jobs::OwedJob& job : owed) ids.push_back(job.job_id);
  return ids;
}

TEST_F(GatewaysTest, WhatAGatewayOwesIsRecoveredByItsOwnNextStart) {
  Member& one = Join("one");
  Member& two = Join("two");
  ASSERT_TRUE(one.calls().Adopt(Keyless("1", one, 5)).ok());
  ASSERT_TRUE(two.calls().Adopt(Keyless("2", two, 5)).ok());
  one.Kill();
  EXPECT_THAT(JobIds(Join("one").recovered().owed), ElementsAre("j1"));
  Spread({&two});
  EXPECT_THAT(two.Renew().owed, IsEmpty());
}

TEST_F(GatewaysTest, WhatAGatewayOwedThatIsGoneIsOwedByTheOwnerOfTheShard) {
  Member& one = Join("one");
  Member& two = Join("two");
  Spread({&one, &two});
  ASSERT_TRUE(one.calls().Adopt(Keyless("1", one, 1'020)).ok());
  one.Kill();
  Age("one", std::chrono::seconds(1));
  EXPECT_THAT(JobIds(AwaitOwed(two)), ElementsAre("j1"));
  EXPECT_THAT(two.Renew().owed, IsEmpty()) << "each comes once";
  EXPECT_EQ(two.Find("request-of-j1").owner_epoch, two.recovered().epoch);
}

// To look through a million jobs takes long, and polls must go on meanwhile.
TEST_F(GatewaysTest, WhoRenewsDoesNotWaitForWhatOthersHaveLeft) {
  Member& one = Join("one");
  Member& two = Join("two");
  Spread({&one, &two});
  ASSERT_TRUE(one.calls().Adopt(Keyless("1", one, 1'020)).ok());
  one.Kill();
  Age("one", std::chrono::seconds(1));
  auto holder = Connection::Open(server_.conninfo(), store::kPatience);
  holder->Script("BEGIN; LOCK TABLE pictory.jobs IN ACCESS EXCLUSIVE MODE");
  for (int i = 0; i < 3; ++i) {
    const jobs::Holding held = two.Renew();
    EXPECT_THAT(held.leases, SizeIs(limits::kShards));
    EXPECT_THAT(held.owed, IsEmpty());
  }
  holder->Rollback();
  EXPECT_THAT(JobIds(AwaitOwed(two)), ElementsAre("j1"));
}

// The end of one says nothing of the answers of the others.
TEST_F(GatewaysTest, AnOrderlyEndIsThatOfOneGateway) {
  Member& one = Join("one");
  Member& two = Join("two");
  Spread({&one, &two});
  ASSERT_TRUE(one.calls().Adopt(Keyless("1", one, 1)).ok());
  ASSERT_TRUE(one.calls().Adopt(Keyless("3", one, 3)).ok());
  ASSERT_TRUE(two.calls().Adopt(Keyless("2", two, 2)).ok());
  ASSERT_TRUE(two.calls()
                  .EndEpoch({{.tenant = "acme", .job_id = "j2", .delivery = jobs::Delivery::kLost}})
                  .ok());
  two.store().Close();
  one.Kill();
  Member& again = Join("one");
  EXPECT_THAT(JobIds(again.recovered().owed), ::testing::UnorderedElementsAre("j1", "j2", "j3"))
      << "its own, and of the other what that named";
  ASSERT_TRUE(again.calls()
                  .EndEpoch({{.tenant = "acme", .job_id = "j3", .delivery = jobs::Delivery::kLost}})
                  .ok());
  again.store().Close();
  EXPECT_THAT(JobIds(Join("three").recovered().owed), ElementsAre("j3"));
}

TEST_F(GatewaysTest, TheFeedTellsEachGatewayOfAllOthers) {
  std::vector<Member*> members;
  for (const char* name : {"one", "two", "three"}) members.push_back(&Join(name));
  std::vector<std::string> positions;
  for (Member* member : members) positions.push_back(member->calls().FindFeedEnd().value());
  std::vector<std::thread> writers;
  constexpr int kJobs = 30;
  for (std::size_t m = 0; m < members.size(); ++m) {
    writers.emplace_back([&, m] {
      for (int i = 0; i < kJobs; ++i) {
        const std::string n = std::to_string(m) + "-" + std::to_string(i);
        EXPECT_TRUE(members[m]->calls().Begin(Begun("j" + n, "r" + n)).ok());
        // A session breaks now and then, and its number ends.
        if (i % 10 == 5) members[m]->proxy().CutNext(CutProxy::When::kAfterCommit);
      }
    });
  }
  std::set<std::string> told;
  const auto read = [&](std::size_t m) {
    auto page = members[m]->calls().ReadFeed(positions[m], 7);
    ASSERT_TRUE(page.ok()) << page.status();
    for (const auto& entry : page->entries) told.insert(entry.job.id);
    positions[m] = page->position;
  };
  for (int i = 0; i < 20; ++i) read(0);
  for (std::thread& writer : writers) writer.join();
  for (std::size_t m = 0; m < members.size(); ++m) {
    if (m > 0) told.clear();
    std::string before;
    while (before != positions[m]) {
      before = positions[m];
      read(m);
    }
    EXPECT_THAT(told, SizeIs(members.size() * kJobs)) << m;
  }
}

// Two store a result of many megabytes at the same time, because the shard has moved meanwhile.
TEST_F(GatewaysTest, LargeResultsOfTwoAreNotMixed) {
  Member& one = Join("one");
  Member& two = Join("two");
  ASSERT_TRUE(one.calls().Adopt(Accepted("j1", "p1")).ok());
  server_.Sql(
      "INSERT INTO pictory.parts VALUES ('acme', 'j1', 16 * 1234567 + 4, 0, 1, 'x');"  // of one
      // that died. And the record of the first is held up.
      "CREATE TABLE pictory.gate (); CREATE FUNCTION pictory.wait() RETURNS trigger AS $$ BEGIN"
      " WHILE EXISTS (SELECT 1 FROM pg_class WHERE relname = 'gate') LOOP"
      " PERFORM pg_sleep(0.05); END LOOP; RETURN NEW; END $$ LANGUAGE plpgsql;"
      " CREATE TRIGGER wait BEFORE UPDATE ON pictory.jobs FOR EACH ROW WHEN (NEW.message = 'of "
      "one')"
      " EXECUTE FUNCTION pictory.wait()");
  const auto put = [](Member& member, const std::string& whose, char letter) {
    JobRecord record = Accepted("j1", "p1");
    record.version = 1;
    record.job.message = whose;
    const std::string large(limits::kStoreGroupMaxBytes + 1, letter);
    store::Answer<absl::Status> stored;
    member.store().Update(record,
                          {{jobs::v1::RESULT_PART_TXT, large}, {jobs::v1::RESULT_PART_SRT, large}},
                          stored.Callback());
    return stored;
  };
  const auto waiting = [this](const std::string& of) {
    const std::string query = "SELECT count(*) FROM pg_stat_activity WHERE " + of;
    const auto until = std::chrono::steady_clock::now() + store::kPatience;
    while (server_.Number(query) == 0 && std::chrono::steady_clock::now() < until) {
    }
    EXPECT_GT(server_.Number(query), 0) << of;
  };
  store::Answer<absl::Status> first = put(one, "of one", 'a');
  waiting("wait_event = 'PgSleep'");
  store::Answer<absl::Status> second = put(two, "of two", 'b');
  waiting("wait_event_type = 'Lock'");
  server_.Sql("DROP TABLE pictory.gate");
  const absl::Status stored = first.Wait(), refused = second.Wait();
  EXPECT_TRUE(stored.ok()) << stored;
  EXPECT_TRUE(absl::IsAborted(refused)) << refused;
  EXPECT_EQ(two.Find("request-of-j1").job.message, "of one");
  for (const auto part : {jobs::v1::RESULT_PART_TXT, jobs::v1::RESULT_PART_SRT}) {
    const auto read = two.calls().ReadPart("acme", "j1", part, 0, INT64_MAX);
    EXPECT_TRUE(read->data == std::string(limits::kStoreGroupMaxBytes + 1, 'a'))
        << read->data.size() << " bytes of '" << read->data.substr(0, 1) << "'";
  }
  EXPECT_EQ(server_.Number("SELECT count(*) FROM pictory.parts WHERE part >= 16"), 0)
      << "nothing is left of what did not become the job's";
}

// The gateway that gets a webhook's call need not be the one that looks after the job.
TEST_F(GatewaysTest, AHintReachesTheOthersByTheFeed) {
  Member& one = Join("one");
  Member& two = Join("two");
  JobRecord sending = one.Sending("1", 5);
  std::string position = one.calls().FindFeedEnd().value();
  ASSERT_TRUE(two.calls().KeepHints("acme", "j1", {"p1", "p2"}).ok());
  jobs::FeedPage page = one.calls().ReadFeed(position, 9).value();
  const jobs::FeedEntry hint{.job = {"acme", "j1"}, .shard = 5, .version = 1, .hint = true};
  EXPECT_THAT(page.entries, ElementsAre(hint));
  store::Answer<absl::StatusOr<std::vector<std::string>>> hints;
  one.store().FindHints({"acme", "j1"}, hints.Callback());
  EXPECT_THAT(hints.Wait().value(), ElementsAre("p1", "p2"));
  ASSERT_TRUE(two.calls().KeepHints("acme", "j1", {"p1"}).ok());
  EXPECT_THAT(one.calls().ReadFeed(page.position, 9)->entries, IsEmpty()) << "it is known";
  ASSERT_TRUE(one.calls().UpdateVersion(sending).ok());
  for (const char* id : {"j1", "nobody"}) {
    store::Answer<absl::Status> nudged;
    two.store().Nudge({"acme", id}, nudged.Callback());
    EXPECT_TRUE(nudged.Wait().ok());
  }
  page = one.calls().ReadFeed(page.position, 9).value();
  EXPECT_THAT(page.entries, SizeIs(2)) << "the change and the hint";
}

// A call of Pictory's may reach any gateway, so each must know the links of all.
TEST_F(GatewaysTest, ASecretIsThatOfTheFirst) {
  Member& one = Join("one");
  Member& two = Join("two");
  const std::string key("first\0key", 9);
  EXPECT_EQ(one.store().ShareSecret("webhook.key", key).value(), key);
  EXPECT_EQ(two.store().ShareSecret("webhook.key", "second key").value(), key);
  EXPECT_EQ(two.store().ShareSecret("another", "second key").value(), "second key");
  one.store().Close();
  EXPECT_TRUE(absl::IsUnavailable(one.store().ShareSecret("webhook.key", key).status()));
}

// Whoever stops one stops all, and no restart of a gateway lets money be spent meanwhile.
TEST_F(GatewaysTest, AStopIsThatOfAllUntilTheGatewayTakesItBack) {
  Member& one = Join("one");
  Member& two = Join("two");
  const auto stopped_by = [](Member& member) {
    return member.calls().ReadFeed(member.calls().FindFeedEnd().value(), 9).value().stopped_by;
  };
  const auto set = [](Member& member, bool stopped) {
    store::Answer<absl::Status> said;
    member.store().SetStopped(stopped, said.Callback());
    EXPECT_TRUE(said.Wait().ok());
  };
  EXPECT_EQ(stopped_by(two), "");
  set(one, true);
  set(two, false);
  EXPECT_EQ(stopped_by(two), "here");
  EXPECT_EQ(stopped_by(one), "here");
  one.store().Close();
  EXPECT_EQ(stopped_by(two), "here");
  Member& again = Join("one");
  EXPECT_EQ(stopped_by(two), "here");
  set(again, false);
  EXPECT_EQ(stopped_by(two), "");
  set(again, true);
  again.store().Close();
  const jobs::PruneQuery nothing{.finished_before = {}, .untouched_since = {}, .limit = 1};
  ASSERT_TRUE(two.calls().Prune(nothing).ok());
  EXPECT_EQ(stopped_by(two), "here");
  server_.Sql("UPDATE pictory.stops SET said_at = 1");
  ASSERT_TRUE(two.calls().Prune(nothing).ok());
  EXPECT_EQ(stopped_by(two), "") << "that one does not come back";
}

// While one reads a long list, who follows the feed does not wait.
TEST_F(GatewaysTest, ASlowListDoesNotHoldUpTheFeed) {
  Member& one = Join("one");
  ASSERT_TRUE(one.calls().Adopt(Accepted("j1", "p1")).ok());
  std::promise<void> reading, go_on;
  store::Answer<absl::Status> read;
  one.store().ReadShards(
      {0},
      [&](const JobRecord&) {
        reading.set_value();
        go_on.get_future().wait();
      },
      read.Callback());
  reading.get_future().get();
  const std::string end = one.calls().FindFeedEnd().value();
  EXPECT_TRUE(one.calls().ReadFeed(end, 9).ok());
  EXPECT_THAT(one.calls().FindMany({{"acme", "j1"}}).value(), SizeIs(1));
  go_on.set_value();
  EXPECT_TRUE(read.Wait().ok());
}

}  // namespace
}  // namespace gateway::postgres
