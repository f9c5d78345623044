#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/errors.h"
#include "base/limits.h"
#include "rpc/rpc_house.h"

namespace gateway::rpc {
namespace {

using test::FromGrpc;
using test::RpcHouse;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

v1::GetServerInfoResponse Info(RpcHouse& house) {
  grpc::ClientContext context;
  v1::GetServerInfoResponse info;
  const grpc::Status status =
      house.stub->GetServerInfo(&context, v1::GetServerInfoRequest(), &info);
  EXPECT_TRUE(status.ok()) << status.error_message();
  return info;
}

TEST(InfoTest, TellsTheServerAndWhoAsks) {
  RpcHouse house;
  const v1::GetServerInfoResponse info = Info(house);
  EXPECT_EQ(info.version(), "1.2.3");
  EXPECT_TRUE(info.sandbox());
  EXPECT_EQ(info.caller(), "anybody");
  EXPECT_EQ(info.tenant(), "default");
  EXPECT_EQ(info.account(), "default");
  EXPECT_THAT(info.roles(), ElementsAre("read", "submit", "operate"));
  EXPECT_FALSE(info.callers_pay());
  EXPECT_FALSE(info.require_request_id());
  const double now =
      std::chrono::duration<double>(house.clock.WallNow().time_since_epoch()).count();
  EXPECT_NEAR(static_cast<double>(info.server_time().seconds()), now, 30);
  EXPECT_FALSE(info.has_pictory_obstacle());
  EXPECT_FALSE(info.has_store_obstacle());
  EXPECT_THAT(info.shed(), IsEmpty());
  EXPECT_EQ(house.fake.finds(), 1) << "the store was read";
  EXPECT_THAT(house.asked, IsEmpty()) << "Pictory was not";
}

TEST(InfoTest, TellsWhatIsInTheWayOfTheCallersAccountOnly) {
  RpcHouse house;
  house.obstructed_account = "another";
  house.obstacle = errors::PictoryKeyNeeded();
  EXPECT_FALSE(Info(house).has_pictory_obstacle());
  house.obstructed_account = "default";
  const v1::GetServerInfoResponse info = Info(house);
  EXPECT_EQ(info.pictory_obstacle().reason(), "PICTORY_KEY_NEEDED");
  EXPECT_THAT(info.pictory_obstacle().message(), HasSubstr("key"));
}

TEST(InfoTest, TellsThatTheStoreCannotBeRead) {
  RpcHouse house;
  house.fake.FailWith(errors::Internal("disk"));
  EXPECT_EQ(Info(house).store_obstacle().reason(), "INTERNAL");
}

TEST(InfoTest, TellsUnderPressureWhatIsRefusedAndReadsNothing) {
  RpcHouse house;
  const auto now = house.clock.Now();
  for (int i = 0; i <= 1; ++i) {
    house.shedding.Look({.lag = std::chrono::seconds(10)}, now + i * 2 * limits::kShedStep);
  }
  for (int i = 2; !house.shedding.Sheds(Shed::kReads); ++i) {
    ASSERT_LT(i, 10);
    house.shedding.Look({.lag = std::chrono::seconds(10)}, now + i * 2 * limits::kShedStep);
  }
  const v1::GetServerInfoResponse info = Info(house);
  EXPECT_THAT(info.shed(), ElementsAre("watches", "reads"));
  EXPECT_TRUE(info.has_store_obstacle());
  EXPECT_EQ(house.fake.finds(), 0);
}

}  // namespace
}  // namespace gateway::rpc
