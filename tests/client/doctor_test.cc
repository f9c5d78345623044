// What the doctor makes of what it finds.
#include "doctor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/errors.h"

namespace pictory_jobs::cli {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

// Whoever is not well says what to do.
void Expect(const Finding& finding, Health health, const char* says) {
  EXPECT_EQ(static_cast<int>(finding.health), static_cast<int>(health))
      << TextOf(FindingText(finding));
  EXPECT_THAT(TextOf(FindingText(finding)), HasSubstr(says));
  EXPECT_EQ(finding.health == Health::kOk, finding.fix.empty()) << finding.fix;
}

GetServerInfoResponse Info() {
  GetServerInfoResponse info;
  info.set_caller("key:ci");
  info.set_tenant("acme");
  info.set_account("east");
  for (const char* role : {"read", "submit"}) info.add_roles(role);
  return info;
}

TEST(Doctor, VersionsOfOneSeriesGoTogether) {
  Expect(OnVersions("0.1.0", "0.1.0"), Health::kOk, "pictory 0.1.0, gateway 0.1.0");
  Expect(OnVersions("0.1.0", "0.1.7"), Health::kOk, "0.1.7");
  Expect(OnVersions("0.1.0", "0.2.0"), Health::kWarn, "the older of the two");
  Expect(OnVersions("1.0.0", "0.1.0"), Health::kWarn, "the older of the two");
}

TEST(Doctor, SaysWhoOneIsAndMay) {
  Expect(OnIdentity(Info()), Health::kOk, "key:ci, tenant acme, may read, submit");
  GetServerInfoResponse reader = Info();
  reader.mutable_roles()->RemoveLast();
  Expect(OnIdentity(reader), Health::kWarn, "you may not submit");
}

TEST(Doctor, AClockIsOffByMoreThanTheAnswerTook) {
  Expect(OnClock(milliseconds(-20), milliseconds(1)), Health::kOk, "20 ms behind");
  Expect(OnClock(seconds(40), seconds(15)), Health::kOk, "40000 ms ahead");
  Expect(OnClock(seconds(40), seconds(1)), Health::kWarn, "NTP");
  Expect(OnClock(-minutes(10), seconds(1)), Health::kFail, "NTP");
}

TEST(Doctor, ObstaclesAreFailures) {
  GetServerInfoResponse info = Info();
  Expect(OnStore(info), Health::kOk, "is read");
  Expect(OnLoad(info), Health::kOk, "nothing is refused");
  Expect(OnPictory(info, absl::OkStatus(), milliseconds(12)), Health::kOk,
         "account east answered in 12 ms");
  info.mutable_store_obstacle()->set_reason("STORE_FAILED");
  info.add_shed("watches");
  info.mutable_pictory_obstacle()->set_reason("UPSTREAM_CREDENTIALS");
  Expect(OnStore(info), Health::kFail, "STORE_FAILED");
  Expect(OnLoad(info), Health::kWarn, "watches");
  Expect(OnPictory(info, absl::OkStatus(), {}), Health::kFail, "the gateway's operator");
  info.set_callers_pay(true);
  Expect(OnPictory(info, absl::OkStatus(), {}), Health::kFail, "PICTORY_CALLER_KEY");
}

TEST(Doctor, APictoryThatIsNotAskedOrBusyIsNoFailure) {
  Expect(OnPictory(Info(),
                   gateway::errors::BudgetExhausted(seconds(3), gateway::errors::Call::kFree), {}),
         Health::kWarn, "try again");
  Expect(OnPictory(Info(), absl::InternalError("broken"), {}), Health::kFail, "broken");
}

TEST(Doctor, ABudgetIsWarnedOfBeforeItIsUsedUp) {
  GetUsageResponse usage;
  usage.mutable_submits_today()->set_used(89);
  Expect(OnBudget(usage), Health::kOk, "submits of 24 h 89,");
  usage.mutable_submits_today()->set_limit(100);
  Expect(OnBudget(usage), Health::kOk, "89 of 100");
  usage.mutable_submits_today()->set_used(90);
  Expect(OnBudget(usage), Health::kWarn, "nearly used up");
  usage.mutable_active_jobs()->set_used(5);
  usage.mutable_active_jobs()->set_limit(5);
  Expect(OnBudget(usage), Health::kFail, "active jobs are used up");
  usage.set_submits_stopped(true);
  Expect(OnBudget(usage), Health::kFail, "stop-submits");
}

TEST(Doctor, AStreamThatIsCutNamesTheTime) {
  Expect(OnStream(seconds(20), seconds(20), absl::OkStatus()), Health::kOk, "open for 20s");
  Expect(OnStream(seconds(20), seconds(15), absl::UnavailableError("upstream request timeout")),
         Health::kWarn, "cut after 15s (upstream request timeout)");
  Expect(OnStream(seconds(20), seconds(0), absl::UnimplementedError("")), Health::kWarn,
         "grpc.health.v1.Health");
}

TEST(Doctor, AFindingIsALineOrAnObject) {
  const Finding finding{.health = Health::kWarn, .check = "clock", .what = "w \"x\"", .fix = "f"};
  EXPECT_EQ(TextOf(FindingText(finding)), "WARN  clock     w \"x\"\n                -> f\n");
  EXPECT_EQ(
      FindingLine(finding),
      "{\"check\":\"clock\",\"health\":\"WARN\",\"message\":\"w \\\"x\\\"\",\"fix\":\"f\"}\n");
  EXPECT_THAT(TextOf(FindingText({.check = "c", .what = "w"})), Not(HasSubstr("->")));
}

}  // namespace
}  // namespace pictory_jobs::cli
