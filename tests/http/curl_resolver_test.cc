// A name server that does not answer must hold up nothing but the request that asked.
//
// libcurl looks names up in a thread of its own through getaddrinfo, which this program replaces.
#include <netdb.h>

#include <atomic>

#include "gmock/gmock.h"
#include "http/curl_transport.h"
#include "transport_test_support.h"

namespace {

gateway::http::test::Gate* lookups = nullptr;
std::atomic<int> started{0}, ended{0};

}  // namespace

extern "C" int getaddrinfo(const char*, const char*, const addrinfo*, addrinfo**) {
  ++started;
  if (lookups != nullptr) lookups->Pass();
  ++ended;
  return EAI_NONAME;
}

namespace gateway::http::test {
namespace {

using ::testing::HasSubstr;

TEST(Resolver, OneThatHangsEndsWithTheConnectTimeoutAndBlocksNothing) {
  started = ended = 0;
  Gate gate;
  lookups = &gate;
  CurlTransportOptions options;
  options.base_url = "https://upstream.test";
  options.connect_timeout = milliseconds(50);
  auto transport = MustCreate(options);
  const Response response = Fetch(*transport, Post("/job", "body"));
  EXPECT_EQ(response.outcome, Outcome::kNotSent);
  EXPECT_THAT(response.error, HasSubstr("timed out"));
  auto ended_by_us = Begin(*transport, Post("/job", "body"));
  EXPECT_TRUE(Eventually([] { return started == 2; }));
  transport.reset();
  EXPECT_EQ(Await(std::move(ended_by_us)).outcome, Outcome::kNotSent);
  EXPECT_EQ(ended, 0);  // all that, while both lookups still hung
  gate.Open();
  EXPECT_TRUE(Eventually([] { return ended == 2; }));
  lookups = nullptr;
}

TEST(Resolver, AnUnknownHostIsNotSentTo) {
  CurlTransportOptions options;
  options.base_url = "https://upstream.test";
  const Response response = Fetch(*MustCreate(options), Post("/job", "body"));
  EXPECT_EQ(response.outcome, Outcome::kNotSent);
  EXPECT_THAT(response.error, HasSubstr("resolve"));
}

}  // namespace
}  // namespace gateway::http::test
