// What every JobStore does, whatever it keeps jobs in. A backend runs it with
//   INSTANTIATE_TYPED_TEST_SUITE_P(Name, JobStoreTest, Backend);
// where Backend is default-constructible and Open() gives an empty store.
#pragma once

#include "store_calls.h"  // first, see there

#include <gmock/gmock.h>

#include <atomic>
#include <random>
#include <thread>

#include "base/errors.h"
#include "base/ids.h"
#include "base/limits.h"
#include "random_record.h"

namespace gateway::store {

using jobs::BeginResult;
using jobs::JobRecord;
using jobs::ListQuery;
using jobs::SubmissionState;
namespace v1 = jobs::v1;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

template <class Backend>
class JobStoreTest : public ::testing::Test {
 protected:
  Backend backend_;
  std::unique_ptr<jobs::JobStore> store_ = backend_.Open();
  StoreCalls calls_{*store_};

  std::vector<std::string> Listed(ListQuery query, const std::string& tenant = "acme") {
    auto page = calls_.List(tenant, std::move(query));
    EXPECT_TRUE(page.ok()) << page.status();
    return page.ok() ? Ids(*page) : std::vector<std::string>{};
  }
  JobRecord Stored(const std::string& request_id, const std::string& tenant = "acme") {
    auto found = calls_.FindRequest(tenant, request_id);
    EXPECT_TRUE(found.ok() && found->has_value()) << found.status();
    return found.ok() && found->has_value() ? **found : JobRecord{};
  }
};

TYPED_TEST_SUITE_P(JobStoreTest);

TYPED_TEST_P(JobStoreTest, BeginsANewRequest) {
  const JobRecord record = Begun("j1", "r1");
  auto begun = this->calls_.Begin(record);
  ASSERT_TRUE(begun.ok()) << begun.status();
  EXPECT_TRUE(begun->begun);
  EXPECT_EQ(begun->record, record);
  EXPECT_EQ(this->Stored("r1"), record);
}

// Of two who have read the same version only the first is stored.
TYPED_TEST_P(JobStoreTest, AWriteNamesTheVersionThatItChanges) {
  jobs::JobRecord record = Accepted("j1", "p1");
  ASSERT_TRUE(this->calls_.Adopt(record).ok());
  ASSERT_EQ(this->calls_.VersionOf(record), 1);
  record.version = 1;
  record.job.message = "first";
  const std::string large(2 * limits::kStoreGroupMaxBytes, 'x');  // written in pieces
  ASSERT_TRUE(this->calls_.UpdateVersion(record, {{jobs::v1::RESULT_PART_TXT, large}}).ok());
  ASSERT_EQ(this->calls_.VersionOf(record), 2);
  for (const std::string& part :
       {std::string("late"), std::string(2 * limits::kStoreGroupMaxBytes, 'y')}) {
    for (const std::int64_t version : {0, 1, 3}) {
      record.version = version;
      record.job.message = "second";
      EXPECT_TRUE(
          absl::IsAborted(this->calls_.UpdateVersion(record, {{jobs::v1::RESULT_PART_TXT, part}})));
      EXPECT_TRUE(absl::IsAborted(this->calls_.BuryVersion(record)));
    }
  }
  EXPECT_EQ(this->Stored(record.job.request_id).job.message, "first");
  EXPECT_EQ(this->calls_.ReadPart("acme", "j1", jobs::v1::RESULT_PART_TXT, 0, 1)->data, "x");
  record.version = 2;
  EXPECT_TRUE(this->calls_.BuryVersion(record).ok());
  EXPECT_EQ(this->calls_.VersionOf(record), 3);
}

TYPED_TEST_P(JobStoreTest, ARequestThatIsBegunAgainHasTheNextVersion) {
  jobs::JobRecord record = Begun("j1", "r1");
  ASSERT_TRUE(this->calls_.Begin(record).ok());
  record.submission = SubmissionState::kNotSent;
  ASSERT_TRUE(this->calls_.Update(record).ok());
  record.submission = SubmissionState::kIntent;
  ASSERT_TRUE(this->calls_.Begin(record)->begun);
  EXPECT_EQ(this->calls_.VersionOf(record), 3);
  ASSERT_TRUE(this->store_->Recover(At(2000)).ok());
  EXPECT_EQ(this->calls_.VersionOf(record), 4) << "a restart changes it";
}

TYPED_TEST_P(JobStoreTest, AKnownRequestIsHandedBackInEverySubmissionState) {
  for (int state = 1; state <= 7; ++state) {
    const std::string n = std::to_string(state);
    JobRecord known = Begun("j" + n, "r" + n);
    known.submission = static_cast<SubmissionState>(state);
    known.refusal = "why";
    ASSERT_TRUE(this->calls_.Adopt(known).ok());
    JobRecord again = Begun("other" + n, "r" + n);
    auto begun = this->calls_.Begin(again);
    ASSERT_TRUE(begun.ok()) << begun.status();
    EXPECT_EQ(begun->begun, known.submission == SubmissionState::kNotSent) << n;
    if (!begun->begun) {
      EXPECT_EQ(begun->record, known) << n;
    }
    EXPECT_EQ(this->Stored("r" + n), begun->record) << n;
  }
}

TYPED_TEST_P(JobStoreTest, AnUnsentRequestBeginsAgainUnderItsFirstJobId) {
  JobRecord first = Begun("j1", "r1");
  first.submission = SubmissionState::kNotSent;
  first.attempt = 3;
  first.job.labels = {{"old", "label"}};
  ASSERT_TRUE(this->calls_.Adopt(first).ok());

  JobRecord second = Begun("j2", "r1");
  second.job.create_time = At(2000);
  second.owner_epoch = 9;
  second.correlation_token = "token";
  second.job.labels = {{"new", "label"}};
  auto begun = this->calls_.Begin(second);
  ASSERT_TRUE(begun.ok()) << begun.status();
  ASSERT_TRUE(begun->begun);

  JobRecord expected = second;
  expected.job.job_id = "j1";
  expected.job.create_time = first.job.create_time;
  expected.attempt = 4;
  EXPECT_EQ(begun->record, expected);
  EXPECT_EQ(this->Stored("r1"), expected);

  expected.submission = SubmissionState::kAccepted;
  ASSERT_TRUE(this->calls_.Update(expected).ok());
  EXPECT_THAT(this->Listed({.labels = {{"new", "label"}}, .limit = 9}), ElementsAre("j1"));
  EXPECT_THAT(this->Listed({.labels = {{"old", "label"}}, .limit = 9}), IsEmpty());
}

TYPED_TEST_P(JobStoreTest, AnUnsentRequestWithAnotherFingerprintDoesNotBegin) {
  JobRecord known = Begun("j1", "r1");
  known.submission = SubmissionState::kNotSent;
  ASSERT_TRUE(this->calls_.Adopt(known).ok());
  JobRecord other = Begun("j2", "r1");
  other.fingerprint = std::string(32, 'g');
  auto begun = this->calls_.Begin(other);
  ASSERT_TRUE(begun.ok()) << begun.status();
  EXPECT_FALSE(begun->begun);
  EXPECT_EQ(begun->record, known);
}

TYPED_TEST_P(JobStoreTest, BeginRefusesAJobIdOfAnotherRequest) {
  ASSERT_TRUE(this->calls_.Begin(Begun("j1", "r1")).ok());
  EXPECT_EQ(this->calls_.Begin(Begun("j1", "r2")).status().code(),
            absl::StatusCode::kAlreadyExists);
  EXPECT_EQ(this->calls_.FindRequest("acme", "r2").value(), std::nullopt);
}

TYPED_TEST_P(JobStoreTest, OneRequestIdFromManyThreadsBeginsOnce) {
  std::atomic<int> begun{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 16; ++i) {
    threads.emplace_back([&, i] {
      auto result = StoreCalls(*this->store_).Begin(Begun("j" + std::to_string(i), "r1"));
      ASSERT_TRUE(result.ok()) << result.status();
      if (result->begun) ++begun;
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(begun, 1);
}

TYPED_TEST_P(JobStoreTest, UpdateReplacesTheRecord) {
  JobRecord record = Accepted("j1", "p1");
  ASSERT_TRUE(this->calls_.Adopt(record).ok());
  record.job.state = v1::JOB_STATE_SUCCEEDED;
  record.job.revision = 2;
  record.job.finish_time = At(5);
  record.job.result_wire = "wire";
  ASSERT_TRUE(this->calls_.Update(record).ok());
  EXPECT_EQ(this->calls_.Find("acme", "j1").value(), record);
}

TYPED_TEST_P(JobStoreTest, UpdateOfAnUnknownJobIsNotFound) {
  EXPECT_EQ(this->calls_.Update(Accepted("j1", "p1"), {{v1::RESULT_PART_TXT, "t"}}).code(),
            absl::StatusCode::kNotFound);
  ASSERT_TRUE(this->calls_.Adopt(Accepted("j1", "p1")).ok());
  EXPECT_EQ(this->calls_.Update(Accepted("j1", "p1", "umbra")).code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(this->calls_.ReadPart("acme", "j1", v1::RESULT_PART_TXT, 0, 9).status().code(),
            absl::StatusCode::kNotFound);
}

TYPED_TEST_P(JobStoreTest, UpdateNeverTakesAPictoryIdFromAnotherJob) {
  ASSERT_TRUE(this->calls_.Adopt(Accepted("j1", "p1")).ok());
  ASSERT_TRUE(this->calls_.Adopt(Accepted("j2", "", "umbra")).ok());
  JobRecord thief = Accepted("j2", "p1", "umbra");
  thief.job.labels = {{"a", "b"}};
  EXPECT_EQ(this->calls_.Update(thief, {{v1::RESULT_PART_TXT, "t"}}).code(),
            absl::StatusCode::kAlreadyExists);
  EXPECT_EQ(this->calls_.Find("umbra", "j2").value(), Accepted("j2", "", "umbra"));
  EXPECT_EQ(this->calls_.FindOwner("p1").value(), "acme");
  EXPECT_FALSE(this->calls_.ReadPart("umbra", "j2", v1::RESULT_PART_TXT, 0, 9).ok());
  EXPECT_THAT(this->Listed({.labels = {{"a", "b"}}, .limit = 9}, "umbra"), IsEmpty());
}

TYPED_TEST_P(JobStoreTest, UpdateFreesThePictoryIdItNoLongerHas) {
  ASSERT_TRUE(this->calls_.Adopt(Accepted("j1", "p1")).ok());
  ASSERT_TRUE(this->calls_.Update(Accepted("j1", "p2")).ok());
  EXPECT_EQ(this->calls_.FindOwner("p1").value(), std::nullopt);
  EXPECT_TRUE(this->calls_.Adopt(Accepted("j2", "p1", "umbra")).ok());
}

TYPED_TEST_P(JobStoreTest, AdoptRefusesKnownNames) {
  ASSERT_TRUE(this->calls_.Adopt(Accepted("j1", "p1")).ok());
  EXPECT_EQ(this->calls_.Adopt(Accepted("j1", "p2")).code(), absl::StatusCode::kAlreadyExists);
  EXPECT_EQ(this->calls_.Adopt(Accepted("j2", "p1")).code(), absl::StatusCode::kAlreadyExists);
  EXPECT_EQ(this->calls_.Adopt(Accepted("j2", "p1", "umbra")).code(),
            absl::StatusCode::kAlreadyExists);
  EXPECT_EQ(this->calls_.Find("acme", "j2").value(), std::nullopt);
}

TYPED_TEST_P(JobStoreTest, ManyJobsMayHaveNoRequestIdAndNoPictoryId) {
  for (const char* id : {"j1", "j2"}) {
    JobRecord record = Accepted(id, "");
    record.job.request_id.clear();
    ASSERT_TRUE(this->calls_.Adopt(record).ok());
  }
  EXPECT_EQ(this->calls_.FindRequest("acme", "").value(), std::nullopt);
  EXPECT_EQ(this->calls_.FindOwner("").value(), std::nullopt);
  EXPECT_EQ(this->calls_.Find("acme", "").value(), std::nullopt);
}

TYPED_TEST_P(JobStoreTest, FindsByBothNamesWithinTheTenant) {
  const JobRecord record = Accepted("j1", "p1");
  ASSERT_TRUE(this->calls_.Adopt(record).ok());
  EXPECT_EQ(this->calls_.Find("acme", "j1").value(), record);
  EXPECT_EQ(this->calls_.Find("acme", "p1").value(), record);
  EXPECT_EQ(this->calls_.Find("acme", "p").value(), std::nullopt);
  EXPECT_EQ(this->calls_.Find("umbra", "j1").value(), std::nullopt);
  EXPECT_EQ(this->calls_.Find("umbra", "p1").value(), std::nullopt);
  EXPECT_EQ(this->calls_.FindRequest("umbra", record.job.request_id).value(), std::nullopt);
  EXPECT_EQ(this->calls_.FindOwner("p1").value(), "acme");
  EXPECT_EQ(this->calls_.FindOwner("p2").value(), std::nullopt);
}

TYPED_TEST_P(JobStoreTest, OurIdWinsOverAnEqualPictoryId) {
  ASSERT_TRUE(this->calls_.Adopt(Accepted("same", "p1")).ok());
  ASSERT_TRUE(this->calls_.Adopt(Accepted("j2", "same")).ok());
  EXPECT_EQ(this->calls_.Find("acme", "same").value(), Accepted("same", "p1"));
}

TYPED_TEST_P(JobStoreTest, TenantsMayUseTheSameIds) {
  ASSERT_TRUE(this->calls_.Begin(Begun("j1", "r1", "acme")).value().begun);
  ASSERT_TRUE(this->calls_.Begin(Begun("j1", "r1", "umbra")).value().begun);
  ASSERT_TRUE(this->calls_.Bury(Deleted(Begun("j1", "r1", "acme"))).ok());
  EXPECT_EQ(this->Stored("r1", "umbra"), Begun("j1", "r1", "umbra"));
}

TYPED_TEST_P(JobStoreTest, InvisibleRecordsAreNeitherFoundNorListed) {
  for (const SubmissionState state :
       {SubmissionState::kIntent, SubmissionState::kSending, SubmissionState::kRejected,
        SubmissionState::kNotSent, SubmissionState::kDeleted}) {
    const std::string n = std::to_string(static_cast<int>(state));
    JobRecord record = Accepted("j" + n, "p" + n);
    record.submission = state;
    record.job.labels = {{"a", "b"}};
    ASSERT_TRUE(this->calls_.Adopt(record).ok());
    EXPECT_EQ(this->calls_.Find("acme", "j" + n).value(), std::nullopt);
    EXPECT_EQ(this->calls_.Find("acme", "p" + n).value(), std::nullopt);
    EXPECT_EQ(this->Stored(record.job.request_id), record);
  }
  EXPECT_THAT(this->Listed({.limit = 9}), IsEmpty());
  EXPECT_THAT(this->Listed({.states = {v1::JOB_STATE_QUEUED}, .limit = 9}), IsEmpty());
  EXPECT_THAT(this->Listed({.labels = {{"a", "b"}}, .limit = 9}), IsEmpty());
}

TYPED_TEST_P(JobStoreTest, ListsNewestFirstInPages) {
  for (const char* id : {"b", "d", "a", "e", "c"}) {
    ASSERT_TRUE(this->calls_.Adopt(Accepted(id, std::string("p") + id)).ok());
  }
  ASSERT_TRUE(this->calls_.Adopt(Accepted("z", "other tenant", "acme2")).ok());
  ASSERT_TRUE(this->calls_.Adopt(Accepted("0", "another", "acm")).ok());
  EXPECT_THAT(this->Listed({.limit = 9}), ElementsAre("e", "d", "c", "b", "a"));
  EXPECT_THAT(this->Listed({.limit = 2}), ElementsAre("e", "d"));
  // What is inserted or removed between two pages moves nothing.
  ASSERT_TRUE(this->calls_.Adopt(Accepted("f", "pf")).ok());
  ASSERT_TRUE(this->calls_.Bury(Deleted(Accepted("d", "pd"))).ok());
  EXPECT_THAT(this->Listed({.before_job_id = "d", .limit = 2}), ElementsAre("c", "b"));
  EXPECT_THAT(this->Listed({.before_job_id = "b", .limit = 2}), ElementsAre("a"));
  EXPECT_THAT(this->Listed({.before_job_id = "a", .limit = 2}), IsEmpty());
  EXPECT_THAT(this->Listed({.limit = 0}), IsEmpty());
  EXPECT_THAT(this->Listed({.limit = -1}), IsEmpty());
}

// A job created then: its id begins with the time, as that of every job does.
inline std::string IdAt(std::int64_t seconds) {
  return JobIdFloor(At(seconds)) + "0123456789abcdef";
}

TYPED_TEST_P(JobStoreTest, ListFilters) {
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
    ASSERT_TRUE(this->calls_.Adopt(record).ok());
  };
  add(a, v1::JOB_STATE_SUCCEEDED, v1::JOB_KIND_RENDER, 10, {{"team", "x"}, {"env", "prod"}});
  add(b, v1::JOB_STATE_RUNNING, v1::JOB_KIND_PREVIEW, 20, {{"team", "x"}});
  add(c, v1::JOB_STATE_RUNNING, v1::JOB_KIND_RENDER, 30, {{"team", "y"}, {"env", "prod"}});
  add(d, v1::JOB_STATE_FAILED, v1::JOB_KIND_UNSPECIFIED, 40, {});
  add(e, v1::JOB_STATE_SUCCEEDED, v1::JOB_KIND_RENDER, 50, {{"team", "x"}, {"env", "prod"}});

  EXPECT_THAT(this->Listed({.states = {v1::JOB_STATE_RUNNING}, .limit = 9}), ElementsAre(c, b));
  EXPECT_THAT(this->Listed({.states = {v1::JOB_STATE_FAILED, v1::JOB_STATE_SUCCEEDED}, .limit = 9}),
              ElementsAre(e, d, a));
  EXPECT_THAT(this->Listed({.states = {v1::JOB_STATE_FAILED, v1::JOB_STATE_SUCCEEDED}, .limit = 2}),
              ElementsAre(e, d));
  EXPECT_THAT(this->Listed({.states = {v1::JOB_STATE_RUNNING, v1::JOB_STATE_RUNNING}, .limit = 9}),
              ElementsAre(c, b));
  EXPECT_THAT(this->Listed({.kinds = {v1::JOB_KIND_RENDER}, .limit = 9}), ElementsAre(e, c, a));
  EXPECT_THAT(this->Listed({.states = {v1::JOB_STATE_RUNNING},
                            .kinds = {v1::JOB_KIND_RENDER},
                            .before_job_id = e,
                            .limit = 9}),
              ElementsAre(c));
  EXPECT_THAT(this->Listed({.created_from = At(20), .created_until = At(40), .limit = 9}),
              ElementsAre(c, b));
  EXPECT_THAT(this->Listed({.kinds = {v1::JOB_KIND_RENDER}, .created_from = At(11), .limit = 9}),
              ElementsAre(e, c));
  EXPECT_THAT(this->Listed({.labels = {{"team", "x"}}, .limit = 2}), ElementsAre(e, b));
  EXPECT_THAT(this->Listed({.labels = {{"team", "x"}}, .before_job_id = e, .limit = 9}),
              ElementsAre(b, a));
  EXPECT_THAT(this->Listed({.labels = {{"team", "x"}, {"env", "prod"}}, .limit = 9}),
              ElementsAre(e, a));
  EXPECT_THAT(this->Listed({.states = {v1::JOB_STATE_SUCCEEDED, v1::JOB_STATE_RUNNING},
                            .kinds = {v1::JOB_KIND_RENDER},
                            .labels = {{"team", "x"}, {"env", "prod"}},
                            .created_until = At(50),
                            .limit = 9}),
              ElementsAre(a));
  EXPECT_THAT(this->Listed({.labels = {{"team", "z"}}, .limit = 9}), IsEmpty());
}

// A time within a millisecond, before all times, and after all of them.
TYPED_TEST_P(JobStoreTest, ListsByTimesOfAnyPrecision) {
  using std::chrono::microseconds;
  JobRecord record = Accepted(IdAt(10), "p");
  record.job.create_time = At(10) + microseconds(500);
  ASSERT_TRUE(this->calls_.Adopt(record).ok());
  const auto listed = [this](std::optional<WallTime> from, std::optional<WallTime> until) {
    return this->Listed({.created_from = from, .created_until = until, .limit = 9}).size();
  };
  EXPECT_EQ(listed(At(10) + microseconds(500), At(10) + microseconds(501)), 1u);
  EXPECT_EQ(listed(At(10) + microseconds(501), std::nullopt), 0u);
  EXPECT_EQ(listed(std::nullopt, At(10) + microseconds(500)), 0u);
  EXPECT_EQ(listed(At(-62'135'596'800), At(253'402'300'799)), 1u);
  EXPECT_EQ(listed(At(253'402'300'799), std::nullopt), 0u);
  EXPECT_EQ(listed(std::nullopt, At(-62'135'596'800)), 0u);
}

TYPED_TEST_P(JobStoreTest, ReadsPartsInChunks) {
  ASSERT_TRUE(this->calls_.Adopt(Accepted("j1", "p1")).ok());
  const std::string json("{\"a\":\0\"b\"}", 10);
  ASSERT_TRUE(this->calls_
                  .Update(Accepted("j1", "p1"),
                          {{v1::RESULT_PART_RESULT_JSON, json}, {v1::RESULT_PART_TXT, ""}})
                  .ok());
  const auto read = [this](v1::ResultPart part, std::int64_t offset, std::int64_t max) {
    auto chunk = this->calls_.ReadPart("acme", "j1", part, offset, max);
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
  EXPECT_EQ(this->calls_.ReadPart("acme", "j1", v1::RESULT_PART_SRT, 0, 9).status().code(),
            absl::StatusCode::kNotFound);
  EXPECT_EQ(this->calls_.ReadPart("umbra", "j1", v1::RESULT_PART_TXT, 0, 9).status().code(),
            absl::StatusCode::kNotFound);

  // A later update replaces the parts it has and keeps the others.
  ASSERT_TRUE(this->calls_.Update(Accepted("j1", "p1"), {{v1::RESULT_PART_TXT, "text"}}).ok());
  EXPECT_EQ(read(v1::RESULT_PART_TXT, 1, 2), std::pair(std::string("ex"), std::int64_t{4}));
  EXPECT_EQ(read(v1::RESULT_PART_RESULT_JSON, 0, 100).first, json);
}

TYPED_TEST_P(JobStoreTest, ReadsAPartOfManySlicesFromAnywhere) {
  ASSERT_TRUE(this->calls_.Adopt(Accepted("j1", "p1")).ok());
  std::string part(3 * limits::kPartSliceBytes + 77, 'a');
  std::mt19937 random(5);
  for (char& c : part) c = static_cast<char>(random());
  ASSERT_TRUE(this->calls_.Update(Accepted("j1", "p1"), {{v1::RESULT_PART_TXT, part}}).ok());
  const auto total = static_cast<std::int64_t>(part.size());
  for (int i = 0; i < 50; ++i) {
    const std::int64_t offset = random() % (part.size() + 10);
    const std::int64_t max = random() % (i % 2 == 0 ? 1000 : 2 * limits::kPartSliceBytes);
    const auto chunk = this->calls_.ReadPart("acme", "j1", v1::RESULT_PART_TXT, offset, max);
    ASSERT_TRUE(chunk.ok()) << chunk.status();
    EXPECT_EQ(chunk->total_bytes, total);
    const std::size_t from = static_cast<std::size_t>(std::min(offset, total));
    ASSERT_TRUE(chunk->data == std::string_view(part).substr(from, static_cast<std::size_t>(max)))
        << offset << " " << max;
  }
  ASSERT_TRUE(this->calls_.Update(Accepted("j1", "p1"), {{v1::RESULT_PART_TXT, "short"}}).ok());
  EXPECT_EQ(this->calls_.ReadPart("acme", "j1", v1::RESULT_PART_TXT, 0, total).value().data,
            "short");
}

TYPED_TEST_P(JobStoreTest, BuryKeepsTheRequestIdAndNothingElse) {
  JobRecord record = Accepted("j1", "p1");
  record.job.labels = {{"a", "b"}};
  ASSERT_TRUE(this->calls_.Adopt(record).ok());
  ASSERT_TRUE(this->calls_.Update(record, {{v1::RESULT_PART_TXT, "t"}}).ok());
  const JobRecord tombstone = Deleted(record);
  EXPECT_EQ(this->calls_.Bury(Deleted(Accepted("j1", "p1", "umbra"))).code(),
            absl::StatusCode::kNotFound);
  EXPECT_TRUE(this->calls_.Find("acme", "j1").value().has_value());
  ASSERT_TRUE(this->calls_.Bury(tombstone).ok());
  EXPECT_EQ(this->calls_.Find("acme", "j1").value(), std::nullopt);
  EXPECT_EQ(this->calls_.Find("acme", "p1").value(), std::nullopt);
  EXPECT_THAT(this->Listed({.limit = 9}), IsEmpty());
  EXPECT_THAT(this->Listed({.labels = {{"a", "b"}}, .limit = 9}), IsEmpty());
  EXPECT_FALSE(this->calls_.ReadPart("acme", "j1", v1::RESULT_PART_TXT, 0, 9).ok());
  EXPECT_EQ(this->Stored(record.job.request_id), tombstone);
  const auto again = this->calls_.Begin(Begun("j2", record.job.request_id));
  EXPECT_FALSE(again->begun);
  EXPECT_EQ(again->record, tombstone);
}

TYPED_TEST_P(JobStoreTest, PruneForgetsWhatIsOldAndNeverWhatIsOpen) {
  const auto put = [this](const std::string& id, SubmissionState submission,
                          std::optional<std::int64_t> finished, std::int64_t updated) {
    JobRecord record = Accepted(id, "p" + id);
    record.submission = submission;
    record.job.update_time = At(updated);
    record.job.labels = {{"of", id}};
    if (finished.has_value()) record.job.finish_time = At(*finished);
    ASSERT_TRUE(this->calls_.Adopt(record).ok());
    ASSERT_TRUE(this->calls_.Update(record, {{v1::RESULT_PART_TXT, "t"}}).ok());
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
    const auto pruned = this->calls_.Prune(query);
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
  EXPECT_THAT(this->Listed({.limit = 9}), ElementsAre("open", "in-doubt", "done-new"));
  EXPECT_THAT(this->Listed({.labels = {{"of", "done-old"}}, .limit = 9}), IsEmpty());
  EXPECT_FALSE(this->calls_.ReadPart("acme", "done-old", v1::RESULT_PART_TXT, 0, 9).ok());
  EXPECT_EQ(this->calls_.FindRequest("acme", "request-of-deleted").value(), std::nullopt);
  EXPECT_EQ(this->calls_.FindOwner("pdone-old").value(), std::nullopt);
  EXPECT_TRUE(this->calls_.Begin(Begun("new", "request-of-done-old")).value().begun)
      << "its names are free again";
}

TYPED_TEST_P(JobStoreTest, ATokenFindsTheSubmissionThatHasNotEnded) {
  const std::string token(32, 'a');
  JobRecord record = Accepted("j1", "");
  record.correlation_token = token;
  record.submission = SubmissionState::kUnknown;
  ASSERT_TRUE(this->calls_.Adopt(record).ok());
  JobRecord other = Accepted("j2", "p2");
  other.correlation_token = std::string(31, 'a') + "b";
  ASSERT_TRUE(this->calls_.Adopt(other).ok());
  ASSERT_TRUE(this->calls_.Adopt(Accepted("j3", "p3")).ok()) << "without a token";
  EXPECT_EQ(this->calls_.FindToken(token).value(), record);
  EXPECT_EQ(this->calls_.FindToken(other.correlation_token).value(), other);
  EXPECT_EQ(this->calls_.FindToken(token.substr(1)).value(), std::nullopt);
  EXPECT_EQ(this->calls_.FindToken("").value(), std::nullopt);
  record.submission = SubmissionState::kSending;
  ASSERT_TRUE(this->calls_.Update(record).ok());
  EXPECT_EQ(this->calls_.FindToken(token).value(), record) << "not seen by callers, yet there";
  record.job.finish_time = At(9);
  ASSERT_TRUE(this->calls_.Update(record).ok());
  EXPECT_EQ(this->calls_.FindToken(token).value(), std::nullopt);
}

TYPED_TEST_P(JobStoreTest, ARetryWithoutAKeyIsFoundByItsContent) {
  const auto put = [this](const std::string& id, std::int64_t created, const std::string& mesh,
                          bool minted = true, char content = 'f') {
    JobRecord record = Begun(id, "r-" + id);
    record.job.create_time = At(created);
    record.mesh_request_id = mesh;
    record.minted_request_id = minted;
    record.fingerprint = std::string(32, content);
    ASSERT_TRUE(this->calls_.Adopt(record).ok());
  };
  using jobs::RetryEvidence;
  const auto find = [this](const RetryEvidence& evidence, std::int64_t since = 0,
                           const std::string& tenant = "acme") {
    const auto found = this->calls_.FindUnkeyed(tenant, std::string(32, 'f'), evidence, At(since));
    EXPECT_TRUE(found.ok()) << found.status();
    return found.ok() && found->has_value() ? (*found)->job.job_id : std::string();
  };
  const auto mesh = [](const std::string& id, bool counts = false) {
    return RetryEvidence{.by_library = false, .by_mesh = counts, .mesh_request_id = id};
  };
  const RetryEvidence library{.by_library = true, .by_mesh = false, .mesh_request_id = ""};
  EXPECT_EQ(find(library), "");
  put("old", 100, "x-1");
  put("new", 200, "x-2");
  put("keyed", 300, "", false);
  put("other", 300, "", true, 'g');
  EXPECT_EQ(find(library), "new");
  EXPECT_EQ(find(library, 200), "new");
  EXPECT_EQ(find(library, 201), "");
  EXPECT_EQ(find(library, 0, "umbra"), "");
  EXPECT_EQ(find(RetryEvidence{}), "") << "that is no sign of a repetition";
  EXPECT_EQ(find(mesh("x-2")), "new");
  EXPECT_EQ(find(mesh("x-1")), "old") << "whether or not it is counted";
  EXPECT_EQ(find(mesh("x-1", true)), "old");
  EXPECT_EQ(find(mesh("x-1"), 101), "");
  EXPECT_EQ(find(mesh("x-3")), "");
  EXPECT_EQ(find(mesh("x-3", true)), "") << "two different ids tell calls of a mesh apart";
  EXPECT_EQ(find(mesh("", true)), "new");
  EXPECT_EQ(find({.by_library = true, .by_mesh = true, .mesh_request_id = "x-1"}), "new")
      << "a library's attempts have ids of their own";
  put("no-mesh-id", 150, "");
  EXPECT_EQ(find(mesh("x-3", true)), "no-mesh-id");
  EXPECT_EQ(find(mesh("x-1", true)), "old") << "the one with that id before any other";
  EXPECT_EQ(find(mesh("x-3")), "");
}

TYPED_TEST_P(JobStoreTest, AnOwedAnswerIsClaimedOnceAtATime) {
  JobRecord record = Accepted("j1", "p1");
  record.minted_request_id = true;
  ASSERT_TRUE(this->calls_.Adopt(record).ok());
  EXPECT_FALSE(this->calls_.Claim("acme", "j2", 0).value());
  EXPECT_FALSE(this->calls_.Claim("umbra", "j1", 0).value());
  EXPECT_FALSE(this->calls_.Claim("acme", "j1", 1).value());
  EXPECT_TRUE(this->calls_.Claim("acme", "j1", 0).value());
  EXPECT_FALSE(this->calls_.Claim("acme", "j1", 0).value()) << "somebody was faster";
  ASSERT_TRUE(this->calls_.Update(record).ok());
  EXPECT_TRUE(this->calls_.Claim("acme", "j1", 1).value()) << "other changes leave the count alone";
  record.submission = SubmissionState::kAbandoned;
  ASSERT_TRUE(this->calls_.Update(record).ok());
  EXPECT_FALSE(this->calls_.Claim("acme", "j1", 2).value());
  record.submission = SubmissionState::kUnknown;
  record.delivery = jobs::Delivery::kArrived;
  ASSERT_TRUE(this->calls_.Update(record).ok());
  EXPECT_FALSE(this->calls_.Claim("acme", "j1", 2).value());
}

TYPED_TEST_P(JobStoreTest, WhatIsOwedAfterAnEndDependsOnHowItCame) {
  using std::chrono::minutes;
  const WallTime now = At(1'000'000);
  const auto put = [&](const std::string& id, std::int64_t epoch, Duration ago,
                       SubmissionState state = SubmissionState::kAccepted, bool minted = true,
                       jobs::Delivery delivery = jobs::Delivery::kUnsaid) {
    JobRecord record = Begun(id, "r-" + id);
    record.submission = state;
    record.minted_request_id = minted;
    record.owner_epoch = epoch;
    record.sent_at = now - std::chrono::duration_cast<WallTime::duration>(ago);
    record.delivery = delivery;
    ASSERT_TRUE(this->calls_.Adopt(record).ok());
  };
  const auto owed = [&](WallTime when) {
    std::vector<std::string> ids;
    const auto recovered = this->store_->Recover(when);
    EXPECT_TRUE(recovered.ok());
    for (const jobs::OwedJob& job : recovered->owed) {
      ids.push_back(job.job_id);
      EXPECT_EQ(job.request_id, "r-" + job.job_id);
      EXPECT_EQ(job.tenant, "acme");
      EXPECT_FALSE(job.fingerprint.empty());
    }
    return ids;
  };
  std::int64_t first = this->store_->Recover(now)->epoch;
  put("young", first, minutes(1));
  put("sending", first, minutes(2), SubmissionState::kSending);
  put("unknown", first, minutes(3), SubmissionState::kUnknown);
  put("keyed", first, minutes(1), SubmissionState::kAccepted, false);
  put("arrived", first, minutes(1), SubmissionState::kAccepted, true, jobs::Delivery::kArrived);
  put("refused", first, minutes(1), SubmissionState::kRejected);
  put("long ago", first, minutes(1) + limits::kOwedWindow + minutes(1));
  ASSERT_TRUE(this->calls_.Claim("acme", "young", 0).value());
  // It died. All that it did not say to have arrived is owed, however long it was away.
  EXPECT_EQ(owed(now + minutes(30)), (std::vector<std::string>{"unknown", "sending", "young"}));
  // That one died as well, and owed the same.
  EXPECT_EQ(owed(now + minutes(31)), (std::vector<std::string>{"unknown", "sending", "young"}));
  // This one ends in order: only what it names is owed.
  const auto ends = [&](std::vector<std::pair<std::string, jobs::Delivery>> named) {
    std::vector<jobs::OwedJob> jobs;
    for (const auto& [id, delivery] : named) jobs.push_back({"acme", "", "", id, 0, delivery});
    ASSERT_TRUE(this->calls_.EndEpoch(jobs).ok());
  };
  ends({{"unknown", jobs::Delivery::kLost}, {"young", jobs::Delivery::kUnsettled}});
  // A change that was under way at the end takes nothing of it back.
  JobRecord late = this->calls_.FindRequest("acme", "r-unknown").value().value();
  late.delivery = jobs::Delivery::kUnsaid;
  ASSERT_TRUE(this->calls_.Update(late).ok());
  const auto recovered = this->store_->Recover(now + minutes(32));
  ASSERT_EQ(recovered->owed.size(), 2u);
  EXPECT_EQ(recovered->owed[0].delivery, jobs::Delivery::kLost);
  EXPECT_EQ(recovered->owed[1].delivery, jobs::Delivery::kUnsettled);
  EXPECT_EQ(recovered->owed[1].claims, 1);
  // The next one ends in order and names nothing: they have arrived meanwhile.
  ends({});
  EXPECT_EQ(owed(now + minutes(33)), std::vector<std::string>{});
}

TYPED_TEST_P(JobStoreTest, WhatIsOwedIsOfAShortTimeWhateverTheClockDid) {
  using std::chrono::minutes;
  const WallTime now = At(1'000'000);
  const std::int64_t epoch = this->store_->Recover(now)->epoch;
  const auto put = [&](const std::string& id, Duration ahead) {
    JobRecord record = Begun(id, "r-" + id);
    record.submission = SubmissionState::kAccepted;
    record.minted_request_id = true;
    record.owner_epoch = epoch;
    record.sent_at = now + std::chrono::duration_cast<WallTime::duration>(ahead);
    ASSERT_TRUE(this->calls_.Adopt(record).ok());
  };
  const auto owed = [&](WallTime when) {
    std::vector<std::string> ids;
    const auto recovered = this->store_->Recover(when);
    for (const jobs::OwedJob& job : recovered->owed) ids.push_back(job.job_id);
    return ids;
  };
  put("when the clock was ahead", minutes(50));
  put("then", minutes(1));
  EXPECT_EQ(owed(now + minutes(2)), (std::vector<std::string>{"then", "when the clock was ahead"}));
  EXPECT_EQ(owed(now + minutes(50) + limits::kOwedAcrossRestart + limits::kClockSlack + minutes(1)),
            std::vector<std::string>{})
      << "away for too long";
}

TYPED_TEST_P(JobStoreTest, HintsAboutJobsInDoubtSurvive) {
  JobRecord sending = Begun("sending", "r1");
  sending.submission = SubmissionState::kSending;
  JobRecord unknown = Begun("unknown", "r2");
  unknown.submission = SubmissionState::kUnknown;
  unknown.job.state = v1::JOB_STATE_UNCONFIRMED;
  ASSERT_TRUE(this->calls_.Adopt(sending).ok());
  ASSERT_TRUE(this->calls_.Adopt(unknown).ok());
  ASSERT_TRUE(this->calls_.Adopt(Accepted("accepted", "p1")).ok());
  ASSERT_TRUE(this->calls_.KeepHints("acme", "unknown", {"p3", "p2"}).ok());
  ASSERT_TRUE(this->calls_.KeepHints("acme", "sending", {"p4"}).ok());
  ASSERT_TRUE(this->calls_.KeepHints("acme", "unknown", {"p2", "p5", "p6", "p7", "p8"}).ok());
  ASSERT_TRUE(this->calls_.KeepHints("acme", "accepted", {"p9"}).ok());
  ASSERT_TRUE(this->calls_.KeepHints("acme", "nobody", {"p9"}).ok());
  ASSERT_TRUE(this->calls_.KeepHints("other", "unknown", {"p9"}).ok());
  using jobs::Hint;
  EXPECT_THAT(this->store_->Recover(At(2000)).value().hints,
              ElementsAre(Hint{{"acme", "unknown"}, "p3"}, Hint{{"acme", "unknown"}, "p2"},
                          Hint{{"acme", "sending"}, "p4"}, Hint{{"acme", "unknown"}, "p5"},
                          Hint{{"acme", "unknown"}, "p6"}));
  unknown.submission = SubmissionState::kAccepted;
  unknown.job.pictory_job_id = "p5";
  ASSERT_TRUE(this->calls_.Update(unknown).ok());
  EXPECT_THAT(this->store_->Recover(At(3000)).value().hints,
              ElementsAre(Hint{{"acme", "sending"}, "p4"}));
}

TYPED_TEST_P(JobStoreTest, RecoverCountsWhatMayHaveCostMoney) {
  const std::int64_t now = 1'000'000;
  const std::int64_t window = std::chrono::seconds(limits::kSpendingWindow).count();
  for (int state = 1; state <= 8; ++state) {
    JobRecord record = Begun("j" + std::to_string(state), "r" + std::to_string(state));
    record.submission = static_cast<SubmissionState>(state);
    record.sent_at = At(now - state);
    ASSERT_TRUE(this->calls_.Adopt(record).ok());
  }
  JobRecord early = Accepted("early", "p", "umbra");
  early.sent_at = At(now - window);
  ASSERT_TRUE(this->calls_.Adopt(early).ok());
  JobRecord too_early = Accepted("too-early", "q");
  too_early.sent_at = At(now - window - 1);
  ASSERT_TRUE(this->calls_.Adopt(too_early).ok());
  const auto recovered = this->store_->Recover(At(now));
  ASSERT_TRUE(recovered.ok()) << recovered.status();
  EXPECT_THAT(recovered->spent,
              ::testing::UnorderedElementsAre(
                  jobs::Spent{"acme", At(now - 2)}, jobs::Spent{"acme", At(now - 3)},
                  jobs::Spent{"acme", At(now - 6)}, jobs::Spent{"acme", At(now - 7)},
                  jobs::Spent{"acme", At(now - 8)}, jobs::Spent{"umbra", At(now - window)}));
}

// By the last answer of Pictory's, if the clock has been set since.
TYPED_TEST_P(JobStoreTest, RecoverCountsThemWhateverTheClockIsSetTo) {
  const std::int64_t answered = 100'000'000, year = 365 * 24 * 3600, hour = 3600;
  for (const auto& [id, sent] : {std::pair{"old", answered - 25 * hour},
                                 {"one", answered - 23 * hour},
                                 {"two", answered + 60},
                                 {"ahead", answered + year}}) {
    JobRecord record = Accepted(id, std::string("p-") + id);
    record.sent_at = At(sent);
    ASSERT_TRUE(this->calls_.Adopt(record).ok());
  }
  ASSERT_TRUE(this->calls_.NoteAsked({.answered = At(answered), .since = At(5)}).ok());
  for (const std::int64_t now : {answered + year, answered - year, answered + 120}) {
    const auto recovered = this->store_->Recover(At(now));
    ASSERT_TRUE(recovered.ok()) << recovered.status();
    EXPECT_THAT(recovered->spent,
                ::testing::UnorderedElementsAre(jobs::Spent{"acme", At(answered - 23 * hour)},
                                                jobs::Spent{"acme", At(answered + 60)}))
        << now;
  }
}

TYPED_TEST_P(JobStoreTest, RecoverSettlesInterruptedSubmissions) {
  for (int state = 1; state <= 8; ++state) {
    JobRecord record = Begun("j" + std::to_string(state), "r" + std::to_string(state));
    record.submission = static_cast<SubmissionState>(state);
    record.job.revision = 5;
    record.next_poll_at = At(100 - state);
    ASSERT_TRUE(this->calls_.Adopt(record).ok());
  }
  JobRecord done = Accepted("done", "p");
  done.job.state = v1::JOB_STATE_SUCCEEDED;
  ASSERT_TRUE(this->calls_.Adopt(done).ok());

  auto recovered = this->store_->Recover(At(7777));
  ASSERT_TRUE(recovered.ok()) << recovered.status();
  const auto unfinished = this->calls_.ReadUnfinished();
  EXPECT_EQ(Ids(unfinished), (std::vector<std::string>{"j7", "j6", "j3", "j2"}))
      << "visible and not final, by the time of their next poll";
  EXPECT_EQ(recovered->unfinished, unfinished.size());
  EXPECT_GT(recovered->epoch, 0);

  JobRecord intent = Begun("j1", "r1");
  intent.job.revision = 5;
  intent.next_poll_at = At(99);
  intent.submission = SubmissionState::kNotSent;
  intent.job.update_time = At(7777);
  EXPECT_EQ(this->Stored("r1"), intent);

  JobRecord sending = Begun("j2", "r2");
  sending.next_poll_at = At(98);
  sending.submission = SubmissionState::kUnknown;
  sending.job.state = v1::JOB_STATE_UNCONFIRMED;
  sending.job.message = jobs::kUnconfirmedMessage;
  sending.job.revision = 6;
  sending.job.update_time = At(7777);
  EXPECT_EQ(this->Stored("r2"), sending);
  EXPECT_EQ(this->calls_.Find("acme", "j2").value(), sending);
  EXPECT_EQ(unfinished.back(), sending);
  EXPECT_EQ(this->Stored("r4").submission, SubmissionState::kRejected);
  EXPECT_EQ(this->Stored("r4").job.update_time, WallTime{});

  const auto again = this->store_->Recover(At(8888));
  ASSERT_TRUE(again.ok());
  EXPECT_GT(again->epoch, recovered->epoch);
  EXPECT_EQ(this->calls_.ReadUnfinished(), unfinished);
}

TYPED_TEST_P(JobStoreTest, EveryFieldSurvives) {
  RandomRecords random(42);
  for (int i = 0; i < 200; ++i) {
    const std::string id = "j" + std::to_string(i);
    JobRecord record = random.Next("Ténant", id);
    if (i % 2 == 0) {
      ASSERT_TRUE(this->calls_.Adopt(record).ok());
    } else {
      ASSERT_TRUE(this->calls_.Adopt(Begun(id, "request-" + id, "Ténant")).ok());
      ASSERT_TRUE(this->calls_.Update(record).ok());
      // Of this one an update only says that the answer has arrived.
      if (record.delivery != jobs::Delivery::kArrived) record.delivery = jobs::Delivery::kUnsaid;
    }
    ASSERT_EQ(this->Stored("request-" + id, "Ténant"), record) << i;
    ASSERT_EQ(this->calls_.Find("Ténant", id).value().has_value(), jobs::IsVisible(record)) << i;
  }
}

TYPED_TEST_P(JobStoreTest, CallbacksOfAJobRunInTheOrderOfItsCalls) {
  constexpr int kUpdates = 300;
  std::vector<int> order;
  ASSERT_TRUE(this->calls_.Adopt(Accepted("j1", "p1")).ok());
  for (int i = 0; i < kUpdates; ++i) {
    JobRecord record = Accepted("j1", "p1");
    record.version = i + 1;
    record.job.revision = i;
    this->store_->Update(record, {}, [&order, i](absl::Status status) {
      EXPECT_TRUE(status.ok()) << status;
      order.push_back(i);
    });
  }
  ASSERT_TRUE(this->calls_.Prune({}).ok());  // behind them all
  ASSERT_EQ(order.size(), kUpdates);
  EXPECT_TRUE(std::is_sorted(order.begin(), order.end()));
  EXPECT_EQ(this->calls_.Find("acme", "j1").value()->job.revision, kUpdates - 1);
}

TYPED_TEST_P(JobStoreTest, ACallbackMayCallTheStore) {
  Answer<JobStoreTest<TypeParam>*> chained;
  auto& store = *this->store_;
  store.Begin(Begun("j1", "r1"), [&store, done = chained.Callback(), this](auto begun) {
    ASSERT_TRUE(begun.ok());
    store.Update(begun->record, {}, [&store, done, this](absl::Status updated) {
      ASSERT_TRUE(updated.ok());
      store.FindRequest("acme", "r1", [done, this](auto found) {
        ASSERT_TRUE(found.ok() && found->has_value());
        done(this);
      });
    });
  });
  EXPECT_EQ(chained.Wait(), this);
}

TYPED_TEST_P(JobStoreTest, ManyThreadsAtOnce) {
  constexpr int kThreads = 8;
  constexpr int kOps = 500;
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([this, t] {
      StoreCalls calls(*this->store_);
      const std::string tenant = "t" + std::to_string(t % 4);
      for (int i = 0; i < kOps / 5; ++i) {
        const std::string id = std::to_string(t) + "-" + std::to_string(i);
        auto begun = calls.Begin(Begun("j" + id, "r" + id, tenant));
        ASSERT_TRUE(begun.ok() && begun->begun) << begun.status();
        JobRecord record = Accepted("j" + id, "p" + id, tenant);
        record.job.request_id = "r" + id;
        ASSERT_TRUE(calls.Update(record, {{v1::RESULT_PART_TXT, id}}).ok());
        // Every write whose callback ran is seen by every later read.
        ASSERT_EQ(calls.Find(tenant, "p" + id).value(), record);
        ASSERT_EQ(calls.ReadPart(tenant, "j" + id, v1::RESULT_PART_TXT, 0, 99).value().data, id);
        ASSERT_TRUE(calls.List(tenant, {.limit = 5}).ok());
      }
    });
  }
  for (auto& thread : threads) thread.join();
  std::size_t jobs = 0;
  for (const char* tenant : {"t0", "t1", "t2", "t3"}) {
    jobs += this->Listed({.limit = kThreads * kOps}, tenant).size();
  }
  EXPECT_EQ(jobs, kThreads * kOps / 5);
}

TYPED_TEST_P(JobStoreTest, CloseFinishesWhatWasHandedInAndRefusesTheRest) {
  std::atomic<int> done{0};
  for (int i = 0; i < 100; ++i) {
    this->store_->Begin(Begun("j" + std::to_string(i), "r" + std::to_string(i)), [&](auto begun) {
      EXPECT_TRUE(begun.ok()) << begun.status();
      ++done;
    });
  }
  this->store_->Close();
  EXPECT_EQ(done, 100);
  EXPECT_EQ(this->calls_.Begin(Begun("late", "late")).status().code(),
            absl::StatusCode::kUnavailable);
  EXPECT_EQ(this->calls_.Update(Begun("j1", "r1")).code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(this->calls_.Find("acme", "j1").status().code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(this->store_->Recover(At(1)).status().code(), absl::StatusCode::kUnavailable);
  this->store_->Close();
}

TYPED_TEST_P(JobStoreTest, WhenPictoryCouldBeAskedIsThereAtTheNextStart) {
  EXPECT_EQ(this->store_->Recover(At(1))->asked, jobs::Asked{});
  const jobs::Asked asked{.answered = At(7'000'001), .since = At(5)};
  ASSERT_TRUE(this->calls_.NoteAsked({.answered = At(9), .since = At(3)}).ok());
  ASSERT_TRUE(this->calls_.NoteAsked(asked).ok());
  EXPECT_EQ(this->store_->Recover(At(2))->asked, asked);
}

REGISTER_TYPED_TEST_SUITE_P(
    JobStoreTest, RecoverCountsThemWhateverTheClockIsSetTo,
    WhenPictoryCouldBeAskedIsThereAtTheNextStart, BeginsANewRequest,
    AWriteNamesTheVersionThatItChanges, ARequestThatIsBegunAgainHasTheNextVersion,
    AKnownRequestIsHandedBackInEverySubmissionState, AnUnsentRequestBeginsAgainUnderItsFirstJobId,
    AnUnsentRequestWithAnotherFingerprintDoesNotBegin, BeginRefusesAJobIdOfAnotherRequest,
    OneRequestIdFromManyThreadsBeginsOnce, UpdateReplacesTheRecord, UpdateOfAnUnknownJobIsNotFound,
    UpdateNeverTakesAPictoryIdFromAnotherJob, UpdateFreesThePictoryIdItNoLongerHas,
    AdoptRefusesKnownNames, ManyJobsMayHaveNoRequestIdAndNoPictoryId,
    FindsByBothNamesWithinTheTenant, OurIdWinsOverAnEqualPictoryId, TenantsMayUseTheSameIds,
    InvisibleRecordsAreNeitherFoundNorListed, ListsNewestFirstInPages, ListFilters,
    ListsByTimesOfAnyPrecision, ReadsPartsInChunks, ReadsAPartOfManySlicesFromAnywhere,
    BuryKeepsTheRequestIdAndNothingElse, PruneForgetsWhatIsOldAndNeverWhatIsOpen,
    ATokenFindsTheSubmissionThatHasNotEnded, ARetryWithoutAKeyIsFoundByItsContent,
    AnOwedAnswerIsClaimedOnceAtATime, WhatIsOwedAfterAnEndDependsOnHowItCame,
    WhatIsOwedIsOfAShortTimeWhateverTheClockDid, HintsAboutJobsInDoubtSurvive,
    RecoverCountsWhatMayHaveCostMoney, RecoverSettlesInterruptedSubmissions, EveryFieldSurvives,
    CallbacksOfAJobRunInTheOrderOfItsCalls, ACallbackMayCallTheStore, ManyThreadsAtOnce,
    CloseFinishesWhatWasHandedInAndRefusesTheRest);

}  // namespace gateway::store
