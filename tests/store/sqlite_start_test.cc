// These tests are about what a store finds at its start: what a kill can have left behind opens,
// and everything else that would forget what was stored is refused, with nothing changed.
#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>

#include "SQLiteCpp/Backup.h"
#include "SQLiteCpp/SQLiteCpp.h"
#include "file_bytes.h"
#include "store/room.h"
#include "store/sqlite_job_store.h"
#include "store_calls.h"

namespace gateway::store {
namespace {

namespace fs = std::filesystem;
using jobs::JobRecord;
using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr std::size_t kFirstSaltAt = 16;  // in the log, big-endian

class StartTest : public ::testing::Test {
 protected:
  StartTest() { Run(live(), "r0"); }

  fs::path root() const { return temporary_.path(); }
  fs::path live() const { return root() / "live"; }
  fs::path killed() const { return root() / "killed"; }

  static std::unique_ptr<SqliteJobStore> OpenStore(const fs::path& directory) {
    auto store = SqliteJobStore::Open({.directory = directory});
    EXPECT_TRUE(store.ok()) << store.status();
    return store.ok() ? *std::move(store) : nullptr;
  }
  static void Begin(SqliteJobStore& store, const std::string& request_id) {
    ASSERT_TRUE(StoreCalls(store).Begin(Begun("job-" + request_id, request_id)).ok());
  }
  // Runs a store that begins `request_id` and ends in order.
  static void Run(const fs::path& directory, const std::string& request_id) {
    auto store = OpenStore(directory);
    ASSERT_TRUE(store->Recover(At(1)).ok());
    Begin(*store, request_id);
  }
  // Leaves in killed() the files of a store that had r0, and is killed after it has begun r1.
  // Further changes of the live store do not reach them.
  void Kill(const std::function<void(SqliteJobStore&)>& meanwhile = nullptr) {
    fs::copy(live(), root() / "backup");
    auto store = OpenStore(live());
    ASSERT_TRUE(store->Recover(At(1)).ok());
    Begin(*store, "r1");
    if (meanwhile) meanwhile(*store);
    fs::copy(live(), killed());
  }
  static bool Knows(SqliteJobStore& store, const std::string& request_id) {
    return StoreCalls(store).FindRequest("acme", request_id).value().has_value();
  }
  void ExpectStarts(bool knows_r1 = true) {
    auto store = OpenStore(killed());
    ASSERT_NE(store, nullptr);
    EXPECT_TRUE(Knows(*store, "r0"));
    EXPECT_EQ(Knows(*store, "r1"), knows_r1);
  }
  // Starts twice, because the first start must not make the second succeed.
  void ExpectRefused(const std::string& naming) {
    std::map<std::string, std::string> before;
    for (int i = 0; i < 2; ++i) {
      const absl::Status refused = SqliteJobStore::Open({.directory = killed()}).status();
      EXPECT_EQ(refused.code(), absl::StatusCode::kFailedPrecondition) << refused;
      EXPECT_THAT(std::string(refused.message()), AllOf(HasSubstr(naming), HasSubstr(killed())));
      std::map<std::string, std::string> files;
      for (const auto& entry : fs::directory_iterator(killed())) {
        // The lock says who held it last.
        const bool data =
            entry.path().extension() != ".db-shm" && entry.path().extension() != ".lock";
        if (data) files[entry.path()] = BytesOf(entry.path());
      }
      if (i > 0) {
        EXPECT_EQ(files, before);
      }
      before = files;
    }
  }

  TemporaryDirectory temporary_;
};

TEST_F(StartTest, AfterAKillEverythingIsThere) {
  Kill();
  EXPECT_TRUE(fs::exists(killed() / "jobs.open"));
  ExpectStarts();
}

TEST_F(StartTest, AfterASecondKillToo) {
  Kill();
  {
    auto store = OpenStore(killed());
    Begin(*store, "r2");
    fs::copy(killed(), root() / "again");
  }
  auto store = OpenStore(root() / "again");
  EXPECT_TRUE(Knows(*store, "r1") && Knows(*store, "r2"));
}

TEST_F(StartTest, ALogFoldedAndBegunAnewIsTheSame) {
  Kill([](SqliteJobStore& store) {
    for (int i = 0; i < 60; ++i) {
      JobRecord record = Accepted("k" + std::to_string(i), "q" + std::to_string(i));
      record.job.result_wire = std::string(200'000, 'w');
      ASSERT_TRUE(StoreCalls(store).Adopt(record).ok());
    }
  });
  ExpectStarts();
}

TEST_F(StartTest, AfterAnOrderlyEndNothingIsMissed) {
  EXPECT_FALSE(fs::exists(live() / "jobs.open"));
  EXPECT_FALSE(fs::exists(live() / "jobs.db-wal"));
  Run(live(), "r1");
  EXPECT_TRUE(Knows(*OpenStore(live()), "r0"));
}

TEST_F(StartTest, WithoutTheLogOfAKilledOne) {
  Kill();
  fs::remove(killed() / "jobs.db-wal");
  ExpectRefused("jobs.db-wal");
  fs::remove(killed() / "jobs.open");  // somebody has decided
  ExpectStarts(false);
}

TEST_F(StartTest, WithAnEmptyLog) {
  Kill();
  Overwrite(killed() / "jobs.db-wal", "");
  ExpectRefused("jobs.db-wal");
}

TEST_F(StartTest, WithALogThatIsNone) {
  Kill();
  Overwrite(killed() / "jobs.db-wal", std::string(10'000, 'x'));
  ExpectRefused("jobs.db-wal");
}

// The first salt of a log is counted up from a random number; in this log it is behind that of the
// mark.
TEST_F(StartTest, WithTheLogOfAnotherTime) {
  Kill();
  std::string log = BytesOf(killed() / "jobs.db-wal");
  ASSERT_GT(log.size(), kFirstSaltAt + 4);
  log[kFirstSaltAt] = static_cast<char>(log[kFirstSaltAt] ^ 0x80);
  Overwrite(killed() / "jobs.db-wal", log);
  ExpectRefused("jobs.db-wal");
}

TEST_F(StartTest, WithoutJobsDb) {
  Kill();
  fs::remove(killed() / "jobs.db");
  ExpectRefused("jobs.db ");
}

TEST_F(StartTest, WithAnEmptyJobsDb) {
  Kill();
  Overwrite(killed() / "jobs.db", "");
  ExpectRefused("jobs.db ");
}

TEST_F(StartTest, WithTheMarkAlone) {
  Kill();
  for (const char* name : {"jobs.db", "jobs.db-wal", "jobs.db-shm", "jobs.lock"}) {
    fs::remove(killed() / name);
  }
  ExpectRefused("jobs.db ");
  fs::remove(killed() / "jobs.open");
  EXPECT_FALSE(Knows(*OpenStore(killed()), "r0"));
}

// SQLite by itself would remove the log silently.
TEST_F(StartTest, WithALogAndNothingElse) {
  Kill();
  fs::remove(killed() / "jobs.db");
  fs::remove(killed() / "jobs.open");
  ExpectRefused("jobs.db-wal");
}

// The log belongs to the newer database, and fits nothing in the older.
TEST_F(StartTest, WithABackupBesideTheLogOfAKilledOne) {
  Kill();
  Overwrite(killed() / "jobs.db", BytesOf(root() / "backup" / "jobs.db"));
  ExpectRefused("jobs.db ");
}

TEST_F(StartTest, WithAMarkThatSaysNothing) {
  Kill();
  Overwrite(killed() / "jobs.open", "");
  ExpectRefused("jobs.open");
}

TEST_F(StartTest, ABackupMadeBySqliteIsAStore) {
  Kill();
  fs::create_directory(root() / "restored");
  {
    SQLite::Database from(live() / "jobs.db", SQLite::OPEN_READONLY);
    SQLite::Database to(root() / "restored" / "jobs.db",
                        SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE);
    SQLite::Backup(to, from).executeStep(-1);
  }
  EXPECT_TRUE(Knows(*OpenStore(root() / "restored"), "r0"));
}

// That a store starts after a kill before or between any of its writes is shown by the row
// killed-at-each-write of tests/chaos. The states here are those that only a power cut leaves.
TEST_F(StartTest, WithoutTheIndex) {
  Kill();
  fs::remove(killed() / "jobs.db-shm");
  ExpectStarts();
}

// The power fails while the log is moved into jobs.db: of the pages that were written any may be
// missing, and the log has them all.
TEST_F(StartTest, WithPagesOfTheLogInAnyOrder) {
  Kill([](SqliteJobStore& store) {  // what makes the file longer is told by its first page
    JobRecord record = Accepted("k", "q");
    record.job.result_wire = std::string(200'000, 'w');
    ASSERT_TRUE(StoreCalls(store).Adopt(record).ok());
  });
  fs::copy(killed(), root() / "folded");
  SQLite::Database(root() / "folded" / "jobs.db", SQLite::OPEN_READWRITE)
      .exec("PRAGMA wal_checkpoint(FULL)");
  const std::string before = BytesOf(killed() / "jobs.db");
  const std::string after = BytesOf(root() / "folded" / "jobs.db");
  constexpr std::size_t kPage = 4096;
  ASSERT_NE(before.substr(0, kPage), after.substr(0, kPage));
  ASSERT_NE(before.substr(kPage), after.substr(kPage));
  const std::string torn[] = {before.substr(0, kPage) + after.substr(kPage),
                              after.substr(0, kPage) + before.substr(kPage)};
  fs::copy(killed(), root() / "again");
  for (const std::string& bytes : torn) {
    fs::remove_all(killed());
    fs::copy(root() / "again", killed());
    Overwrite(killed() / "jobs.db", bytes);
    ExpectStarts();
  }
}

// Nobody can tell whose log it is then; a person who knows moves it into jobs.db.
TEST_F(StartTest, WithALogAndNoMark) {
  Kill();
  fs::remove(killed() / "jobs.open");
  ExpectRefused("jobs.db-wal");
  SQLite::Database(killed() / "jobs.db", SQLite::OPEN_READWRITE)
      .exec("PRAGMA wal_checkpoint(TRUNCATE)");
  ExpectStarts();
}

// The backup was made while the gateway ran that was killed later: it is of the same epoch, and
// older than what the log begins with.
TEST_F(StartTest, WithABackupOfTheSameRunBesideItsLog) {
  const fs::path copy = root() / "copy.db";
  Kill([&](SqliteJobStore& store) {
    {
      SQLite::Database from(live() / "jobs.db", SQLite::OPEN_READONLY);
      SQLite::Database to(copy, SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE);
      SQLite::Backup(to, from).executeStep(-1);
    }
    for (int i = 0; i < 60; ++i) {
      JobRecord record = Accepted("k" + std::to_string(i), "q" + std::to_string(i));
      record.job.result_wire = std::string(200'000, 'w');
      ASSERT_TRUE(StoreCalls(store).Adopt(record).ok());
    }
  });
  Overwrite(killed() / "jobs.db", BytesOf(copy));
  ExpectRefused("jobs.db ");
  for (const char* name : {"jobs.db-wal", "jobs.db-shm", "jobs.open"}) fs::remove(killed() / name);
  ExpectStarts();  // the backup has r1
}

// SQLite by itself would put the pages of that log into the backup.
TEST_F(StartTest, WithABackupBesideALogAndNoMark) {
  Kill();
  Overwrite(killed() / "jobs.db", BytesOf(root() / "backup" / "jobs.db"));
  fs::remove(killed() / "jobs.open");
  ExpectRefused("jobs.db-wal");
  fs::remove(killed() / "jobs.db-wal");
  fs::remove(killed() / "jobs.db-shm");
  ExpectStarts(false);
}

// A gateway that is killed before it has committed anything leaves a mark that asks for no log.
TEST_F(StartTest, WithAMarkOfBeforeTheFirstCommit) {
  fs::create_directory(root() / "new");
  std::ofstream(root() / "new" / "jobs.open") << "epoch=0\nlog=none\n";
  EXPECT_NE(OpenStore(root() / "new"), nullptr);
  std::ofstream(live() / "jobs.open") << "epoch=1\nlog=none\n";
  EXPECT_TRUE(Knows(*OpenStore(live()), "r0"));
  fs::copy(live(), killed());
  fs::remove(killed() / "jobs.db");
  std::ofstream(killed() / "jobs.open") << "epoch=1\nlog=none\n";
  ExpectRefused("jobs.db ");
}

TEST_F(StartTest, WithoutRoom) {
  EXPECT_TRUE(CheckRoom(live(), 1).ok());
  const absl::Status none = CheckRoom(live(), std::int64_t{1} << 60);
  EXPECT_EQ(none.code(), absl::StatusCode::kResourceExhausted) << none;
  EXPECT_THAT(
      std::string(none.message()),
      AllOf(HasSubstr(live()), HasSubstr("1099511627776 MiB are needed"), HasSubstr("free")));
  EXPECT_FALSE(fs::exists(live() / "jobs.room"));
}

// Damage may show only once a page is read. Whoever starts the gateway must learn of which file,
// and what to do.
TEST_F(StartTest, WithADamagedPage) {
  constexpr std::size_t kPage = 4096;
  std::map<std::string, std::size_t> roots;
  {
    SQLite::Database db(live() / "jobs.db");
    SQLite::Statement query(db, "SELECT name, rootpage FROM sqlite_schema WHERE rootpage > 0");
    while (query.executeStep()) roots[query.getColumn(0)] = query.getColumn(1).getUInt();
  }
  ASSERT_GT(roots.size(), 10u);
  const std::string sound = BytesOf(live() / "jobs.db");
  int told = 0;
  for (const auto& [name, page] : roots) {
    SCOPED_TRACE(name);
    const fs::path directory = root() / ("damaged-" + name);
    fs::create_directory(directory);
    std::string damaged = sound;
    damaged.replace((page - 1) * kPage, kPage, std::string(kPage, '\xee'));
    Overwrite(directory / "jobs.db", damaged);
    auto store = SqliteJobStore::Open({.directory = directory});
    absl::Status found = store.status();
    if (found.ok()) found = (*store)->Recover(At(2)).status();
    if (found.ok()) found = (*store)->ReadUnfinished([](const JobRecord&) {});
    if (found.ok()) continue;  // of what no start reads
    ++told;
    EXPECT_THAT(std::string(found.message()),
                AllOf(HasSubstr((directory / "jobs.db").string()), HasSubstr("is damaged"),
                      HasSubstr("restore it from a backup")));
  }
  EXPECT_GT(told, 3);
}

// Whoever may put files there can lead what is written to any file of this user's.
TEST_F(StartTest, WithALinkInThePlaceOfAFile) {
  for (const char* name :
       {"jobs.lock", "jobs.db", "jobs.db-wal", "jobs.db-shm", "jobs.db-journal", "jobs.open"}) {
    SCOPED_TRACE(name);
    const fs::path directory = root() / (std::string("linked-") + name);
    fs::create_directory(directory);
    const fs::path victim = directory / "victim";
    Overwrite(victim, "of another program");
    fs::create_symlink(victim, directory / name);
    const absl::Status refused = SqliteJobStore::Open({.directory = directory}).status();
    EXPECT_EQ(refused.code(), absl::StatusCode::kFailedPrecondition) << refused;
    EXPECT_THAT(std::string(refused.message()),
                AllOf(HasSubstr((directory / name).string() + " is a symbolic link")));
    EXPECT_EQ(BytesOf(victim), "of another program");
  }
}

TEST_F(StartTest, WithLinksInThePlacesOfPassingFiles) {
  const fs::path victim = root() / "victim";
  for (const char* name : {"jobs.room", "jobs.open.new"}) {
    Overwrite(victim, "of another program");
    fs::create_symlink(victim, live() / name);
    EXPECT_NE(OpenStore(live()), nullptr);
    EXPECT_EQ(BytesOf(victim), "of another program") << name;
  }
}

TEST_F(StartTest, InADirectoryThatEverybodyMayWriteTo) {
  fs::permissions(live(), fs::perms(0777));
  const absl::Status refused = SqliteJobStore::Open({.directory = live()}).status();
  EXPECT_EQ(refused.code(), absl::StatusCode::kFailedPrecondition) << refused;
  EXPECT_THAT(std::string(refused.message()),
              AllOf(HasSubstr(live()), HasSubstr("can be written by everybody")));
}

TEST_F(StartTest, SaysWhetherItIsNew) {
  EXPECT_FALSE(OpenStore(live())->created());
  EXPECT_TRUE(OpenStore(root() / "new")->created());
}

}  // namespace
}  // namespace gateway::store
