#include "notify/destination.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gateway::notify {
namespace {

using http::Reach;
using testing::HasSubstr;

tenants::NotifyRules Rules() {
  tenants::NotifyRules rules;
  rules.url = "https://own.example.com/hook";
  rules.hosts = {"hooks.example.com:443", "hooks.example.com:8443", "127.0.0.1:9000",
                 "10.0.0.5:443",          "hooks.internal:443",     "localhost:9000"};
  rules.inside_hosts = {"10.0.0.5:443", "hooks.internal:443"};
  rules.secret_files = {"secret"};
  return rules;
}

TEST(Destination, IsTheTenantsUrlOrThatOfTheSubmitOnAnAllowedHost) {
  struct Row {
    const char* url;
    Reach reach;
    const char* host;
  };
  for (const Row& row : {
           Row{"", Reach::kPublic, "own.example.com:443"},
           Row{"https://hooks.example.com/a?b=c", Reach::kPublic, "hooks.example.com:443"},
           Row{"https://HOOKS.example.com:8443/", Reach::kPublic, "hooks.example.com:8443"},
           Row{"https://10.0.0.5/a", Reach::kAnywhere, "10.0.0.5:443"},
           Row{"https://hooks.internal/a", Reach::kAnywhere, "hooks.internal:443"},
       }) {
    const auto to = DestinationOf(row.url, Rules(), /*loopback=*/false);
    ASSERT_TRUE(to.ok()) << row.url << " " << to.status();
    EXPECT_EQ(to->reach, row.reach) << row.url;
    EXPECT_EQ(to->host, row.host) << row.url;
  }
}

TEST(Destination, IsNothingElse) {
  struct Row {
    const char* url;
    const char* says;
  };
  for (const Row& row : {
           Row{"https://other.example.com/", "not allowed"},
           Row{"https://hooks.example.com:444/", "not allowed"},
           Row{"https://own.example.com/hook", "not allowed"},
           Row{"https://hooks.example.com.evil.com/", "not allowed"},
           Row{"https://evil.com/hooks.example.com", "not allowed"},
           Row{"https://user@hooks.example.com/", "user name"},
           Row{"https://hooks.example.com@evil.com/", "user name"},
           Row{"https://hooks.example.com\\@evil.com/", "backslashes"},
           Row{"http://hooks.example.com/", "https"},
           Row{"http://10.0.0.5/", "https"},
           Row{"http://127.0.0.1:9000/", "https"},
           Row{"https://127.0.0.1:9000/", "IP address"},
           Row{"https://2130706433:9000/", "IP address"},
           Row{"https://[::1]/", "IP address"},
           Row{"https://localhost:9000/", "public host"},
           Row{"https://10.0.0.6/", "IP address"},
           Row{"ftp://hooks.example.com/", "https"},
           Row{"hooks.example.com", "whole URL"},
       }) {
    const auto to = DestinationOf(row.url, Rules(), /*loopback=*/false);
    ASSERT_FALSE(to.ok()) << row.url;
    EXPECT_THAT(to.status().message(), HasSubstr(row.says)) << row.url;
  }
  EXPECT_FALSE(
      DestinationOf("https://hooks.example.com/" + std::string(2048, 'a'), Rules(), false).ok());
}

TEST(Destination, OnThisMachineIsForTheSandboxAndOnAnAllowedPort) {
  const auto to = DestinationOf("http://127.0.0.1:9000/a", Rules(), /*loopback=*/true);
  ASSERT_TRUE(to.ok()) << to.status();
  EXPECT_EQ(to->reach, Reach::kLoopback);
  EXPECT_FALSE(DestinationOf("http://127.0.0.1:9001/a", Rules(), /*loopback=*/true).ok());
  EXPECT_EQ(DestinationOf("", Rules(), /*loopback=*/true)->reach, Reach::kPublic);
}

TEST(Destination, IsNoneWithoutASecretOrUrlOrHosts) {
  tenants::NotifyRules rules = Rules();
  rules.secret_files.clear();
  EXPECT_FALSE(DestinationOf("", rules, false).ok());
  EXPECT_FALSE(DestinationOf("", {}, false).ok());
  EXPECT_FALSE(DestinationOf("https://hooks.example.com/", {}, true).ok()) << "nothing by default";
}

}  // namespace
}  // namespace gateway::notify
