// What a connection makes of a server that hangs, refuses or has settings of its own.
#include "store/store_calls.h"  // first, see there

#include <gmock/gmock.h>

#include <atomic>

#include "base/errors.h"
#include "cut.h"
#include "postgres/connection.h"
#include "postgres/postgres_job_store.h"
#include "server.h"

namespace gateway::postgres {
namespace {

// Behind a way that hands nothing on, what is sent stays in libpq.
TEST(ConnectionTest, AServerThatTakesNothingInIsGivenUp) {
  CutProxy proxy(PostgresServer::Shared().socket());
  auto connection = Connection::Open(proxy.conninfo(), store::kPatience);
  connection->set_patience(std::chrono::milliseconds(200));
  proxy.SetStopped(true);
  Statement large("SELECT octet_length($1)");
  large.Bytes(std::string(64 << 20, 'x'));
  EXPECT_THROW(connection->Run(large), NoAnswer);
}

TEST(ConnectionTest, NobodyWaitsPastTheEnd) {
  End end;
  auto connection = Connection::Open(PostgresServer::Shared().conninfo(), store::kPatience);
  connection->set_end(&end);
  EXPECT_EQ(connection->Run("SELECT 7::bigint").Int(0, 0), 7);
  end.Set(std::chrono::steady_clock::now());
  EXPECT_THROW(connection->Run("SELECT pg_sleep(60)"), NoAnswer);
}

TEST(ConnectionTest, AnErrorAmongRowsIsToldAsItIs) {
  auto connection = Connection::Open(PostgresServer::Shared().conninfo(), store::kPatience);
  try {
    connection->Stream(Statement("SELECT * FROM nowhere"), [](const Rows&) {});
    FAIL() << "there is no such table";
  } catch (const Error& error) {
    EXPECT_EQ(error.sqlstate(), "42P01");
  }
  EXPECT_EQ(connection->Run("SELECT 7::bigint").Int(0, 0), 7) << "and can be used again";
}

TEST(ConnectionTest, ARecoverThatFailsLeavesThePatienceAsItWas) {
  PostgresServer::Shared().Empty();
  auto connection = Connection::Open(PostgresServer::Shared().conninfo(), store::kPatience);
  EXPECT_THROW(Reads(*connection).FindLeft({}), Error) << "there are no tables";
  EXPECT_EQ(connection->patience(), store::kPatience);
}

// A transaction is what this program needs, whatever the settings of its role are.
TEST(ConnectionTest, ATransactionDoesNotDependOnSettings) {
  const PostgresServer& server = PostgresServer::Shared();
  server.Empty();
  {
    ASSERT_TRUE(
        PostgresJobStore::Open({.conninfo = server.conninfo(), .gateway = "one", .address = "here"})
            .ok());
  }
  auto connection = Connection::Open(server.conninfo(), store::kPatience);
  connection->Script(
      "SET default_transaction_isolation = 'serializable'; SET client_min_messages = 'error'");
  Identity identity{.gateway = "one", .address = "here"};
  ASSERT_TRUE(TakeLease(*connection, identity).ok());
  Session session(std::move(connection), identity, 100, std::nullopt);
  session.Begin();
  const auto setting = [&](const char* name) {
    return std::string(session.connection()
                           .Run(("SELECT current_setting('" + std::string(name) + "')").c_str())
                           .Bytes(0, 0));
  };
  EXPECT_EQ(setting("transaction_isolation"), "read committed");
  EXPECT_EQ(setting("client_min_messages"), "warning");
}

// A read that takes too long once would do so again, and the server be busy with both.
TEST(LaneTest, AReadThatIsNotAnsweredInTimeIsNotRunAgain) {
  const PostgresServer& server = PostgresServer::Shared();
  server.Empty();
  auto store =
      PostgresJobStore::Open({.conninfo = server.conninfo(), .gateway = "one", .address = "here"});
  ASSERT_TRUE(store.ok()) << store.status();
  Told told;
  told.Set({.gateway = "one",
            .writer = server.Number("SELECT max(writer) FROM pictory.writers"),
            .batch = 0});
  End end;
  Lane lane({.conninfo = server.conninfo(),
             .queue_max = 9,
             .told = &told,
             .end = &end,
             .on_refused = [](const Error&) {}});
  auto holder = Connection::Open(server.conninfo(), store::kPatience);
  holder->Script("BEGIN; LOCK TABLE pictory.jobs");
  std::atomic<int> runs{0};
  store::Answer<absl::Status> answer;
  lane.Post({.read =
                 [&runs](Reads& reads) {
                   ++runs;
                   reads.Find("acme", "j1");
                 },
             .done = answer.Callback()});
  EXPECT_EQ(errors::Reason(answer.Wait()), "STORE_AWAY");
  EXPECT_EQ(runs, 1);
  holder->Rollback();
}

// It may be an old primary, or a standby.
TEST(LaneTest, AServerThatLacksWhatWasToldIsNotRead) {
  const PostgresServer& server = PostgresServer::Shared();
  server.Empty();
  auto store =
      PostgresJobStore::Open({.conninfo = server.conninfo(), .gateway = "one", .address = "here"});
  ASSERT_TRUE(store.ok()) << store.status();
  Told::Mark mark{.gateway = "one",
                  .writer = server.Number("SELECT max(writer) FROM pictory.writers"),
                  .batch = 0};
  const End end;
  EXPECT_NE(ConnectToRead(server.conninfo(), store::kPatience, mark, &end), nullptr);
  mark.batch = 1;
  EXPECT_THROW(ConnectToRead(server.conninfo(), store::kPatience, mark, &end), Error);
  mark = {.gateway = "one", .writer = mark.writer + 1, .batch = 0};
  EXPECT_THROW(ConnectToRead(server.conninfo(), store::kPatience, mark, &end), Error);
  // One that lacks the whole session has given its number to another gateway since.
  mark = {.gateway = "two", .writer = mark.writer - 1, .batch = 0};
  EXPECT_THROW(ConnectToRead(server.conninfo(), store::kPatience, mark, &end), Error);
}

}  // namespace
}  // namespace gateway::postgres
