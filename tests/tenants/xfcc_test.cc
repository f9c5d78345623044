#include "tenants/xfcc.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gateway::tenants {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

TEST(XfccTest, ReadsWhatEnvoyWrites) {
  const auto read = ParseXfcc(
      "By=spiffe://cluster.local/ns/video/sa/server;Hash=2e30;Subject=\"CN=alice,O=Acme\";"
      "URI=spiffe://cluster.local/ns/video/sa/alice;DNS=alice.video.svc;DNS=other");
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->by, "spiffe://cluster.local/ns/video/sa/server");
  EXPECT_EQ(read->hash, "2e30");
  EXPECT_EQ(read->subject, "CN=alice,O=Acme");
  EXPECT_THAT(read->uris, ElementsAre("spiffe://cluster.local/ns/video/sa/alice"));
  EXPECT_THAT(read->dns, ElementsAre("alice.video.svc", "other"));
}

struct XfccRow {
  const char* header;
  std::vector<std::string> uris;  // of the last element
};

TEST(XfccTest, OnlyTheLastElementCounts) {
  const XfccRow rows[] = {
      {"By=a;URI=spiffe://boss,By=b;URI=spiffe://alice", {"spiffe://alice"}},
      {"URI=spiffe://boss, URI=spiffe://alice", {"spiffe://alice"}},
      {"URI=spiffe://boss,By=b;Hash=0", {}},
      {"URI=1,URI=2,URI=3", {"3"}},
      // Separators inside quotes separate nothing.
      {"Subject=\"CN=x,URI=spiffe://boss\";URI=spiffe://alice", {"spiffe://alice"}},
      {"URI=spiffe://alice;Subject=\"O=a,By=b;URI=spiffe://boss\"", {"spiffe://alice"}},
      {"URI=spiffe://alice;Subject=\"O=\\\"a\\\",URI=boss\"", {"spiffe://alice"}},
      {"URI=spiffe://alice;Subject=\"ends with \\\\\"", {"spiffe://alice"}},
      {"Cert=\"-----BEGIN%20CERT,;=\";URI=spiffe://alice", {"spiffe://alice"}},
      {"URI=\"spiffe://quoted,odd\"", {"spiffe://quoted,odd"}},
      {"uri=spiffe://alice", {"spiffe://alice"}},
      {"URI=a;URI=b", {"a", "b"}},
      {"URI=", {}},
      {"URI=spiffe://with=sign", {"spiffe://with=sign"}},
  };
  for (const XfccRow& row : rows) {
    const auto read = ParseXfcc(row.header);
    ASSERT_TRUE(read.ok()) << row.header << ": " << read.status();
    EXPECT_EQ(read->uris, row.uris) << row.header;
    EXPECT_THAT(read->dns, IsEmpty()) << row.header;
  }
}

// A caller that opens a quote would otherwise swallow what the proxy adds behind it.
TEST(XfccTest, WhatCannotBeReadIsRefused) {
  for (const char* header : {
           "",
           " ",
           ",",
           ";",
           "URI",
           "=x",
           "URI=a,",
           "URI=a;",
           "URI=a,,URI=b",
           "URI=\"boss",
           "URI=\"boss,By=b;URI=spiffe://alice",
           "Subject=\"CN=x\\\",By=b;URI=spiffe://alice",
           "URI=a\"b",
           "URI=\"a\"b",
           "URI=\"a\"\"b\"",
           "Subject=\"x\"URI=a",
           "\"URI\"=a",
           "URI=boss,plain",
       }) {
    const auto read = ParseXfcc(header);
    EXPECT_EQ(read.status().code(), absl::StatusCode::kInvalidArgument) << header;
    EXPECT_THAT(std::string(read.status().message()), HasSubstr("x-forwarded-client-cert"));
  }
}

}  // namespace
}  // namespace gateway::tenants
