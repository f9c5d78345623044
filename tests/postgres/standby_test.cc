// A primary with a standby: what is acknowledged is on both, and a server that lacks it is not
// used.
#include "store/store_calls.h"  // first, see there

#include <gmock/gmock.h>

#include <future>

#include "base/errors.h"
#include "base/limits.h"
#include "postgres/postgres_job_store.h"
#include "server.h"

namespace gateway::postgres {
namespace {

using store::Begun;
using store::StoreCalls;
using ::testing::HasSubstr;

class StandbyTest : public ::testing::Test {
 protected:
  // Shorter than it is in earnest, because each caller asks again.
  static constexpr Duration kAway = std::chrono::milliseconds(500);

  // By default it does not look for a server by itself while nobody writes.
  std::unique_ptr<PostgresJobStore> Open(const std::string& conninfo, Duration away_wait = kAway,
                                         const std::string& gateway = "one",
                                         Duration renewal = std::chrono::hours(1)) {
    auto opened = PostgresJobStore::Open(
        {.conninfo = conninfo,
         .gateway = gateway,
         .address = "here",
         .on_fatal = [this](absl::Status why) { fatal_.set_value(std::move(why)); },
         .away_wait = away_wait,
         .lease_times = {.renewal = renewal}});
    EXPECT_TRUE(opened.ok()) << opened.status();
    return *std::move(opened);
  }
  // Begins a job, again and again while nobody is there who takes it.
  static absl::StatusOr<jobs::BeginResult> BeginInTheEnd(StoreCalls& calls, const std::string& n) {
    for (;;) {
      auto begun = calls.Begin(Begun("j" + n, "r" + n));
      if (errors::Reason(begun.status()) != "STORE_AWAY") return begun;
      std::this_thread::sleep_for(std::chrono::milliseconds(10));  // as a caller would
    }
  }

  // The same after its session was ended.
  static bool BeginInAnotherSession(PostgresServer& server, StoreCalls& calls,
                                    const std::string& n) {
    server.Sql(
        "SELECT pg_terminate_backend(pid, 60000) FROM pg_stat_activity"
        " WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'");
    return BeginInTheEnd(calls, n).value().begun;
  }

  PostgresServer primary_;
  std::promise<absl::Status> fatal_;
};

// Both in one text, the one that takes writes is meant.
std::string Both(const PostgresServer& one, const PostgresServer& other) {
  return "host=" + one.directory() + "," + other.directory() + " user=gateway dbname=jobs";
}

TEST_F(StandbyTest, AFailoverToASynchronousStandbyLosesNothing) {
  PostgresServer standby(&primary_);
  primary_.Set("synchronous_standby_names", "standby");
  auto store = Open(Both(primary_, standby));
  EXPECT_TRUE(store->has_standby());
  StoreCalls calls(*store);
  constexpr int kJobs = 30;
  for (int i = 0; i < kJobs; ++i) {
    ASSERT_TRUE(BeginInTheEnd(calls, std::to_string(i)).value().begun);
  }
  ASSERT_TRUE(calls.FindRequest("acme", "r0").ok());
  primary_.Kill();
  standby.Promote();
  EXPECT_TRUE(BeginInTheEnd(calls, "later").value().begun);
  for (int i = 0; i < kJobs; ++i) {
    EXPECT_FALSE(BeginInTheEnd(calls, std::to_string(i)).value().begun) << "known: " << i;
  }
}

TEST_F(StandbyTest, AServerThatLacksWhatWasAcknowledgedIsNotUsed) {
  PostgresServer standby(&primary_);
  auto store = Open(Both(primary_, standby), kAway, "one", std::chrono::milliseconds(10));
  StoreCalls calls(*store);
  ASSERT_TRUE(calls.Begin(Begun("j1", "r1"))->begun);
  standby.Kill();
  ASSERT_TRUE(calls.Begin(Begun("j2", "r2"))->begun);
  primary_.Kill();
  EXPECT_EQ(errors::Reason(calls.Begin(Begun("j3", "r3")).status()), "STORE_AWAY");
  standby.Start();
  standby.Promote();
  EXPECT_THAT(fatal_.get_future().get().message(), HasSubstr("lacks commits"));
  const absl::Status begun = calls.Begin(Begun("j2", "r2")).status();
  EXPECT_EQ(errors::Reason(begun), errors::kStoreFailed) << begun << ", not for now but for good";
  EXPECT_FALSE(calls.FindRequest("acme", "r1").ok()) << "nor is it read";
}

// The whole session is lacking there, and its number is that of another gateway's by now.
TEST_F(StandbyTest, TheNumberOfALostSessionIsNotTakenForIt) {
  PostgresServer standby(&primary_);
  primary_.Set("synchronous_standby_names", "standby");
  auto store = Open(Both(primary_, standby));
  StoreCalls calls(*store);
  ASSERT_TRUE(calls.Begin(Begun("j1", "r1"))->begun);
  primary_.Set("synchronous_standby_names", "");
  standby.Kill();
  // More sessions than a store begins when it is opened.
  for (const char* const n : {"2", "3", "4", "5"})
    ASSERT_TRUE(BeginInAnotherSession(primary_, calls, n));
  const std::string number = "SELECT max(writer) FROM pictory.writers";
  const long lost = primary_.Number(number);
  primary_.Kill();
  standby.Start();
  standby.Promote();
  auto other = Open(standby.conninfo(), kAway, "two");
  StoreCalls others(*other);
  for (int n = 6; standby.Number(number) < lost; ++n) {
    ASSERT_TRUE(BeginInAnotherSession(standby, others, std::to_string(n)));
  }
  ASSERT_EQ(standby.Number(number), lost);
  ASSERT_TRUE(others.Begin(Begun("later", "later"))->begun);
  const absl::Status begun = BeginInTheEnd(calls, "2").status();
  ASSERT_EQ(errors::Reason(begun), errors::kStoreFailed) << begun;
  EXPECT_THAT(std::string(fatal_.get_future().get().message()), HasSubstr("lacks commits"));
}

TEST_F(StandbyTest, AnEmptyServerIsNotUsed) {
  auto store = Open(primary_.conninfo());
  StoreCalls calls(*store);
  ASSERT_TRUE(calls.Begin(Begun("j1", "r1"))->begun);
  primary_.Empty();
  primary_.Restart({});
  EXPECT_EQ(errors::Reason(BeginInTheEnd(calls, "1").status()), errors::kStoreFailed);
}

// Somebody cancels the wait for a standby that is gone: PostgreSQL warns, whatever the role wants
// to hear, and nobody is told anything before a standby has it.
TEST_F(StandbyTest, ACommitThatTheStandbyDoesNotHaveIsNotAcknowledged) {
  primary_.Sql("ALTER ROLE gateway SET client_min_messages = 'error'");
  auto store = Open(primary_.conninfo(), std::chrono::hours(1));
  primary_.Set("synchronous_standby_names", "nobody");
  const auto waiting = [&](long other_than) {
    return primary_.Number(
        "SELECT coalesce(max(pid), 0) FROM pg_stat_activity WHERE wait_event = 'SyncRep'"
        " AND query = 'COMMIT' AND pid <> " +
        std::to_string(other_than));
  };
  // The server takes up a setting a moment later; the first one that waits is meant.
  std::future<absl::StatusOr<jobs::BeginResult>> begun;
  long first = 0;
  for (int n = 1; first == 0; first = waiting(0)) {
    if (begun.valid() && begun.wait_for(Duration::zero()) != std::future_status::ready) continue;
    auto answer = std::make_shared<std::promise<absl::StatusOr<jobs::BeginResult>>>();
    begun = answer->get_future();
    const std::string name = std::to_string(n++);
    store->Begin(Begun("j" + name, "r" + name),
                 [answer](auto result) { answer->set_value(std::move(result)); });
  }
  primary_.Sql("SELECT pg_cancel_backend(" + std::to_string(first) + ")");
  while (waiting(first) == 0) {
    ASSERT_NE(begun.wait_for(std::chrono::milliseconds(10)), std::future_status::ready);
  }
  primary_.Set("synchronous_standby_names", "");
  EXPECT_TRUE(begun.get().value().begun);
}

}  // namespace
}  // namespace gateway::postgres
