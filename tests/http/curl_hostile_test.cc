// An upstream, a network or an environment that means harm: what must not happen, and what it may
// cost at most.
#include <zlib.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "gmock/gmock.h"
#include "http/curl_transport.h"
#include "support/peak_memory.h"
#include "transport_test_support.h"

namespace gateway::http::test {
namespace {

using ::gateway::test::PeakMemory;
using ::testing::HasSubstr;
using Tls = ScriptedServer::Tls;

constexpr std::size_t kBodyMaxBytes = 16 * limits::kMiB;
constexpr std::size_t kMemoryMayGrowBytes = 2 * kBodyMaxBytes;
constexpr Duration kStallMax = milliseconds(100);
// A busy machine may take any thread away for a while; what the code itself does too slowly, it
// does each time.
constexpr int kTries = 5;

// How long unpacking as much as a job may have takes here and now, however busy the machine is.
Duration TimeToUnpackACap(const std::string& bomb) {
  const auto begin = std::chrono::steady_clock::now();
  z_stream stream{};
  inflateInit2(&stream, 15 + 16);
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bomb.data()));
  stream.avail_in = static_cast<uInt>(bomb.size());
  std::string piece(16 * limits::kKiB, '\0');
  while (stream.total_out < kBodyMaxBytes) {
    stream.next_out = reinterpret_cast<Bytef*>(piece.data());
    stream.avail_out = static_cast<uInt>(piece.size());
    inflate(&stream, Z_SYNC_FLUSH);
  }
  inflateEnd(&stream);
  return std::chrono::steady_clock::now() - begin;
}

// `megabytes` of zeros, packed a thousand to one.
std::string GzipBomb(int megabytes) {
  z_stream stream{};
  deflateInit2(&stream, Z_BEST_COMPRESSION, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
  std::string zeros(limits::kMiB, '\0');
  std::string packed(zeros.size(), '\0');
  std::string bomb;
  for (int i = 0; i < megabytes; ++i) {
    stream.next_in = reinterpret_cast<Bytef*>(zeros.data());
    stream.avail_in = static_cast<uInt>(zeros.size());
    stream.next_out = reinterpret_cast<Bytef*>(packed.data());
    stream.avail_out = static_cast<uInt>(packed.size());
    deflate(&stream, i + 1 == megabytes ? Z_FINISH : Z_NO_FLUSH);
    bomb.append(packed, 0, packed.size() - stream.avail_out);
  }
  deflateEnd(&stream);
  return bomb;
}

// Sends so many megabytes after `head`, or until nobody listens any more.
ScriptedServer::Script Flood(const std::string& head, int megabytes) {
  return [head, megabytes](ScriptedConnection& connection, const ReceivedRequest&) {
    const std::string piece(limits::kMiB, ' ');
    connection.Send(head);
    for (int i = 0; i < megabytes; ++i) connection.Send(piece);
    connection.Close();
  };
}

// Whatever `script` sends, on either lane: a typed answer, bounded memory, and an engine that stays
// at its sockets.
void ExpectHarmless(const ScriptedServer::Script& script, Duration stall_max = kStallMax) {
  for (const bool paid : {true, false}) {
    Duration stall = Duration::max();
    for (int i = 0; i < kTries && stall > stall_max; ++i) {
      ScriptedServer server(script);
      auto transport = MustCreate(OptionsFor(server.url()));
      const PeakMemory memory;
      Request request = paid ? Post("/job", "body") : Get("/job");
      request.max_body_bytes = kBodyMaxBytes;
      const Response response = Fetch(*transport, std::move(request));
      EXPECT_EQ(response.outcome, Outcome::kUnknown);
      EXPECT_EQ(response.status, 200);
      EXPECT_THAT(response.error, HasSubstr("exceeds"));
      EXPECT_LE(response.body.size(), kBodyMaxBytes);
      if (PeakMemory::kTellsOurs) {
        EXPECT_LE(memory.GrowthBytes(), kMemoryMayGrowBytes);
      }
      stall = std::min(stall, transport->Stats().loop_stall_max);
    }
    EXPECT_LE(stall, stall_max) << std::chrono::duration_cast<milliseconds>(stall).count() << " ms";
  }
}

TEST(Flood, AnAnnouncedHundredMegabytes) {
  ExpectHarmless(Flood("HTTP/1.1 200 OK\r\nContent-Length: 104857600\r\n\r\n", 100));
}

TEST(Flood, AHundredMegabytesUntilTheEndOfTheConnection) {
  ExpectHarmless(Flood("HTTP/1.1 200 OK\r\n\r\n", 100));
}

TEST(Flood, AHundredMegabytesOutOfAHundredKilobytesOfGzip) {
  const std::string bomb = GzipBomb(100);
  ASSERT_LT(bomb.size(), 128 * limits::kKiB);
  const auto script = [reply = HttpReply(200, bomb, "Content-Encoding: gzip\r\n")](
                          ScriptedConnection& connection, const ReceivedRequest&) {
    connection.Send(reply);
  };
  // What is unpacked up to the cap comes in one event: that takes the time it takes.
  ExpectHarmless(script, std::max<Duration>(kStallMax, 3 * TimeToUnpackACap(bomb)));
}

TEST(Redirects, ToAnotherHostAreNotFollowedWhateverTheirKind) {
  ScriptedServer elsewhere([](ScriptedConnection& connection, const ReceivedRequest&) {
    connection.Send(HttpReply(200, "thief"));
  });
  std::atomic<int> status{0};
  ScriptedServer server([&](ScriptedConnection& connection, const ReceivedRequest&) {
    connection.Send(HttpReply(status, "", "Location: " + elsewhere.url() + "/job\r\n"));
  });
  auto transport = MustCreate(OptionsFor(server.url()));
  int requests = 0;
  for (const int kind : {300, 301, 302, 303, 307, 308}) {
    status = kind;
    for (Request request : {Get("/job"), Post("/job", "body")}) {
      request.headers = {{"Authorization", "key"}};
      EXPECT_EQ(Fetch(*transport, request).status, kind);
      EXPECT_EQ(server.request_count(), ++requests);
    }
  }
  EXPECT_EQ(elsewhere.connection_count(), 0);
}

// For TLS the environment has variables of its own.
TEST(Environment, ProxiesForTlsAreIgnoredToo) {
  const auto ok = [](ScriptedConnection& connection, const ReceivedRequest&) {
    connection.Send(HttpReply(200, "ok"));
  };
  ScriptedServer proxy(ok);
  ScriptedServer server(ok, Tls::kForLoopback);
  const std::string ca_file = testing::TempDir() + "ca-" + std::to_string(server.port()) + ".pem";
  std::ofstream(ca_file) << server.certificate();
  CurlTransportOptions options = OptionsFor(server.url());
  options.ca_file = ca_file;
  for (const char* name : {"https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"}) {
    setenv(name, proxy.url().c_str(), 1);
    auto transport = MustCreate(options);
    EXPECT_EQ(Fetch(*transport, Post("/job", "body")).status, 200) << name;
    EXPECT_EQ(Fetch(*transport, Get("/job")).status, 200) << name;
    unsetenv(name);
  }
  EXPECT_EQ(proxy.connection_count(), 0);
}

TEST(Environment, ANetrcGivesNoCredentials) {
  const std::string home = testing::TempDir() + "netrc-home";
  std::filesystem::create_directories(home);
  std::ofstream(home + "/.netrc") << "default login thief password thief\n";
  const char* const before = std::getenv("HOME");
  const std::string home_before = before == nullptr ? "" : before;
  setenv("HOME", home.c_str(), 1);
  ScriptedServer server([](ScriptedConnection& connection, const ReceivedRequest&) {
    connection.Send(HttpReply(401, "", "WWW-Authenticate: Basic realm=\"x\"\r\n"));
  });
  auto transport = MustCreate(OptionsFor(server.url()));
  EXPECT_EQ(Fetch(*transport, Get("/job")).status, 401);
  Request request = Post("/job", "body");
  request.headers = {{"Authorization", "key"}};
  EXPECT_EQ(Fetch(*transport, request).status, 401);
  setenv("HOME", home_before.c_str(), 1);
  ASSERT_EQ(server.request_count(), 2);
  EXPECT_EQ(server.requests()[0].HeaderCount("authorization"), 0);
  EXPECT_EQ(server.requests()[1].HeaderValues("authorization"), "key");
}

}  // namespace
}  // namespace gateway::http::test
