#include "rpc/admission.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <future>

#include "base/errors.h"
#include "grpc/health/v1/health.grpc.pb.h"
#include "grpc/reflection/v1/reflection.grpc.pb.h"
#include "rpc/peer.h"
#include "rpc/rpc_house.h"

namespace gateway::rpc {
namespace {

using test::RpcHouse;
using ::testing::HasSubstr;
using Kind = Admission::Kind;

TEST(PeerAddressTest, IsWhatItsOwnerCannotChoose) {
  EXPECT_EQ(PeerAddress("ipv4:192.0.2.1:50051"), "ipv4:192.0.2.1");
  EXPECT_EQ(PeerAddress("ipv6:%5B2001:db8:1:2::3%5D:4"),
            PeerAddress("ipv6:%5B2001:db8:1:2:9::%5D:5"));
  EXPECT_EQ(PeerAddress("ipv6:[2001:db8:1:2::3]:4"), "ipv6:2001:db8:1:2::/64");
  EXPECT_NE(PeerAddress("ipv6:[2001:db8:1:2::3]:4"), PeerAddress("ipv6:[2001:db8:1:3::3]:4"));
  EXPECT_EQ(PeerAddress("ipv6:%5Bfe80::1%25eth0%5D:4"), "ipv6:fe80::/64");
  for (const char* other : {"", "unix:", "unix:/run/x:y", "ipv6:what", "ipv4:", "ipv6:"}) {
    EXPECT_EQ(PeerAddress(other), other);
  }
}

sockaddr_storage V6(const char* text) {
  sockaddr_storage storage{};
  auto& address = reinterpret_cast<sockaddr_in6&>(storage);
  address.sin6_family = AF_INET6;
  EXPECT_EQ(inet_pton(AF_INET6, text, &address.sin6_addr), 1);
  return storage;
}

TEST(PeerAddressTest, OfASocketItIsTheSame) {
  sockaddr_storage v4{};
  v4.ss_family = AF_INET;
  inet_pton(AF_INET, "192.0.2.1", &reinterpret_cast<sockaddr_in&>(v4).sin_addr);
  EXPECT_EQ(PeerAddress(v4, -1), PeerAddress("ipv4:192.0.2.1:50051"));
  // As it comes by a socket that takes both.
  EXPECT_EQ(PeerAddress(V6("::ffff:192.0.2.1"), -1), PeerAddress("ipv4:192.0.2.1:50051"));
  EXPECT_EQ(PeerAddress(V6("2001:db8:1:2::3"), -1), PeerAddress("ipv6:[2001:db8:1:2::3]:4"));
  int pair[2];
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
  sockaddr_storage local{};
  local.ss_family = AF_UNIX;
  EXPECT_EQ(PeerAddress(local, pair[0]), "unix:uid " + std::to_string(getuid()));
  close(pair[0]);
  close(pair[1]);
}

TEST(AdmissionTest, EachKindHasAGateOfItsOwn) {
  Random random(1);
  Admission admission(
      {.calls = 1, .submits = 1, .watches = 1, .results = 1, .health_watches = 1, .reflections = 1},
      random);
  std::vector<Admission::Ticket> tickets;
  for (const Kind kind : {Kind::kCall, Kind::kSubmit, Kind::kWatch}) {
    tickets.push_back(admission.Enter(kind, {}));
    EXPECT_TRUE(tickets.back());
    EXPECT_FALSE(admission.Enter(kind, {}));
  }
  for (const Kind kind : {Kind::kResult, Kind::kHealthWatch, Kind::kReflection}) {
    tickets.push_back(admission.Enter(kind, {.peer = "ipv4:192.0.2.1:1"}));
    EXPECT_TRUE(tickets.back());
    EXPECT_FALSE(admission.Enter(kind, {.peer = "ipv4:192.0.2.2:1"}));
  }
  tickets.clear();
  for (std::size_t i = 0; i < Admission::kKinds; ++i) {
    EXPECT_EQ(admission.open(static_cast<Kind>(i)), 0);
  }
  EXPECT_TRUE(admission.Enter(Kind::kReflection, {.peer = "ipv4:192.0.2.2:1"}));
}

TEST(AdmissionTest, OnePeerGetsAPartOfWhatCanBeHeldForNothing) {
  Random random(1);
  Admission admission({.results = 8}, random);
  std::vector<Admission::Ticket> held;
  for (int i = 0; i < 4; ++i) {
    held.push_back(admission.Enter(Kind::kResult, {.peer = "ipv4:192.0.2.1:" + std::to_string(i)}));
    EXPECT_TRUE(held.back());
  }
  const Admission::Ticket fifth = admission.Enter(Kind::kResult, {.peer = "ipv4:192.0.2.1:9"});
  ASSERT_FALSE(fifth);
  EXPECT_THAT(fifth.refusal().error_message(), HasSubstr("from your address"));
  EXPECT_THAT(fifth.refusal().error_message(), HasSubstr("the limit is 4"));
  EXPECT_EQ(errors::Reason(FromGrpc(fifth.refusal())), "TOO_MANY");
  EXPECT_GT(errors::RetryDelay(FromGrpc(fifth.refusal())), Duration::zero());
  EXPECT_TRUE(admission.Enter(Kind::kResult, {.peer = "ipv4:192.0.2.2:1"})) << "others have room";
  held.pop_back();
  EXPECT_TRUE(admission.Enter(Kind::kResult, {.peer = "ipv4:192.0.2.1:9"}));
}

constexpr Kind kOfTenants[] = {Kind::kCall, Kind::kSubmit, Kind::kWatch, Kind::kResult};

// Enters as often as it can, and says how often.
int EnterAll(Admission& admission, Kind kind, const Admission::Who& who,
             std::vector<Admission::Ticket>& held) {
  int entered = 0;
  while (true) {
    Admission::Ticket ticket = admission.Enter(kind, who);
    if (!ticket) return entered;
    held.push_back(std::move(ticket));
    ++entered;
  }
}

TEST(AdmissionTest, ATenantHasAtMostAsManyPlacesAsAreLeftFree) {
  Random random(1);
  Admission admission({.calls = 8, .submits = 8, .watches = 8, .results = 8}, random);
  for (const Kind kind : kOfTenants) {
    std::vector<Admission::Ticket> held;
    EXPECT_EQ(EnterAll(admission, kind, {.tenant = "noisy"}, held), 4);
    const Admission::Ticket refused = admission.Enter(kind, {.tenant = "noisy"});
    ASSERT_FALSE(refused);
    EXPECT_THAT(refused.refusal().error_message(), HasSubstr("of your tenant"));
    EXPECT_EQ(errors::Reason(FromGrpc(refused.refusal())), "TOO_MANY");
    EXPECT_GT(errors::RetryDelay(FromGrpc(refused.refusal())), Duration::zero());
    EXPECT_EQ(EnterAll(admission, kind, {.tenant = "second"}, held), 2);
    EXPECT_EQ(EnterAll(admission, kind, {.tenant = "third"}, held), 1);
    EXPECT_EQ(EnterAll(admission, kind, {.tenant = "last"}, held), 1) << "it gets one still";
    EXPECT_THAT(admission.Enter(kind, {.tenant = "late"}).refusal().error_message(),
                HasSubstr("at once; the limit is 8"))
        << "then all are taken, and that is what is said";
    held.clear();
    EXPECT_EQ(admission.open(kind), 0);
    EXPECT_EQ(EnterAll(admission, kind, {}, held), 8) << "a tenant that is alone";
  }
}

TEST(AdmissionTest, WithThreeWatchesASecondTenantHasOne) {
  Random random(1);
  Admission admission({.watches = 3}, random);
  std::vector<Admission::Ticket> held;
  EXPECT_EQ(EnterAll(admission, Kind::kWatch, {.tenant = "a"}, held), 2);
  EXPECT_EQ(EnterAll(admission, Kind::kWatch, {.tenant = "b"}, held), 1);
}

TEST(AdmissionTest, WhatTakesManyPlacesLeavesAsManyToOtherTenants) {
  Random random(1);
  Admission admission({.watches = 8}, random);
  EXPECT_FALSE(admission.Enter(Kind::kWatch, {.tenant = "a"}, 5));
  const Admission::Ticket four = admission.Enter(Kind::kWatch, {.tenant = "a"}, 4);
  EXPECT_TRUE(four);
  EXPECT_EQ(admission.open(Kind::kWatch), 4);
  EXPECT_FALSE(admission.Enter(Kind::kWatch, {.tenant = "a"}));
  EXPECT_TRUE(admission.Enter(Kind::kWatch, {.tenant = "b"}, 2));
}

TEST(AdmissionTest, TenantsBehindOneProxyAreCountedAndNotItsAddress) {
  Random random(1);
  Admission admission({.results = 8}, random);
  std::vector<Admission::Ticket> held;
  const std::string proxy = "ipv4:192.0.2.1:1";
  EXPECT_EQ(EnterAll(admission, Kind::kResult, {.peer = proxy, .tenant = "noisy"}, held), 4);
  EXPECT_EQ(EnterAll(admission, Kind::kResult, {.peer = proxy, .tenant = "second"}, held), 2);
  EXPECT_EQ(EnterAll(admission, Kind::kResult, {.peer = proxy, .tenant = "third"}, held), 1);
  held.clear();
  EXPECT_EQ(EnterAll(admission, Kind::kResult, {.peer = proxy}, held), 4) << "all count again";
}

// What the strangers hold is full; calls are served all the same.
TEST(AdmissionTest, StreamsThatSayNothingStopNoCalls) {
  ServerOptions options;
  options.admission = {.calls = 4, .submits = 4, .health_watches = 8, .reflections = 8};
  RpcHouse house(options);
  house.hub.Publish(test::MakeJob("j1", v1::JOB_STATE_RUNNING, 1));
  using Reflection = grpc::reflection::v1::ServerReflection;
  using Health = grpc::health::v1::Health;
  auto reflection = Reflection::NewStub(house.Channel());
  auto health = Health::NewStub(house.Channel());
  std::vector<std::unique_ptr<grpc::ClientContext>> contexts;
  const auto context = [&contexts] {
    return contexts.emplace_back(std::make_unique<grpc::ClientContext>()).get();
  };
  std::vector<decltype(reflection->ServerReflectionInfo(nullptr))> silent;
  std::vector<decltype(health->Watch(nullptr, {}))> watches;
  for (int i = 0; i < 4; ++i) {
    silent.push_back(reflection->ServerReflectionInfo(context()));
    watches.push_back(health->Watch(context(), {}));
  }
  test::Await([&] { return house.server->open_calls() == 8; }, "the strangers are there");
  grpc::reflection::v1::ServerReflectionResponse answer;
  auto one_more = reflection->ServerReflectionInfo(context());
  EXPECT_FALSE(one_more->Read(&answer));
  EXPECT_EQ(errors::Reason(FromGrpc(one_more->Finish())), "TOO_MANY");
  grpc::health::v1::HealthCheckResponse status;
  auto one_watch = health->Watch(context(), {});
  EXPECT_FALSE(one_watch->Read(&status));
  const grpc::Status no_more = one_watch->Finish();
  EXPECT_EQ(no_more.error_code(), grpc::StatusCode::UNIMPLEMENTED);
  EXPECT_EQ(errors::Reason(FromGrpc(no_more)), "TOO_MANY");

  v1::GetJobRequest get;
  get.set_job_id("j1");
  v1::GetJobResponse got;
  EXPECT_TRUE(house.stub->GetJob(context(), get, &got).ok());
  v1::RenderResponse rendered;
  EXPECT_TRUE(house.stub->Render(context(), v1::RenderRequest(), &rendered).ok());
  EXPECT_TRUE(health->Check(context(), {}, &status).ok());

  // The gateway has no room for the health watch of this client, which calls it all the same.
  grpc::ChannelArguments checks_health;
  checks_health.SetServiceConfigJSON(
      R"({"loadBalancingConfig": [{"round_robin": {}}], "healthCheckConfig": {"serviceName": ""}})");
  const auto checking = v1::PictoryJobs::NewStub(house.Channel(checks_health));
  grpc::ClientContext* const patient = context();
  patient->set_wait_for_ready(true);
  patient->set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(30));
  EXPECT_TRUE(checking->GetJob(patient, get, &got).ok());
  for (const auto& each : contexts) each->TryCancel();
  for (const auto& stream : silent) stream->Finish();
  for (const auto& stream : watches) stream->Finish();
}

TEST(AdmissionTest, SubmitsThatWaitForPictoryStopNoCalls) {
  ServerOptions options;
  options.admission = {.calls = 1, .submits = 1};
  RpcHouse house(options);
  house.hub.Publish(test::MakeJob("j1", v1::JOB_STATE_RUNNING, 1));
  std::promise<jobs::Submitter::Done> waiting;
  house.on_submit = [&](jobs::SubmitRequest, jobs::Submitter::Done done) {
    waiting.set_value(std::move(done));
  };
  std::thread submit([&] {
    grpc::ClientContext context;
    v1::RenderResponse response;
    EXPECT_TRUE(house.stub->Render(&context, v1::RenderRequest(), &response).ok());
  });
  jobs::Submitter::Done done = waiting.get_future().get();
  grpc::ClientContext context;
  v1::GetJobRequest get;
  get.set_job_id("j1");
  v1::GetJobResponse got;
  EXPECT_TRUE(house.stub->GetJob(&context, get, &got).ok());
  grpc::ClientContext second;
  v1::RenderResponse refused;
  EXPECT_EQ(errors::Reason(FromGrpc(house.stub->Render(&second, v1::RenderRequest(), &refused))),
            "TOO_MANY");
  done(house.hub.Publish(test::MakeJob("submitted", v1::JOB_STATE_QUEUED, 1)), {});
  submit.join();
}

TEST(AdmissionTest, AReflectionStreamThatAsksNothingMoreEndsWithAWord) {
  ServerOptions options;
  options.intake.arrival = std::chrono::milliseconds(200);
  RpcHouse house(options);
  auto stub = grpc::reflection::v1::ServerReflection::NewStub(house.Channel());
  grpc::ClientContext context;
  auto stream = stub->ServerReflectionInfo(&context);
  grpc::reflection::v1::ServerReflectionRequest question;
  question.set_list_services("*");
  grpc::reflection::v1::ServerReflectionResponse answer;
  ASSERT_TRUE(stream->Write(question) && stream->Read(&answer));
  EXPECT_FALSE(stream->Read(&answer));
  const absl::Status ended = FromGrpc(stream->Finish());
  EXPECT_EQ(errors::Reason(ended), "STREAM_IDLE") << ended;
}

}  // namespace
}  // namespace gateway::rpc
