#include "store/schema.h"

#include <sys/stat.h>

#include <fstream>

#include "SQLiteCpp/Statement.h"
#include "store/job_reads.h"
#include "store/record_row.h"
#include "store_calls.h"

namespace gateway::store {
namespace {

const int kCreate = SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE;

class SchemaTest : public ::testing::Test {
 protected:
  TemporaryDirectory directory_;
  std::string path_ = directory_.path() + "/jobs.db";
};

TEST_F(SchemaTest, StepsAreNumberedInOrder) {
  int expected = 1;
  for (const Migration& migration : Migrations()) EXPECT_EQ(migration.version, expected++);
}

TEST_F(SchemaTest, ColumnsAndValuesAreAsManyAsTheyClaim) {
  const auto count = [](std::string text) { return 1 + std::count(text.begin(), text.end(), ','); };
  EXPECT_EQ(count(kRecordColumns), kRecordColumnCount);
  EXPECT_EQ(count(kRecordValues), kRecordColumnCount);
}

TEST_F(SchemaTest, CarriesAnOlderFileForward) {
  SQLite::Database db(path_, kCreate);
  std::vector<Migration> migrations = {{1, "CREATE TABLE a (x); INSERT INTO a VALUES (7)"}};
  ASSERT_TRUE(Migrate(db, migrations).ok());
  migrations.push_back({2, "ALTER TABLE a ADD COLUMN y DEFAULT 8"});
  migrations.push_back({3, "CREATE TABLE b AS SELECT x + y AS z FROM a"});
  ASSERT_TRUE(Migrate(db, migrations).ok());
  ASSERT_TRUE(Migrate(db, migrations).ok()) << "nothing left to do";
  EXPECT_EQ(db.execAndGet("SELECT z FROM b").getInt(), 15);
  EXPECT_EQ(db.execAndGet("PRAGMA user_version").getInt(), 3);
}

TEST_F(SchemaTest, PartsStoredWholeAreCutIntoSlices) {
  SQLite::Database db(path_, kCreate);
  ASSERT_TRUE(Migrate(db, {Migrations()[0]}).ok());
  db.exec(
      "INSERT INTO parts (tenant, job_id, part, bytes) VALUES"
      " ('a', 'j', 1, zeroblob(600000)), ('a', 'j', 2, x'0102'), ('a', 'k', 1, x'')");
  ASSERT_TRUE(Migrate(db, Migrations()).ok());
  const auto one = [&](const std::string& query) { return db.execAndGet(query).getInt64(); };
  EXPECT_EQ(one("SELECT count(*) FROM parts"), 5);
  EXPECT_EQ(one("SELECT sum(length(bytes)) FROM parts WHERE total_bytes = 600000"), 600'000);
  EXPECT_EQ(one("SELECT length(bytes) FROM parts WHERE total_bytes = 600000 AND slice = 2"),
            600'000 - 2 * 262'144);
  EXPECT_EQ(one("SELECT count(*) FROM parts WHERE bytes = x'0102' AND total_bytes = 2"), 1);
  EXPECT_EQ(one("SELECT count(*) FROM parts WHERE job_id = 'k' AND total_bytes = 0"), 1);
}

TEST_F(SchemaTest, JobsOfTheFirstVersionAreStillThere) {
  {
    SQLite::Database old(path_, kCreate);
    ASSERT_TRUE(Migrate(old, {Migrations().front()}).ok());
    old.exec(
        R"(INSERT INTO jobs VALUES (1, 'acme', 'j1', 'p1', 'r1', 1, 2, 3, NULL, 'm', 1000, 2000, NULL,
      x'', NULL, '', '', 0, 0, 0, 3, x'ff', 1, 1, 'token', x'', 1500, 0, NULL, 0, NULL, 0, 1, x'01'))");
  }
  auto db = OpenForWriting(path_, false, 0);
  ASSERT_TRUE(db.ok()) << db.status();
  auto reading = OpenForReading(path_);
  ASSERT_TRUE(reading.ok());
  const auto record = JobReads(**reading).Find("acme", "j1");
  ASSERT_TRUE(record.has_value());
  EXPECT_EQ(record->job.result_wire, "\x01");
  EXPECT_EQ(record->sent_at, WallTime(std::chrono::microseconds(1000)));
  EXPECT_FALSE(record->minted_request_id);
}

TEST_F(SchemaTest, AResultThatWasTooLargeStillIs) {
  {
    SQLite::Database old(path_, kCreate);
    ASSERT_TRUE(Migrate(old, {Migrations().begin(), Migrations().begin() + 4}).ok());
    old.exec(
        R"(INSERT INTO jobs (tenant, job_id, pictory_job_id, request_id, kind, state, revision, message,
      create_time, update_time, labels, error_code, error_message, stale, upstream_missing, sandbox, submission,
      fingerprint, attempt, owner_epoch, correlation_token, refusal, accepted_at, next_poll_at, not_found_count,
      failure_seen, result_too_large, visible, result_wire) VALUES ('acme', 'j1', 'p1', 'r1', 1, 3, 3, 'm', 1000,
      2000, x'', '', '', 0, 0, 0, 3, x'ff', 1, 1, 'token', x'', 1500, 0, 0, 0, 1, 1, x''))");
  }
  auto db = OpenForWriting(path_, false, 0);
  ASSERT_TRUE(db.ok()) << db.status();
  const auto record = JobReads(**OpenForReading(path_)).Find("acme", "j1");
  ASSERT_TRUE(record.has_value());
  EXPECT_EQ(record->notice, jobs::Notice::kTooLarge);
  EXPECT_EQ(record->incomplete_count, 0);
}

TEST_F(SchemaTest, AStepThatFailsLeavesNothingBehind) {
  SQLite::Database db(path_, kCreate);
  ASSERT_TRUE(Migrate(db, {{1, "CREATE TABLE a (x)"}}).ok());
  EXPECT_THROW((void)Migrate(db, {{1, ""}, {2, "CREATE TABLE b (x); CREATE TABLE a (x)"}}),
               SQLite::Exception);
  EXPECT_EQ(db.execAndGet("PRAGMA user_version").getInt(), 1);
  EXPECT_FALSE(db.tableExists("b"));
}

TEST_F(SchemaTest, RefusesAnotherProgramsDatabase) {
  {
    SQLite::Database other(path_, kCreate);
    other.exec("CREATE TABLE recipes (name)");
  }
  auto opened = OpenForWriting(path_, false, 0);
  EXPECT_EQ(opened.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_TRUE(SQLite::Database(path_).tableExists("recipes"));
}

}  // namespace
}  // namespace gateway::store
