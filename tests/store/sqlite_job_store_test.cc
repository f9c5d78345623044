#include "store/sqlite_job_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <future>
#include <iostream>
#include <thread>

#include "SQLiteCpp/SQLiteCpp.h"
#include "base/errors.h"
#include "base/limits.h"
#include "random_record.h"
#include "store/record_row.h"
#include "store/schema.h"
#include "store_calls.h"

namespace gateway::store {
namespace {

using jobs::JobRecord;
namespace v1 = jobs::v1;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::unique_ptr<SqliteJobStore> OpenStore(SqliteOptions options) {
  auto store = SqliteJobStore::Open(std::move(options));
  EXPECT_TRUE(store.ok()) << store.status();
  return store.ok() ? *std::move(store) : nullptr;
}

// A Gate holds the writer before a commit until it is let go.
class Gate {
 public:
  absl::Status Pass(std::size_t writes) {
    MutexLock lock(mutex_);
    groups_.push_back(writes);
    changed_.notify_all();
    while (!open_) changed_.wait(mutex_);
    return absl::OkStatus();
  }
  void WaitForGroups(std::size_t count) {
    MutexLock lock(mutex_);
    const auto deadline = std::chrono::steady_clock::now() + kPatience;
    while (groups_.size() < count) {
      ASSERT_EQ(changed_.wait_until(mutex_, deadline), std::cv_status::no_timeout);
    }
  }
  void Open() {
    MutexLock lock(mutex_);
    open_ = true;
    changed_.notify_all();
  }
  std::vector<std::size_t> groups() {
    MutexLock lock(mutex_);
    return groups_;
  }

 private:
  Mutex mutex_;
  CondVar changed_;
  bool open_ = false;
  std::vector<std::size_t> groups_;
};

class SqliteJobStoreTest : public ::testing::Test {
 protected:
  SqliteOptions Options() { return {.directory = directory_.path()}; }
  absl::Status OpenStatus(SqliteOptions options) {
    return SqliteJobStore::Open(std::move(options)).status();
  }
  std::string db_path() const { return directory_.path() + "/jobs.db"; }

  TemporaryDirectory directory_;
};

TEST_F(SqliteJobStoreTest, ReopeningKeepsEverything) {
  RandomRecords random(7);
  std::vector<JobRecord> records;
  auto store = OpenStore(Options());
  for (int i = 0; i < 50; ++i) {
    records.push_back(random.Next("acme", "j" + std::to_string(i)));
    ASSERT_TRUE(StoreCalls(*store).Adopt(records.back()).ok());
  }
  ASSERT_TRUE(StoreCalls(*store).Update(records[0], {{v1::RESULT_PART_SRT, "srt"}}).ok());
  const std::int64_t epoch = store->Recover(At(1)).value().epoch;
  store = nullptr;
  store = OpenStore(Options());
  StoreCalls calls(*store);
  for (const JobRecord& record : records) {
    const auto found = calls.FindRequest("acme", record.job.request_id).value();
    ASSERT_TRUE(found.has_value());
    EXPECT_EQ(found->job.labels, record.job.labels);
    EXPECT_EQ(found->job.result_wire, record.job.result_wire);
  }
  EXPECT_EQ(calls.ReadPart("acme", "j0", v1::RESULT_PART_SRT, 0, 9).value().data, "srt");
  EXPECT_GT(store->Recover(At(2)).value().epoch, epoch);
}

TEST_F(SqliteJobStoreTest, KeepsTheDirectoryToItsUser) {
  const std::string deep = directory_.path() + "/a/b/";
  auto store = OpenStore({.directory = deep});
  struct stat info;
  ASSERT_EQ(stat(deep.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0700u);
  ASSERT_EQ(stat((deep + "jobs.db").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
}

TEST_F(SqliteJobStoreTest, CloseLeavesOneFileOfDataAndFreesTheDirectory) {
  auto store = OpenStore(Options());
  ASSERT_TRUE(StoreCalls(*store).Begin(Begun("j1", "r1")).ok());
  store->Close();
  std::error_code missing;
  const auto log_bytes = std::filesystem::file_size(db_path() + "-wal", missing);
  EXPECT_TRUE(missing || log_bytes == 0);
  EXPECT_TRUE(OpenStatus(Options()).ok());
}

TEST_F(SqliteJobStoreTest, ASecondOpenerIsToldWhoHoldsIt) {
  auto store = OpenStore(Options());
  const absl::Status second = OpenStatus(Options());
  EXPECT_EQ(second.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(second.message()), HasSubstr("process " + std::to_string(getpid())));
}

TEST_F(SqliteJobStoreTest, RefusesANewerSchema) {
  OpenStore(Options());
  SQLite::Database(db_path(), SQLite::OPEN_READWRITE).exec("PRAGMA user_version = 99");
  const absl::Status status = OpenStatus(Options());
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(status.message()), HasSubstr("99"));
  EXPECT_THAT(std::string(status.message()),
              HasSubstr("up to " + std::to_string(Migrations().back().version)));
  EXPECT_FALSE(std::filesystem::exists(directory_.path() + "/jobs.open"));
}

TEST_F(SqliteJobStoreTest, SandboxAndRealJobsNeverMeet) {
  OpenStore({.directory = directory_.path(), .sandbox = true});
  const absl::Status real = OpenStatus({.directory = directory_.path(), .sandbox = false});
  EXPECT_EQ(real.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(real.message()), HasSubstr("holds sandbox jobs"));
  EXPECT_TRUE(OpenStatus({.directory = directory_.path(), .sandbox = true}).ok());

  const std::string other = directory_.path() + "/real";
  OpenStore({.directory = other, .sandbox = false});
  EXPECT_THAT(std::string(OpenStatus({.directory = other, .sandbox = true}).message()),
              HasSubstr("holds real jobs"));
}

TEST_F(SqliteJobStoreTest, RefusesWhatIsNoDatabase) {
  std::ofstream(db_path()) << std::string(10'000, 'x');
  const absl::Status status = OpenStatus(Options());
  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss);
  EXPECT_THAT(std::string(status.message()), HasSubstr(db_path()));
}

TEST_F(SqliteJobStoreTest, SaysWhyADirectoryCannotBeUsed) {
  std::ofstream(directory_.path() + "/file") << "x";
  const absl::Status is_file = OpenStatus({.directory = directory_.path() + "/file"});
  EXPECT_EQ(is_file.code(), absl::StatusCode::kFailedPrecondition) << is_file;
  EXPECT_EQ(OpenStatus({.directory = directory_.path() + "/file/below"}).code(),
            absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(OpenStatus({.directory = ""}).code(), absl::StatusCode::kInvalidArgument);
  if (geteuid() == 0) return;  // root may write anywhere
  const std::string closed = directory_.path() + "/closed";
  ASSERT_EQ(mkdir(closed.c_str(), 0500), 0);
  const absl::Status denied = OpenStatus({.directory = closed});
  EXPECT_EQ(denied.code(), absl::StatusCode::kPermissionDenied) << denied;
  EXPECT_THAT(std::string(denied.message()), HasSubstr(closed));
}

TEST_F(SqliteJobStoreTest, AnIdleWriterCommitsAtOnceAndABusyOneGroups) {
  Gate gate;
  SqliteOptions options = Options();
  options.group_max = 10;
  options.before_commit = [&](std::size_t writes) { return gate.Pass(writes); };
  auto store = OpenStore(options);
  std::atomic<int> done{0};
  const auto begin = [&](int i) {
    store->Begin(Begun("j" + std::to_string(i), "r" + std::to_string(i)), [&](auto begun) {
      EXPECT_TRUE(begun.ok()) << begun.status();
      ++done;
    });
  };
  begin(0);
  gate.WaitForGroups(1);  // the first is on its way alone
  for (int i = 1; i <= 25; ++i) begin(i);
  EXPECT_EQ(done, 0) << "no callback before the commit";
  EXPECT_EQ(store->stats().writes_queued, 25u);
  gate.Open();
  store->Close();
  EXPECT_EQ(done, 26);
  EXPECT_THAT(gate.groups(), ElementsAre(1, 10, 10, 5));
  EXPECT_EQ(store->stats().commits, 4u);
}

TEST_F(SqliteJobStoreTest, AThousandBeginsTakeFarFewerCommits) {
  auto store = OpenStore(Options());
  std::atomic<int> begun{0};
  std::atomic<int> next{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 64; ++t) {
    threads.emplace_back([&] {
      for (int i = next++; i < 1000; i = next++) {
        const std::string n = std::to_string(i);
        if (StoreCalls(*store).Begin(Begun("j" + n, "r" + n)).value().begun) ++begun;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(begun, 1000);
  EXPECT_LT(store->stats().commits, 500u);
  std::cout << "1000 begins from 64 threads: " << store->stats().commits << " commits\n";
}

TEST_F(SqliteJobStoreTest, ARefusedWriteLeavesItsGroupAlone) {
  Gate gate;
  SqliteOptions options = Options();
  options.before_commit = [&](std::size_t writes) { return gate.Pass(writes); };
  auto store = OpenStore(options);
  std::vector<absl::StatusCode> codes;
  const auto note = [&](absl::Status status) { codes.push_back(status.code()); };
  store->Adopt(Accepted("first", "p0"), note);
  gate.WaitForGroups(1);
  store->Adopt(Accepted("j1", "p1"), note);
  store->Adopt(Accepted("j2", "p1"), note);       // its Pictory id is taken
  store->Update(Accepted("j3", "p3"), {}, note);  // unknown
  store->Adopt(Accepted("j4", "p4"), note);
  gate.Open();
  store->Close();
  using Code = absl::StatusCode;
  EXPECT_THAT(codes,
              ElementsAre(Code::kOk, Code::kOk, Code::kAlreadyExists, Code::kNotFound, Code::kOk));
  EXPECT_THAT(gate.groups(), ElementsAre(1, 4));
  store = OpenStore(Options());
  EXPECT_EQ(Ids(StoreCalls(*store).List("acme", {.limit = 9}).value()),
            (std::vector<std::string>{"j4", "j1", "first"}));
}

TEST_F(SqliteJobStoreTest, AFullQueueRefusesInTurn) {
  Gate gate;
  SqliteOptions options = Options();
  options.write_queue_max = 3;
  options.before_commit = [&](std::size_t writes) { return gate.Pass(writes); };
  auto store = OpenStore(options);
  std::vector<std::pair<int, absl::Status>> answers;
  const auto prune = [&](int i) {
    store->Prune({},
                 [&answers, i](const auto& pruned) { answers.emplace_back(i, pruned.status()); });
  };
  prune(0);
  gate.WaitForGroups(1);
  for (int i = 1; i <= 5; ++i) prune(i);
  gate.Open();
  store->Close();
  ASSERT_EQ(answers.size(), 6u);
  for (int i = 0; i < 6; ++i) {
    EXPECT_EQ(answers[i].first, i);
    EXPECT_EQ(answers[i].second.ok(), i <= 3) << i;
  }
  EXPECT_EQ(answers[5].second.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(errors::Reason(answers[5].second), "TOO_MANY");
}

TEST_F(SqliteJobStoreTest, ReadsDoNotWaitForACommit) {
  Gate gate;
  SqliteOptions options = Options();
  options.before_commit = [&](std::size_t writes) { return gate.Pass(writes); };
  auto store = OpenStore(options);
  Answer<absl::Status> adopted;
  store->Adopt(Accepted("j1", "p1"), adopted.Callback());
  gate.WaitForGroups(1);
  EXPECT_EQ(StoreCalls(*store).Find("acme", "j1").value(), std::nullopt) << "not yet durable";
  gate.Open();
  ASSERT_TRUE(adopted.Wait().ok());
  EXPECT_TRUE(StoreCalls(*store).Find("acme", "j1").value().has_value());
}

// A HeldLane holds up the lane of a read from its callback on, until it is let go.
class HeldLane {
 public:
  // For the answer to a read of whatever kind.
  auto Callback() {
    return [gate = gate_](const auto& answer) {
      EXPECT_TRUE(answer.ok()) << answer.status();
      gate->begun.set_value();
      gate->go.get_future().wait();
    };
  }
  void AwaitBegun() {
    ASSERT_EQ(gate_->begun.get_future().wait_for(kPatience), std::future_status::ready);
  }
  void LetGo() { gate_->go.set_value(); }

 private:
  // The lane may still be leaving it when the test is over.
  struct Hold {
    std::promise<void> begun;
    std::promise<void> go;
  };
  const std::shared_ptr<Hold> gate_ = std::make_shared<Hold>();
};

TEST_F(SqliteJobStoreTest, AJobIsFoundAndListedWhileAPartIsRead) {
  auto store = OpenStore(Options());
  StoreCalls calls(*store);
  ASSERT_TRUE(calls.Adopt(Accepted("j1", "p1")).ok());
  ASSERT_TRUE(calls.Update(Accepted("j1", "p1"), {{v1::RESULT_PART_RESULT_JSON, "{}"}}).ok());
  HeldLane part;
  store->ReadPart("acme", "j1", v1::RESULT_PART_RESULT_JSON, 0, INT64_MAX, part.Callback());
  part.AwaitBegun();
  Answer<StoreCalls::MaybeRecord> found;
  store->Find("acme", "j1", found.Callback());
  Answer<absl::StatusOr<std::vector<JobRecord>>> listed;
  store->List("acme", {.limit = 9}, listed.Callback());
  EXPECT_TRUE(found.Wait().value().has_value());
  EXPECT_EQ(listed.Wait().value().size(), 1u);
  part.LetGo();
}

TEST_F(SqliteJobStoreTest, AJobIsFoundWhileAListIsRead) {
  auto store = OpenStore(Options());
  StoreCalls calls(*store);
  ASSERT_TRUE(calls.Adopt(Accepted("j1", "p1")).ok());
  HeldLane list;
  store->List("acme", {.limit = 9}, list.Callback());
  list.AwaitBegun();
  Answer<StoreCalls::MaybeRecord> found;
  store->Find("acme", "j1", found.Callback());
  EXPECT_TRUE(found.Wait().value().has_value());
  list.LetGo();
}

TEST_F(SqliteJobStoreTest, EveryLaneSeesAWriteOnceItsCallbackRan) {
  auto store = OpenStore(Options());
  StoreCalls calls(*store);
  for (int i = 0; i < 20; ++i) {
    const std::string id = "j" + std::to_string(i);
    ASSERT_TRUE(calls.Adopt(Accepted(id, "p" + id)).ok());
    EXPECT_TRUE(calls.Find("acme", id).value().has_value());
    EXPECT_EQ(calls.List("acme", {.limit = 99}).value().size(), static_cast<std::size_t>(i + 1));
    ASSERT_TRUE(calls.Update(Accepted(id, "p" + id), {{v1::RESULT_PART_SRT, id}}).ok());
    EXPECT_EQ(calls.ReadPart("acme", id, v1::RESULT_PART_SRT, 0, 9).value().data, id);
  }
}

TEST_F(SqliteJobStoreTest, ClosingAnswersWhatEveryLaneHasTaken) {
  auto store = OpenStore(Options());
  StoreCalls calls(*store);
  ASSERT_TRUE(calls.Adopt(Accepted("j1", "p1")).ok());
  ASSERT_TRUE(calls.Update(Accepted("j1", "p1"), {{v1::RESULT_PART_SRT, "srt"}}).ok());
  Answer<StoreCalls::MaybeRecord> found;
  Answer<absl::StatusOr<std::vector<JobRecord>>> listed;
  Answer<absl::StatusOr<jobs::PartChunk>> read;
  store->ReadPart("acme", "j1", v1::RESULT_PART_SRT, 0, 9, read.Callback());
  store->List("acme", {.limit = 9}, listed.Callback());
  store->Find("acme", "j1", found.Callback());
  store->Close();
  EXPECT_EQ(read.Wait().value().data, "srt");
  EXPECT_EQ(listed.Wait().value().size(), 1u);
  EXPECT_TRUE(found.Wait().value().has_value());
  EXPECT_EQ(calls.ReadPart("acme", "j1", v1::RESULT_PART_SRT, 0, 9).status().code(),
            absl::StatusCode::kUnavailable);
  EXPECT_EQ(calls.List("acme", {.limit = 9}).status().code(), absl::StatusCode::kUnavailable);
}

TEST_F(SqliteJobStoreTest, AListEndsOnceItHasReadMuch) {
  auto store = OpenStore(Options());
  StoreCalls calls(*store);
  for (const char* id : {"j1", "j2", "j3"}) {
    JobRecord record = Accepted(id, std::string("p") + id);
    record.job.result_wire.assign(limits::kListReadMaxBytes * 2 / 3, 'x');
    ASSERT_TRUE(calls.Adopt(std::move(record)).ok());
  }
  EXPECT_EQ(calls.List("acme", {.limit = 9}).value().size(), 2u);
  EXPECT_EQ(calls.List("acme", {.before_job_id = "j2", .limit = 9}).value().size(), 1u);
}

TEST_F(SqliteJobStoreTest, AFailedCommitFailsTheGroupAndTheStore) {
  Gate gate;
  std::atomic<bool> broken{false};
  std::atomic<int> fatal{0};
  SqliteOptions options = Options();
  options.on_fatal = [&](absl::Status status) {
    EXPECT_EQ(errors::Reason(status), "STORE_FAILED");
    ++fatal;
  };
  options.before_commit = [&](std::size_t) {
    return broken ? absl::InternalError("disk I/O error") : absl::OkStatus();
  };
  auto store = OpenStore(options);
  StoreCalls calls(*store);
  ASSERT_TRUE(calls.Begin(Begun("j1", "r1")).ok());
  broken = true;
  const absl::Status failed = calls.Begin(Begun("j2", "r2")).status();
  EXPECT_EQ(errors::Reason(failed), "STORE_FAILED");
  EXPECT_THAT(std::string(failed.message()), HasSubstr("disk I/O error"));
  broken = false;
  EXPECT_EQ(errors::Reason(calls.Begin(Begun("j3", "r3")).status()), "STORE_FAILED")
      << "it stays failed";
  EXPECT_EQ(errors::Reason(calls.Update(Begun("j1", "r1"))), "STORE_FAILED");
  EXPECT_TRUE(calls.FindRequest("acme", "r1").value().has_value()) << "reading still works";
  store->Close();
  EXPECT_EQ(fatal, 1);
  store = OpenStore(Options());
  EXPECT_TRUE(StoreCalls(*store).FindRequest("acme", "r1").value().has_value());
  EXPECT_FALSE(StoreCalls(*store).FindRequest("acme", "r2").value().has_value());
  EXPECT_FALSE(StoreCalls(*store).FindRequest("acme", "r3").value().has_value());
}

TEST_F(SqliteJobStoreTest, AFullDiskLosesNothingAcknowledged) {
  std::atomic<int> fatal{0};
  SqliteOptions options = Options();
  options.max_pages = 60;
  options.on_fatal = [&](absl::Status) { ++fatal; };
  auto store = OpenStore(options);
  int acknowledged = 0;
  absl::Status status;
  for (int i = 0; i < 1000; ++i) {
    JobRecord record = Accepted("j" + std::to_string(1000 + i), "p" + std::to_string(i));
    record.job.result_wire = std::string(5000, 'w');
    status = StoreCalls(*store).Adopt(record);
    if (!status.ok()) break;
    ++acknowledged;
  }
  EXPECT_EQ(errors::Reason(status), "STORE_FAILED") << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr("full"));
  store->Close();
  EXPECT_EQ(fatal, 1);
  EXPECT_GT(acknowledged, 5);
  store = OpenStore(Options());
  EXPECT_EQ(StoreCalls(*store).List("acme", {.limit = 1000}).value().size(),
            static_cast<std::size_t>(acknowledged));
}

TEST_F(SqliteJobStoreTest, AFullDiskIsNamedAtTheStart) {
  SqliteOptions options = Options();
  options.max_pages = 2;
  const absl::Status status = OpenStatus(options);
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted) << status;
}

std::int64_t PeakKiB() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("VmHWM:")) return std::stoll(line.substr(6));
  }
  return 0;
}

TEST_F(SqliteJobStoreTest, ALargePartIsReadInChunksOfTheSameBytes) {
  std::string part(20'000'000, '\0');
  std::mt19937 random(1);
  for (std::size_t i = 0; i < part.size(); i += 97) part[i] = static_cast<char>(random());
  auto store = OpenStore(Options());
  StoreCalls calls(*store);
  ASSERT_TRUE(calls.Adopt(Accepted("j1", "p1")).ok());
  ASSERT_TRUE(calls.Update(Accepted("j1", "p1"), {{v1::RESULT_PART_RESULT_JSON, part}}).ok());
  constexpr std::int64_t kChunk = 256 * 1024;
  std::int64_t offset = 0;
  for (;;) {
    const auto chunk = calls.ReadPart("acme", "j1", v1::RESULT_PART_RESULT_JSON, offset, kChunk);
    ASSERT_TRUE(chunk.ok()) << chunk.status();
    ASSERT_EQ(chunk->total_bytes, static_cast<std::int64_t>(part.size()));
    if (chunk->data.empty()) break;
    ASSERT_EQ(part.compare(offset, chunk->data.size(), chunk->data), 0) << offset;
    offset += static_cast<std::int64_t>(chunk->data.size());
  }
  EXPECT_EQ(offset, static_cast<std::int64_t>(part.size()));
  std::cout << "peak memory " << PeakKiB() / 1024 << " MiB\n";
}

TEST_F(SqliteJobStoreTest, PruneTakesLargeResultsAFewAtATime) {
  auto store = OpenStore(Options());
  StoreCalls calls(*store);
  const std::string part(9 << 20, 'x');
  for (int i = 0; i < 3; ++i) {
    jobs::JobRecord record = Accepted("j" + std::to_string(i), "p" + std::to_string(i));
    record.job.finish_time = WallTime{};
    ASSERT_TRUE(calls.Adopt(record).ok());
    ASSERT_TRUE(calls.Update(record, {{v1::RESULT_PART_RESULT_JSON, part}}).ok());
  }
  const jobs::PruneQuery all{.finished_before = WallTime::max(), .untouched_since = {}, .limit = 9};
  EXPECT_EQ(calls.Prune(all)->size(), 2u);
  EXPECT_EQ(calls.Prune(all)->size(), 1u);
  EXPECT_EQ(calls.Prune(all)->size(), 0u);
}

// A small write that comes meanwhile waits for a group of a large result, not for all of it.
TEST_F(SqliteJobStoreTest, SmallWritesPassALargeResult) {
  Gate gate;
  SqliteOptions options = Options();
  options.before_commit = [&](std::size_t writes) { return gate.Pass(writes); };
  auto store = OpenStore(std::move(options));
  const std::string part(5 * limits::kStoreGroupMaxBytes / 2, 'x');
  store->Adopt(Accepted("large", "p1"), [](const absl::Status&) {});
  store->Adopt(Accepted("small", "p2"), [](const absl::Status&) {});
  std::vector<std::string> order;  // written by the writer's thread, read after Close
  store->Update(Stored("large", "p1"),
                {{v1::RESULT_PART_RESULT_JSON, part}, {v1::RESULT_PART_TXT, "t"}},
                [&](const absl::Status& status) {
                  EXPECT_TRUE(status.ok()) << status;
                  order.push_back("large");
                });
  store->Update(Stored("small", "p2"), {}, [&](const absl::Status&) { order.push_back("small"); });
  gate.Open();
  store->Close();
  EXPECT_EQ(order, (std::vector<std::string>{"small", "large"}));
  store = OpenStore(Options());
  EXPECT_EQ(StoreCalls(*store)
                .ReadPart("acme", "large", v1::RESULT_PART_RESULT_JSON, 0, INT64_MAX)
                .value()
                .data,
            part);
}

TEST_F(SqliteJobStoreTest, ALargeResultOfAJobThatIsGoneIsNotFound) {
  auto store = OpenStore(Options());
  StoreCalls calls(*store);
  const std::string part(2 * limits::kStoreGroupMaxBytes, 'x');
  EXPECT_TRUE(absl::IsNotFound(
      calls.Update(Accepted("none", "p1"), {{v1::RESULT_PART_RESULT_JSON, part}})));
}

// Copies the one stored job `count` times under other names, without going through the store.
void Multiply(const std::string& path, int count, const std::string& changes) {
  SQLite::Database db(path, SQLite::OPEN_READWRITE);
  std::string columns = kRecordColumns;
  std::string values = columns;
  const auto set = [&values](const std::string& column, const std::string& value) {
    values.replace(values.find(", " + column + ",") + 2, column.size(), value);
  };
  set("job_id", "printf('k%07d', n)");
  set("pictory_job_id", "printf('q%07d', n)");
  set("request_id", "printf('s%07d', n)");
  if (!changes.empty()) set("state", changes);
  db.exec("WITH RECURSIVE counter(n) AS (VALUES (1) UNION ALL SELECT n + 1 FROM counter LIMIT " +
          std::to_string(count) + ") INSERT INTO jobs (" + columns + ") SELECT " + values +
          " FROM jobs, counter WHERE job_id = 'j1'");
}

double Milliseconds(const std::function<void()>& step) {
  const auto start = std::chrono::steady_clock::now();
  step();
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start)
      .count();
}

TEST_F(SqliteJobStoreTest, RecoversAHundredThousandUnfinishedJobs) {
  constexpr int kJobs = 100'000;
  auto store = OpenStore(Options());
  ASSERT_TRUE(StoreCalls(*store).Adopt(Accepted("j1", "p1")).ok());
  store->Close();
  Multiply(db_path(), kJobs - 1, "");
  store = OpenStore(Options());
  int unfinished = 0;
  const double took = Milliseconds([&] {
    EXPECT_EQ(store->Recover(At(5)).value().unfinished_jobs(), kJobs);
    EXPECT_TRUE(store->ReadUnfinished([&](const JobRecord&) { ++unfinished; }).ok());
  });
  EXPECT_EQ(unfinished, kJobs);
  std::cout << "recovering " << kJobs << " unfinished jobs: " << took << " ms\n";
}

// Slow; for measuring: --gtest_also_run_disabled_tests --gtest_filter=*Million*
TEST_F(SqliteJobStoreTest, DISABLED_AMillionFinishedJobs) {
  auto store = OpenStore(Options());
  ASSERT_TRUE(StoreCalls(*store).Adopt(Accepted("j1", "p1")).ok());
  store->Close();
  Multiply(db_path(), 1'000'000, std::to_string(v1::JOB_STATE_SUCCEEDED));
  store = OpenStore(Options());
  StoreCalls calls(*store);
  const auto measure = [](const char* what, const std::function<void()>& step) {
    std::cout << what << ": " << Milliseconds(step) << " ms\n";
  };
  measure("recover", [&] { EXPECT_EQ(store->Recover(At(5)).value().unfinished_jobs(), 1u); });
  measure("100 begins", [&] {
    for (int i = 0; i < 100; ++i) {
      EXPECT_TRUE(calls.Begin(Begun("n" + std::to_string(i), "n" + std::to_string(i))).ok());
    }
  });
  measure("100 updates", [&] {
    for (int i = 0; i < 100; ++i) EXPECT_TRUE(calls.Update(Accepted("j1", "p1")).ok());
  });
  measure("100 finds", [&] {
    for (int i = 0; i < 100; ++i) EXPECT_TRUE(calls.Find("acme", "q0500000").value().has_value());
  });
  measure("first page", [&] { EXPECT_EQ(calls.List("acme", {.limit = 50}).value().size(), 50u); });
  measure("first page of what runs", [&] {
    EXPECT_EQ(calls.List("acme", {.states = {v1::JOB_STATE_QUEUED}, .limit = 50}).value().size(),
              1u);
  });
  measure("first page of renders", [&] {
    EXPECT_TRUE(calls.List("acme", {.kinds = {v1::JOB_KIND_RENDER}, .limit = 50}).value().empty());
  });
  measure("a label nobody has", [&] {
    EXPECT_TRUE(calls.List("acme", {.labels = {{"a", "b"}}, .limit = 50}).value().empty());
  });
  measure("created before all (a walk of the index)", [&] {
    EXPECT_TRUE(calls.List("acme", {.created_until = At(1), .limit = 50}).value().empty());
  });
}

}  // namespace
}  // namespace gateway::store
