// These tests show that what was stored is found again: the store ends when the names of its files
// no longer lead to them, and does not start on files that a killed one cannot have left behind.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <map>

#include <gmock/gmock.h>

#include "SQLiteCpp/Backup.h"
#include "SQLiteCpp/SQLiteCpp.h"
#include "base/errors.h"
#include "file_bytes.h"
#include "store/sqlite_job_store.h"
#include "store_calls.h"

namespace gateway::store {
namespace {

namespace fs = std::filesystem;
using jobs::JobRecord;
using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr std::chrono::hours kNever{24};
constexpr std::chrono::milliseconds kOften{5};

// Puts another file under that name.
void Replace(const fs::path& path, const std::string& bytes) {
  const fs::path beside = path.string() + ".other";
  Overwrite(beside, bytes);
  fs::rename(beside, path);
}

// Copies a directory as `cp -a` does, while nothing is being written: the copy is what a kill would
// leave behind.
void Copy(const fs::path& from, const fs::path& to) { fs::copy(from, to); }

// What is in a directory: the name of each file with its number and bytes. The index beside the log
// is left out of the bytes, because it is shared memory, which SQLite marks as it likes.
std::map<std::string, std::string> Listing(const fs::path& directory) {
  std::map<std::string, std::string> files;
  std::error_code gone;
  for (const auto& entry : fs::directory_iterator(directory, gone)) {
    const std::string name = entry.path().filename();
    struct stat info{};
    stat(entry.path().c_str(), &info);
    files[name] = std::to_string(info.st_ino);
    if (!entry.is_directory() && name != "jobs.db-shm") files[name] += " " + BytesOf(entry.path());
  }
  return files;
}

// A Fault is something that happens to the files of an open store in `directory`. `old` holds a
// copy of them, made by an earlier run.
struct Fault {
  const char* name;
  void (*happen)(const fs::path& directory, const fs::path& old);
  const char* file;  // which the error names
  // Whether a commit depends on the file. A fault of any other file is noticed once a second.
  bool at_commit = true;
  // Whether the next start on the directory must be refused, until somebody decides.
  bool start_refused = false;
};

void PrintTo(const Fault& fault, std::ostream* out) { *out << fault.name; }

const Fault kFaults[] = {
    {"JobsDbRemoved", [](const fs::path& d, const fs::path&) { fs::remove(d / "jobs.db"); },
     "jobs.db ", true, true},
    {"JobsDbRenamed",
     [](const fs::path& d, const fs::path&) { fs::rename(d / "jobs.db", d / "jobs.db.bak"); },
     "jobs.db ", true, true},
    {"JobsDbReplacedByABackup",
     [](const fs::path& d, const fs::path& old) {
       Replace(d / "jobs.db", BytesOf(old / "jobs.db"));
     },
     "jobs.db ", true, true},
    {"JobsDbReplacedByItself",  // a copy made just now: nothing is lost yet, but what comes would
                                // be
     [](const fs::path& d, const fs::path&) { Replace(d / "jobs.db", BytesOf(d / "jobs.db")); },
     "jobs.db ", true, true},
    {"JobsDbOverwrittenByABackup",
     [](const fs::path& d, const fs::path& old) {
       Overwrite(d / "jobs.db", BytesOf(old / "jobs.db"));
     },
     "jobs.db ", true, true},
    {"JobsDbEmptied", [](const fs::path& d, const fs::path&) { Overwrite(d / "jobs.db", ""); },
     "jobs.db ", true, true},
    {"LogRemoved", [](const fs::path& d, const fs::path&) { fs::remove(d / "jobs.db-wal"); },
     "jobs.db-wal ", true, true},
    {"LogEmptied", [](const fs::path& d, const fs::path&) { Overwrite(d / "jobs.db-wal", ""); },
     "jobs.db-wal ", true, true},
    {"LogOverwritten",
     [](const fs::path& d, const fs::path&) {
       Overwrite(d / "jobs.db-wal", std::string(fs::file_size(d / "jobs.db-wal") + 100, 'x'));
     },
     "jobs.db-wal ", true, true},
    {"LogReplaced",
     [](const fs::path& d, const fs::path&) {
       Replace(d / "jobs.db-wal", BytesOf(d / "jobs.db-wal"));
     },
     "jobs.db-wal ", true, true},
    {"IndexRemoved", [](const fs::path& d, const fs::path&) { fs::remove(d / "jobs.db-shm"); },
     "jobs.db-shm ", false},
    {"LockRemoved", [](const fs::path& d, const fs::path&) { fs::remove(d / "jobs.lock"); },
     "jobs.lock "},
    {"LockReplaced", [](const fs::path& d, const fs::path&) { Replace(d / "jobs.lock", "1\n"); },
     "jobs.lock "},
    {"MarkRemoved", [](const fs::path& d, const fs::path&) { fs::remove(d / "jobs.open"); },
     "jobs.open ", false, true},
    {"DirectoryRemoved", [](const fs::path& d, const fs::path&) { fs::remove_all(d); },
     "The directory "},
    {"DirectoryRenamed",
     [](const fs::path& d, const fs::path&) { fs::rename(d, d.string() + ".away"); },
     "The directory "},
    {"DirectoryMadeAnew",
     [](const fs::path& d, const fs::path&) {
       fs::remove_all(d);
       fs::create_directory(d);
     },
     "The directory "},
    {"DirectoryRestored",
     [](const fs::path& d, const fs::path& old) {
       fs::rename(d, d.string() + ".away");
       Copy(old, d);
     },
     "The directory "},
};

class FilesTest : public ::testing::Test {
 protected:
  fs::path root() const { return temporary_.path(); }
  fs::path directory() const { return root() / "store"; }
  fs::path old() const { return root() / "old"; }

  SqliteOptions Options(Duration look_every = kNever) {
    SqliteOptions options;
    options.directory = directory();
    options.look_every = look_every;
    options.on_fatal = [this](absl::Status why) {
      ++fatal_;
      failed_.set_value(std::move(why));
    };
    return options;
  }

  // Opens a store with the job j1 of the request r1, after a run with the job j0, of which a copy
  // was made.
  std::unique_ptr<SqliteJobStore> OpenUsed(SqliteOptions options) {
    Open(directory());
    Copy(directory(), old());
    auto store = SqliteJobStore::Open(std::move(options));
    EXPECT_TRUE(store.ok()) << store.status();
    if (!store.ok()) return nullptr;
    EXPECT_TRUE((*store)->Recover(At(1)).ok());
    EXPECT_TRUE(StoreCalls(**store).Begin(Begun("j1", "r1")).ok());
    return *std::move(store);
  }

  // Runs a store there that adds the job j0, and ends in order.
  void Open(const fs::path& there) {
    auto store = SqliteJobStore::Open({.directory = there});
    ASSERT_TRUE(store.ok()) << store.status();
    ASSERT_TRUE((*store)->Recover(At(1)).ok());
    ASSERT_TRUE(StoreCalls(**store).Adopt(Accepted("j0", "p0")).ok());
  }

  static absl::Status OpenStatus(const fs::path& there) {
    return SqliteJobStore::Open({.directory = there}).status();
  }

  bool Knows(const fs::path& there, const std::string& request_id) {
    auto store = SqliteJobStore::Open({.directory = there});
    EXPECT_TRUE(store.ok()) << store.status();
    return store.ok() && StoreCalls(**store).FindRequest("acme", request_id).value().has_value();
  }

  absl::Status Failure() {
    std::future<absl::Status> failure = failed_.get_future();
    if (failure.wait_for(kPatience) == std::future_status::ready) return failure.get();
    ADD_FAILURE() << "the store noticed nothing";
    return absl::OkStatus();
  }

  TemporaryDirectory temporary_;
  std::promise<absl::Status> failed_;
  std::atomic<int> fatal_{0};
};

class FilesFaultTest : public FilesTest, public ::testing::WithParamInterface<Fault> {
 protected:
  void Happen() { GetParam().happen(directory(), old()); }
};

std::string NameOf(const ::testing::TestParamInfo<Fault>& info) { return info.param.name; }
INSTANTIATE_TEST_SUITE_P(Each, FilesFaultTest, ::testing::ValuesIn(kFaults), NameOf);

std::vector<Fault> FaultsAtCommit() {
  std::vector<Fault> faults;
  for (const Fault& fault : kFaults) {
    if (fault.at_commit) faults.push_back(fault);
  }
  return faults;
}
class FilesCommitTest : public FilesFaultTest {};
INSTANTIATE_TEST_SUITE_P(Each, FilesCommitTest, ::testing::ValuesIn(FaultsAtCommit()), NameOf);

TEST_P(FilesFaultTest, IsNoticedWhileNothingIsWritten) {
  auto store = OpenUsed(Options(kOften));
  Happen();
  const absl::Status failure = Failure();
  EXPECT_EQ(errors::Reason(failure), "STORE_FAILED") << failure;
  EXPECT_THAT(std::string(failure.message()), HasSubstr(GetParam().file));
  StoreCalls calls(*store);
  EXPECT_EQ(errors::Reason(calls.Begin(Begun("j2", "r2")).status()), "STORE_FAILED");
  EXPECT_EQ(errors::Reason(calls.FindRequest("acme", "r1").status()), "STORE_FAILED")
      << "what it says is no longer what a restart would say";
  store->Close();
  EXPECT_EQ(fatal_, 1);
}

TEST_P(FilesCommitTest, NothingIsCommittedAfterwards) {
  auto store = OpenUsed(Options());
  const std::uint64_t commits = store->stats().commits;
  Happen();
  EXPECT_EQ(errors::Reason(StoreCalls(*store).Begin(Begun("j2", "r2")).status()), "STORE_FAILED");
  EXPECT_EQ(store->stats().commits, commits);
  EXPECT_EQ(errors::Reason(Failure()), "STORE_FAILED");
}

TEST_P(FilesCommitTest, ACommitThatItOvertakesIsNotAcknowledged) {
  std::atomic<bool> armed{false};
  SqliteOptions options = Options();
  options.before_commit = [&](std::size_t) {
    if (armed) Happen();
    return absl::OkStatus();
  };
  auto store = OpenUsed(std::move(options));
  armed = true;
  EXPECT_EQ(errors::Reason(StoreCalls(*store).Begin(Begun("j2", "r2")).status()), "STORE_FAILED");
  EXPECT_EQ(errors::Reason(Failure()), "STORE_FAILED");
}

// The files may be another gateway's by now.
TEST_P(FilesFaultTest, CloseLeavesAloneWhatIsThereNow) {
  auto store = OpenUsed(Options(kOften));
  Happen();
  EXPECT_FALSE(Failure().ok());
  const auto before = Listing(directory());
  store->Close();
  store = nullptr;
  EXPECT_EQ(Listing(directory()), before);
}

TEST_P(FilesFaultTest, CloseNoticesItToo) {
  auto store = OpenUsed(Options());
  Happen();
  const auto names = [this] {
    std::vector<std::string> all;
    for (const auto& [name, content] : Listing(directory())) all.push_back(name);
    return all;
  };
  const auto before = names();
  store->Close();
  EXPECT_EQ(names(), before);
}

TEST_P(FilesFaultTest, TheNextStartForgetsNothingSilently) {
  auto store = OpenUsed(Options(kOften));
  Happen();
  EXPECT_FALSE(Failure().ok());
  store = nullptr;
  if (!GetParam().start_refused) {
    EXPECT_TRUE(OpenStatus(directory()).ok());
    return;
  }
  const auto before = Listing(directory());
  const absl::Status refused = OpenStatus(directory());
  EXPECT_EQ(refused.code(), absl::StatusCode::kFailedPrecondition) << refused;
  EXPECT_THAT(std::string(refused.message()), AllOf(HasSubstr("jobs.db"), HasSubstr("jobs.open")));
  auto after = Listing(directory());
  after["jobs.lock"] = before.at("jobs.lock");  // its holder's number
  EXPECT_EQ(after, before) << "a start that is refused changes nothing";
}

TEST_F(FilesTest, ASecondStoreInANewDirectoryKeepsItsFiles) {
  auto first = OpenUsed(Options());
  fs::remove_all(directory());
  auto second = SqliteJobStore::Open({.directory = directory()});
  ASSERT_TRUE(second.ok()) << second.status();
  ASSERT_TRUE(StoreCalls(**second).Begin(Begun("k1", "r1")).ok());
  EXPECT_FALSE(StoreCalls(*first).Begin(Begun("j2", "r2")).ok());
  first = nullptr;
  ASSERT_TRUE(StoreCalls(**second).Begin(Begun("k2", "r2")).ok());
  *second = nullptr;
  EXPECT_TRUE(Knows(directory(), "r2"));
}

TEST_F(FilesTest, ALinkThatIsSwitchedIsNoticed) {
  const fs::path real = root() / "real";
  fs::create_directory(real);
  fs::create_directory_symlink(real, directory());
  auto store = OpenUsed(Options());
  fs::create_directory(root() / "elsewhere");
  fs::create_directory_symlink(root() / "elsewhere", root() / "link");
  fs::rename(root() / "link", directory());
  EXPECT_EQ(errors::Reason(StoreCalls(*store).Begin(Begun("j2", "r2")).status()), "STORE_FAILED");
}

TEST_F(FilesTest, WhatComesBackDoesNotMendIt) {
  auto store = OpenUsed(Options());
  fs::rename(directory(), root() / "away");
  EXPECT_FALSE(StoreCalls(*store).Begin(Begun("j2", "r2")).ok());
  fs::rename(root() / "away", directory());
  EXPECT_FALSE(StoreCalls(*store).Begin(Begun("j3", "r3")).ok());
  store = nullptr;
  EXPECT_TRUE(Knows(directory(), "r1"));
  EXPECT_FALSE(Knows(directory(), "r2"));
}

// Readers, a backup with SQLite's means and chmod are no faults, and neither is anything that the
// store does to its own files.
TEST_F(FilesTest, WhatIsAllowedIsNotMistaken) {
  auto store = OpenUsed(Options(kOften));
  StoreCalls calls(*store);
  const auto use = [&](int i) {
    JobRecord record = Accepted("k" + std::to_string(i), "q" + std::to_string(i));
    record.job.result_wire = std::string(200'000, 'w');
    ASSERT_TRUE(calls.Adopt(record).ok());
  };
  for (int i = 0; i < 60; ++i) use(i);  // the log is folded and begun anew several times
  {
    SQLite::Database reading(directory() / "jobs.db", SQLite::OPEN_READWRITE);
    EXPECT_GT(reading.execAndGet("SELECT count(*) FROM jobs").getInt(), 60);
    SQLite::Database copy(root() / "backup.db", SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE);
    SQLite::Backup(copy, reading).executeStep(-1);
  }
  chmod((directory() / "jobs.db").c_str(), 0640);
  for (int i = 60; i < 120; ++i) use(i);
  EXPECT_EQ(fatal_, 0);
  store = nullptr;
  EXPECT_FALSE(fs::exists(directory() / "jobs.open"));
  EXPECT_TRUE(Knows(directory(), "request-of-k119"));
}

// For measuring: --gtest_also_run_disabled_tests --gtest_filter=*DISABLED_ALook
TEST_F(FilesTest, DISABLED_ALook) {
  constexpr int kLooks = 100'000;
  auto store = OpenUsed(Options());
  const int lock = open((directory() / "jobs.lock").c_str(), O_RDONLY | O_CLOEXEC);
  auto files = StoreFiles::Hold(directory(), lock);
  ASSERT_TRUE(files.ok() && (*files)->HoldLog().ok() && (*files)->HoldMark().ok());
  const auto measure = [](const char* what, const std::function<absl::Status()>& look) {
    const auto begin = std::chrono::steady_clock::now();
    for (int i = 0; i < kLooks; ++i) ASSERT_TRUE(look().ok());
    const std::chrono::duration<double, std::micro> took = std::chrono::steady_clock::now() - begin;
    std::cout << what << ": " << took.count() / kLooks << " us\n";
  };
  measure("a look at all files", [&] { return (*files)->Check(); });
  measure("a look at a commit", [&] { return (*files)->CheckAtCommit(); });
  close(lock);
}

}  // namespace
}  // namespace gateway::store
