#include "base/host_port.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace gateway {
namespace {

using ::testing::HasSubstr;

std::string Why(const char* text) {
  const absl::StatusOr<HostPort> parsed = ParseHostPort(text);
  return parsed.ok() ? "accepted" : std::string(parsed.status().message());
}

TEST(HostPortTest, SpeltAsReadBack) {
  for (const char* text : {"127.0.0.1:50051", "localhost:0", "[::1]:65535", "[fe80::1%eth0]:1",
                           "my_host.svc.cluster.local:1", "a.:1"}) {
    const absl::StatusOr<HostPort> parsed = ParseHostPort(text);
    ASSERT_TRUE(parsed.ok()) << text << ": " << parsed.status();
    EXPECT_EQ(parsed->ToString(), text);
  }
}

TEST(HostPortTest, SaysWhatIsWrong) {
  EXPECT_THAT(Why(""), HasSubstr("empty"));
  EXPECT_THAT(Why("host"), HasSubstr("the port is missing"));
  EXPECT_THAT(Why("[::1]"), HasSubstr("the port is missing"));
  EXPECT_THAT(Why(":1"), HasSubstr("the host is missing"));
  EXPECT_THAT(Why("[]:1"), HasSubstr("no IPv6 address"));
  EXPECT_THAT(Why("::1"), HasSubstr("brackets"));
  EXPECT_THAT(Why("::1:5"), HasSubstr("brackets"));
  EXPECT_THAT(Why("a:b:1"), HasSubstr("brackets"));
  EXPECT_THAT(Why("[::1"), HasSubstr("']'"));
  EXPECT_THAT(Why("[::1]1"), HasSubstr("colon"));
  EXPECT_THAT(Why("http://h:1"), HasSubstr("scheme"));
  EXPECT_THAT(Why("h h:1"), HasSubstr("blank"));
  EXPECT_THAT(Why("h:1/x"), HasSubstr("path"));
  EXPECT_THAT(Why("u@h:1"), HasSubstr("user"));
  EXPECT_THAT(Why("h\xC3\xA9:1"), HasSubstr("letters"));
  EXPECT_THAT(Why("1.2.3.256:1"), HasSubstr("four numbers"));
  EXPECT_THAT(Why((std::string(254, 'a') + ":1").c_str()), HasSubstr("longer"));
  for (const char* port : {"h:", "h:x", "h:65536", "h:99999", "h:-1", "h:+1", "h:1.5"}) {
    EXPECT_THAT(Why(port), HasSubstr("0 to 65535")) << port;
  }
}

}  // namespace
}  // namespace gateway
