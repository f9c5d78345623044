// These tests count what a list costs in steps of SQLite's virtual machine, which do not depend on
// how busy the computer is.
#include <gtest/gtest.h>
#include <sqlite3.h>

#include "SQLiteCpp/Transaction.h"
#include "base/ids.h"
#include "store/job_reads.h"
#include "store/job_writes.h"
#include "store/schema.h"
#include "store_calls.h"

namespace gateway::store {
namespace {

constexpr int kFew = 400;
constexpr int kMany = 4'000;
constexpr std::int64_t kBegin = 1'000'000;  // a job a second from here on

class ListStepsTest : public ::testing::Test {
 protected:
  // So many jobs, all but the first ten of them younger than kBegin + 10.
  std::int64_t Steps(int jobs, const jobs::ListQuery& query, std::size_t found) {
    TemporaryDirectory directory;
    SQLite::Database db(directory.path() + "/jobs.db",
                        SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE);
    EXPECT_TRUE(Migrate(db, Migrations()).ok());
    JobWrites writes(db);
    Random random(1);
    SQLite::Transaction all(db);
    for (int i = 0; i < jobs; ++i) {
      const WallTime created = At(kBegin + i);
      jobs::JobRecord record = Accepted(MintJobId(created, random), "p" + std::to_string(i));
      record.job.create_time = created;
      record.job.state = jobs::v1::JOB_STATE_SUCCEEDED;
      record.job.labels = {{"team", "x"}};
      writes.Adopt(record);
    }
    all.commit();
    JobReads reads(db);
    std::int64_t steps = 0;
    sqlite3_progress_handler(
        db.getHandle(), 1,
        [](void* count) {
          ++*static_cast<std::int64_t*>(count);
          return 0;
        },
        &steps);
    EXPECT_EQ(reads.List("acme", query).size(), found);
    sqlite3_progress_handler(db.getHandle(), 0, nullptr, nullptr);
    return steps;
  }
  void ExpectSameSteps(const jobs::ListQuery& query, std::size_t found) {
    const std::int64_t few = Steps(kFew, query, found);
    EXPECT_GT(few, 0);
    EXPECT_LT(Steps(kMany, query, found), 2 * few);
  }

  const std::vector<jobs::JobState> succeeded_ = {jobs::v1::JOB_STATE_SUCCEEDED};
  const std::map<std::string, std::string> labels_ = {{"team", "x"}};
};

TEST_F(ListStepsTest, OldJobsAreFoundWithoutPassingTheYoung) {
  ExpectSameSteps({.created_until = At(kBegin + 10), .limit = 50}, 10);
  ExpectSameSteps({.states = succeeded_, .created_until = At(kBegin + 10), .limit = 50}, 10);
  ExpectSameSteps({.labels = labels_, .created_until = At(kBegin + 10), .limit = 50}, 10);
}

TEST_F(ListStepsTest, JobsOfAShortTimeEndAtItsBeginning) {
  const WallTime from = At(kBegin + kFew - 10);
  const WallTime until = At(kBegin + kFew - 5);
  ExpectSameSteps({.created_from = from, .created_until = until, .limit = 50}, 5);
  ExpectSameSteps({.states = succeeded_, .created_from = from, .created_until = until, .limit = 50},
                  5);
  ExpectSameSteps({.labels = labels_, .created_from = from, .created_until = until, .limit = 50},
                  5);
}

TEST_F(ListStepsTest, YoungJobsAreFoundWithoutPassingTheOld) {
  for (const auto& labels : {std::map<std::string, std::string>{}, labels_}) {
    const auto newest = [&](int jobs) {
      return Steps(jobs, {.labels = labels, .created_from = At(kBegin + jobs - 10), .limit = 50},
                   10);
    };
    EXPECT_LT(newest(kMany), 2 * newest(kFew));
  }
}

}  // namespace
}  // namespace gateway::store
