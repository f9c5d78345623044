#include "rpc/tenant_gates.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/errors.h"
#include "support/fake_clock.h"

namespace gateway::rpc {
namespace {

using std::chrono::milliseconds;
using testing::HasSubstr;

class TenantGatesTest : public testing::Test {
 protected:
  static tenants::Principal Of(const char* tenant, tenants::TenantLimits limits) {
    tenants::Principal principal;
    principal.tenant = tenant;
    principal.limits = limits;
    return principal;
  }
  int Taken(const tenants::Principal& principal, int calls) {
    int taken = 0;
    for (int i = 0; i < calls; ++i) taken += gates_.CountCall(principal).ok() ? 1 : 0;
    return taken;
  }
  test::FakeClock clock_;
  Random random_{1};
  TenantGates gates_{clock_, random_};
};

TEST_F(TenantGatesTest, WithoutALimitThereIsNone) {
  const auto principal = Of("a", {});
  EXPECT_EQ(Taken(principal, 1000), 1000);
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(*gates_.EnterWatch(principal), nullptr);
    EXPECT_EQ(*gates_.EnterBytes(principal, 1 << 30), nullptr);
  }
}

TEST_F(TenantGatesTest, CallsComeBackWithTime) {
  const auto a = Of("a", {.requests_per_second = 10});
  const auto b = Of("b", {.requests_per_second = 10});
  EXPECT_EQ(Taken(a, 100), 10);
  EXPECT_EQ(Taken(b, 100), 10);
  clock_.Advance(milliseconds(99));
  EXPECT_EQ(Taken(a, 100), 0);
  clock_.Advance(milliseconds(201));
  EXPECT_EQ(Taken(a, 100), 3);
  clock_.Advance(std::chrono::hours(1));
  EXPECT_EQ(Taken(a, 100), 10);
  const absl::Status refused = gates_.CountCall(a);
  EXPECT_EQ(errors::Reason(refused), "TENANT_LIMIT");
  EXPECT_GE(errors::RetryDelay(refused), milliseconds(500));
  EXPECT_THAT(std::string(refused.message()), HasSubstr("Tenant a has too many calls in a second"));
}

TEST_F(TenantGatesTest, ACallMayDoTheWorkOfSeveral) {
  const auto a = Of("a", {.requests_per_second = 10});
  const auto b = Of("b", {.requests_per_second = 10});
  ASSERT_EQ(Taken(a, 1), 1);
  EXPECT_TRUE(gates_.CountMore(a, 99).ok());
  for (int i = 0; i < 50; ++i) {
    const absl::Status owing = gates_.CountMore(a, 99);
    EXPECT_EQ(errors::Reason(owing), "TENANT_LIMIT") << "those that came at once add nothing";
    EXPECT_GE(errors::RetryDelay(owing), milliseconds(9'000));
  }
  EXPECT_EQ(Taken(b, 100), 10);
  clock_.Advance(milliseconds(9'000));
  EXPECT_EQ(Taken(a, 100), 0) << "nine seconds' calls are owed";
  clock_.Advance(milliseconds(100));
  EXPECT_EQ(Taken(a, 100), 1);
  EXPECT_TRUE(gates_.CountMore(Of("c", {}), 1000).ok());
  EXPECT_EQ(Taken(Of("c", {}), 1000), 1000);
}

TEST_F(TenantGatesTest, PlacesAreGivenBack) {
  const auto a = Of("a", {.watches = 2});
  auto first = gates_.EnterWatch(a);
  const auto second = gates_.EnterWatch(a);
  ASSERT_TRUE(first.ok() && second.ok());
  EXPECT_EQ(errors::Reason(gates_.EnterWatch(a).status()), "TENANT_LIMIT");
  EXPECT_TRUE(gates_.EnterWatch(Of("b", {.watches = 1})).ok());
  first = TenantGates::Place();
  EXPECT_TRUE(gates_.EnterWatch(a).ok());
}

TEST_F(TenantGatesTest, ARequestThatIsAloneHasRoomHoweverLargeItIs) {
  const auto a = Of("a", {.bytes_in_flight = 100});
  auto huge = gates_.EnterBytes(a, 1000);
  ASSERT_TRUE(huge.ok());
  EXPECT_EQ(errors::Reason(gates_.EnterBytes(a, 1).status()), "TENANT_LIMIT");
  huge = TenantGates::Place();
  const auto some = gates_.EnterBytes(a, 60);
  ASSERT_TRUE(some.ok());
  EXPECT_FALSE(gates_.EnterBytes(a, 41).ok());
  EXPECT_TRUE(gates_.EnterBytes(a, 40).ok());
}

}  // namespace
}  // namespace gateway::rpc
