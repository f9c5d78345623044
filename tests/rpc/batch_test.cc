#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "base/errors.h"
#include "base/limits.h"
#include "rpc/rpc_house.h"
#include "rpc/wire_bounds.h"

namespace gateway::rpc {
namespace {

using test::FromGrpc;
using test::MakeJob;
using test::MakeRecord;
using test::RpcHouse;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

class BatchTest : public testing::Test {
 protected:
  BatchTest() {
    house_.hub.Publish(MakeJob("running", v1::JOB_STATE_RUNNING, 3));
    house_.fake.Put(MakeRecord(MakeJob("stored", v1::JOB_STATE_SUCCEEDED, 4)));
    jobs::Job foreign = MakeJob("foreign", v1::JOB_STATE_RUNNING, 1);
    foreign.tenant = "acme";
    house_.hub.Publish(foreign);
    foreign = MakeJob("foreign-stored", v1::JOB_STATE_SUCCEEDED, 1);
    foreign.tenant = "acme";
    house_.fake.Put(MakeRecord(foreign));
  }

  absl::Status Get(const std::vector<std::string>& ids) {
    v1::BatchGetJobsRequest request;
    for (const std::string& id : ids) request.add_job_ids(id);
    grpc::ClientContext context;
    response_.Clear();
    return FromGrpc(house_.stub->BatchGetJobs(&context, request, &response_));
  }
  std::vector<std::string> Found() const {
    std::vector<std::string> ids;
    for (const v1::Job& job : response_.jobs()) ids.push_back(job.job_id());
    return ids;
  }

  RpcHouse house_;
  v1::BatchGetJobsResponse response_;
};

struct Case {
  const char* what;
  std::vector<std::string> asked;
  std::vector<std::string> found;
  std::vector<std::string> missing;
};

TEST_F(BatchTest, EachIdIsAnsweredInTheOrderOfTheRequest) {
  const std::vector<Case> cases = {
      {"from memory", {"running"}, {"running"}, {}},
      {"from the store", {"stored"}, {"stored"}, {}},
      {"both", {"stored", "running"}, {"stored", "running"}, {}},
      {"by Pictory's ids", {"pictory-running", "pictory-stored"}, {"running", "stored"}, {}},
      {"twice", {"running", "stored", "running"}, {"running", "stored", "running"}, {}},
      {"none", {"no-1"}, {}, {"no-1"}},
      {"some", {"no-1", "stored", "no-2", "running"}, {"stored", "running"}, {"no-1", "no-2"}},
      {"of another tenant's", {"foreign", "running"}, {"running"}, {"foreign"}},
      {"the same, from the store", {"foreign-stored", "no-1"}, {}, {"foreign-stored", "no-1"}},
  };
  for (const Case& one : cases) {
    ASSERT_TRUE(Get(one.asked).ok()) << one.what;
    EXPECT_EQ(Found(), one.found) << one.what;
    EXPECT_THAT(response_.missing_job_ids(), testing::ElementsAreArray(one.missing)) << one.what;
    EXPECT_THAT(response_.remaining_job_ids(), IsEmpty()) << one.what;
  }
}

TEST_F(BatchTest, AJobIsAsGetJobShowsIt) {
  house_.degraded = true;
  v1::GetJobRequest request;
  request.set_job_id("running");
  grpc::ClientContext context;
  v1::GetJobResponse one;
  ASSERT_TRUE(house_.stub->GetJob(&context, request, &one).ok());
  ASSERT_TRUE(Get({"running"}).ok());
  ASSERT_THAT(response_.jobs(), SizeIs(1));
  EXPECT_EQ(response_.jobs(0).SerializeAsString(), one.job().SerializeAsString());
  EXPECT_TRUE(response_.jobs(0).upstream_degraded());
}

TEST_F(BatchTest, WhoIsAnsweredKnowsTheJob) {
  ASSERT_TRUE(Get({"running", "no-1", "foreign", "stored"}).ok());
  EXPECT_THAT(house_.named, ElementsAre("running", "stored"));
}

TEST_F(BatchTest, WhatIsWrongIsNamedByItsPlace) {
  EXPECT_EQ(errors::Violations(Get({})).at(0).field, "job_ids");
  const absl::Status wrong = Get({"running", "", "a b"});
  EXPECT_EQ(wrong.code(), absl::StatusCode::kInvalidArgument);
  std::vector<std::string> fields;
  for (const auto& violation : errors::Violations(wrong)) fields.push_back(violation.field);
  EXPECT_THAT(fields, UnorderedElementsAre("job_ids[1]", "job_ids[2]"));
  EXPECT_THAT(house_.named, IsEmpty());
}

TEST_F(BatchTest, AHundredAreTakenAndNotOneMore) {
  const auto* const field = v1::BatchGetJobsRequest::descriptor()->FindFieldByName("job_ids");
  EXPECT_EQ(BoundsOf(*field).max_items, static_cast<std::size_t>(limits::kBatchJobsMax));
  std::vector<std::string> ids;
  for (int i = 0; i < limits::kBatchJobsMax; ++i) ids.push_back(absl::StrCat("no-", i));
  ASSERT_TRUE(Get(ids).ok());
  EXPECT_THAT(response_.missing_job_ids(), testing::ElementsAreArray(ids));
  ids.push_back("running");
  const absl::Status more = Get(ids);
  EXPECT_EQ(more.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(errors::Violations(more).at(0).field, "job_ids");
}

// The store may answer in any order, and is asked for all of them at once.
TEST_F(BatchTest, TheStoreIsAskedForAllAtOnce) {
  house_.fake.Hold();
  absl::Status got;
  std::thread caller([&] { got = Get({"stored", "no-1", "running", "no-2"}); });
  test::Await([&] { return house_.fake.held() == 3; }, "the questions to the store");
  house_.fake.Release();
  caller.join();
  ASSERT_TRUE(got.ok()) << got;
  EXPECT_EQ(Found(), (std::vector<std::string>{"stored", "running"}));
}

TEST_F(BatchTest, AStoreThatCannotBeReadFailsTheCall) {
  house_.fake.FailWith(errors::Internal("disk"));
  EXPECT_EQ(Get({"running", "no-1"}).code(), absl::StatusCode::kInternal);
  EXPECT_TRUE(Get({"running"}).ok()) << "what is in memory needs no store";
}

TEST_F(BatchTest, UnderPressureOnlyWhatIsInMemoryIsRead) {
  const auto now = house_.clock.Now();
  for (int i = 0; i <= 4; ++i) {
    house_.shedding.Look({.lag = std::chrono::seconds(10)}, now + i * 2 * limits::kShedStep);
  }
  ASSERT_TRUE(house_.shedding.Sheds(Shed::kReads));
  EXPECT_TRUE(Get({"running"}).ok());
  const absl::Status shed = Get({"running", "stored"});
  EXPECT_EQ(shed.code(), absl::StatusCode::kUnavailable) << shed;
  EXPECT_EQ(house_.fake.finds(), 0);
}

// Jobs whose BASIC views are as large as they can be do not fit into one message together.
TEST_F(BatchTest, WhatHasNoPlaceIsToBeAskedForAgain) {
  std::vector<std::string> ids;
  for (int i = 0; i < 8; ++i) {
    jobs::Job job = MakeJob(absl::StrCat("large-", i), v1::JOB_STATE_SUCCEEDED, 1);
    v1::Job result;
    result.mutable_render()->set_video_url(std::string(limits::kBasicViewMaxBytes, 'x'));
    job.result_wire = result.SerializeAsString();
    house_.hub.Publish(job);
    ids.push_back(job.job_id);
  }
  ids.insert(ids.begin() + 1, "no-1");
  ASSERT_TRUE(Get(ids).ok());
  EXPECT_LE(response_.ByteSizeLong(), limits::kFullViewMaxBytes + limits::kKiB);
  EXPECT_THAT(Found(), ElementsAre("large-0", "large-1", "large-2", "large-3", "large-4"));
  EXPECT_THAT(response_.missing_job_ids(), ElementsAre("no-1"));
  EXPECT_THAT(response_.remaining_job_ids(), ElementsAre("large-5", "large-6", "large-7"));
  EXPECT_THAT(house_.named, SizeIs(5)) << "nobody was told of the others";
}

}  // namespace
}  // namespace gateway::rpc
