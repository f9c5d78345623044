// Whom the transport trusts: nothing of a request goes to anyone else.
#include <fstream>

#include "gmock/gmock.h"
#include "http/curl_transport.h"
#include "transport_test_support.h"

namespace gateway::http::test {
namespace {

using ::testing::HasSubstr;
using Tls = ScriptedServer::Tls;

std::string CaFileOf(const ScriptedServer& server) {
  const std::string path = testing::TempDir() + "ca-" + std::to_string(server.port()) + ".pem";
  std::ofstream(path) << server.certificate();
  return path;
}

Response PaidOver(const ScriptedServer& server, const std::string& ca_file) {
  CurlTransportOptions options = OptionsFor(server.url());
  options.ca_file = ca_file;
  Request request = Post("/job", "body");
  request.headers = {{"Authorization", "key"}};
  return Fetch(*MustCreate(options), request);
}

TEST(Trust, AConfiguredAuthorityIsTrusted) {
  ScriptedServer server(Ok, Tls::kForLoopback);
  const Response response = PaidOver(server, CaFileOf(server));
  EXPECT_EQ(response.outcome, Outcome::kComplete) << response.error;
  EXPECT_EQ(response.body, "ok");
  EXPECT_GT(server.bytes_received(), 0u);
}

TEST(Trust, AnUnknownAuthorityIsNotSentTo) {
  ScriptedServer server(Ok, Tls::kForLoopback);
  ScriptedServer other(Ok, Tls::kForLoopback);
  for (const std::string& ca_file : {std::string(), CaFileOf(other)}) {
    const Response response = PaidOver(server, ca_file);
    EXPECT_EQ(response.outcome, Outcome::kNotSent);
    EXPECT_THAT(response.error, HasSubstr("certificate"));
  }
  EXPECT_EQ(server.bytes_received(), 0u);
}

TEST(Trust, ACertificateForAnotherHostIsNotSentTo) {
  ScriptedServer server(Ok, Tls::kForOtherHost);
  const Response response = PaidOver(server, CaFileOf(server));
  EXPECT_EQ(response.outcome, Outcome::kNotSent);
  EXPECT_THAT(response.error, HasSubstr("127.0.0.1"));
  EXPECT_EQ(server.bytes_received(), 0u);
}

TEST(Trust, AnExpiredCertificateIsNotSentTo) {
  ScriptedServer server(Ok, Tls::kExpired);
  const Response response = PaidOver(server, CaFileOf(server));
  EXPECT_EQ(response.outcome, Outcome::kNotSent);
  EXPECT_THAT(response.error, HasSubstr("expired"));
  EXPECT_EQ(server.bytes_received(), 0u);
}

TEST(Trust, AServerThatNeverFinishesTheHandshakeIsNotSentTo) {
  ScriptedServer server(Ok);  // waits for a request in plain text
  CurlTransportOptions options = OptionsFor("https://127.0.0.1:" + std::to_string(server.port()));
  options.connect_timeout = milliseconds(30);
  EXPECT_EQ(Fetch(*MustCreate(options), Post("/job", "body")).outcome, Outcome::kNotSent);
}

TEST(Trust, ReadsReuseTheirTlsConnection) {
  ScriptedServer server(Ok, Tls::kForLoopback);
  CurlTransportOptions options = OptionsFor(server.url());
  options.ca_file = CaFileOf(server);
  auto transport = MustCreate(options);
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(Fetch(*transport, Get("/x")).outcome, Outcome::kComplete);
  }
  EXPECT_EQ(server.connection_count(), 1);
}

TEST(Trust, AnAnswerCutWithoutTlsGoodbyeIsUnknown) {
  ScriptedServer server(
      [](ScriptedConnection& connection, const ReceivedRequest&) {
        connection.Send("HTTP/1.1 200 OK\r\n\r\n{\"half\":");
        connection.Reset();
      },
      Tls::kForLoopback);
  EXPECT_EQ(PaidOver(server, CaFileOf(server)).outcome, Outcome::kUnknown);
}

}  // namespace
}  // namespace gateway::http::test
