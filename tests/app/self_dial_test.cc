#include "app/self_dial.h"

#include <grpcpp/ext/health_check_service_server_builder_option.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/health_check_service_interface.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <string>

#include "http/server.h"
#include "support/black_hole.h"

namespace gateway::app {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

TEST(SelfDialTest, AnAnswerIsOneWhateverItSays) {
  grpc::EnableDefaultHealthCheckService(true);
  const std::string path = testing::TempDir() + "self-dial-" + std::to_string(getpid()) + ".sock";
  grpc::ServerBuilder builder;
  int port = 0;
  builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
  builder.AddListeningPort("unix:" + path, grpc::InsecureServerCredentials());
  const std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  grpc::EnableDefaultHealthCheckService(false);
  ASSERT_NE(server, nullptr);
  for (const std::string& address : {"127.0.0.1:" + std::to_string(port), "unix:" + path}) {
    server->GetHealthCheckService()->SetServingStatus(true);
    absl::StatusOr<bool> serving = DialPlain(address, seconds(20));
    ASSERT_TRUE(serving.ok()) << serving.status();
    EXPECT_TRUE(*serving);
    server->GetHealthCheckService()->SetServingStatus(false);
    serving = DialPlain(address, seconds(20));
    ASSERT_TRUE(serving.ok()) << serving.status();
    EXPECT_FALSE(*serving);
  }
}

TEST(SelfDialTest, AnErrorOfTheServersIsAnAnswerToo) {
  grpc::ServerBuilder builder;  // without any service
  int port = 0;
  builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
  auto served = builder.AddCompletionQueue();
  std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  const absl::StatusOr<bool> serving =
      DialPlain("127.0.0.1:" + std::to_string(port), seconds(20));
  ASSERT_TRUE(serving.ok()) << serving.status();
  EXPECT_FALSE(*serving);
  server->Shutdown();
  served->Shutdown();
  void* tag = nullptr;
  bool ok = false;
  while (served->Next(&tag, &ok)) {
  }
}

TEST(SelfDialTest, SilenceEndsInTime) {
  const test::BlackHole hole;
  const auto begun = std::chrono::steady_clock::now();
  const absl::StatusOr<bool> serving =
      DialPlain("127.0.0.1:" + std::to_string(hole.port()), milliseconds(100));
  EXPECT_FALSE(serving.ok());
  EXPECT_LT(std::chrono::steady_clock::now() - begun, seconds(10));
}

TEST(SelfDialTest, WhatIsNoGrpcServerIsNoAnswer) {
  auto server = http::Server::Listen({});
  ASSERT_TRUE(server.ok());
  (*server)->Serve([](const http::ServerRequest&, const http::Responder& responder) {
    responder.Send(http::TextResponse(200, "text/plain", "ok"));
  });
  EXPECT_FALSE(DialPlain("127.0.0.1:" + std::to_string((*server)->port()), seconds(5)).ok());
  const auto refused = DialPlain("127.0.0.1:1", seconds(5));
  EXPECT_FALSE(refused.ok());
}

}  // namespace
}  // namespace gateway::app
