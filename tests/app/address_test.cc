#include "app/address.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gateway::app {
namespace {

using rpc::Security;
using ::testing::HasSubstr;

TEST(ListenAddressTest, IsWrittenInFourWays) {
  struct Case {
    const char* text;
    const char* listens;
    const char* target;
    Security security;
    bool local;
  };
  for (const Case& one : {
           Case{"127.0.0.1:1", "127.0.0.1:1", "127.0.0.1:1", Security::kPlain, true},
           Case{"0.0.0.0:1", "0.0.0.0:1", "0.0.0.0:1", Security::kPlain, false},
           Case{"tls:0.0.0.0:443", "0.0.0.0:443", "https://0.0.0.0:443", Security::kTls, false},
           Case{"tls:[::1]:0", "[::1]:0", "https://[::1]:0", Security::kTls, true},
           Case{"mtls:a.example:2", "a.example:2", "https://a.example:2", Security::kMutualTls,
                false},
           Case{"unix:/run/x.sock", "unix:/run/x.sock", "unix:/run/x.sock", Security::kPlain, true},
           Case{"unix:///run/x.sock", "unix:/run/x.sock", "unix:/run/x.sock", Security::kPlain,
                true},
       }) {
    const auto listen = ParseListenAddress(one.text);
    ASSERT_TRUE(listen.ok()) << one.text << ": " << listen.status();
    EXPECT_EQ(listen->ToString(), one.listens);
    EXPECT_EQ(listen->Target(), one.target);
    EXPECT_EQ(listen->security, one.security) << one.text;
    EXPECT_EQ(listen->IsLocal(), one.local) << one.text;
  }
}

TEST(ListenAddressTest, WhatIsWrongIsSaidWithHowItIsWritten) {
  for (const auto& [text, why] :
       {std::pair{"", "it is empty"}, std::pair{"tls:", "it is empty"},
        std::pair{"tls:0.0.0.0", "the port is missing"},
        std::pair{"TLS:0.0.0.0:1", "IPv6 address needs brackets"},
        std::pair{"mtls:unix:/x", "there is a path"},
        std::pair{"tls:mtls:a:1", "IPv6 address needs brackets"},
        std::pair{"https://a:1", "no scheme"}, std::pair{"unix:", "begins with /"},
        std::pair{"unix:x.sock", "begins with /"}, std::pair{"unix://x.sock", "begins with /"},
        std::pair{"unix:/a b", "a blank"}}) {
    const auto listen = ParseListenAddress(text);
    ASSERT_FALSE(listen.ok()) << text;
    EXPECT_THAT(std::string(listen.status().message()), HasSubstr(why)) << text;
    EXPECT_THAT(std::string(listen.status().message()), HasSubstr("write host:port")) << text;
  }
}

}  // namespace
}  // namespace gateway::app
