// A name server that does not answer must hold up nothing but the request that asked.
//
// libcurl looks names up in a thread of its own through getaddrinfo, which this program replaces.
#include <arpa/inet.h>
#include <netdb.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <fstream>

#include "gmock/gmock.h"
#include "http/curl_transport.h"
#include "support/black_hole.h"
#include "transport_test_support.h"

namespace {

gateway::http::test::Gate* lookups = nullptr;
std::atomic<int> started{0}, ended{0};
std::atomic<int> twofold_port{0};  // not 0: every name is at ::1 and, second, at 127.0.0.1

template <class Address>
addrinfo* Entry(const Address& address, int family, addrinfo* next) {
  auto* const entry = static_cast<addrinfo*>(std::calloc(1, sizeof(addrinfo) + sizeof address));
  entry->ai_family = family;
  entry->ai_socktype = SOCK_STREAM;
  entry->ai_addrlen = sizeof address;
  entry->ai_addr = reinterpret_cast<sockaddr*>(entry + 1);
  std::memcpy(entry->ai_addr, &address, sizeof address);
  entry->ai_next = next;
  return entry;
}

addrinfo* Twofold() {
  const auto port = htons(static_cast<std::uint16_t>(twofold_port.load()));
  sockaddr_in v4{};
  v4.sin_family = AF_INET;
  v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  v4.sin_port = port;
  sockaddr_in6 v6{};
  v6.sin6_family = AF_INET6;
  v6.sin6_addr = in6addr_loopback;
  v6.sin6_port = port;
  return Entry(v6, AF_INET6, Entry(v4, AF_INET, nullptr));
}

}  // namespace

extern "C" int getaddrinfo(const char*, const char*, const addrinfo*, addrinfo** found) {
  if (twofold_port != 0) {
    *found = Twofold();
    return 0;
  }
  ++started;
  if (lookups != nullptr) lookups->Pass();
  ++ended;
  return EAI_NONAME;
}

extern "C" void freeaddrinfo(addrinfo* entry) {
  while (entry != nullptr) std::free(std::exchange(entry, entry->ai_next));
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

// The engine itself never waits for the name server, on neither lane.
TEST(Resolver, OneThatHangsDoesNotStallTheEngine) {
  Duration stall = Duration::max();
  for (int i = 0; i < 5 && stall > milliseconds(100); ++i) {  // the machine may be busy
    Gate gate;
    started = ended = 0;
    lookups = &gate;
    CurlTransportOptions options;
    options.base_url = "https://upstream.test";
    options.connect_timeout = milliseconds(300);
    auto transport = MustCreate(options);
    auto paid = Begin(*transport, Post("/job", "body"));
    auto read = Begin(*transport, Get("/job"));
    EXPECT_EQ(Await(std::move(paid)).outcome, Outcome::kNotSent);
    EXPECT_EQ(Await(std::move(read)).outcome, Outcome::kNotSent);
    EXPECT_EQ(ended, 0);
    stall = transport->Stats().loop_stall_max;
    gate.Open();
    EXPECT_TRUE(Eventually([] { return ended == started; }));
    lookups = nullptr;
  }
  EXPECT_LE(stall, milliseconds(100));
}

TEST(Resolver, AnIpv6AddressThatSwallowsEverythingCostsLittleAndNoSecondPost) {
  Duration took = Duration::max();
  for (int i = 0; i < 5 && took > milliseconds(300); ++i) {  // the machine may be busy
    ScriptedServer server([](ScriptedConnection& connection,
                             const ReceivedRequest&) { connection.Send(HttpReply(200, "ok")); },
                          ScriptedServer::Tls::kForOtherHost);
    const ::gateway::test::BlackHole hole(server.port());
    twofold_port = server.port();
    CurlTransportOptions options;
    options.base_url = "https://elsewhere.test:" + std::to_string(server.port());
    options.ca_file = testing::TempDir() + "ca-" + std::to_string(server.port()) + ".pem";
    std::ofstream(options.ca_file) << server.certificate();
    auto transport = MustCreate(options);
    const auto begin = std::chrono::steady_clock::now();
    const Response response = Fetch(*transport, Post("/job", "body"));
    took = std::chrono::steady_clock::now() - begin;
    twofold_port = 0;
    EXPECT_EQ(response.outcome, Outcome::kComplete) << response.error;
    EXPECT_GE(took, milliseconds(150)) << "the hole was not even tried";
    EXPECT_EQ(server.request_count(), 1);
    EXPECT_EQ(server.connection_count(), 1);
  }
  EXPECT_LE(took, milliseconds(300));
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
