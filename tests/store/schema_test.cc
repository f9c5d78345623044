#include "store/schema.h"

#include <sys/stat.h>

#include <fstream>

#include "SQLiteCpp/Backup.h"
#include "SQLiteCpp/Statement.h"
#include "jobs/archive_plan.h"
#include "jobs/notification.h"
#include "step_sums.h"
#include "store/job_reads.h"
#include "store/job_writes.h"
#include "store/record_row.h"
#include "store/state_lock.h"
#include "store/state_sql.h"
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

// Files of each version exist. backup_test.py makes its old ones by these steps, so it would not
// notice a step that has changed. A new step adds its sum; those that are here stay.
TEST_F(SchemaTest, StepsThatMadeFilesStayAsTheyAre) {
  const std::vector<std::string> sums = {
      "5ed3f7ff55d7834fc1ee5de1fdd3bcbd2265f172acbea5f57041470b497681a9",
      "ebc5158684cac689c17e505eab90c1101250ded486f7f6a6c074a86662a85599",
      "092207fa7748bfe11cb93df3c366b141bddb692008a1239de389dbcdddbe2b9f",
      "8726ac52a26a2745255bc0cb1cf2053223515f843894b290aeb615f3ba1c1d5d",
      "9cf51e383a7323e341670886851f6adb364c38983eb247533263554de7a57657",
      "58ebf11781f216d413f585f11ef3d27f961cc736f0c7d4b91591f745d8a96a2a",
      "04b178ef91e64706a72241d0f591f3f9c38a9c5644760f8eade3612fc79db27a",
      "1ee70bfe14ece17fe60571cbd2b587a4208810fc32a7a58ef10b7fa240413687",
      "6f8c7f0cda10eba7ed14c18b26a4be9b3c67c50ddbae450810649fdd92170a49",
      "19ab8fe715b199606edc1029c82e036fe076d672f9a1d20641b925b9ca629888",
      "f1c300eb01e4930770a08104fca7b2d92ef155a5de5dc9160f9359f038e3eae4",
      "c1f3b57e621e9027cc62d4158cec060a0410c4f3129fe6d88111ac4a5dd78198",
      "578a437f3f3cb47c85c9d55cbb1c6e226a0d3fcd19f3a08bed360b6ec26f1022",
  };
  EXPECT_EQ(StepSums(Migrations()), sums);
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
  EXPECT_EQ(record->job.trace, "");
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

// Makes a store of the version before several accounts: it has a job that runs, one that has ended
// with a result and labels, and a submission that was under way, with a hint.
void FillVersion6(const std::string& path) {
  SQLite::Database old(path, kCreate);
  ASSERT_TRUE(Migrate(old, {Migrations().begin(), Migrations().begin() + 6}).ok());
  old.exec("INSERT INTO store (id, sandbox, epoch) VALUES (1, 0, 8)");
  const auto insert = [&old](const std::string& values) {
    old.exec(
        R"(INSERT INTO jobs (tenant, job_id, pictory_job_id, request_id, state, submission, finish_time, version,
        delivery, claims, visible, labels, result_wire, kind, revision, message, create_time, update_time, error_code,
        error_message, stale, upstream_missing, sandbox, fingerprint, attempt, owner_epoch, correlation_token, refusal,
        accepted_at, next_poll_at, not_found_count, failure_seen, minted_request_id) VALUES ()" +
        values +
        R"(, 1, 3, 'm', 1000, 2000, '', '', 0, 0, 0, x'ff', 1, 8, 'token', x'', 1500, 0, 0, 0, 1))");
  };
  insert("'acme', 'runs', 'p1', 'r1', 3, 3, NULL, 4, 0, 2, 1, x'', x''");
  insert("'acme', 'ended', 'p2', 'r2', 4, 3, 9000, 5, 1, 0, 1, x'', x'01'");
  insert("'umbra', 'under-way', '', 'r3', 2, 2, NULL, 2, 0, 0, 0, x'', x''");
  old.exec(
      "INSERT INTO parts (tenant, job_id, part, slice, total_bytes, bytes)"
      " VALUES ('acme', 'ended', 1, 0, 2, x'7b7d');"
      "INSERT INTO labels (tenant, key, value, job_id) VALUES ('acme', 'a', 'b', 'ended');"
      "INSERT INTO hints (tenant, job_id, pictory_job_id) VALUES ('umbra', 'under-way', 'p3')");
}

TEST_F(SchemaTest, JobsOfOneAccountAreThoseOfTheDefaultOne) {
  FillVersion6(path_);
  auto db = OpenForWriting(path_, false, 0);
  ASSERT_TRUE(db.ok()) << db.status();
  JobReads reads(**db);
  JobWrites writes(**db);
  const auto runs = reads.Find("acme", "p1");
  ASSERT_TRUE(runs.has_value());
  EXPECT_EQ(runs->job.job_id, "runs");
  EXPECT_EQ(runs->job.account, jobs::kDefaultAccount);
  EXPECT_EQ(runs->job.shard, 0);
  EXPECT_EQ(runs->version, 4);
  EXPECT_EQ(reads.FindOwner(jobs::kDefaultAccount, "p1"), "acme");
  EXPECT_EQ(reads.FindOwner("second", "p1"), std::nullopt);
  EXPECT_EQ(reads.Find("acme", "ended")->job.result_wire, "\x01");
  EXPECT_EQ(reads.Find("acme", "ended")->delivery, jobs::Delivery::kArrived);
  EXPECT_EQ(reads.ReadPart("acme", "ended", jobs::v1::RESULT_PART_RESULT_JSON, 0, 9)->data, "{}");
  EXPECT_EQ(reads.List("acme", {.labels = {{"a", "b"}}, .limit = 9}).size(), 1u);
  EXPECT_TRUE(writes.Claim({{"acme", "runs"}, 2})) << "claims are counted on";

  jobs::JobRecord other = Accepted("other", "p1");
  EXPECT_THROW(writes.Adopt(other), SQLite::Exception) << "of the same account";
  other.job.account = "second";
  EXPECT_NO_THROW(writes.Adopt(other));
}

TEST_F(SchemaTest, TheFeedOfAnOlderFileBeginsWithWhatChangesNext) {
  FillVersion6(path_);
  auto db = OpenForWriting(path_, false, 0);
  ASSERT_TRUE(db.ok()) << db.status();
  JobReads reads(**db);
  const std::string begin = reads.FindFeedEnd();
  EXPECT_TRUE(begin.ends_with(".0")) << begin;
  EXPECT_TRUE(reads.ReadFeed(begin, 9)->entries.empty());
  JobWrites writes(**db);
  const jobs::Recovered recovered = writes.Recover(At(5));
  EXPECT_EQ(recovered.unfinished_jobs(), 2u);
  EXPECT_EQ(recovered.hints.size(), 1u);
  const auto told = reads.ReadFeed(begin, 9)->entries;
  ASSERT_EQ(told.size(), 1u) << "the submission that was under way";
  EXPECT_EQ(told[0].job.id, "under-way");
  EXPECT_EQ(told[0].version, 3);
  EXPECT_EQ(reads.Find("umbra", "under-way")->job.state, jobs::v1::JOB_STATE_UNCONFIRMED);
}

// The index of what has not ended is another one since version 9.
TEST_F(SchemaTest, AJobCanWaitInAnOlderFileBesideThoseThatRan) {
  FillVersion6(path_);
  {
    SQLite::Database old(path_, SQLite::OPEN_READWRITE);
    ASSERT_TRUE(Migrate(old, {Migrations().begin(), Migrations().begin() + 8}).ok());
  }
  auto db = OpenForWriting(path_, false, 0);
  ASSERT_TRUE(db.ok()) << db.status();
  JobReads reads(**db);
  JobWrites writes(**db);
  EXPECT_EQ(reads.Find("acme", "runs")->waiting_request, "");
  jobs::JobRecord waits = Accepted("waits", "");
  waits.submission = jobs::SubmissionState::kWaiting;
  waits.job.state = jobs::v1::JOB_STATE_WAITING;
  waits.waiting_request = std::string("a\0b", 3);
  writes.Adopt(waits);
  EXPECT_EQ(writes.Recover(At(5)).unfinished_jobs(), 3u);
  std::map<std::string, std::string> unfinished;
  reads.ReadUnfinished(
      [&](jobs::JobRecord record) { unfinished[record.job.job_id] = record.waiting_request; });
  EXPECT_EQ(unfinished, (std::map<std::string, std::string>{
                            {"runs", ""}, {"under-way", ""}, {"waits", std::string("a\0b", 3)}}));
}

// Version 10 brought the archive. What ended before is not archived, and what ends after it is.
TEST_F(SchemaTest, JobsThatEndedBeforeTheArchiveHaveNone) {
  FillVersion6(path_);
  {
    SQLite::Database old(path_, SQLite::OPEN_READWRITE);
    ASSERT_TRUE(Migrate(old, {Migrations().begin(), Migrations().begin() + 9}).ok());
  }
  auto db = OpenForWriting(path_, false, 0);
  ASSERT_TRUE(db.ok()) << db.status();
  JobReads reads(**db);
  const auto archiving = [&] {
    std::vector<std::string> ids;
    reads.ReadArchiving(
        {0}, [&](const jobs::ShardJob& one) { ids.push_back(one.job.tenant + "/" + one.job.id); });
    return ids;
  };
  EXPECT_EQ(reads.Find("acme", "ended")->job.archive_wire, "");
  EXPECT_EQ(reads.Find("acme", "ended")->job.result_wire, "\x01");
  EXPECT_TRUE(archiving().empty());

  jobs::JobRecord archived = Accepted("archived", "p9");
  archived.job.state = jobs::v1::JOB_STATE_SUCCEEDED;
  jobs::v1::Archive archive;
  archive.add_files()->set_state(jobs::v1::ARCHIVE_STATE_PENDING);
  jobs::SetArchive(archive, archived.job);
  JobWrites(**db).Adopt(archived);
  EXPECT_EQ(archiving(), std::vector<std::string>{"acme/archived"});
  EXPECT_EQ(reads.Find("acme", "archived")->job.archive_wire, archived.job.archive_wire);
}

// Version 13 brought notifications. What ended before is not told, and what ends after it is.
TEST_F(SchemaTest, JobsThatEndedBeforeNotificationsHaveNone) {
  FillVersion6(path_);
  {
    SQLite::Database old(path_, SQLite::OPEN_READWRITE);
    ASSERT_TRUE(Migrate(old, {Migrations().begin(), Migrations().begin() + 12}).ok());
  }
  auto db = OpenForWriting(path_, false, 0);
  ASSERT_TRUE(db.ok()) << db.status();
  JobReads reads(**db);
  const auto notifying = [&] {
    std::vector<std::string> ids;
    reads.ReadNotifying(
        {0}, [&](const jobs::ShardJob& one) { ids.push_back(one.job.tenant + "/" + one.job.id); });
    return ids;
  };
  EXPECT_EQ(reads.Find("acme", "ended")->notify_wire, "");
  EXPECT_TRUE(notifying().empty());

  jobs::JobRecord told = Accepted("told", "p9");
  told.job.state = jobs::v1::JOB_STATE_SUCCEEDED;
  ASSERT_TRUE(jobs::PlanNotification(told, /*has_room=*/true));
  JobWrites(**db).Adopt(told);
  EXPECT_EQ(notifying(), std::vector<std::string>{"acme/told"});
  EXPECT_EQ(reads.Find("acme", "told")->notify_wire, told.notify_wire);
}

// The number of a change is never given twice, whoever held the last one.
TEST_F(SchemaTest, ChangesAreCountedOnAcrossRestarts) {
  FillVersion6(path_);
  auto db = OpenForWriting(path_, false, 0);
  ASSERT_TRUE(db.ok()) << db.status();
  JobReads reads(**db);
  const std::string before = reads.FindFeedEnd();
  const jobs::PruneQuery all{.finished_before = At(1), .untouched_since = {}, .limit = 9};
  ASSERT_EQ(JobWrites(**db, 0).Prune(all).size(), 1u) << "and its tombstone is forgotten";
  EXPECT_EQ(db->get()->execAndGet("SELECT count(*) FROM tombstones").getInt(), 0);
  const std::string pruned = reads.FindFeedEnd();
  EXPECT_TRUE(pruned.ends_with(".1")) << pruned;
  JobWrites(**db).Adopt(Accepted("j4", "p4"));
  EXPECT_TRUE(reads.FindFeedEnd().ends_with(".2"));
  EXPECT_FALSE(reads.ReadFeed(before, 9).ok());
  EXPECT_EQ(reads.ReadFeed(pruned, 9)->entries.size(), 1u);
}

// A position in the feed of a file holds for that file, and not for a backup that was put back: in
// the two other things may have followed.
TEST_F(SchemaTest, ACopyHasAFeedOfItsOwn) {
  ASSERT_TRUE(CreatePrivateFile(path_).ok());
  const auto feed_end = [](const std::string& path) {
    auto db = OpenForWriting(path, false, 0);
    EXPECT_TRUE(db.ok()) << db.status();
    NumberEpochs(**db);
    return JobReads(**db).FindFeedEnd();
  };
  const std::string end = feed_end(path_);
  EXPECT_EQ(feed_end(path_), end) << "as it was named first";
  const std::string copy = path_ + ".copy";
  {
    SQLite::Database from(path_, SQLite::OPEN_READONLY);
    SQLite::Database to(copy, SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE);
    SQLite::Backup(to, from).executeStep();
  }
  EXPECT_NE(feed_end(copy), end);
}

// Other indexes look as good to SQLite, so queries name theirs.
TEST_F(SchemaTest, QueriesUseTheIndexesMadeForThem) {
  ASSERT_TRUE(CreatePrivateFile(path_).ok());
  auto db = OpenForWriting(path_, false, 0);
  ASSERT_TRUE(db.ok()) << db.status();
  const auto plan = [&](const std::string& query) {
    SQLite::Statement explain(**db, "EXPLAIN QUERY PLAN " + query);
    std::string text;
    while (explain.executeStep()) text += explain.getColumn(3).getString() + "\n";
    return text;
  };
  const auto uses = [&](const std::string& query, const std::string& index) {
    const std::string text = plan(query);
    EXPECT_NE(text.find(" INDEX " + index), std::string::npos) << query << "\n" << text;
    EXPECT_EQ(text.find("SCAN jobs\n"), std::string::npos) << query << "\n" << text;
  };
  uses("SELECT id FROM jobs WHERE account = 'a' AND pictory_job_id = 'p' AND pictory_job_id <> ''",
       "jobs_by_pictory_id (pictory_job_id=? AND account=?)");
  uses("SELECT id FROM jobs WHERE " + IsUnfinishedSql() + " ORDER BY next_poll_at",
       "jobs_unfinished");
  uses("SELECT id FROM jobs WHERE archiving = 1 ORDER BY finish_time", "jobs_archiving");
  uses("SELECT job_id FROM jobs WHERE " + NotifyingSql(jobs::v1::NOTIFICATION_STATE_PENDING),
       "jobs_notifying");
  uses("SELECT id FROM jobs WHERE " + IsInFlightSql(), "jobs_in_flight");
  uses("SELECT tenant FROM jobs WHERE " + IsSpentSql() + " AND sent_at > 5", "jobs_spent");
  uses("SELECT id FROM jobs WHERE " + IsStillOwedSql() + " AND sent_at > 5", "jobs_unsettled");
  uses("SELECT id FROM jobs WHERE " + IsUnseenSql() + " AND update_time < 5", "jobs_unseen");
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
