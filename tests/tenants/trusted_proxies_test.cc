#include "tenants/trusted_proxies.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gateway::tenants {
namespace {

struct ProxyRow {
  const char* proxies;
  const char* peer;
  bool trusted;
};

TEST(TrustedProxiesTest, HoldsAddressesNetworksAndUnixSockets) {
  const ProxyRow rows[] = {
      {"127.0.0.6", "ipv4:127.0.0.6:4711", true},
      {"127.0.0.6", "ipv4:127.0.0.7:4711", false},
      {"10.0.0.0/8", "ipv4:10.255.0.1:1", true},
      {"10.0.0.0/8", "ipv4:11.0.0.1:1", false},
      {"10.64.0.0/10", "ipv4:10.127.255.255:1", true},
      {"10.64.0.0/10", "ipv4:10.128.0.0:1", false},
      {"0.0.0.0/0", "ipv4:192.0.2.1:1", true},
      {"0.0.0.0/0", "ipv6:%5B2001:db8::1%5D:1", false},
      {"::/0", "ipv6:%5B2001:db8::1%5D:1", true},
      {"2001:db8::/32", "ipv6:%5B2001:db8::1%5D:1", true},
      {"2001:db8::/32", "ipv6:[2001:db8::1]:1", true},
      {"2001:db8::/32", "ipv6:%5B2001:db9::1%5D:1", false},
      {"fe80::/10", "ipv6:%5Bfe80::1%25eth0%5D:1", true},
      // An IPv4 caller on an IPv6 socket.
      {"10.0.0.0/8", "ipv6:%5B::ffff:10.1.2.3%5D:1", true},
      {"::ffff:10.0.0.0/104", "ipv4:10.1.2.3:1", true},
      {"127.0.0.1, 10.0.0.0/8,unix", "ipv4:10.1.2.3:1", true},
      {"127.0.0.1,10.0.0.0/8, unix", "unix:", true},
      {"unix", "unix:/run/x", true},
      {"unix", "ipv4:127.0.0.1:1", false},
      {"127.0.0.1", "unix:", false},
      {"::/0", "", false},
      {"::/0", "ipv4:", false},
      {"::/0", "ipv4:nonsense", false},
      {"::/0", "dns:localhost", false},
  };
  for (const ProxyRow& row : rows) {
    const auto proxies = TrustedProxies::Parse(row.proxies);
    ASSERT_TRUE(proxies.ok()) << row.proxies << ": " << proxies.status();
    EXPECT_EQ(proxies->Has(row.peer), row.trusted) << row.proxies << " " << row.peer;
  }
  EXPECT_FALSE(TrustedProxies().Has("ipv4:127.0.0.1:1"));
  EXPECT_FALSE(TrustedProxies().Has("unix:"));
}

TEST(TrustedProxiesTest, RefusesWhatIsNoNetwork) {
  for (const char* text : {"", ",", "127.0.0.1,", "localhost", "10.0.0.0/", "10.0.0.0/33",
                           "10.0.0.0/-1", "10.0.0.0/+8", "10.0.0.0/8/8", "10.0.0.1/8", "::1/64",
                           "::/129", "10.0.0", "010.0.0.1", "Unix", "1.2.3.4:50051"}) {
    EXPECT_FALSE(TrustedProxies::Parse(text).ok()) << text;
  }
  EXPECT_THAT(std::string(TrustedProxies::Parse("10.0.0.1/8").status().message()),
              testing::HasSubstr("bits set behind its first 8"));
}

}  // namespace
}  // namespace gateway::tenants
