#include "tenants/identify.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "base/errors.h"
#include "tenants/api_key.h"
#include "tenants/tenants_file.h"
#include "tenants/token_maker.h"

namespace gateway::tenants {
namespace {

using std::chrono::seconds;
using testing::HasSubstr;
using testing::Not;

constexpr std::int64_t kNow = 1'800'000'000;
const WallTime kTime{seconds(kNow)};
constexpr char kProxy[] = "ipv4:10.0.0.1:4711";
constexpr char kStranger[] = "ipv4:192.0.2.1:4711";

class IdentifyTest : public testing::Test {
 protected:
  static DirectoryPtr Read(const std::string& text,
                           std::unique_ptr<const JwtVerifier> jwt = nullptr) {
    auto read = ParseTenants(text, "tenants.toml");
    EXPECT_TRUE(read.ok()) << read.status();
    return std::make_shared<const Directory>(*std::move(read), std::move(jwt));
  }

  DirectoryPtr WithTokens(const std::string& text, const std::string& claim = "") {
    JwtRules rules;
    rules.issuer = "i";
    rules.audience = "a";
    rules.algorithms = {"ES256"};
    rules.tenant_claim = claim;
    auto made = JwtVerifier::Make(rules, maker_.KeySet());
    EXPECT_TRUE(made.ok()) << made.status();
    return Read(text, *std::move(made));
  }
  std::string Token(const std::string& more = "", std::int64_t exp = kNow + 100) const {
    return maker_.Sign(
        absl::StrCat(R"({"iss":"i","aud":"a","sub":"alice","exp":)", exp, more, "}"));
  }

  // TENANT NAME, or why not.
  std::string Who(const CallFacts& call) const { return Who(call, *directory_); }
  std::string Who(const CallFacts& call, const Directory& directory) const {
    const auto found = Identify(call, directory, trust_, kTime);
    if (found.ok()) return absl::StrCat((*found)->tenant, " ", (*found)->name);
    EXPECT_EQ(found.status().code(), absl::StatusCode::kUnauthenticated);
    EXPECT_EQ(errors::Reason(found.status()), "CALLER_UNKNOWN");
    return std::string(found.status().message());
  }

  static std::string KeyLines(const char* tenant, const char* name, const Secret& key) {
    return KeyTable(tenant, name, key);
  }

  const test::TokenMaker maker_{"ES256"};
  const Secret key_ = MakeApiKey();
  const std::string bearer_ = "Bearer " + key_.Reveal();
  const std::string text_ = absl::StrCat(R"(
[tenants.acme]
identities = ["san:spiffe://alice", "header:acme", "jwt:alice"]
)",
                                         KeyLines("acme", "ci", key_), R"(
[tenants.beta]
identities = ["san:spiffe://bob", "san:bob.example.com", "header:beta"]
)");
  DirectoryPtr directory_ = Read(text_);
  TrustRules trust_{.proxies = *TrustedProxies::Parse("10.0.0.0/8,unix"),
                    .xfcc = true,
                    .tenant_header = "x-tenant"};
};

TEST_F(IdentifyTest, WithoutADocumentEverybodyIsTheDefaultTenantAndMayAll) {
  const auto found = Identify({}, *Directory::OfDefault(), {}, kTime);
  ASSERT_TRUE(found.ok());
  EXPECT_EQ((*found)->tenant, kDefaultTenant);
  EXPECT_EQ((*found)->roles, Roles::All());
  EXPECT_EQ(Who({.authorization = {"Bearer pgk_x", 1}}, *Directory::OfDefault()),
            "default anybody");
}

TEST_F(IdentifyTest, ADocumentMayLimitEverybody) {
  const auto found =
      Identify({}, *Read("[tenants.default]\nroles=['read']\nlimits={watches=3}"), {}, kTime);
  ASSERT_TRUE(found.ok());
  EXPECT_EQ((*found)->roles, Roles().With(Role::kRead));
  EXPECT_EQ((*found)->limits.watches, 3);
}

TEST_F(IdentifyTest, ACertificateOfTheConnectionComesFirst) {
  EXPECT_EQ(Who({.sans = {"spiffe://alice"}, .peer = kStranger}), "acme san:spiffe://alice");
  EXPECT_EQ(Who({.sans = {"spiffe://bob"}, .authorization = {bearer_, 1}}),
            "beta san:spiffe://bob");
  EXPECT_EQ(Who({.sans = {"bob.example.com", "spiffe://bob"}}), "beta san:bob.example.com");
  EXPECT_THAT(Who({.sans = {"spiffe://alice", "spiffe://bob"}}), HasSubstr("more than one tenant"));
  // A proxy's own certificate says nothing of the caller.
  EXPECT_EQ(Who({.sans = {"spiffe://proxy"}, .authorization = {bearer_, 1}}), "acme key:ci");
  EXPECT_THAT(Who({.sans = {"spiffe://proxy", "header:acme", ""}}),
              HasSubstr("nothing that counts came"));
}

TEST_F(IdentifyTest, AnApiKeyIsFoundByItsHash) {
  EXPECT_EQ(Who({.authorization = {bearer_, 1}, .peer = kStranger}), "acme key:ci");
  EXPECT_EQ(Who({.authorization = {"bearer  " + key_.Reveal(), 1}}), "acme key:ci");
  EXPECT_THAT(Who({.authorization = {bearer_ + "x", 1}}), HasSubstr("not one of this gateway's"));
  EXPECT_THAT(Who({.authorization = {"Bearer pgk_", 1}}), HasSubstr("not one of this gateway's"));
  EXPECT_THAT(Who({.authorization = {bearer_, 2}}), HasSubstr("more than once"));
  for (const std::string& none : {key_.Reveal(), "Basic " + key_.Reveal(), std::string("Bearer"),
                                  std::string("Bearer "), std::string()}) {
    EXPECT_THAT(Who({.authorization = {none, 1}}), HasSubstr("nothing that counts came")) << none;
  }
  // It decides even where it does not count.
  EXPECT_THAT(Who({.authorization = {"Bearer pgk_old", 1}, .tenant = {"acme", 1}, .peer = kProxy}),
              HasSubstr("not one of this gateway's"));
}

TEST_F(IdentifyTest, RefusalsDoNotRepeatWhatCame) {
  EXPECT_THAT(Who({.authorization = {"Bearer pgk_veryowen", 1}}), Not(HasSubstr("veryowen")));
  EXPECT_THAT(Who({.authorization = {"Basic dXNlcg", 1}}), Not(HasSubstr("dXNlcg")));
}

TEST_F(IdentifyTest, ATokenCountsOnlyWithRulesForIt) {
  const std::string bearer = "Bearer " + Token();
  EXPECT_THAT(Who({.authorization = {bearer, 1}}), HasSubstr("nothing that counts came"));
  // Envoy's filter has checked the token, passes it on, and names the tenant.
  EXPECT_EQ(Who({.authorization = {bearer, 1}, .tenant = {"beta", 1}, .peer = kProxy}),
            "beta header:beta");
  const DirectoryPtr directory = WithTokens(text_);
  EXPECT_EQ(Who({.authorization = {bearer, 1}, .tenant = {"beta", 1}, .peer = kProxy}, *directory),
            "acme jwt:alice");
  EXPECT_THAT(Who({.authorization = {bearer + "x", 1}}, *directory), HasSubstr("The token"));
  EXPECT_THAT(Who({.authorization = {"Bearer x", 1}}, *directory), HasSubstr("The token"));
  const std::string other =
      "Bearer " + maker_.Sign(R"({"iss":"i","aud":"a","sub":"eve","exp":1900000000})");
  EXPECT_THAT(Who({.authorization = {other, 1}}, *directory), HasSubstr("belongs to no tenant"));
}

TEST_F(IdentifyTest, ATokenMayNameItsTenant) {
  const DirectoryPtr directory = WithTokens(text_, "tenant");
  EXPECT_EQ(Who({.authorization = {"Bearer " + Token(R"(,"tenant":"beta")"), 1}}, *directory),
            "beta jwt:alice");
  EXPECT_THAT(Who({.authorization = {"Bearer " + Token(R"(,"tenant":"gamma")"), 1}}, *directory),
              HasSubstr("a tenant that there is not"));
}

TEST_F(IdentifyTest, ATokenIsVerifiedOnceAndStillEnds) {
  const DirectoryPtr directory = WithTokens(text_);
  const std::string token = Token();
  const auto first = directory->FindToken(token, kTime);
  const auto second = directory->FindToken(token, kTime + seconds(129));
  ASSERT_TRUE(first.ok() && second.ok());
  EXPECT_EQ(*first, *second);
  EXPECT_FALSE(directory->FindToken(token, kTime + seconds(130)).ok());
}

TEST_F(IdentifyTest, AProxysWordCountsFromTrustedProxiesOnly) {
  const CallFacts forwarded{.xfcc = {"By=x;URI=spiffe://alice", 1}, .peer = kProxy};
  EXPECT_EQ(Who(forwarded), "acme san:spiffe://alice");
  CallFacts call = forwarded;
  call.peer = "unix:";
  EXPECT_EQ(Who(call), "acme san:spiffe://alice");
  call.peer = kStranger;
  EXPECT_THAT(Who(call), HasSubstr("192.0.2.1:4711, which is no trusted proxy"));
  call = forwarded;
  call.xfcc.value = "URI=spiffe://alice,By=x;DNS=bob.example.com";
  EXPECT_EQ(Who(call), "beta san:bob.example.com");
  call.xfcc.value = "URI=spiffe://bob;DNS=alice";
  EXPECT_EQ(Who(call), "beta san:spiffe://bob");
  call.xfcc.count = 2;
  EXPECT_THAT(Who(call), HasSubstr("more than once"));
  call = forwarded;
  call.xfcc.value = "URI=\"spiffe://boss,By=x;URI=spiffe://alice";
  EXPECT_THAT(Who(call), HasSubstr("quote that does not end"));
  // What nobody trusts is not even read.
  call.peer = kStranger;
  EXPECT_THAT(Who(call), HasSubstr("nothing that counts came"));
  trust_.xfcc = false;
  EXPECT_THAT(Who(forwarded), HasSubstr("nothing that counts came"));
}

TEST_F(IdentifyTest, ATenantHeaderCountsFromTrustedProxiesOnly) {
  const CallFacts named{.tenant = {"beta", 1}, .peer = kProxy};
  EXPECT_EQ(Who(named), "beta header:beta");
  CallFacts call = named;
  call.peer = kStranger;
  EXPECT_THAT(Who(call), HasSubstr("no trusted proxy"));
  call = named;
  call.tenant.count = 2;
  EXPECT_THAT(Who(call), HasSubstr("x-tenant more than once"));
  call = named;
  call.tenant.value = "gamma";
  EXPECT_THAT(Who(call), HasSubstr("x-tenant names nobody"));
  call.tenant.value = "beta,acme";
  EXPECT_THAT(Who(call), HasSubstr("x-tenant names nobody"));
  // The neighbour's certificate, if it is known, goes before the header; a gateway's, which is not,
  // lets the header decide.
  call = named;
  call.xfcc = {"URI=spiffe://alice", 1};
  EXPECT_EQ(Who(call), "acme san:spiffe://alice");
  call.xfcc = {"URI=spiffe://ingress", 1};
  EXPECT_EQ(Who(call), "beta header:beta");
  trust_.tenant_header = "";
  EXPECT_THAT(Who(named), HasSubstr("nothing that counts came"));
}

TEST_F(IdentifyTest, TheRefusalNamesWhatWouldCount) {
  EXPECT_THAT(Who({}), HasSubstr("It takes an API key (authorization: Bearer pgk_…), or a client "
                                 "certificate that it knows, or the word of a trusted proxy"));
  EXPECT_THAT(Who({}, *WithTokens("[tenants.a]")), HasSubstr("It takes a JSON Web Token"));
  trust_ = {};
  EXPECT_THAT(Who({}, *Read("[tenants.a]")), HasSubstr("neither keys nor identities"));
}

TEST_F(IdentifyTest, AKeysRolesAreItsOwn) {
  const DirectoryPtr directory =
      Read(absl::StrCat("[tenants.a]\n", KeyTable("a", "k", key_), "roles=['read']\n"));
  const auto found = Identify({.authorization = {bearer_, 1}}, *directory, {}, kTime);
  ASSERT_TRUE(found.ok()) << found.status();
  EXPECT_EQ((*found)->roles, Roles().With(Role::kRead));
}

TEST_F(IdentifyTest, WhoIsTheOnlyTenantIsAlone) {
  const auto alone = [&](const char* document) {
    const auto found = Identify({.sans = {"a"}}, *Read(document), {}, kTime);
    EXPECT_TRUE(found.ok()) << found.status();
    return found.ok() && (*found)->alone;
  };
  EXPECT_TRUE(alone("[tenants.acme]\nidentities = [\"san:a\"]\n"));
  EXPECT_FALSE(alone("[tenants.acme]\nidentities = [\"san:a\"]\n[tenants.beta]\n"));
  EXPECT_TRUE(Directory::OfDefault()->anybody()->alone);
}

TEST_F(IdentifyTest, WhereCallersPayThereIsNoAccountUntilAKeyIsShown) {
  const DirectoryPtr directory = Read(
      "[tenants.acme]\ncallers_pay = true\nidentities = [\"san:a\"]\n"
      "[tenants.beta]\nidentities = [\"san:b\"]\n");
  const auto acme = Identify({.sans = {"a"}}, *directory, {}, kTime);
  ASSERT_TRUE(acme.ok()) << acme.status();
  EXPECT_TRUE((*acme)->callers_pay);
  EXPECT_EQ((*acme)->account, "");
  EXPECT_FALSE((*acme)->adopts);
  const auto beta = Identify({.sans = {"b"}}, *directory, {}, kTime);
  ASSERT_TRUE(beta.ok()) << beta.status();
  EXPECT_FALSE((*beta)->callers_pay);
  EXPECT_TRUE((*beta)->adopts) << "who pays for itself shares no account";
  const auto anybody = Identify({}, *Directory::OfDefault(/*callers_pay=*/true), {}, kTime);
  ASSERT_TRUE(anybody.ok()) << anybody.status();
  EXPECT_EQ((*anybody)->tenant, "default");
  EXPECT_TRUE((*anybody)->callers_pay);
}

}  // namespace
}  // namespace gateway::tenants
