#include "store_suite.h"  // first, see there

#include <gmock/gmock.h>

#include <random>

#include "base/errors.h"
#include "base/ids.h"
#include "base/limits.h"
#include "random_record.h"

namespace gateway::store {
namespace {

using jobs::JobRecord;
using jobs::SubmissionState;
namespace v1 = jobs::v1;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class JobsTest : public StoreSuite {};
INSTANTIATE_TEST_SUITE_P(Stores, JobsTest, ::testing::ValuesIn(Backends()), BackendName);

TEST_P(JobsTest, FindsByBothNamesWithinTheTenant) {
  const JobRecord record = Accepted("j1", "p1");
  ASSERT_TRUE(calls_.Adopt(record).ok());
  EXPECT_EQ(calls_.Find("acme", "j1").value(), record);
  EXPECT_EQ(calls_.Find("acme", "p1").value(), record);
  EXPECT_EQ(calls_.Find("acme", "p").value(), std::nullopt);
  EXPECT_EQ(calls_.Find("umbra", "j1").value(), std::nullopt);
  EXPECT_EQ(calls_.Find("umbra", "p1").value(), std::nullopt);
  EXPECT_EQ(calls_.FindRequest("umbra", record.job.request_id).value(), std::nullopt);
  EXPECT_EQ(calls_.FindOwner(jobs::kDefaultAccount, "p1").value(), "acme");
  EXPECT_EQ(calls_.FindOwner(jobs::kDefaultAccount, "p2").value(), std::nullopt);
}

TEST_P(JobsTest, OurIdWinsOverAnEqualPictoryId) {
  ASSERT_TRUE(calls_.Adopt(Accepted("same", "p1")).ok());
  ASSERT_TRUE(calls_.Adopt(Accepted("j2", "same")).ok());
  EXPECT_EQ(calls_.Find("acme", "same").value(), Accepted("same", "p1"));
}

TEST_P(JobsTest, TenantsMayUseTheSameIds) {
  ASSERT_TRUE(calls_.Begin(Begun("j1", "r1", "acme")).value().begun);
  ASSERT_TRUE(calls_.Begin(Begun("j1", "r1", "umbra")).value().begun);
  ASSERT_TRUE(calls_.Delete(Deleted(Begun("j1", "r1", "acme"))).ok());
  EXPECT_EQ(Stored("r1", "umbra"), Begun("j1", "r1", "umbra"));
}

TEST_P(JobsTest, InvisibleRecordsAreNeitherFoundNorListed) {
  for (const SubmissionState state :
       {SubmissionState::kIntent, SubmissionState::kSending, SubmissionState::kRejected,
        SubmissionState::kNotSent, SubmissionState::kDeleted}) {
    const std::string n = std::to_string(static_cast<int>(state));
    JobRecord record = Accepted("j" + n, "p" + n);
    record.submission = state;
    record.job.labels = {{"a", "b"}};
    ASSERT_TRUE(calls_.Adopt(record).ok());
    EXPECT_EQ(calls_.Find("acme", "j" + n).value(), std::nullopt);
    EXPECT_EQ(calls_.Find("acme", "p" + n).value(), std::nullopt);
    EXPECT_EQ(Stored(record.job.request_id), record);
  }
  EXPECT_THAT(Listed({.limit = 9}), IsEmpty());
  EXPECT_THAT(Listed({.states = {v1::JOB_STATE_QUEUED}, .limit = 9}), IsEmpty());
  EXPECT_THAT(Listed({.labels = {{"a", "b"}}, .limit = 9}), IsEmpty());
}

TEST_P(JobsTest, ListsNewestFirstInPages) {
  for (const char* id : {"b", "d", "a", "e", "c"}) {
    ASSERT_TRUE(calls_.Adopt(Accepted(id, std::string("p") + id)).ok());
  }
  ASSERT_TRUE(calls_.Adopt(Accepted("z", "other tenant", "acme2")).ok());
  ASSERT_TRUE(calls_.Adopt(Accepted("0", "another", "acm")).ok());
  EXPECT_THAT(Listed({.limit = 9}), ElementsAre("e", "d", "c", "b", "a"));
  EXPECT_THAT(Listed({.limit = 2}), ElementsAre("e", "d"));
  // What is inserted or removed between two pages moves nothing.
  ASSERT_TRUE(calls_.Adopt(Accepted("f", "pf")).ok());
  ASSERT_TRUE(calls_.Delete(Deleted(Accepted("d", "pd"))).ok());
  EXPECT_THAT(Listed({.before_job_id = "d", .limit = 2}), ElementsAre("c", "b"));
  EXPECT_THAT(Listed({.before_job_id = "b", .limit = 2}), ElementsAre("a"));
  EXPECT_THAT(Listed({.before_job_id = "a", .limit = 2}), IsEmpty());
  EXPECT_THAT(Listed({.limit = 0}), IsEmpty());
  EXPECT_THAT(Listed({.limit = -1}), IsEmpty());
}

// The id of a job that was created then: an id begins with the time.
std::string IdAt(std::int64_t seconds) { return JobIdFloor(At(seconds)) + "0123456789abcdef"; }
TEST_P(JobsTest, ListFilters) {
  const std::string a = IdAt(10);
  const std::string b = IdAt(20);
  const std::string c = IdAt(30);
  const std::string d = IdAt(40);
  const std::string e = IdAt(50);
  const auto add = [this](const std::string& id, v1::JobState state, v1::JobKind kind,
                          std::int64_t created, std::map<std::string, std::string> labels) {
    JobRecord record = Accepted(id, "p" + id);
    record.job.state = state;
    record.job.kind = kind;
    record.job.create_time = At(created);
    record.job.labels = std::move(labels);
    ASSERT_TRUE(calls_.Adopt(record).ok());
  };
  add(a, v1::JOB_STATE_SUCCEEDED, v1::JOB_KIND_RENDER, 10, {{"team", "x"}, {"env", "prod"}});
  add(b, v1::JOB_STATE_RUNNING, v1::JOB_KIND_PREVIEW, 20, {{"team", "x"}});
  add(c, v1::JOB_STATE_RUNNING, v1::JOB_KIND_RENDER, 30, {{"team", "y"}, {"env", "prod"}});
  add(d, v1::JOB_STATE_FAILED, v1::JOB_KIND_UNSPECIFIED, 40, {});
  add(e, v1::JOB_STATE_SUCCEEDED, v1::JOB_KIND_RENDER, 50, {{"team", "x"}, {"env", "prod"}});

  EXPECT_THAT(Listed({.states = {v1::JOB_STATE_RUNNING}, .limit = 9}), ElementsAre(c, b));
  EXPECT_THAT(Listed({.states = {v1::JOB_STATE_FAILED, v1::JOB_STATE_SUCCEEDED}, .limit = 9}),
              ElementsAre(e, d, a));
  EXPECT_THAT(Listed({.states = {v1::JOB_STATE_FAILED, v1::JOB_STATE_SUCCEEDED}, .limit = 2}),
              ElementsAre(e, d));
  EXPECT_THAT(Listed({.states = {v1::JOB_STATE_RUNNING, v1::JOB_STATE_RUNNING}, .limit = 9}),
              ElementsAre(c, b));
  EXPECT_THAT(Listed({.kinds = {v1::JOB_KIND_RENDER}, .limit = 9}), ElementsAre(e, c, a));
  EXPECT_THAT(Listed({.states = {v1::JOB_STATE_RUNNING},
                      .kinds = {v1::JOB_KIND_RENDER},
                      .before_job_id = e,
                      .limit = 9}),
              ElementsAre(c));
  EXPECT_THAT(Listed({.created_from = At(20), .created_until = At(40), .limit = 9}),
              ElementsAre(c, b));
  EXPECT_THAT(Listed({.kinds = {v1::JOB_KIND_RENDER}, .created_from = At(11), .limit = 9}),
              ElementsAre(e, c));
  EXPECT_THAT(Listed({.labels = {{"team", "x"}}, .limit = 2}), ElementsAre(e, b));
  EXPECT_THAT(Listed({.labels = {{"team", "x"}}, .before_job_id = e, .limit = 9}),
              ElementsAre(b, a));
  EXPECT_THAT(Listed({.labels = {{"team", "x"}, {"env", "prod"}}, .limit = 9}), ElementsAre(e, a));
  EXPECT_THAT(Listed({.states = {v1::JOB_STATE_SUCCEEDED, v1::JOB_STATE_RUNNING},
                      .kinds = {v1::JOB_KIND_RENDER},
                      .labels = {{"team", "x"}, {"env", "prod"}},
                      .created_until = At(50),
                      .limit = 9}),
              ElementsAre(a));
  EXPECT_THAT(Listed({.labels = {{"team", "z"}}, .limit = 9}), IsEmpty());
}

// The times are one within a millisecond, one before all times, and one after all of them.
TEST_P(JobsTest, ListsWithoutResultsWhatIsCounted) {
  JobRecord record = Accepted("j1", "p1");
  record.job.state = v1::JOB_STATE_SUCCEEDED;
  record.job.labels = {{"team", "x"}};
  record.job.credits_used = 2.5;
  record.credits_reserved = 4;
  record.sent_at = At(7);
  record.waiting_request = "request";
  record.job.result_wire = "result";
  record.job.archive_wire = "archive";
  ASSERT_TRUE(calls_.Adopt(record).ok());
  absl::StatusOr<std::vector<JobRecord>> listed =
      calls_.List("acme", {.limit = 9, .without_results = true});
  ASSERT_TRUE(listed.ok()) << listed.status();
  ASSERT_EQ(listed->size(), 1u);
  JobRecord& found = listed->front();
  // A store may leave them out.
  found.waiting_request = record.waiting_request;
  found.job.result_wire = record.job.result_wire;
  found.job.archive_wire = record.job.archive_wire;
  EXPECT_EQ(found, record);
}

TEST_P(JobsTest, ListsByTimesOfAnyPrecision) {
  using std::chrono::microseconds;
  JobRecord record = Accepted(IdAt(10), "p");
  record.job.create_time = At(10) + microseconds(500);
  ASSERT_TRUE(calls_.Adopt(record).ok());
  const auto listed = [this](std::optional<WallTime> from, std::optional<WallTime> until) {
    return Listed({.created_from = from, .created_until = until, .limit = 9}).size();
  };
  EXPECT_EQ(listed(At(10) + microseconds(500), At(10) + microseconds(501)), 1u);
  EXPECT_EQ(listed(At(10) + microseconds(501), std::nullopt), 0u);
  EXPECT_EQ(listed(std::nullopt, At(10) + microseconds(500)), 0u);
  EXPECT_EQ(listed(At(-62'135'596'800), At(253'402'300'799)), 1u);
  EXPECT_EQ(listed(At(253'402'300'799), std::nullopt), 0u);
  EXPECT_EQ(listed(std::nullopt, At(-62'135'596'800)), 0u);
}

TEST_P(JobsTest, ReadsPartsInChunks) {
  ASSERT_TRUE(calls_.Adopt(Accepted("j1", "p1")).ok());
  const std::string json("{\"a\":\0\"b\"}", 10);
  ASSERT_TRUE(calls_
                  .Update(Accepted("j1", "p1"),
                          {{v1::RESULT_PART_RESULT_JSON, json}, {v1::RESULT_PART_TXT, ""}})
                  .ok());
  const auto read = [this](v1::ResultPart part, std::int64_t offset, std::int64_t max) {
    auto chunk = calls_.ReadPart("acme", "j1", part, offset, max);
    EXPECT_TRUE(chunk.ok()) << chunk.status();
    return std::pair(chunk->data, chunk->total_bytes);
  };
  EXPECT_EQ(read(v1::RESULT_PART_RESULT_JSON, 0, 100), std::pair(json, std::int64_t{10}));
  EXPECT_EQ(read(v1::RESULT_PART_RESULT_JSON, 0, 4),
            std::pair(json.substr(0, 4), std::int64_t{10}));
  EXPECT_EQ(read(v1::RESULT_PART_RESULT_JSON, 4, 4),
            std::pair(json.substr(4, 4), std::int64_t{10}));
  EXPECT_EQ(read(v1::RESULT_PART_RESULT_JSON, 8, 4), std::pair(json.substr(8), std::int64_t{10}));
  EXPECT_EQ(read(v1::RESULT_PART_RESULT_JSON, 10, 4), std::pair(std::string(), std::int64_t{10}));
  EXPECT_EQ(read(v1::RESULT_PART_RESULT_JSON, INT64_MAX, INT64_MAX),
            std::pair(std::string(), std::int64_t{10}));
  EXPECT_EQ(read(v1::RESULT_PART_TXT, 0, 4), std::pair(std::string(), std::int64_t{0}));
  EXPECT_EQ(calls_.ReadPart("acme", "j1", v1::RESULT_PART_SRT, 0, 9).status().code(),
            absl::StatusCode::kNotFound);
  EXPECT_EQ(calls_.ReadPart("umbra", "j1", v1::RESULT_PART_TXT, 0, 9).status().code(),
            absl::StatusCode::kNotFound);

  // A later update replaces the parts it has and keeps the others.
  ASSERT_TRUE(calls_.Update(Accepted("j1", "p1"), {{v1::RESULT_PART_TXT, "text"}}).ok());
  EXPECT_EQ(read(v1::RESULT_PART_TXT, 1, 2), std::pair(std::string("ex"), std::int64_t{4}));
  EXPECT_EQ(read(v1::RESULT_PART_RESULT_JSON, 0, 100).first, json);
}

TEST_P(JobsTest, ReadsAPartOfManySlicesFromAnywhere) {
  ASSERT_TRUE(calls_.Adopt(Accepted("j1", "p1")).ok());
  std::string part(3 * limits::kPartSliceBytes + 77, 'a');
  std::mt19937 random(5);
  for (char& c : part) c = static_cast<char>(random());
  ASSERT_TRUE(calls_.Update(Accepted("j1", "p1"), {{v1::RESULT_PART_TXT, part}}).ok());
  const auto total = static_cast<std::int64_t>(part.size());
  for (int i = 0; i < 50; ++i) {
    const std::int64_t offset = random() % (part.size() + 10);
    const std::int64_t max = random() % (i % 2 == 0 ? 1000 : 2 * limits::kPartSliceBytes);
    const auto chunk = calls_.ReadPart("acme", "j1", v1::RESULT_PART_TXT, offset, max);
    ASSERT_TRUE(chunk.ok()) << chunk.status();
    EXPECT_EQ(chunk->total_bytes, total);
    const std::size_t from = static_cast<std::size_t>(std::min(offset, total));
    ASSERT_TRUE(chunk->data == std::string_view(part).substr(from, static_cast<std::size_t>(max)))
        << offset << " " << max;
  }
  ASSERT_TRUE(calls_.Update(Accepted("j1", "p1"), {{v1::RESULT_PART_TXT, "short"}}).ok());
  EXPECT_EQ(calls_.ReadPart("acme", "j1", v1::RESULT_PART_TXT, 0, total).value().data, "short");
}

TEST_P(JobsTest, DeleteKeepsTheRequestIdAndNothingElse) {
  JobRecord record = Accepted("j1", "p1");
  record.job.labels = {{"a", "b"}};
  ASSERT_TRUE(calls_.Adopt(record).ok());
  ASSERT_TRUE(calls_.Update(record, {{v1::RESULT_PART_TXT, "t"}}).ok());
  const JobRecord tombstone = Deleted(record);
  EXPECT_EQ(calls_.Delete(Deleted(Accepted("j1", "p1", "umbra"))).code(),
            absl::StatusCode::kNotFound);
  EXPECT_TRUE(calls_.Find("acme", "j1").value().has_value());
  ASSERT_TRUE(calls_.Delete(tombstone).ok());
  EXPECT_EQ(calls_.Find("acme", "j1").value(), std::nullopt);
  EXPECT_EQ(calls_.Find("acme", "p1").value(), std::nullopt);
  EXPECT_THAT(Listed({.limit = 9}), IsEmpty());
  EXPECT_THAT(Listed({.labels = {{"a", "b"}}, .limit = 9}), IsEmpty());
  EXPECT_FALSE(calls_.ReadPart("acme", "j1", v1::RESULT_PART_TXT, 0, 9).ok());
  EXPECT_EQ(Stored(record.job.request_id), tombstone);
  const auto again = calls_.Begin(Begun("j2", record.job.request_id));
  EXPECT_FALSE(again->begun);
  EXPECT_EQ(again->record, tombstone);
}

TEST_P(JobsTest, PruneForgetsWhatIsOldAndNeverWhatIsOpen) {
  const auto put = [this](const std::string& id, SubmissionState submission,
                          std::optional<std::int64_t> finished, std::int64_t updated) {
    JobRecord record = Accepted(id, "p" + id);
    record.submission = submission;
    record.job.update_time = At(updated);
    record.job.labels = {{"of", id}};
    if (finished.has_value()) record.job.finish_time = At(*finished);
    ASSERT_TRUE(calls_.Adopt(record).ok());
    ASSERT_TRUE(calls_.Update(record, {{v1::RESULT_PART_TXT, "t"}}).ok());
  };
  put("done-old", SubmissionState::kAccepted, 50, 500);
  put("done-older", SubmissionState::kAbandoned, 40, 500);
  put("done-new", SubmissionState::kAccepted, 100, 10);
  put("open", SubmissionState::kAccepted, std::nullopt, 10);
  put("in-doubt", SubmissionState::kUnknown, std::nullopt, 10);
  put("intent", SubmissionState::kIntent, std::nullopt, 10);
  put("sending", SubmissionState::kSending, std::nullopt, 10);
  put("refused", SubmissionState::kRejected, std::nullopt, 190);
  put("unsent", SubmissionState::kNotSent, std::nullopt, 200);
  put("deleted", SubmissionState::kDeleted, 10, 180);
  const jobs::PruneQuery query{.finished_before = At(100), .untouched_since = At(200), .limit = 3};
  const auto ids = [&] {
    std::vector<std::string> found;
    const auto pruned = calls_.Prune(query);
    EXPECT_TRUE(pruned.ok()) << pruned.status();
    for (const jobs::JobKey& key : *pruned) {
      EXPECT_EQ(key.tenant, "acme");
      found.push_back(key.id);
    }
    return found;
  };
  EXPECT_THAT(ids(), ElementsAre("done-older", "done-old", "deleted"));
  EXPECT_THAT(ids(), ElementsAre("refused"));
  EXPECT_THAT(ids(), IsEmpty());
  EXPECT_THAT(Listed({.limit = 9}), ElementsAre("open", "in-doubt", "done-new"));
  EXPECT_THAT(Listed({.labels = {{"of", "done-old"}}, .limit = 9}), IsEmpty());
  EXPECT_FALSE(calls_.ReadPart("acme", "done-old", v1::RESULT_PART_TXT, 0, 9).ok());
  EXPECT_EQ(calls_.FindRequest("acme", "request-of-deleted").value(), std::nullopt);
  EXPECT_EQ(calls_.FindOwner(jobs::kDefaultAccount, "pdone-old").value(), std::nullopt);
  EXPECT_TRUE(calls_.Begin(Begun("new", "request-of-done-old")).value().begun)
      << "its names are free again";
}

}  // namespace
}  // namespace gateway::store
