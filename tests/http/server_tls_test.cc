// http::Server with a certificate: what holds without one holds through TLS.
#include <fstream>
#include <future>

#include "http/curl_transport.h"
#include "server_test_support.h"
#include "support/certificates.h"

namespace gateway::http::test {
namespace {

class ServerTlsTest : public ::testing::Test {
 protected:
  void Start(Server::Handler handler, ServerOptions options = {}) {
    const gateway::test::Issued issued = authority_.Issue("IP:127.0.0.1");
    auto tls = ServerTls::Make(issued.certificate, Secret(issued.key));
    ASSERT_TRUE(tls.ok()) << tls.status();
    options.tls = *tls;
    server_ = Serve(std::move(handler), std::move(options));
    ca_file_ = testing::TempDir() + "server-tls-" + std::to_string(server_->port()) + ".pem";
    std::ofstream(ca_file_) << authority_.certificate();
  }

  Response Ask(const std::string& method, std::string body = "") {
    CurlTransportOptions options;
    options.base_url = "https://" + server_->authority();
    options.ca_file = ca_file_;
    auto transport = CurlTransport::Create(options);
    EXPECT_TRUE(transport.ok()) << transport.status();
    Request request;
    request.method = method;
    request.path = "/";
    request.headers = {{"Content-Type", "text/plain"}};
    if (!body.empty()) request.body = std::make_shared<const std::string>(std::move(body));
    std::promise<Response> told;
    (*transport)->Start(std::move(request), [&](Response response) {
      told.set_value(std::move(response));
    });
    return told.get_future().get();
  }

  gateway::test::Authority authority_;
  std::unique_ptr<Server> server_;
  std::string ca_file_;
};

TEST_F(ServerTlsTest, CarriesLargeBodiesBothWays) {
  Start([](const ServerRequest& request, const Responder& responder) {
    responder.Send(Plain(request.body));
  });
  std::string body(3 * 1024 * 1024, 'x');
  for (std::size_t i = 0; i < body.size(); i += 1000) body[i] = static_cast<char>('a' + i % 26);
  const Response response = Ask("POST", body);
  EXPECT_EQ(response.status, 200) << response.error;
  EXPECT_EQ(response.body, body);
}

TEST_F(ServerTlsTest, TellsWhatIsTooLarge) {
  ServerOptions options;
  options.max_body_bytes = 1000;
  Start(Always("hi"), std::move(options));
  EXPECT_EQ(Ask("POST", std::string(200'000, 'x')).status, 413);
}

TEST_F(ServerTlsTest, WhoBeginsNoHandshakeGivesWay) {
  ServerOptions options;
  options.max_connections = 1;
  Start(Always("hi"), std::move(options));
  PlainClient silent(server_->port());
  ASSERT_TRUE(Await([&] { return server_->connections_open() == 1; }));
  EXPECT_EQ(Ask("GET").body, "hi");
}

TEST_F(ServerTlsTest, WhoSpeaksPlainlyIsClosed) {
  Start(Always("hi"));
  PlainClient plain(server_->port());
  plain.Send("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_TRUE(Await([&] { return server_->connections_open() == 0; }));
  EXPECT_EQ(Ask("GET").body, "hi");
}

TEST_F(ServerTlsTest, BreaksOffOnPurpose) {
  Start(Always("hi", {.cut_after = 5, .end = End::kReset}));
  EXPECT_EQ(Ask("GET").outcome, Response::Outcome::kUnknown);
}

TEST(ServerTls, IsNotMadeOfAKeyOfAnother) {
  const gateway::test::Authority authority;
  const std::string certificate = authority.Issue("IP:127.0.0.1").certificate;
  EXPECT_FALSE(ServerTls::Make(certificate, Secret(authority.Issue("IP:127.0.0.1").key)).ok());
  EXPECT_FALSE(ServerTls::Make("none", Secret("none")).ok());
}

}  // namespace
}  // namespace gateway::http::test
