#include "app/self_dial.h"

#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <string>

#include "grpc/health/v1/health.grpc.pb.h"
#include "http/server.h"
#include "rpc/late_calls.h"
#include "rpc/listen_sockets.h"
#include "rpc/tls_keys.h"
#include "support/certificates.h"

namespace gateway::app {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class FakeHealth final : public grpc::health::v1::Health::Service {
 public:
  grpc::Status Check(grpc::ServerContext*, const grpc::health::v1::HealthCheckRequest*,
                     grpc::health::v1::HealthCheckResponse* response) override {
    response->set_status(status);
    return failure;
  }
  grpc::health::v1::HealthCheckResponse::ServingStatus status =
      grpc::health::v1::HealthCheckResponse::SERVING;
  grpc::Status failure;
};

TEST(SelfDialTest, AnAnswerIsOneWhateverItSays) {
  const std::string path = testing::TempDir() + "self-dial-" + std::to_string(getpid()) + ".sock";
  FakeHealth health;
  grpc::ServerBuilder builder;
  int port = 0;
  builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
  builder.AddListeningPort("unix:" + path, grpc::InsecureServerCredentials());
  builder.RegisterService(&health);
  const std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  ASSERT_NE(server, nullptr);
  const auto dial = [](const std::string& address) {
    absl::StatusOr<bool> serving = DialWith({})(address, seconds(20));
    EXPECT_TRUE(serving.ok()) << serving.status();
    return serving.ok() && *serving;
  };
  const std::string tcp = "127.0.0.1:" + std::to_string(port);
  EXPECT_TRUE(dial(tcp));
  EXPECT_TRUE(dial("unix:" + path));
  health.status = grpc::health::v1::HealthCheckResponse::NOT_SERVING;
  EXPECT_FALSE(dial(tcp));
  health.failure = grpc::Status(grpc::StatusCode::RESOURCE_EXHAUSTED, "too many");
  EXPECT_FALSE(dial(tcp));
}

TEST(SelfDialTest, ListenersWithTlsAreAskedToo) {
  const auto own = rpc::MakeOwnCertificate();
  ASSERT_TRUE(own.ok());
  // Of another name, and over.
  const test::Authority authority;
  const test::Issued issued = authority.Issue("DNS:elsewhere.example", -60);
  rpc::TlsKeys keys({.certificate = issued.certificate,
                     .key = Secret(issued.key),
                     .client_ca = authority.certificate()});
  keys.Trust(own->certificate_pem);
  const rpc::LateCalls late(absl::UnavailableError("late"));
  const SystemClock clock;
  const Duration sessions = std::chrono::hours(1);
  FakeHealth health;
  grpc::ServerBuilder builder;
  int tls = 0;
  int mutual = 0;
  builder.AddListeningPort("127.0.0.1:0", late.Checked(keys.Credentials(false, clock, sessions)),
                           &tls);
  builder.AddListeningPort("127.0.0.1:0", late.Checked(keys.Credentials(true, clock, sessions)),
                           &mutual);
  builder.RegisterService(&health);
  const std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  ASSERT_NE(server, nullptr);
  for (const int port : {tls, mutual}) {
    const std::string address = "127.0.0.1:" + std::to_string(port);
    const auto serving = DialWith(*own)("https://" + address, seconds(20));
    ASSERT_TRUE(serving.ok()) << serving.status();
    EXPECT_TRUE(*serving);
    EXPECT_FALSE(DialWith(*own)(address, seconds(20)).ok()) << "without TLS";
  }
  EXPECT_FALSE(DialWith(*rpc::MakeOwnCertificate())("https://127.0.0.1:" + std::to_string(mutual),
                                                    seconds(5))
                   .ok());
}

TEST(SelfDialTest, SilenceEndsInTime) {
  // The system takes the connection, and nobody accepts it.
  const auto deaf = rpc::OpenListenSockets("127.0.0.1:0", 0);
  ASSERT_TRUE(deaf.ok());
  const auto begun = std::chrono::steady_clock::now();
  const absl::StatusOr<bool> serving =
      DialWith({})("127.0.0.1:" + std::to_string(deaf->port), milliseconds(100));
  EXPECT_FALSE(serving.ok());
  EXPECT_LT(std::chrono::steady_clock::now() - begun, seconds(10));
}

TEST(SelfDialTest, WhatIsNoGrpcServerIsNoAnswer) {
  auto server = http::Server::Listen({});
  ASSERT_TRUE(server.ok());
  (*server)->Serve([](const http::ServerRequest&, const http::Responder& responder) {
    responder.Send(http::TextResponse(200, "text/plain", "ok"));
  });
  EXPECT_FALSE(DialWith({})("127.0.0.1:" + std::to_string((*server)->port()), seconds(5)).ok());
  const auto refused = DialWith({})("127.0.0.1:1", seconds(5));
  EXPECT_FALSE(refused.ok());
}

}  // namespace
}  // namespace gateway::app
