#include "base/inside_address.h"

#include <gtest/gtest.h>

namespace gateway {
namespace {

TEST(InsideAddress, IsOneThatNobodyOutsideCanMean) {
  for (const char* inside : {"127.0.0.1",
                             "127.9.9.9",
                             "0.0.0.0",
                             "10.1.2.3",
                             "172.16.0.1",
                             "172.31.255.255",
                             "192.168.1.1",
                             "169.254.169.254",
                             "100.64.0.1",
                             "224.0.0.1",
                             "255.255.255.255",
                             "::1",
                             "::",
                             "fe80::1",
                             "fe80::1%eth0",
                             "fc00::1",
                             "fd12::1",
                             "ff02::1",
                             "::ffff:127.0.0.1",
                             "::ffff:10.0.0.1",
                             "64:ff9b::a9fe:a9fe",
                             "64:ff9b::10.0.0.1",
                             "64:ff9b::168.63.129.16",
                             "64:ff9b:1::808:808",
                             "64:ff9b:1:ffff::1",
                             "::ffff:0:10.0.0.1",
                             "168.63.129.16",
                             "192.0.0.192",
                             "192.0.2.1",
                             "192.88.99.1",
                             "198.18.0.1",
                             "198.51.100.7",
                             "203.0.113.7",
                             "240.0.0.1",
                             "2002:a00:1::1",
                             "2002:7f00:1::",
                             "2002:a9fe:a9fe::1",
                             "2001::1",
                             "2001:1ff:ffff::1",
                             "2001:db8::1",
                             "3fff:fff::1",
                             "100::1",
                             "100:0:0:1::1",
                             "5f00::1",
                             "fec0::1",
                             "4000::1",
                             "fe80::5efe:808:808",
                             "2606:4700::5efe:10.0.0.1",
                             "2606:4700::200:5efe:10.0.0.1",
                             "",
                             "localhost"}) {
    EXPECT_TRUE(IsInsideAddress(inside)) << inside;
  }
  for (const char* outside : {"8.8.8.8",
                              "172.32.0.1",
                              "172.15.0.1",
                              "100.63.0.1",
                              "192.167.1.1",
                              "223.255.255.255",
                              "2606:4700::1",
                              "::ffff:8.8.8.8",
                              "64:ff9b::808:808",
                              "64:ff9b::8.8.8.8",
                              "168.63.129.17",
                              "192.0.1.1",
                              "198.17.255.255",
                              "198.20.0.1",
                              "2002:808:808::1",
                              "2001:200::1",
                              "2001:4860:4860::8888",
                              "3ffe::1",
                              "2606:4700::5efe:8.8.8.8",
                              "::ffff:0:8.8.8.8"}) {
    EXPECT_FALSE(IsInsideAddress(outside)) << outside;
  }
}

TEST(InsideAddress, KnowsThisMachine) {
  for (const char* here : {"127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"}) {
    EXPECT_TRUE(IsLoopbackAddress(here)) << here;
  }
  for (const char* other :
       {"10.0.0.1", "0.0.0.0", "::", "::2", "fe80::1", "8.8.8.8", "", "localhost"}) {
    EXPECT_FALSE(IsLoopbackAddress(other)) << other;
  }
}

}  // namespace
}  // namespace gateway
