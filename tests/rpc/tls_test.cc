// Listeners with TLS, called by the library's own clients.
#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <ifaddrs.h>
#include <net/if.h>

#include "grpc/health/v1/health.grpc.pb.h"
#include "rpc/own_certificate.h"
#include "rpc/rpc_house.h"
#include "rpc/tls_keys.h"
#include "support/certificates.h"
#include "tenants/callers.h"
#include "tenants/tenants_file.h"

namespace gateway::rpc {
namespace {

using grpc::StatusCode;
using std::chrono::seconds;
using test::Authority;
using test::Issued;
using test::RpcHouse;
using ::testing::AnyOf;
using ::testing::HasSubstr;

constexpr char kNames[] = "DNS:localhost,IP:127.0.0.1";

TlsKeySet KeySet(const Issued& issued, const std::string& client_ca = "") {
  return {.certificate = issued.certificate, .key = Secret(issued.key), .client_ca = client_ca};
}

// A server with one listener of each kind, and what its callers' certificates said.
class TlsTest : public ::testing::Test {
 protected:
  TlsTest() {
    ServerOptions options;
    options.listeners = {{.address = "127.0.0.1:0"},
                         {.address = "127.0.0.1:0", .security = Security::kTls},
                         {.address = "127.0.0.1:0", .security = Security::kMutualTls}};
    options.tls = keys_;
    Domain domain = house_.DomainOf();
    domain.callers = &callers_;
    auto started = Server::Start(std::move(options), std::move(domain));
    EXPECT_TRUE(started.ok()) << started.status();
    server_ = *std::move(started);
    server_->SetServing(true);
  }

  std::shared_ptr<grpc::Channel> Channel(int listener, const grpc::SslCredentialsOptions& tls) {
    grpc::ChannelArguments arguments;
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    return grpc::CreateCustomChannel(
        "127.0.0.1:" + std::to_string(server_->ports()[static_cast<std::size_t>(listener)]),
        grpc::SslCredentials(tls), arguments);
  }
  // One call of a connection of its own. INVALID_ARGUMENT: it was served.
  static StatusCode Call(const std::shared_ptr<grpc::Channel>& channel) {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + seconds(20));
    v1::GetJobResponse response;
    return v1::PictoryJobs::NewStub(channel)
        ->GetJob(&context, v1::GetJobRequest(), &response)
        .error_code();
  }
  StatusCode Call(int listener, const std::string& ca, const Issued& own = {}) {
    return Call(Channel(listener, {ca, own.key, own.certificate}));
  }
  // The tenant that a caller with this certificate is, or the code of the refusal.
  std::string WhoIs(const Issued& own) {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + seconds(20));
    v1::GetUsageResponse usage;
    const grpc::Status status =
        v1::PictoryJobs::NewStub(
            Channel(kMutual, {servers_.certificate(), own.key, own.certificate}))
            ->GetUsage(&context, v1::GetUsageRequest(), &usage);
    if (status.error_code() == StatusCode::UNAUTHENTICATED) return "nobody";
    return status.ok() ? usage.tenant() : status.error_message();
  }
  // From now on callers must be known by a name in their certificate.
  void AskForNames() {
    auto read = tenants::ParseTenants(R"(
[tenants.by-uri]
identities = ["san:spiffe://test/ns/jobs"]
[tenants.by-dns]
identities = ["san:client.example"]
[tenants.by-email]
identities = ["san:a@example.com"]
)",
                                      "tenants.toml");
    ASSERT_TRUE(read.ok()) << read.status();
    ASSERT_TRUE(
        callers_.Replace(std::make_shared<const tenants::Directory>(*std::move(read), nullptr))
            .ok());
  }

  static constexpr int kTls = 1;
  static constexpr int kMutual = 2;
  const Authority servers_{"servers"};
  const Authority clients_{"clients"};
  const std::shared_ptr<TlsKeys> keys_ =
      std::make_shared<TlsKeys>(KeySet(servers_.Issue(kNames), clients_.certificate()));
  RpcHouse house_;
  tenants::Callers callers_{tenants::Directory::OfDefault(), {}, house_.clock};
  std::unique_ptr<Server> server_;
};

TEST_F(TlsTest, CallersAreServedWhoTrustItsAuthority) {
  EXPECT_EQ(Call(kTls, servers_.certificate()), StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(Call(kTls, clients_.certificate()), StatusCode::UNAVAILABLE);
}

TEST_F(TlsTest, ANameInACallersCertificateSaysWhoTheCallerIs) {
  AskForNames();
  EXPECT_EQ(WhoIs(clients_.Issue("URI:spiffe://test/ns/jobs")), "by-uri");
  EXPECT_EQ(WhoIs(clients_.Issue("DNS:other.example,DNS:client.example")), "by-dns");
  EXPECT_EQ(WhoIs(clients_.Issue("email:a@example.com")), "by-email");
  EXPECT_EQ(WhoIs(clients_.Issue("DNS:other.example")), "nobody");
  EXPECT_EQ(WhoIs(clients_.Issue("DNS:spiffe://test/ns/jobs")), "nobody")
      << "a name of another kind cannot stand for a URI";
  // Without a certificate there are no names.
  EXPECT_EQ(Call(kTls, servers_.certificate()), StatusCode::UNAUTHENTICATED);
}

TEST_F(TlsTest, ACertificateIsNotLookedAtWhereNoneIsAskedFor) {
  EXPECT_EQ(Call(kTls, servers_.certificate(), clients_.Issue("DNS:a.example")),
            StatusCode::INVALID_ARGUMENT);
}

TEST_F(TlsTest, WithoutACertificateOfItsAuthorityNobodyGetsIn) {
  const Authority impostor("clients");  // by the same name
  for (const Issued& shown :
       {Issued{}, servers_.Issue("DNS:client.example"), impostor.Issue("DNS:client.example"),
        clients_.Issue("DNS:client.example", -60)}) {
    EXPECT_EQ(Call(kMutual, servers_.certificate(), shown), StatusCode::UNAVAILABLE);
  }
}

TEST_F(TlsTest, PlainCallersAtATlsPortAndTheOtherWayRoundDisturbNobody) {
  const auto channel = Channel(kTls, {servers_.certificate(), "", ""});
  EXPECT_EQ(Call(channel), StatusCode::INVALID_ARGUMENT);
  grpc::ChannelArguments arguments;
  EXPECT_EQ(Call(grpc::CreateCustomChannel("127.0.0.1:" + std::to_string(server_->ports()[kTls]),
                                           grpc::InsecureChannelCredentials(), arguments)),
            StatusCode::UNAVAILABLE);
  EXPECT_EQ(Call(0, servers_.certificate()), StatusCode::UNAVAILABLE);
  EXPECT_EQ(Call(channel), StatusCode::INVALID_ARGUMENT);
}

TEST_F(TlsTest, NewKeysAreForNewConnections) {
  const auto before = Channel(kTls, {servers_.certificate(), "", ""});
  EXPECT_EQ(Call(before), StatusCode::INVALID_ARGUMENT);
  const Authority newer("newer");
  const Authority newer_clients("newer clients");
  keys_->Replace(KeySet(newer.Issue(kNames), newer_clients.certificate()));
  EXPECT_EQ(Call(kTls, newer.certificate()), StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(Call(kTls, servers_.certificate()), StatusCode::UNAVAILABLE);
  EXPECT_EQ(Call(before), StatusCode::INVALID_ARGUMENT) << "the connection that was there";
  EXPECT_EQ(Call(kMutual, newer.certificate(), newer_clients.Issue("DNS:a.example")),
            StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(Call(kMutual, newer.certificate(), clients_.Issue("DNS:a.example")),
            StatusCode::UNAVAILABLE);
}

TEST_F(TlsTest, ItsOwnCertificateLetsTheGatewayInAndNamesNobody) {
  const auto own = MakeOwnCertificate();
  ASSERT_TRUE(own.ok()) << own.status();
  const Issued shown{.certificate = own->certificate_pem, .key = own->key_pem.Reveal()};
  EXPECT_EQ(Call(kMutual, servers_.certificate(), shown), StatusCode::UNAVAILABLE);
  keys_->Trust(own->certificate_pem);
  EXPECT_EQ(Call(kMutual, servers_.certificate(), shown), StatusCode::INVALID_ARGUMENT);
  keys_->Replace(KeySet(servers_.Issue(kNames), clients_.certificate()));
  EXPECT_EQ(Call(kMutual, servers_.certificate(), shown), StatusCode::INVALID_ARGUMENT)
      << "new keys do not lock it out";
  // It vouches for nobody else.
  const auto other = MakeOwnCertificate();
  EXPECT_EQ(Call(kMutual, servers_.certificate(),
                 {.certificate = other->certificate_pem, .key = other->key_pem.Reveal()}),
            StatusCode::UNAVAILABLE);
}

TEST_F(TlsTest, ADrainTellsLateCallersToComeAgainHereToo) {
  const auto channel = Channel(kTls, {servers_.certificate(), "", ""});
  EXPECT_EQ(Call(channel), StatusCode::INVALID_ARGUMENT);
  house_.fake.Hold();
  std::thread held([&] {
    grpc::ClientContext context;
    v1::GetJobRequest request;
    request.set_job_id("held");
    v1::GetJobResponse response;
    EXPECT_EQ(v1::PictoryJobs::NewStub(channel)->GetJob(&context, request, &response).error_code(),
              StatusCode::NOT_FOUND);
  });
  test::Await([this] { return house_.fake.held() == 1; }, "the call is under way");
  std::thread drain([this] { server_->Drain(seconds(60)); });
  test::Await(
      [&] {
        const StatusCode code = Call(channel);
        EXPECT_THAT(code, AnyOf(StatusCode::INVALID_ARGUMENT, StatusCode::UNAVAILABLE));
        return code == StatusCode::UNAVAILABLE;
      },
      "the drain");
  house_.fake.Release();
  held.join();
  drain.join();
}

TEST(TlsKeySetTest, WhatIsWrongWithAFileIsSaid) {
  const Authority authority;
  const Issued good = authority.Issue(kNames);
  const Issued other = authority.Issue(kNames);
  const auto why = [](const absl::Status& status) { return std::string(status.message()); };

  const auto facts = ReadCertificate(good.certificate + authority.certificate());
  ASSERT_TRUE(facts.ok()) << facts.status();
  EXPECT_EQ(facts->names, "DNS:localhost, IP Address:127.0.0.1");
  EXPECT_LT(facts->begins, std::chrono::system_clock::now());
  EXPECT_GT(facts->ends, std::chrono::system_clock::now());
  EXPECT_TRUE(ReadCertificate(authority.Issue("", -60).certificate).ok()) << "is told elsewhere";

  EXPECT_THAT(why(ReadCertificate("").status()), HasSubstr("holds no certificate"));
  EXPECT_THAT(why(ReadCertificate(good.key).status()), HasSubstr("holds no certificate"));
  const std::string half = good.certificate.substr(0, good.certificate.size() / 2);
  EXPECT_THAT(why(ReadCertificate(half).status()), HasSubstr("broken certificate"));
  EXPECT_THAT(why(ReadCertificate(good.certificate + half).status()),
              HasSubstr("broken certificate"));
  EXPECT_THAT(why(CheckAuthorities(half)), HasSubstr("broken certificate"));
  EXPECT_TRUE(CheckAuthorities(authority.certificate()).ok());

  EXPECT_TRUE(CheckKey(good.key, good.certificate).ok());
  EXPECT_THAT(why(CheckKey(other.key, good.certificate)), HasSubstr("does not fit"));
  EXPECT_THAT(why(CheckKey(good.certificate, good.certificate)), HasSubstr("no private key"));
  EXPECT_THAT(why(CheckKey(test::Encrypted(good.key), good.certificate)),
              HasSubstr("is encrypted"));
}

TEST(TlsKeySetTest, ANeedForKeysIsSaid) {
  RpcHouse house;
  ServerOptions options;
  options.listeners = {{.address = "127.0.0.1:0", .security = Security::kTls}};
  EXPECT_FALSE(Server::Start(std::move(options), house.DomainOf()).ok());
}

// An IPv4 address of this machine by which it reaches itself as others do; empty if it has none.
std::string OwnAddress() {
  ifaddrs* all = nullptr;
  if (getifaddrs(&all) != 0) return "";
  const std::unique_ptr<ifaddrs, decltype(&freeifaddrs)> freed(all, freeifaddrs);
  for (const ifaddrs* one = all; one != nullptr; one = one->ifa_next) {
    if (one->ifa_addr == nullptr || one->ifa_addr->sa_family != AF_INET) continue;
    if ((one->ifa_flags & IFF_LOOPBACK) != 0 || (one->ifa_flags & IFF_UP) == 0) continue;
    char text[INET_ADDRSTRLEN] = "";
    inet_ntop(AF_INET, &reinterpret_cast<const sockaddr_in*>(one->ifa_addr)->sin_addr, text,
              sizeof text);
    return text;
  }
  return "";
}

TEST_F(TlsTest, ACallersPictoryKeyIsTakenFromOtherMachinesWithTlsOnly) {
  const std::string address = OwnAddress();
  if (address.empty()) GTEST_SKIP() << "this machine has no address but loopback";
  const tenants::Callers paying{
      tenants::Directory::OfDefault(/*callers_pay=*/true), {}, house_.clock};
  ServerOptions options;
  options.listeners = {{.address = "0.0.0.0:0"},
                       {.address = "0.0.0.0:0", .security = Security::kTls}};
  options.tls = keys_;
  Domain domain = house_.DomainOf();
  domain.callers = &paying;
  auto started = Server::Start(std::move(options), std::move(domain));
  ASSERT_TRUE(started.ok()) << started.status();
  (*started)->SetServing(true);
  const auto call = [&](std::size_t listener, const std::string& host,
                        const std::shared_ptr<grpc::ChannelCredentials>& credentials) {
    grpc::ChannelArguments arguments;
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
    arguments.SetSslTargetNameOverride("localhost");
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + seconds(20));
    context.AddMetadata("pictory-api-key", "pictai_of_alice");
    v1::ListJobsResponse page;
    return v1::PictoryJobs::NewStub(
               grpc::CreateCustomChannel(host + ":" + std::to_string((*started)->ports()[listener]),
                                         credentials, arguments))
        ->ListJobs(&context, v1::ListJobsRequest(), &page);
  };
  const auto plain = grpc::InsecureChannelCredentials();
  EXPECT_TRUE(call(0, "127.0.0.1", plain).ok());
  const grpc::Status refused = call(0, address, plain);
  EXPECT_EQ(refused.error_code(), StatusCode::INVALID_ARGUMENT);
  EXPECT_THAT(refused.error_message(), HasSubstr("plain text"));
  EXPECT_EQ(house_.opened.size(), 1u);
  EXPECT_TRUE(call(1, address, grpc::SslCredentials({servers_.certificate(), "", ""})).ok());
  EXPECT_EQ(house_.opened.size(), 2u);
}

}  // namespace
}  // namespace gateway::rpc
