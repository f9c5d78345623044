#include "app/listening.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gateway::app {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::vector<std::string> Warned(const char* listen, bool callers_pay = false) {
  std::vector<std::string> reasons;
  for (const ListenWarning& warning :
       ListenWarnings({*ParseListenAddress(listen)}, "1.51.1", callers_pay)) {
    EXPECT_EQ(warning.address, ParseListenAddress(listen)->ToString());
    EXPECT_THAT(warning.advice, HasSubstr(warning.reason.starts_with("gRPC") ? "Envoy" : "tls:"));
    reasons.push_back(warning.reason);
  }
  return reasons;
}

TEST(ListenWarningsTest, WhatOthersReachHasThem) {
  for (const char* local : {"127.0.0.1:1", "tls:127.0.0.1:1", "[::1]:1", "unix:/x"}) {
    EXPECT_THAT(Warned(local), IsEmpty()) << local;
  }
  for (const char* encrypted : {"tls:0.0.0.0:1", "mtls:10.0.0.1:1"}) {
    EXPECT_THAT(Warned(encrypted), ElementsAre(HasSubstr("gRPC 1.51.1"))) << encrypted;
  }
  EXPECT_THAT(Warned("0.0.0.0:1"), ElementsAre(HasSubstr("plain text"), HasSubstr("gRPC 1.51.1")));
}

TEST(ListenWarningsTest, WhereCallersPayAPlainListenerTakesNoKeys) {
  EXPECT_THAT(Warned("0.0.0.0:1", /*callers_pay=*/true),
              ElementsAre(HasSubstr("plain text: whoever"), HasSubstr("keys are refused"),
                          HasSubstr("gRPC 1.51.1")));
  for (const char* safe : {"127.0.0.1:1", "unix:/x"}) {
    EXPECT_THAT(Warned(safe, /*callers_pay=*/true), IsEmpty()) << safe;
  }
  EXPECT_THAT(Warned("tls:0.0.0.0:1", /*callers_pay=*/true), ElementsAre(HasSubstr("gRPC 1.51.1")));
}

}  // namespace
}  // namespace gateway::app
