// What a start makes of the server and the tables that it finds.
#include "store/store_calls.h"  // first, see there

#include <gmock/gmock.h>

#include <future>

#include "base/errors.h"
#include "postgres/postgres_job_store.h"
#include "postgres/schema.h"
#include "server.h"
#include "store/step_sums.h"

namespace gateway::postgres {
namespace {

using store::At;
using store::Begun;
using store::StoreCalls;
using ::testing::HasSubstr;

using Opening = absl::StatusOr<std::unique_ptr<PostgresJobStore>>;

Opening OpenAs(const std::string& gateway, const PostgresServer& server = PostgresServer::Shared(),
               bool sandbox = false) {
  return PostgresJobStore::Open({.conninfo = server.conninfo(),
                                 .sandbox = sandbox,
                                 .gateway = gateway,
                                 .address = "host-of-" + gateway});
}

class StartTest : public ::testing::Test {
 protected:
  StartTest() { server_.Empty(); }

  PostgresServer& server_ = PostgresServer::Shared();
};

// Stores of each version exist. A new step adds its sum; those that are here stay.
TEST(PostgresSchema, StepsThatMadeStoresStayAsTheyAre) {
  const std::vector<std::string> sums = {
      "740ce9bb664062f189b5116e6c71ea6298fddb9124a1c2d856c86eeec9bae77b",
      "c5f64889a246b5749098670821925727741ba5290ebee06e719c503921bc7e98",
      "210f9f5f376a9ffefa7d776cb2a42eed8045cded8262733c16266510ca86e697",
      "63b89a4ec21a97c988759174636c3b3d27c3d98340627ddc07fb05cb5bd71054",
  };
  EXPECT_EQ(store::StepSums(Migrations()), sums);
}

TEST_F(StartTest, ASecondGatewayIsWelcome) {
  Opening first = OpenAs("one");
  ASSERT_TRUE(first.ok()) << first.status();
  EXPECT_TRUE((*first)->created());
  const Opening second = OpenAs("two");
  ASSERT_TRUE(second.ok()) << second.status();
  EXPECT_FALSE((*second)->created());
  EXPECT_TRUE(StoreCalls(**first).Begin(Begun("j1", "r1")).ok());
  EXPECT_FALSE(StoreCalls(**second).Begin(Begun("j2", "r1"))->begun) << "it is one store";
}

TEST_F(StartTest, TheNextGatewayFindsWhatTheOneBeforeHasStored) {
  {
    ASSERT_TRUE(StoreCalls(**OpenAs("one")).Begin(Begun("j1", "r1")).ok());
  }
  EXPECT_EQ(server_.Number("SELECT count(*) FROM pictory.gateways"), 0);
  Opening second = OpenAs("two");
  ASSERT_TRUE(second.ok()) << second.status();
  EXPECT_TRUE(StoreCalls(**second).FindRequest("acme", "r1").value().has_value());
}

TEST_F(StartTest, AGatewayThatWasKilledFindsItsOwnLease) {
  Opening before = OpenAs("one");
  ASSERT_TRUE(before.ok());
  Opening after = OpenAs("one");
  EXPECT_TRUE(after.ok()) << after.status();
  const absl::Status late = StoreCalls(**before).Begin(Begun("j1", "r1")).status();
  EXPECT_EQ(errors::Reason(late), errors::kStoreFailed) << "the one before writes nothing more";
  EXPECT_TRUE(StoreCalls(**after).Begin(Begun("j1", "r1"))->begun);
}

// To count all that there is may take long, and the writer does nothing else meanwhile.
TEST_F(StartTest, ALongRecoverKeepsTheLease) {
  Opening store = OpenAs("one");
  ASSERT_TRUE(store.ok());
  server_.Sql(
      "CREATE TABLE pictory.gate (); CREATE FUNCTION pictory.wait() RETURNS trigger AS $$ BEGIN"
      " WHILE EXISTS (SELECT 1 FROM pg_class WHERE relname = 'gate') LOOP"
      " PERFORM pg_sleep(0.05); END LOOP; RETURN NEW; END $$ LANGUAGE plpgsql;"
      " CREATE TRIGGER wait BEFORE UPDATE OF epoch ON pictory.store FOR EACH ROW"
      " EXECUTE FUNCTION pictory.wait(); UPDATE pictory.gateways SET lease_until = 1");
  auto recovered = std::async(std::launch::async, [&] { return (*store)->Recover(At(1)); });
  const auto until = std::chrono::steady_clock::now() + store::kPatience;
  const auto renewed = [&] {
    return server_.Number("SELECT max(lease_until) FROM pictory.gateways") > 1;
  };
  while (!renewed() && std::chrono::steady_clock::now() < until) {
    EXPECT_NE(recovered.wait_for(std::chrono::milliseconds(50)), std::future_status::ready);
  }
  EXPECT_TRUE(renewed());
  server_.Sql("DROP TABLE pictory.gate");
  EXPECT_TRUE(recovered.get().ok());
}

TEST_F(StartTest, AnOrderlyEndLeavesNoSessionOpen) {
  {
    ASSERT_TRUE(OpenAs("one").ok());
  }
  EXPECT_EQ(server_.Number("SELECT count(*) FROM pictory.writers WHERE ended_at IS NULL"), 0);
}

// Positions do not grow with the connections that there have been.
TEST_F(StartTest, APositionOfTheFeedNamesWhoStillWrites) {
  for (int i = 0; i < 5; ++i) {
    Opening store = OpenAs("one");
    ASSERT_TRUE(store.ok());
    StoreCalls calls(**store);
    const std::string n = std::to_string(i);
    ASSERT_TRUE(calls.Begin(Begun("j" + n, "r" + n)).ok());
    const std::string end = calls.FindFeedEnd().value();
    EXPECT_THAT(end, ::testing::Not(HasSubstr(",")));
    EXPECT_TRUE(calls.ReadFeed(end, 9)->entries.empty());
  }
}

TEST_F(StartTest, ALeaseThatHasRunOutAndThatNobodyTookIsRenewed) {
  Opening store = OpenAs("one");
  ASSERT_TRUE(store.ok());
  StoreCalls calls(**store);
  ASSERT_TRUE(calls.Begin(Begun("j1", "r1")).ok());
  server_.Sql("UPDATE pictory.gateways SET lease_until = 1");
  server_.Sql(
      "SELECT pg_terminate_backend(pid, 60000) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
      " AND backend_type = 'client backend'");
  EXPECT_TRUE(calls.Begin(Begun("j2", "r2")).ok());
  EXPECT_GT(server_.Number("SELECT lease_until FROM pictory.gateways"), 1);
}

TEST_F(StartTest, SandboxAndRealJobsAreKeptApart) {
  {
    ASSERT_TRUE(OpenAs("one", server_, /*sandbox=*/true).ok());
  }
  const Opening real = OpenAs("one");
  EXPECT_TRUE(absl::IsFailedPrecondition(real.status()));
  EXPECT_THAT(real.status().message(), HasSubstr("sandbox"));
}

TEST_F(StartTest, AStoreThatAsksForANewerProgramIsRefused) {
  {
    ASSERT_TRUE(OpenAs("one").ok());
  }
  server_.Sql("UPDATE pictory.store SET version = 99, oldest_program = 1");
  {
    EXPECT_TRUE(OpenAs("one").ok()) << "a newer step that only added";
  }
  server_.Sql("UPDATE pictory.store SET version = 99, oldest_program = 98");
  const Opening refused = OpenAs("one");
  EXPECT_TRUE(absl::IsFailedPrecondition(refused.status()));
  EXPECT_THAT(refused.status().message(), HasSubstr("98"));
}

// An older gateway knows fewer steps; a newer one adds to its tables while it writes.
TEST_F(StartTest, AnOlderProgramGoesOnBesideANewerOne) {
  Opening old = OpenAs("one");
  ASSERT_TRUE(old.ok());
  StoreCalls calls(**old);
  ASSERT_TRUE(calls.Begin(Begun("j1", "r1")).ok());
  std::vector<Migration> newer = Migrations();
  newer.push_back({newer.back().version + 1, newer.back().oldest_program,
                   "ALTER TABLE pictory.jobs ADD COLUMN later integer NOT NULL DEFAULT 7"});
  bool created = true;
  ASSERT_TRUE(Migrate(*Connection::Open(server_.conninfo(), std::chrono::seconds(60)), newer, false,
                      created)
                  .ok());
  EXPECT_FALSE(created);
  ASSERT_TRUE(calls.Begin(Begun("j2", "r2")).ok());
  server_.Sql("UPDATE pictory.jobs SET later = 8");
  auto record = calls.FindRequest("acme", "r1").value().value();
  ASSERT_TRUE(calls.Update(record).ok());
  EXPECT_EQ(server_.Number("SELECT sum(later) FROM pictory.jobs"), 16) << "what it does not know "
                                                                          "it leaves alone";
}

TEST_F(StartTest, TwoThatMakeTheTablesAtOnceBothSucceed) {
  std::vector<std::thread> threads;
  std::atomic<int> opened{0};
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&, i] {
      auto store = PostgresJobStore::Open(
          {.conninfo = server_.conninfo(), .gateway = "g" + std::to_string(i), .address = "here"});
      EXPECT_TRUE(store.ok()) << store.status();
      ++opened;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(opened, 4);
}

TEST_F(StartTest, WithoutAStandbyItSaysSo) {
  Opening store = OpenAs("one");
  ASSERT_TRUE(store.ok());
  EXPECT_FALSE((*store)->has_standby());
}

TEST_F(StartTest, NobodyThereIsUnavailable) {
  const Opening store = PostgresJobStore::Open(
      {.conninfo = "host=/nowhere dbname=jobs", .gateway = "one", .address = "here"});
  EXPECT_TRUE(absl::IsUnavailable(store.status()));
  EXPECT_THAT(store.status().message(), HasSubstr("host=/nowhere"));
}

TEST_F(StartTest, APasswordIsNeverTold) {
  for (const char* conninfo :
       {"postgres://user:hunter2@127.0.0.1:1/jobs", "postgres://user:hunter2@[bad",
        "host=127.0.0.1 port=1 password=hunter2", "password='hunter2",
        // Not escaped, so that a part of the password would stand for something else.
        "postgres://user:12/hunter2@127.0.0.1:1/jobs",
        "postgres://user:12@hunter2@127.0.0.1:1/jobs", "postgres://user:hunter2/x@127.0.0.1:1/jobs",
        "postgres://user:hunter2/x",
        "postgres://user:12/x?application_name=hunter2@127.0.0.1:1/jobs"}) {
    const Opening store =
        PostgresJobStore::Open({.conninfo = conninfo, .gateway = "one", .address = "here"});
    ASSERT_FALSE(store.ok());
    EXPECT_THAT(store.status().message(), ::testing::Not(HasSubstr("hunter2")));
  }
}

// These have a server of their own, whose settings they spoil.
TEST(SettingsTest, WithWhichJobsCouldBeLostAreRefusedByName) {
  PostgresServer server;
  for (const char* name : {"fsync", "full_page_writes", "synchronous_commit"}) {
    server.Restart({std::string(name) + " = off"});
    const Opening store = OpenAs("one", server);
    EXPECT_TRUE(absl::IsFailedPrecondition(store.status())) << name;
    EXPECT_THAT(store.status().message(), HasSubstr(name));
  }
  server.Restart({"default_transaction_read_only = on"});
  EXPECT_THAT(OpenAs("one", server).status().message(), HasSubstr("default_transaction_read_only"));
  server.Restart({});
  EXPECT_TRUE(OpenAs("one", server).ok());
}

}  // namespace
}  // namespace gateway::postgres
