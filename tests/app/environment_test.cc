#include "app/environment.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gateway::app {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

const std::vector<std::string> kKnown = {
    "PICTORY_API_KEY",     "PICTORY_API_VERSION_RENDER",  "PICTORY_GATEWAY",
    "PICTORY_LISTEN",      "PICTORY_MAX_SUBMITS_PER_DAY", "PICTORY_MAX_TENANT_SUBMITS_PER_DAY",
    "PICTORY_SANDBOX_PORT"};

// The same value for all of them.
std::vector<std::string> Check(const std::string& name, const std::string& value = "1") {
  return CheckVariables({{name, value}}, kKnown);
}

TEST(EnvironmentTest, KnownAndForeignVariablesPass) {
  EXPECT_THAT(CheckVariables({{"PICTORY_LISTEN", "a:1"},
                              {"PICTORY_API_KEY", "k"},
                              {"PICTORY_GATEWAY", "a:1"},
                              {"PATH", "/bin"},
                              {"PICTURE_DIR", ""},
                              {"PICTORY", ""},
                              {"VICTORY_SONG", "1"},
                              {"MY_PICTORY_LISTEN", "1"},
                              {"LISTEN", "1"},
                              {"_", ""}},
                             kKnown),
              IsEmpty());
}

TEST(EnvironmentTest, AnUnknownOneNamesTheNearest) {
  struct Case {
    const char *name, *nearest;
  };
  for (const Case& c : {
           Case{"PICTORY_MAX_SUBMITS_PER_DYA", "PICTORY_MAX_SUBMITS_PER_DAY"},
           Case{"PICTORY_MAX_SUBMIT_PER_DAY", "PICTORY_MAX_SUBMITS_PER_DAY"},
           Case{"PICTORY_max_submits_per_day", "PICTORY_MAX_SUBMITS_PER_DAY"},
           Case{"pictory_max_submits_per_day", "PICTORY_MAX_SUBMITS_PER_DAY"},
           Case{"Pictory_Listen", "PICTORY_LISTEN"},
           Case{"PICTORY-LISTEN", "PICTORY_LISTEN"},
           Case{"PICTORY__LISTEN", "PICTORY_LISTEN"},
           Case{"PICTORY_APIKEY", "PICTORY_API_KEY"},
           Case{"PICTORYAPIKEY", "PICTORY_API_KEY"},
           Case{"PICTORY_API_VERSION.RENDER", "PICTORY_API_VERSION_RENDER"},
           Case{"PICTROY_MAX_SUBMITS_PER_DAY", "PICTORY_MAX_SUBMITS_PER_DAY"},
           Case{"PICTOR_API_KEY", "PICTORY_API_KEY"},
           Case{"PICTORY_GATEWAY_LISTEN", "PICTORY_LISTEN"},
           Case{"PICTORY_SANDBOXPORT", "PICTORY_SANDBOX_PORT"},
           Case{"PICTORY_SANBOX_PORT", "PICTORY_SANDBOX_PORT"},
       }) {
    const std::vector<std::string> problems = Check(c.name, "canary");
    ASSERT_EQ(problems.size(), 1u) << c.name;
    EXPECT_THAT(problems[0], StartsWith(std::string(c.name) + ": "));
    EXPECT_THAT(problems[0], HasSubstr(std::string("did you mean ") + c.nearest + "?"));
    EXPECT_THAT(problems[0], Not(HasSubstr("canary")));
  }
  EXPECT_THAT(Check("PICTORY_COLOUR"),
              ElementsAre("PICTORY_COLOUR: there is no such setting; unset "
                          "it, or see --help"));
  EXPECT_EQ(Check("PICTORY_").size(), 1u);
}

TEST(EnvironmentTest, AllAreNamedAtOnce) {
  EXPECT_THAT(
      CheckVariables({{"PICTORY_B", "1"}, {"PICTORY_A", ""}, {"PICTORY_LISTEN", ""}}, kKnown),
      ElementsAre(StartsWith("PICTORY_A: "), StartsWith("PICTORY_B: "),
                  StartsWith("PICTORY_LISTEN: is set, but empty")));
}

TEST(EnvironmentTest, SetButEmptyIsNotUnset) {
  for (const char* value : {"", " ", "\t\n"}) {
    EXPECT_EQ(Check("PICTORY_API_KEY", value).size(), 1u);
    EXPECT_EQ(Check("PICTORY_MAX_SUBMITS_PER_DAY", value).size(), 1u);
  }
}

TEST(EnvironmentTest, ANameIsShownOnOneLine) {
  const auto problems = Check("PICTORY_\x1b[2J\n" + std::string(5000, 'x'));
  ASSERT_EQ(problems.size(), 1u);
  EXPECT_EQ(problems[0].find('\n'), std::string::npos);
  EXPECT_EQ(problems[0].find('\x1b'), std::string::npos);
  EXPECT_LT(problems[0].size(), 200u);
}

// As a pod has them for the Services pictory-gateway (ports grpc and metrics) and pictory.
const Variables kLinks = {
    {"PICTORY_GATEWAY_SERVICE_HOST", "10.96.7.1"},
    {"PICTORY_GATEWAY_SERVICE_PORT", "50051"},
    {"PICTORY_GATEWAY_SERVICE_PORT_GRPC", "50051"},
    {"PICTORY_GATEWAY_SERVICE_PORT_METRICS_2", "8081"},
    {"PICTORY_GATEWAY_PORT", "tcp://10.96.7.1:50051"},
    {"PICTORY_GATEWAY_PORT_50051_TCP", "tcp://10.96.7.1:50051"},
    {"PICTORY_GATEWAY_PORT_50051_TCP_PROTO", "tcp"},
    {"PICTORY_GATEWAY_PORT_50051_TCP_PORT", "50051"},
    {"PICTORY_GATEWAY_PORT_50051_TCP_ADDR", "10.96.7.1"},
    {"PICTORY_GATEWAY_PORT_53_UDP", "udp://10.96.7.1:53"},
    {"PICTORY_SERVICE_HOST", "fd00::7"},
    {"PICTORY_SERVICE_PORT", "80"},
    {"PICTORY_PORT", "tcp://[fd00::7]:80"},
    {"PICTORY_PORT_80_TCP_ADDR", "fd00::7"},
};

TEST(EnvironmentTest, WhatKubernetesSetsForServicesPasses) {
  EXPECT_THAT(CheckVariables(kLinks, kKnown), IsEmpty());
  for (const auto& [name, value] : kLinks) EXPECT_TRUE(IsServiceLink(name, value)) << name;
}

TEST(EnvironmentTest, WhatOnlyLooksLikeItDoesNot) {
  for (const auto& [name, value] :
       Variables{{"PICTORY_SANBOX_PORT", "8090"},  // a port, not the URL of a Service
                 {"PICTORY_GATEWAY_PORT", "50051"},
                 {"PICTORY_GATEWAY_PORT_50051", "tcp://10.96.7.1:50051"},
                 {"PICTORY_GATEWAY_PORT_GRPC_TCP", "tcp://10.96.7.1:50051"},
                 {"PICTORY_GATEWAY_PORT_50051_HTTP", "tcp://10.96.7.1:50051"},
                 {"PICTORY_GATEWAY_PORT_50051_TCP_NAME", "tcp"},
                 {"PICTORY_GATEWAY_SERVICE", "10.96.7.1"},
                 {"PICTORY_GATEWAY_SERVICE_HOSTS", "10.96.7.1"},
                 {"PICTORY_GATEWAY_SERVICE_HOST", ""},
                 {"PICTORY_GATEWAY_SERVICE_PORT", "grpc"},
                 {"pictory_gateway_service_host", "10.96.7.1"},
                 {"PICTORY_MAX_SUBMITS_PER_DYA", "1"}}) {
    EXPECT_FALSE(IsServiceLink(name, value)) << name;
    EXPECT_EQ(Check(name, value).size(), 1u) << name;
  }
  EXPECT_FALSE(IsServiceLink("PICTORY_PORT", "tcp://" + std::string(200'000, 'x') + ":1"));
  EXPECT_FALSE(IsServiceLink("PICTORY_" + std::string(200'000, 'X') + "_PORT", "tcp://a:1"));
}

TEST(EnvironmentTest, TheNearestSettingInWhateverStyle) {
  EXPECT_EQ(NearestSetting("--max-submits-per-dya", {"--listen", "--max-submits-per-day"}),
            "--max-submits-per-day");
  EXPECT_EQ(NearestSetting("PICTORY_LISTEN", {"listen"}), "listen");
  EXPECT_EQ(NearestSetting("max_watches", {"max-watches"}), "max-watches");
  EXPECT_EQ(NearestSetting("-listen", {"--listen"}), "--listen");
  EXPECT_EQ(NearestSetting("colour", kKnown), "");
  EXPECT_EQ(NearestSetting("", kKnown), "");
}

}  // namespace
}  // namespace gateway::app
