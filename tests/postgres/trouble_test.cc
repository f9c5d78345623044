// A server that goes away and comes back, and writers that meet at the same rows.
#include "store/store_calls.h"  // first, see there

#include <gmock/gmock.h>

#include <random>

#include "base/errors.h"
#include "cut.h"
#include "postgres/postgres_job_store.h"
#include "server.h"

namespace gateway::postgres {
namespace {

using jobs::JobRecord;
using store::Accepted;
using store::Answer;
using store::Begun;
using store::StoreCalls;

class TroubleTest : public ::testing::Test {
 protected:
  TroubleTest() { server_.Empty(); }

  std::unique_ptr<PostgresJobStore> Open(PostgresOptions options) {
    if (options.conninfo.empty()) options.conninfo = server_.conninfo();
    if (options.gateway.empty()) options.gateway = "one";
    options.address = "here";
    auto opened = PostgresJobStore::Open(std::move(options));
    EXPECT_TRUE(opened.ok()) << opened.status();
    return *std::move(opened);
  }

  PostgresServer& server_ = PostgresServer::Shared();
};

// A server is killed under load, again and again. What was said to be stored is there, what was
// refused is not, and nothing needs to be told that the server is back.
TEST(CrashTest, AServerThatIsKilledUnderLoadLosesNothing) {
  PostgresServer server;
  auto opened = PostgresJobStore::Open(
      {.conninfo = server.conninfo(),
       .gateway = "one",
       .address = "here",
       .on_fatal = [](absl::Status why) { FAIL() << why; },
       .group_max = 2,  // a group whose fate nobody knows leaves writers who are refused
       .away_wait = std::chrono::milliseconds(500)});
  ASSERT_TRUE(opened.ok()) << opened.status();
  jobs::Store& store = **opened;
  std::atomic<bool> ends{false};
  std::atomic<int> stored{0}, refused{0};
  const auto await = [](const std::atomic<int>& count, int more) {
    const int before = count;
    for (int now = before; now < before + more; now = count) count.wait(now);
  };
  std::vector<std::vector<std::string>> begun(4), not_begun(4);
  std::vector<std::thread> threads;
  for (std::size_t t = 0; t < begun.size(); ++t) {
    threads.emplace_back([&, t] {
      StoreCalls calls(store);
      for (int i = 0; !ends; ++i) {
        const std::string id = std::to_string(t) + "-" + std::to_string(i);
        const auto result = calls.Begin(Begun("j" + id, "r" + id));
        if (result.ok()) {
          EXPECT_TRUE(result->begun) << id;
          begun[t].push_back("r" + id);
          ++stored;
          stored.notify_all();
        } else {
          EXPECT_EQ(errors::Reason(result.status()), "STORE_AWAY") << result.status();
          EXPECT_GT(errors::RetryDelay(result.status()), Duration::zero());
          not_begun[t].push_back("r" + id);
          ++refused;
          refused.notify_all();
          std::this_thread::sleep_for(std::chrono::milliseconds(1));  // as a caller would
        }
      }
    });
  }
  for (int round = 0; round < 3; ++round) {
    await(stored, 50);
    server.Kill();
    await(refused, 10);
    server.Start();
  }
  await(stored, 50);
  ends = true;
  for (std::thread& thread : threads) thread.join();
  StoreCalls calls(store);
  for (std::size_t t = 0; t < begun.size(); ++t) {
    for (const std::string& id : begun[t]) {
      EXPECT_TRUE(calls.FindRequest("acme", id).value().has_value()) << id;
    }
    for (const std::string& id : not_begun[t]) {
      EXPECT_FALSE(calls.FindRequest("acme", id).value().has_value()) << id;
    }
  }
}

TEST_F(TroubleTest, WhileTheServerIsAwayChangesWaitAndSubmitsAreRefusedAtOnce) {
  CutProxy proxy(server_.socket());
  std::promise<std::string> away;
  std::promise<void> back;
  auto store = Open({.conninfo = proxy.conninfo(),
                     .on_fatal = [](absl::Status why) { FAIL() << why; },
                     .on_away = First(away),
                     .on_back = [&back] { back.set_value(); },
                     .away_wait = std::chrono::hours(1)});
  StoreCalls calls(*store);
  ASSERT_TRUE(calls.Adopt(Accepted("j1", "p1")).ok());
  proxy.SetOpen(false);
  JobRecord record = Accepted("j1", "p1");
  record.version = 1;
  record.job.message = "known";
  Answer<absl::Status> updated;
  store->Update(record, {}, updated.Callback());
  away.get_future().get();
  const absl::Status refused = calls.Begin(Begun("j2", "r2")).status();
  EXPECT_EQ(errors::Reason(refused), "STORE_AWAY") << refused;
  EXPECT_EQ(errors::Reason(calls.Find("acme", "j1").status()), "STORE_AWAY");
  proxy.SetOpen(true);
  back.get_future().get();
  EXPECT_TRUE(updated.Wait().ok());
  EXPECT_EQ(calls.FindRequest("acme", record.job.request_id).value()->job.message, "known");
  EXPECT_TRUE(calls.Begin(Begun("j2", "r2")).ok());
}

TEST_F(TroubleTest, AChangeThatHasWaitedForTooLongIsRefusedAndCanBeMadeAgain) {
  CutProxy proxy(server_.socket());
  auto store = Open({.conninfo = proxy.conninfo(), .away_wait = std::chrono::milliseconds(50)});
  StoreCalls calls(*store);
  ASSERT_TRUE(calls.Adopt(Accepted("j1", "p1")).ok());
  proxy.SetOpen(false);
  JobRecord record = Accepted("j1", "p1");
  record.version = 1;
  const absl::Status refused = calls.UpdateVersion(record);
  EXPECT_EQ(errors::Reason(refused), "STORE_AWAY") << refused;
  proxy.SetOpen(true);
  absl::Status again;
  do {
    again = calls.UpdateVersion(record);
  } while (errors::Reason(again) == "STORE_AWAY");
  EXPECT_TRUE(again.ok()) << again;
}

// The program ends while nobody knows whether a write was done, and the server is back just then.
TEST_F(TroubleTest, AWriteGivenUpInDoubtSpeaksForNoOther) {
  CutProxy proxy(server_.socket());
  auto store = Open({.conninfo = proxy.conninfo(),
                     .away_wait = std::chrono::hours(1),
                     .close_wait = std::chrono::milliseconds(500)});
  StoreCalls calls(*store);
  ASSERT_TRUE(calls.Adopt(Accepted("j1", "p1")).ok());
  proxy.CutNextAndClose(CutProxy::When::kAfterCommit);
  JobRecord record = Accepted("j1", "p1");
  record.version = 1;
  Answer<absl::Status> first, second;
  store->Update(record, {}, [&proxy, done = first.Callback()](const absl::Status& status) {
    proxy.SetOpen(true);
    done(status);
  });
  record.version = 2;
  store->Update(record, {}, second.Callback());
  store->Close();
  EXPECT_EQ(errors::Reason(first.Wait()), "STORE_AWAY");
  const bool done = server_.Number("SELECT version FROM pictory.jobs") == 3;
  EXPECT_EQ(second.Wait().ok(), done) << "what is said of it is true";
}

// While nobody knows what became of a write, the next of the same job waits with it.
TEST_F(TroubleTest, WritesOfOneJobAreAnsweredInTheirOrder) {
  CutProxy proxy(server_.socket());
  auto store = Open({.conninfo = proxy.conninfo(), .away_wait = std::chrono::milliseconds(50)});
  StoreCalls calls(*store);
  ASSERT_TRUE(calls.Adopt(Accepted("j1", "p1")).ok());
  ASSERT_TRUE(calls.Adopt(Accepted("j2", "p2")).ok());
  proxy.CutNextAndClose(CutProxy::When::kAfterCommit);
  std::vector<std::string> order;  // written on the writer's thread, read after the last answer
  const auto note = [&order](const std::string& name, Answer<absl::Status>& answer) {
    return [&order, name, done = answer.Callback()](const absl::Status& status) {
      order.push_back(name);
      done(status);
    };
  };
  JobRecord record = Accepted("j1", "p1");
  record.version = 1;
  JobRecord other = Accepted("j2", "p2");
  other.version = 1;
  Answer<absl::Status> first, second, late;
  store->Update(record, {}, note("first", first));
  record.version = 2;
  store->Update(record, {}, note("second", second));
  while (proxy.cuts() == 0) std::this_thread::yield();
  store->Update(other, {}, note("other", late));
  EXPECT_EQ(errors::Reason(late.Wait()), "STORE_AWAY") << "other jobs need not wait";
  proxy.SetOpen(true);
  EXPECT_TRUE(first.Wait().ok());
  EXPECT_TRUE(second.Wait().ok());
  EXPECT_EQ(order, (std::vector<std::string>{"other", "first", "second"}));
}

// A server that hangs takes the end no longer than it may take, whatever is queued.
TEST_F(TroubleTest, AServerThatHangsDoesNotHoldUpTheEnd) {
  CutProxy proxy(server_.socket());
  auto store = Open({.conninfo = proxy.conninfo(),
                     .away_wait = std::chrono::hours(1),
                     .close_wait = std::chrono::milliseconds(200)});
  StoreCalls calls(*store);
  ASSERT_TRUE(calls.Adopt(Accepted("j1", "p1")).ok());
  ASSERT_TRUE(calls.Find("acme", "j1").ok());
  proxy.SetStopped(true);
  JobRecord record = Accepted("j1", "p1");
  std::vector<Answer<absl::Status>> updated(20);
  for (auto& answer : updated) {
    ++record.version;
    store->Update(record, {}, answer.Callback());
  }
  std::vector<Answer<StoreCalls::MaybeRecord>> found(20);
  for (auto& answer : found) store->Find("acme", "j1", answer.Callback());
  const auto before = std::chrono::steady_clock::now();
  store->Close();
  EXPECT_LT(std::chrono::steady_clock::now() - before, std::chrono::seconds(10));
  for (auto& answer : updated) EXPECT_EQ(errors::Reason(answer.Wait()), "STORE_AWAY");
  for (auto& answer : found) EXPECT_TRUE(absl::IsUnavailable(answer.Wait().status()));
}

// Somebody holds a row: what wants it is refused, and nothing else.
TEST_F(TroubleTest, ALockedRowHoldsUpOnlyItself) {
  std::promise<std::string> refused;
  auto store = Open({.on_refused = [&refused](const std::string& why) { refused.set_value(why); }});
  StoreCalls calls(*store);
  ASSERT_TRUE(calls.Adopt(Accepted("j1", "p1")).ok());
  ASSERT_TRUE(calls.Adopt(Accepted("j2", "p2")).ok());
  auto holder = Connection::Open(server_.conninfo(), store::kPatience);
  holder->Script("BEGIN; SELECT FROM pictory.jobs WHERE job_id = 'j1' FOR UPDATE");
  JobRecord held = Accepted("j1", "p1"), other = Accepted("j2", "p2");
  held.version = other.version = 1;
  Answer<absl::Status> waited, done;
  const auto before = std::chrono::steady_clock::now();
  store->Update(held, {}, waited.Callback());
  store->Update(other, {}, done.Callback());
  EXPECT_TRUE(done.Wait().ok());
  EXPECT_EQ(errors::Reason(waited.Wait()), "STORE_AWAY");
  EXPECT_LT(std::chrono::steady_clock::now() - before, std::chrono::seconds(40));
  EXPECT_THAT(refused.get_future().get(), ::testing::HasSubstr("55P03"));
  holder->Rollback();
  EXPECT_TRUE(calls.UpdateVersion(held).ok());
}

// Two gateways begin the same attempt again at the same moment: the row is locked here after both
// have found that nothing of it was sent.
TEST_F(TroubleTest, OfTwoThatBeginAgainTheSecondIsToldOfTheFirst) {
  auto store = Open({});
  StoreCalls calls(*store);
  JobRecord not_sent = Begun("j1", "r1");
  not_sent.submission = jobs::SubmissionState::kNotSent;
  ASSERT_TRUE(calls.Adopt(not_sent).ok());
  auto first = Connection::Open(server_.conninfo(), store::kPatience);
  first->Script("BEGIN; SELECT FROM pictory.jobs WHERE job_id = 'j1' FOR UPDATE");
  Answer<absl::StatusOr<jobs::BeginResult>> second;
  store->Begin(Begun("j2", "r1"), second.Callback());
  while (server_.Number("SELECT count(*) FROM pg_locks WHERE NOT granted") == 0) {
    std::this_thread::yield();
  }
  first->Script(
      "UPDATE pictory.jobs SET submission = 2, attempt = 2, version = version + 1"
      " WHERE job_id = 'j1'; COMMIT");
  const absl::StatusOr<jobs::BeginResult> begun = second.Wait();
  ASSERT_TRUE(begun.ok()) << begun.status();
  EXPECT_FALSE(begun->begun);
  EXPECT_EQ(begun->record.job.job_id, "j1");
  EXPECT_EQ(begun->record.submission, jobs::SubmissionState::kSending);
}

// What PostgreSQL says of a write may hold what is to be written: callers do not get it.
TEST_F(TroubleTest, WhatPostgresRefusesIsToldToTheOperator) {
  std::promise<std::string> refused;
  auto store = Open({.on_refused = [&refused](const std::string& why) { refused.set_value(why); }});
  StoreCalls calls(*store);
  ASSERT_TRUE(calls.Adopt(Accepted("j1", "p1")).ok());
  server_.Sql("ALTER TABLE pictory.jobs ADD CONSTRAINT no_secrets CHECK (message <> 'secret')");
  JobRecord record = Accepted("j1", "p1");
  record.version = 1;
  record.job.message = "secret";
  const absl::Status updated = calls.UpdateVersion(record);
  EXPECT_EQ(updated.code(), absl::StatusCode::kInternal);
  EXPECT_THAT(updated.message(), ::testing::HasSubstr("23514"));
  EXPECT_THAT(updated.message(), ::testing::Not(::testing::HasSubstr("no_secrets")));
  EXPECT_THAT(refused.get_future().get(), ::testing::HasSubstr("no_secrets"));
  record.job.message = "known";
  EXPECT_TRUE(calls.UpdateVersion(record).ok());
}

TEST_F(TroubleTest, LeasesAreNotRenewedWhileTheServerIsAway) {
  CutProxy proxy(server_.socket());
  auto store = Open({.conninfo = proxy.conninfo(), .away_wait = std::chrono::milliseconds(50)});
  ASSERT_TRUE(store->Recover(store::At(1)).ok());
  ASSERT_TRUE(StoreCalls(*store).Renew().ok());
  proxy.SetOpen(false);
  EXPECT_EQ(errors::Reason(StoreCalls(*store).Renew().status()), "STORE_AWAY");
}

// A reader that kept an old connection might read from a server that nobody writes to any more.
TEST_F(TroubleTest, ReadersFollowTheWriter) {
  auto store = Open({});
  StoreCalls calls(*store);
  ASSERT_TRUE(calls.Adopt(Accepted("j1", "p1")).ok());
  ASSERT_TRUE(calls.Find("acme", "j1").ok());
  const std::string reader =
      std::to_string(server_.Number("SELECT pid FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
                                    " AND application_name = 'pictory-gateway' AND state = 'idle'"
                                    " AND query LIKE 'SELECT%pictory.jobs%'"));
  server_.Sql(
      "SELECT pg_terminate_backend(pid, 60000) FROM pg_stat_activity"
      " WHERE application_name = 'pictory-gateway' AND query = 'COMMIT'");
  ASSERT_TRUE(calls.Adopt(Accepted("j2", "p2")).ok());
  ASSERT_TRUE(calls.Find("acme", "j2").ok());
  const auto until = std::chrono::steady_clock::now() + store::kPatience;
  const std::string query = "SELECT count(*) FROM pg_stat_activity WHERE pid = " + reader;
  while (server_.Number(query) > 0 && std::chrono::steady_clock::now() < until) {
    std::this_thread::yield();
  }
  EXPECT_EQ(server_.Number(query), 0);
}

TEST_F(TroubleTest, AServerThatIsAwayDoesNotHoldUpTheEnd) {
  CutProxy proxy(server_.socket());
  auto store = Open({.conninfo = proxy.conninfo(),
                     .away_wait = std::chrono::hours(1),
                     .close_wait = std::chrono::milliseconds(200)});
  StoreCalls calls(*store);
  ASSERT_TRUE(calls.Adopt(Accepted("j1", "p1")).ok());
  proxy.SetOpen(false);
  JobRecord record = Accepted("j1", "p1");
  record.version = 1;
  Answer<absl::Status> updated;
  store->Update(record, {}, updated.Callback());
  const auto before = std::chrono::steady_clock::now();
  store->Close();
  EXPECT_LT(std::chrono::steady_clock::now() - before, std::chrono::seconds(4));
  EXPECT_EQ(errors::Reason(updated.Wait()), "STORE_AWAY");
}

// One write of a group is to blame, and the others are stored with it or without it.
TEST_F(TroubleTest, AWriteThatIsRefusedLeavesItsNeighboursAlone) {
  auto store = Open({});
  StoreCalls calls(*store);
  constexpr int kJobs = 60;
  for (int i = 0; i < kJobs; ++i) {
    const std::string n = std::to_string(i);
    ASSERT_TRUE(calls.Adopt(Accepted("j" + n, "p" + n)).ok());
  }
  std::vector<Answer<absl::Status>> answers(kJobs);
  for (int i = 0; i < kJobs; ++i) {
    const std::string n = std::to_string(i);
    // Every tenth wants the Pictory id of another job.
    JobRecord record = Accepted("j" + n, i % 10 == 5 ? "p0" : "p" + n);
    record.version = 1;
    store->Update(record, {}, answers[static_cast<std::size_t>(i)].Callback());
  }
  for (int i = 0; i < kJobs; ++i) {
    const absl::Status updated = answers[static_cast<std::size_t>(i)].Wait();
    EXPECT_EQ(absl::IsAlreadyExists(updated), i % 10 == 5) << i << " " << updated;
    EXPECT_EQ(updated.ok(), i % 10 != 5) << i << " " << updated;
  }
}

// Two gateways write to the same jobs, each in an order of its own.
TEST_F(TroubleTest, TwoWritersOfTheSameJobsNeverWaitForEachOther) {
  auto first = Open({.gateway = "one"});
  auto second = Open({.gateway = "two"});
  StoreCalls calls(*first);
  constexpr int kJobs = 40;
  for (int i = 0; i < kJobs; ++i) {
    ASSERT_TRUE(calls.Adopt(Accepted("j" + std::to_string(i), "p" + std::to_string(i))).ok());
  }
  std::atomic<int> changed{0}, lost{0};
  std::vector<std::thread> threads;
  for (jobs::Store* store : {first.get(), second.get()}) {
    threads.emplace_back([&, store] {
      std::mt19937 random(store == first.get() ? 1 : 2);
      for (int round = 0; round < 15; ++round) {
        std::vector<int> order;
        for (int i = 0; i < kJobs; ++i) order.push_back(i);
        std::shuffle(order.begin(), order.end(), random);
        std::vector<Answer<StoreCalls::MaybeRecord>> found(kJobs);
        std::vector<Answer<absl::Status>> updated(kJobs);
        for (const int i : order) {
          store->Find("acme", "j" + std::to_string(i),
                      found[static_cast<std::size_t>(i)].Callback());
        }
        std::vector<JobRecord> records;
        for (auto& answer : found) records.push_back(answer.Wait().value().value());
        for (const int i : order) {
          const auto at = static_cast<std::size_t>(i);
          store->Update(records[at], {}, updated[at].Callback());
        }
        for (auto& answer : updated) {
          const absl::Status status = answer.Wait();
          EXPECT_TRUE(status.ok() || absl::IsAborted(status)) << status;
          ++(status.ok() ? changed : lost);
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(server_.Number("SELECT sum(version) FROM pictory.jobs"), kJobs + changed);
  EXPECT_GT(lost, 0) << "they have met";
  EXPECT_EQ(server_.log().find("deadlock detected"), std::string::npos);
}

TEST_F(TroubleTest, AReaderOfTheFeedSeesTheChangesOfTwoWriters) {
  auto first = Open({.gateway = "one"});
  StoreCalls calls(*first);
  ASSERT_TRUE(calls.Begin(Begun("j0", "r0")).ok());
  const std::string before = calls.FindFeedEnd().value();
  auto second = Open({.gateway = "two"});
  StoreCalls others(*second);
  ASSERT_TRUE(others.Begin(Begun("j1", "r1")).ok());
  ASSERT_TRUE(calls.Begin(Begun("j2", "r2")).ok());
  std::set<std::string> told;
  std::string position = before;
  for (;;) {
    const auto page = calls.ReadFeed(position, 1);
    ASSERT_TRUE(page.ok()) << page.status();
    if (page->entries.empty()) break;
    for (const auto& entry : page->entries) told.insert(entry.job.id);
    position = page->position;
  }
  EXPECT_EQ(told, (std::set<std::string>{"j1", "j2"}));
}

// What changes often costs no entry in any index.
TEST_F(TroubleTest, APollRewritesNoIndex) {
  auto store = Open({});
  StoreCalls calls(*store);
  JobRecord record = Accepted("j1", "p1");
  record.job.state = jobs::v1::JOB_STATE_QUEUED;
  ASSERT_TRUE(calls.Adopt(record).ok());
  for (int i = 0; i < 20; ++i) {
    record.job.state = jobs::v1::JOB_STATE_RUNNING;
    record.job.revision = i;
    record.job.progress_percent = i;
    record.job.message = std::to_string(i);
    record.job.update_time = store::At(i);
    record.next_poll_at = store::At(i);
    ASSERT_TRUE(calls.Update(record).ok());
  }
  store->Close();  // a connection that ends tells its counts, a moment later
  while (server_.Number("SELECT pg_stat_get_tuples_updated('pictory.jobs'::regclass)") < 20) {
    std::this_thread::yield();
  }
  EXPECT_EQ(server_.Number("SELECT pg_stat_get_tuples_hot_updated('pictory.jobs'::regclass)"), 20);
}

}  // namespace
}  // namespace gateway::postgres
