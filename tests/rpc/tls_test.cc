// Listeners with TLS, called by the library's own clients.
#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <openssl/ssl.h>

#include <atomic>

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
    Domain domain = house_.DomainOf(callers_);
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

// A clock that a test sets ahead, for all threads.
class ClockAhead final : public Clock {
 public:
  MonoTime Now() const override { return real_.Now() + Duration(ahead_.load()); }
  WallTime WallNow() const override { return real_.WallNow(); }
  void Set(Duration ahead) { ahead_ = ahead.count(); }

 private:
  SystemClock real_;
  std::atomic<Duration::rep> ahead_{0};
};

// A caller that resumes its session with each connection, as far as the server lets it.
class Resuming {
 public:
  explicit Resuming(const Issued& own) : context_(SSL_CTX_new(TLS_client_method()), &SSL_CTX_free) {
    // Here the session comes with the handshake, and not some time behind it.
    SSL_CTX_set_max_proto_version(context_.get(), TLS1_2_VERSION);
    const auto read = [](const std::string& pem) {
      return std::unique_ptr<BIO, decltype(&BIO_free)>(
          BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())), &BIO_free);
    };
    const std::unique_ptr<X509, decltype(&X509_free)> certificate(
        PEM_read_bio_X509(read(own.certificate).get(), nullptr, nullptr, nullptr), &X509_free);
    const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key(
        PEM_read_bio_PrivateKey(read(own.key).get(), nullptr, nullptr, nullptr), &EVP_PKEY_free);
    EXPECT_EQ(SSL_CTX_use_certificate(context_.get(), certificate.get()), 1);
    EXPECT_EQ(SSL_CTX_use_PrivateKey(context_.get(), key.get()), 1);
  }

  // Connects, and says whether the session was resumed.
  bool Connect(int port) {
    const std::unique_ptr<SSL, decltype(&SSL_free)> tls(SSL_new(context_.get()), &SSL_free);
    BIO* const socket = BIO_new_connect(("127.0.0.1:" + std::to_string(port)).c_str());
    EXPECT_EQ(BIO_do_connect(socket), 1);
    SSL_set_bio(tls.get(), socket, socket);
    if (session_ != nullptr) SSL_set_session(tls.get(), session_.get());
    EXPECT_EQ(SSL_connect(tls.get()), 1);
    session_.reset(SSL_get1_session(tls.get()));
    SSL_shutdown(tls.get());  // without it the session would not be used again
    return SSL_session_reused(tls.get()) == 1;
  }

 private:
  const std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context_;
  std::unique_ptr<SSL_SESSION, decltype(&SSL_SESSION_free)> session_{nullptr, &SSL_SESSION_free};
};

// A certificate that has ended since, or whose key was stolen, would else let in for ever.
TEST_F(TlsTest, ASessionDoesNotOutliveAConnection) {
  ClockAhead clock;
  ServerOptions options;
  options.listeners = {{.address = "127.0.0.1:0", .security = Security::kMutualTls}};
  options.tls = keys_;
  const Duration most = options.max_connection_age;
  auto started = Server::Start(std::move(options), {.hub = house_.hub,
                                                    .store = house_.store_,
                                                    .wheel = house_.wheel,
                                                    .clock = clock,
                                                    .timers = house_.timers,
                                                    .random = house_.random,
                                                    .backend = house_,
                                                    .callers = callers_,
                                                    .feed = house_.feed,
                                                    .follower = house_.follower});
  ASSERT_TRUE(started.ok()) << started.status();
  const int port = (*started)->ports()[0];
  Resuming caller(clients_.Issue("DNS:a.example"));
  EXPECT_FALSE(caller.Connect(port));
  EXPECT_TRUE(caller.Connect(port)) << "else this shows nothing";
  clock.Set(most - seconds(1));
  EXPECT_TRUE(caller.Connect(port));
  clock.Set(most + seconds(1));
  EXPECT_FALSE(caller.Connect(port)) << "though it was resumed a moment ago";
  EXPECT_TRUE(caller.Connect(port));
  keys_->Replace(KeySet(servers_.Issue(kNames), clients_.certificate()));
  EXPECT_FALSE(caller.Connect(port));
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
  Domain domain = house_.DomainOf(paying);
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
