#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/errors.h"
#include "base/limits.h"
#include "rpc/rpc_house.h"

namespace gateway::rpc {
namespace {

using test::FromGrpc;
using test::RpcHouse;

absl::StatusOr<v1::GetUsageResponse> Usage(RpcHouse& house, const v1::GetUsageRequest& request) {
  grpc::ClientContext context;
  v1::GetUsageResponse usage;
  const grpc::Status status = house.stub->GetUsage(&context, request, &usage);
  if (!status.ok()) return FromGrpc(status);
  return usage;
}

v1::GetUsageRequest By(const std::string& key) {
  v1::GetUsageRequest request;
  request.set_label_key(key);
  return request;
}

// The job that was created at this second.
void Put(RpcHouse& house, int second, const std::string& team, double credits,
         const std::string& tenant = "default") {
  char id[16];
  std::snprintf(id, sizeof(id), "j%08d", second);
  jobs::JobRecord record = test::MakeRecord(test::MakeJob(id, v1::JOB_STATE_SUCCEEDED, 1));
  record.job.tenant = tenant;
  record.job.create_time = WallTime(std::chrono::seconds(second));
  record.job.labels = {{"team", team}};
  record.job.credits_used = credits;
  house.fake.Put(record);
}

TEST(UsageTest, ReadsNoJobsUnlessALabelIsNamed) {
  RpcHouse house;
  Put(house, 1, "news", 2);
  house.fake.FailWith(errors::Internal("disk"));
  const auto usage = Usage(house, {});
  ASSERT_TRUE(usage.ok()) << usage.status();
  EXPECT_EQ(usage->tenant(), "default");
  EXPECT_EQ(usage->by_label_size(), 0);
}

TEST(UsageTest, TellsWhatTheJobsOfTheTenantHaveUsedByALabel) {
  RpcHouse house;
  Put(house, 1, "news", 2);
  Put(house, 2, "sport", 3);
  Put(house, 3, "news", 0.5);
  Put(house, 4, "news", 100, "beta");
  const auto usage = Usage(house, By("team"));
  ASSERT_TRUE(usage.ok()) << usage.status();
  EXPECT_EQ(usage->tenant(), "default");
  ASSERT_EQ(usage->by_label_size(), 2);
  EXPECT_EQ(usage->by_label(0).value(), "sport");
  EXPECT_EQ(usage->by_label(1).value(), "news");
  EXPECT_EQ(usage->by_label(1).jobs(), 2);
  EXPECT_EQ(usage->by_label(1).credits(), 2.5);
  EXPECT_FALSE(usage->has_by_label_others());
  EXPECT_FALSE(usage->has_by_label_from());
  const auto none = Usage(house, By("nobody"));
  ASSERT_TRUE(none.ok()) << none.status();
  ASSERT_EQ(none->by_label_size(), 1);
  EXPECT_FALSE(none->by_label(0).has_value());
  EXPECT_EQ(none->by_label(0).jobs(), 3);
}

TEST(UsageTest, CountsTheNewestJobsAndSaysSinceWhen) {
  RpcHouse house;
  for (int i = 1; i <= limits::kUsageJobsMax; ++i) Put(house, i, "news", 1);
  const auto all = Usage(house, By("team"));
  ASSERT_TRUE(all.ok()) << all.status();
  EXPECT_EQ(all->by_label(0).jobs(), limits::kUsageJobsMax);
  EXPECT_FALSE(all->has_by_label_from()) << "that are all of them";
  Put(house, limits::kUsageJobsMax + 1, "news", 1);
  const auto newest = Usage(house, By("team"));
  ASSERT_TRUE(newest.ok()) << newest.status();
  EXPECT_EQ(newest->by_label(0).jobs(), limits::kUsageJobsMax);
  EXPECT_EQ(newest->by_label_from().seconds(), 2);
}

TEST(UsageTest, RefusesATimeThatIsNoneOrForNothing) {
  RpcHouse house;
  v1::GetUsageRequest request;
  request.mutable_created_from()->set_seconds(1);
  EXPECT_EQ(errors::Violations(Usage(house, request).status()).at(0).field, "created_from");
  request.set_label_key("team");
  EXPECT_TRUE(Usage(house, request).ok());
  request.mutable_created_from()->set_nanos(-1);
  EXPECT_EQ(errors::Violations(Usage(house, request).status()).at(0).field, "created_from");
  EXPECT_EQ(Usage(house, By(std::string(64, 'k'))).status().code(),
            absl::StatusCode::kInvalidArgument);
}

TEST(UsageTest, IsRefusedUnderPressureWhereItReads) {
  RpcHouse house;
  Put(house, 1, "news", 2);
  const auto now = house.clock.Now();
  for (int i = 0; !house.shedding.Sheds(Shed::kReads); ++i) {
    ASSERT_LT(i, 10);
    house.shedding.Look({.lag = std::chrono::seconds(10)}, now + i * 2 * limits::kShedStep);
  }
  EXPECT_EQ(errors::Reason(Usage(house, By("team")).status()), "OVERLOADED");
  EXPECT_TRUE(Usage(house, {}).ok()) << "it reads nothing";
}

}  // namespace
}  // namespace gateway::rpc
