#include "store_suite.h"  // first, see there

#include <gmock/gmock.h>

#include <atomic>
#include <thread>

#include "absl/strings/str_cat.h"
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
using ::testing::UnorderedElementsAre;

class SubmissionsTest : public StoreSuite {};
INSTANTIATE_TEST_SUITE_P(Stores, SubmissionsTest, ::testing::ValuesIn(Backends()), BackendName);

TEST_P(SubmissionsTest, BeginsANewRequest) {
  const JobRecord record = Begun("j1", "r1");
  auto begun = calls_.Begin(record);
  ASSERT_TRUE(begun.ok()) << begun.status();
  EXPECT_TRUE(begun->begun);
  EXPECT_EQ(begun->record, record);
  EXPECT_EQ(Stored("r1"), record);
}

// When two have read the same version, only the first write is stored.
TEST_P(SubmissionsTest, AWriteNamesTheVersionThatItChanges) {
  jobs::JobRecord record = Accepted("j1", "p1");
  ASSERT_TRUE(calls_.Adopt(record).ok());
  ASSERT_EQ(calls_.VersionOf(record), 1);
  record.version = 1;
  record.job.message = "first";
  const std::string large(2 * limits::kStoreGroupMaxBytes, 'x');  // written in pieces
  ASSERT_TRUE(calls_.UpdateVersion(record, {{jobs::v1::RESULT_PART_TXT, large}}).ok());
  ASSERT_EQ(calls_.VersionOf(record), 2);
  for (const std::string& part :
       {std::string("late"), std::string(2 * limits::kStoreGroupMaxBytes, 'y')}) {
    for (const std::int64_t version : {0, 1, 3}) {
      record.version = version;
      record.job.message = "second";
      EXPECT_TRUE(
          absl::IsAborted(calls_.UpdateVersion(record, {{jobs::v1::RESULT_PART_TXT, part}})));
      EXPECT_TRUE(absl::IsAborted(calls_.DeleteVersion(record)));
    }
  }
  EXPECT_EQ(Stored(record.job.request_id).job.message, "first");
  EXPECT_EQ(calls_.ReadPart("acme", "j1", jobs::v1::RESULT_PART_TXT, 0, 1)->data, "x");
  record.version = 2;
  EXPECT_TRUE(calls_.DeleteVersion(record).ok());
  EXPECT_EQ(calls_.VersionOf(record), 3);
}

TEST_P(SubmissionsTest, ARequestThatIsBegunAgainHasTheNextVersion) {
  jobs::JobRecord record = Begun("j1", "r1");
  ASSERT_TRUE(calls_.Begin(record).ok());
  record.submission = SubmissionState::kNotSent;
  ASSERT_TRUE(calls_.Update(record).ok());
  record.submission = SubmissionState::kIntent;
  ASSERT_TRUE(calls_.Begin(record)->begun);
  EXPECT_EQ(calls_.VersionOf(record), 3);
  ASSERT_TRUE(store_->Recover(At(2000)).ok());
  EXPECT_EQ(calls_.VersionOf(record), 4) << "a restart changes it";
}

TEST_P(SubmissionsTest, AKnownRequestIsHandedBackInEverySubmissionState) {
  for (const SubmissionState submission : jobs::kSubmissionStates) {
    const std::string n = std::to_string(static_cast<int>(submission));
    JobRecord known = Begun("j" + n, "r" + n);
    known.submission = submission;
    known.refusal = "why";
    ASSERT_TRUE(calls_.Adopt(known).ok());
    JobRecord again = Begun("other" + n, "r" + n);
    auto begun = calls_.Begin(again);
    ASSERT_TRUE(begun.ok()) << begun.status();
    EXPECT_EQ(begun->begun, known.submission == SubmissionState::kNotSent) << n;
    if (!begun->begun) {
      EXPECT_EQ(begun->record, known) << n;
    }
    EXPECT_EQ(Stored("r" + n), begun->record) << n;
  }
}

TEST_P(SubmissionsTest, AnUnsentRequestBeginsAgainUnderItsFirstJobId) {
  JobRecord first = Begun("j1", "r1");
  first.submission = SubmissionState::kNotSent;
  first.attempt = 3;
  first.job.labels = {{"old", "label"}};
  ASSERT_TRUE(calls_.Adopt(first).ok());

  JobRecord second = Begun("j2", "r1");
  second.job.create_time = At(2000);
  second.owner_epoch = 9;
  second.correlation_token = "token";
  second.job.labels = {{"new", "label"}};
  auto begun = calls_.Begin(second);
  ASSERT_TRUE(begun.ok()) << begun.status();
  ASSERT_TRUE(begun->begun);

  JobRecord expected = second;
  expected.job.job_id = "j1";
  expected.job.create_time = first.job.create_time;
  expected.attempt = 4;
  EXPECT_EQ(begun->record, expected);
  EXPECT_EQ(Stored("r1"), expected);

  expected.submission = SubmissionState::kAccepted;
  ASSERT_TRUE(calls_.Update(expected).ok());
  EXPECT_THAT(Listed({.labels = {{"new", "label"}}, .limit = 9}), ElementsAre("j1"));
  EXPECT_THAT(Listed({.labels = {{"old", "label"}}, .limit = 9}), IsEmpty());
}

TEST_P(SubmissionsTest, AnUnsentRequestWithAnotherFingerprintDoesNotBegin) {
  JobRecord known = Begun("j1", "r1");
  known.submission = SubmissionState::kNotSent;
  ASSERT_TRUE(calls_.Adopt(known).ok());
  JobRecord other = Begun("j2", "r1");
  other.fingerprint = std::string(32, 'g');
  auto begun = calls_.Begin(other);
  ASSERT_TRUE(begun.ok()) << begun.status();
  EXPECT_FALSE(begun->begun);
  EXPECT_EQ(begun->record, known);
}

TEST_P(SubmissionsTest, BeginRefusesAJobIdOfAnotherRequest) {
  ASSERT_TRUE(calls_.Begin(Begun("j1", "r1")).ok());
  EXPECT_EQ(calls_.Begin(Begun("j1", "r2")).status().code(), absl::StatusCode::kAlreadyExists);
  EXPECT_EQ(calls_.FindRequest("acme", "r2").value(), std::nullopt);
}

TEST_P(SubmissionsTest, OneRequestIdFromManyThreadsBeginsOnce) {
  std::atomic<int> begun{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 16; ++i) {
    threads.emplace_back([&, i] {
      auto result = StoreCalls(*store_).Begin(Begun("j" + std::to_string(i), "r1"));
      ASSERT_TRUE(result.ok()) << result.status();
      if (result->begun) ++begun;
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(begun, 1);
}

TEST_P(SubmissionsTest, UpdateReplacesTheRecord) {
  JobRecord record = Accepted("j1", "p1");
  ASSERT_TRUE(calls_.Adopt(record).ok());
  record.job.state = v1::JOB_STATE_SUCCEEDED;
  record.job.revision = 2;
  record.job.finish_time = At(5);
  record.job.result_wire = "wire";
  ASSERT_TRUE(calls_.Update(record).ok());
  EXPECT_EQ(calls_.Find("acme", "j1").value(), record);
}

TEST_P(SubmissionsTest, UpdateOfAnUnknownJobIsNotFound) {
  EXPECT_EQ(calls_.Update(Accepted("j1", "p1"), {{v1::RESULT_PART_TXT, "t"}}).code(),
            absl::StatusCode::kNotFound);
  ASSERT_TRUE(calls_.Adopt(Accepted("j1", "p1")).ok());
  EXPECT_EQ(calls_.Update(Accepted("j1", "p1", "umbra")).code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(calls_.ReadPart("acme", "j1", v1::RESULT_PART_TXT, 0, 9).status().code(),
            absl::StatusCode::kNotFound);
}

TEST_P(SubmissionsTest, UpdateNeverTakesAPictoryIdFromAnotherJob) {
  ASSERT_TRUE(calls_.Adopt(Accepted("j1", "p1")).ok());
  ASSERT_TRUE(calls_.Adopt(Accepted("j2", "", "umbra")).ok());
  JobRecord thief = Accepted("j2", "p1", "umbra");
  thief.job.labels = {{"a", "b"}};
  EXPECT_EQ(calls_.Update(thief, {{v1::RESULT_PART_TXT, "t"}}).code(),
            absl::StatusCode::kAlreadyExists);
  EXPECT_EQ(calls_.Find("umbra", "j2").value(), Accepted("j2", "", "umbra"));
  EXPECT_EQ(calls_.FindOwner(jobs::kDefaultAccount, "p1").value(), "acme");
  EXPECT_FALSE(calls_.ReadPart("umbra", "j2", v1::RESULT_PART_TXT, 0, 9).ok());
  EXPECT_THAT(Listed({.labels = {{"a", "b"}}, .limit = 9}, "umbra"), IsEmpty());
}

TEST_P(SubmissionsTest, UpdateFreesThePictoryIdItNoLongerHas) {
  ASSERT_TRUE(calls_.Adopt(Accepted("j1", "p1")).ok());
  ASSERT_TRUE(calls_.Update(Accepted("j1", "p2")).ok());
  EXPECT_EQ(calls_.FindOwner(jobs::kDefaultAccount, "p1").value(), std::nullopt);
  EXPECT_TRUE(calls_.Adopt(Accepted("j2", "p1", "umbra")).ok());
}

TEST_P(SubmissionsTest, AdoptRefusesKnownNames) {
  ASSERT_TRUE(calls_.Adopt(Accepted("j1", "p1")).ok());
  EXPECT_EQ(calls_.Adopt(Accepted("j1", "p2")).code(), absl::StatusCode::kAlreadyExists);
  EXPECT_EQ(calls_.Adopt(Accepted("j2", "p1")).code(), absl::StatusCode::kAlreadyExists);
  EXPECT_EQ(calls_.Adopt(Accepted("j2", "p1", "umbra")).code(), absl::StatusCode::kAlreadyExists);
  EXPECT_EQ(calls_.Find("acme", "j2").value(), std::nullopt);
}

TEST_P(SubmissionsTest, ManyJobsMayHaveNoRequestIdAndNoPictoryId) {
  for (const char* id : {"j1", "j2"}) {
    JobRecord record = Accepted(id, "");
    record.job.request_id.clear();
    ASSERT_TRUE(calls_.Adopt(record).ok());
  }
  EXPECT_EQ(calls_.FindRequest("acme", "").value(), std::nullopt);
  EXPECT_EQ(calls_.FindOwner(jobs::kDefaultAccount, "").value(), std::nullopt);
  EXPECT_EQ(calls_.Find("acme", "").value(), std::nullopt);
}

TEST_P(SubmissionsTest, ATokenFindsTheSubmissionThatHasNotEnded) {
  const std::string token(32, 'a');
  JobRecord record = Accepted("j1", "");
  record.correlation_token = token;
  record.submission = SubmissionState::kUnknown;
  ASSERT_TRUE(calls_.Adopt(record).ok());
  JobRecord other = Accepted("j2", "p2");
  other.correlation_token = std::string(31, 'a') + "b";
  ASSERT_TRUE(calls_.Adopt(other).ok());
  ASSERT_TRUE(calls_.Adopt(Accepted("j3", "p3")).ok()) << "without a token";
  EXPECT_EQ(calls_.FindToken(token).value(), record);
  EXPECT_EQ(calls_.FindToken(other.correlation_token).value(), other);
  EXPECT_EQ(calls_.FindToken(token.substr(1)).value(), std::nullopt);
  EXPECT_EQ(calls_.FindToken("").value(), std::nullopt);
  record.submission = SubmissionState::kSending;
  ASSERT_TRUE(calls_.Update(record).ok());
  EXPECT_EQ(calls_.FindToken(token).value(), record) << "not seen by callers, yet there";
  record.job.finish_time = At(9);
  ASSERT_TRUE(calls_.Update(record).ok());
  EXPECT_EQ(calls_.FindToken(token).value(), std::nullopt);
}

TEST_P(SubmissionsTest, ARetryWithoutAKeyIsFoundByItsContent) {
  const auto put = [this](const std::string& id, std::int64_t created, const std::string& mesh,
                          bool minted = true, char content = 'f') {
    JobRecord record = Begun(id, "r-" + id);
    record.job.create_time = At(created);
    record.mesh_request_id = mesh;
    record.minted_request_id = minted;
    record.fingerprint = std::string(32, content);
    ASSERT_TRUE(calls_.Adopt(record).ok());
  };
  using jobs::RetryEvidence;
  const auto find = [this](const RetryEvidence& evidence, std::int64_t since = 0,
                           const std::string& tenant = "acme") {
    const auto found =
        calls_.FindWithoutRequestId(tenant, std::string(32, 'f'), evidence, At(since));
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

TEST_P(SubmissionsTest, AnOwedAnswerIsClaimedOnceAtATime) {
  JobRecord record = Accepted("j1", "p1");
  record.minted_request_id = true;
  ASSERT_TRUE(calls_.Adopt(record).ok());
  EXPECT_FALSE(calls_.Claim("acme", "j2", 0).value());
  EXPECT_FALSE(calls_.Claim("umbra", "j1", 0).value());
  EXPECT_FALSE(calls_.Claim("acme", "j1", 1).value());
  EXPECT_TRUE(calls_.Claim("acme", "j1", 0).value());
  EXPECT_FALSE(calls_.Claim("acme", "j1", 0).value()) << "somebody was faster";
  ASSERT_TRUE(calls_.Update(record).ok());
  EXPECT_TRUE(calls_.Claim("acme", "j1", 1).value()) << "other changes leave the count alone";
  record.submission = SubmissionState::kAbandoned;
  ASSERT_TRUE(calls_.Update(record).ok());
  EXPECT_FALSE(calls_.Claim("acme", "j1", 2).value());
  record.submission = SubmissionState::kUnknown;
  record.delivery = jobs::Delivery::kArrived;
  ASSERT_TRUE(calls_.Update(record).ok());
  EXPECT_FALSE(calls_.Claim("acme", "j1", 2).value());
}

TEST_P(SubmissionsTest, CallbacksOfAJobRunInTheOrderOfItsCalls) {
  constexpr int kUpdates = 300;
  std::vector<int> order;
  ASSERT_TRUE(calls_.Adopt(Accepted("j1", "p1")).ok());
  for (int i = 0; i < kUpdates; ++i) {
    JobRecord record = Accepted("j1", "p1");
    record.version = i + 1;
    record.job.revision = i;
    store_->Update(record, {}, [&order, i](absl::Status status) {
      EXPECT_TRUE(status.ok()) << status;
      order.push_back(i);
    });
  }
  ASSERT_TRUE(calls_.Prune({}).ok());  // behind them all
  ASSERT_EQ(order.size(), kUpdates);
  EXPECT_TRUE(std::is_sorted(order.begin(), order.end()));
  EXPECT_EQ(calls_.Find("acme", "j1").value()->job.revision, kUpdates - 1);
}

TEST_P(SubmissionsTest, PictoryIdsAreOfOneAccount) {
  JobRecord first = Accepted("j1", "p1");
  JobRecord second = Accepted("j2", "p1");
  second.job.account = "second";
  second.job.create_time = At(2000);
  JobRecord umbra = Accepted("j3", "p1", "umbra");
  umbra.job.account = "third";
  for (const JobRecord& record : {first, second, umbra}) ASSERT_TRUE(calls_.Adopt(record).ok());
  JobRecord taken = Accepted("j4", "p1", "umbra");
  taken.job.account = "second";
  EXPECT_TRUE(absl::IsAlreadyExists(calls_.Adopt(taken)));
  taken.job.account = "fourth";
  EXPECT_TRUE(calls_.Adopt(taken).ok());
  taken.job.account = "second";
  EXPECT_TRUE(absl::IsAlreadyExists(calls_.Update(taken))) << "nor does a change take it";
  EXPECT_EQ(calls_.FindOwner(jobs::kDefaultAccount, "p1").value(), "acme");
  EXPECT_EQ(calls_.FindOwner("third", "p1").value(), "umbra");
  EXPECT_EQ(calls_.FindOwner("fifth", "p1").value(), std::nullopt);
  EXPECT_EQ(calls_.Find("acme", "p1").value(), second) << "the newest of the tenant's";
}

// Somebody has named the Pictory job before the gateway knew that it is the submitted one.
TEST_P(SubmissionsTest, AnAdoptedJobTurnsOutToBeASubmittedOne) {
  JobRecord adopted = Adopted("adopted", "p1");
  adopted.job.labels = {{"a", "b"}};
  ASSERT_TRUE(calls_.Adopt(adopted).ok());
  adopted.version = 1;
  ASSERT_TRUE(calls_.UpdateVersion(adopted, {{v1::RESULT_PART_TXT, "t"}}).ok());
  JobRecord submitted = Begun("submitted", "r1");
  submitted.submission = SubmissionState::kSending;
  ASSERT_TRUE(calls_.Adopt(submitted).ok());
  submitted.submission = SubmissionState::kAccepted;
  submitted.job.pictory_job_id = "p1";
  EXPECT_TRUE(absl::IsAlreadyExists(calls_.Update(submitted))) << "not by an ordinary change";
  const std::string before = calls_.FindFeedEnd().value();
  EXPECT_TRUE(absl::IsAborted(calls_.TakeOverVersion(submitted, 2).status())) << "of version 0";
  JobRecord of_version_1 = submitted;
  of_version_1.version = 1;
  for (const std::int64_t other : {0, 1, 3}) {
    EXPECT_TRUE(absl::IsAborted(calls_.TakeOverVersion(of_version_1, other).status()))
        << "the adopted one has changed since";
  }
  EXPECT_TRUE(calls_.Find("acme", "adopted").value().has_value());

  EXPECT_EQ(calls_.TakeOver(submitted).value(), "adopted");
  for (const char* name : {"submitted", "adopted", "p1"}) {
    EXPECT_EQ(calls_.Find("acme", name).value(), submitted) << name;
    EXPECT_EQ(calls_.Find("umbra", name).value(), std::nullopt) << name;
  }
  EXPECT_THAT(Listed({.limit = 9}), ElementsAre("submitted"));
  EXPECT_THAT(Listed({.labels = {{"a", "b"}}, .limit = 9}), IsEmpty());
  EXPECT_FALSE(calls_.ReadPart("acme", "adopted", v1::RESULT_PART_TXT, 0, 9).ok());
  EXPECT_EQ(calls_.ReadPart("acme", "submitted", v1::RESULT_PART_TXT, 0, 9).value().data, "t");
  EXPECT_EQ(calls_.VersionOf(submitted), 2);
  const auto told = calls_.ReadFeed(before, 9).value().entries;
  ASSERT_EQ(told.size(), 2u);
  EXPECT_EQ(told[0], (jobs::FeedEntry{{"acme", "adopted"}, 0, 0, true}));
  EXPECT_EQ(told[1], (jobs::FeedEntry{{"acme", "submitted"}, 0, 2, false}));

  EXPECT_EQ(calls_.TakeOver(submitted).value(), "") << "there is none any more";
  ASSERT_TRUE(calls_.Delete(Deleted(submitted)).ok());
  EXPECT_EQ(calls_.Find("acme", "adopted").value(), std::nullopt);
}

TEST_P(SubmissionsTest, NamesGoOnFromOneJobToTheNext) {
  JobRecord first = Adopted("first", "p1");
  ASSERT_TRUE(calls_.Adopt(first).ok());
  JobRecord second = Accepted("second", "");
  ASSERT_TRUE(calls_.Adopt(second).ok());
  second.job.pictory_job_id = "p1";
  ASSERT_EQ(calls_.TakeOver(second).value(), "first");
  // The job becomes one without a request_id, and is taken over itself.
  second.version = 2;
  JobRecord nameless = second;
  nameless.job.request_id.clear();
  ASSERT_TRUE(calls_.UpdateVersion(nameless).ok());
  JobRecord third = Accepted("third", "");
  ASSERT_TRUE(calls_.Adopt(third).ok());
  third.job.pictory_job_id = "p1";
  third.job.finish_time = At(5);
  ASSERT_EQ(calls_.TakeOver(third).value(), "second");
  for (const char* name : {"first", "second", "third"}) {
    EXPECT_EQ(calls_.Find("acme", name).value(), third) << name;
  }
  // The names of a job are forgotten with it.
  const auto pruned = calls_.Prune({.finished_before = At(6), .untouched_since = {}, .limit = 9});
  ASSERT_TRUE(pruned.ok()) << pruned.status();
  std::vector<std::string> names;
  for (const jobs::JobKey& key : *pruned) names.push_back(absl::StrCat(key.tenant, " ", key.id));
  EXPECT_THAT(names, UnorderedElementsAre("acme third", "acme first", "acme second"));
  EXPECT_EQ(names.front(), "acme third") << "its own";
  EXPECT_EQ(calls_.Find("acme", "first").value(), std::nullopt);
  JobRecord fourth = Accepted("third", "p4");
  ASSERT_TRUE(calls_.Adopt(fourth).ok());
  EXPECT_EQ(calls_.Find("acme", "first").value(), std::nullopt);
}

TEST_P(SubmissionsTest, OnlyAnAdoptedJobOfTheSameTenantAndAccountIsTakenOver) {
  ASSERT_TRUE(calls_.Adopt(Accepted("submitted", "p1")).ok());
  ASSERT_TRUE(calls_.Adopt(Adopted("of-umbra", "p2", "umbra")).ok());
  JobRecord other = Adopted("other-account", "p3");
  other.job.account = "second";
  ASSERT_TRUE(calls_.Adopt(other).ok());
  JobRecord record = Accepted("j1", "");
  ASSERT_TRUE(calls_.Adopt(record).ok());
  const std::string before = calls_.FindFeedEnd().value();
  for (const char* id : {"p1", "p2"}) {
    JobRecord named = record;
    named.job.pictory_job_id = id;
    EXPECT_TRUE(absl::IsAlreadyExists(calls_.TakeOver(named).status())) << id;
  }
  EXPECT_TRUE(absl::IsNotFound(calls_.TakeOver(Accepted("nobody", "p9")).status()));
  EXPECT_EQ(calls_.ReadFeed(before, 9).value().position, before) << "nothing has changed";
  record.job.pictory_job_id = "p3";
  EXPECT_EQ(calls_.TakeOver(record).value(), "");
  EXPECT_TRUE(calls_.Find("acme", "other-account").value().has_value());
}

}  // namespace
}  // namespace gateway::store
