#include "tenants/callers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "base/errors.h"
#include "support/fake_clock.h"
#include "tenants/api_key.h"
#include "tenants/tenants_file.h"
#include "tenants/token_maker.h"

namespace gateway::tenants {
namespace {

using absl::StatusCode;

DirectoryPtr Read(const std::string& text, std::unique_ptr<const JwtVerifier> jwt = nullptr) {
  auto read = ParseTenants(text, "tenants.toml");
  EXPECT_TRUE(read.ok()) << read.status();
  return std::make_shared<const Directory>(*std::move(read), std::move(jwt));
}

class CallersTest : public testing::Test {
 protected:
  StatusCode After(const CallFacts& call, const DirectoryPtr& before, const DirectoryPtr& after) {
    Callers callers(before, trust_, clock_);
    const auto found = callers.Identify(call);
    EXPECT_TRUE(found.ok()) << found.status();
    if (!found.ok()) return StatusCode::kUnknown;
    EXPECT_TRUE(callers.Recheck(**found, Role::kRead, "WatchJob").ok());
    EXPECT_TRUE(callers.Replace(after).ok());
    return callers.Recheck(**found, Role::kRead, "WatchJob").code();
  }

  test::FakeClock clock_;
  TrustRules trust_{.proxies = *TrustedProxies::Parse("unix"), .tenant_header = "x-tenant"};
  const Secret key_ = MakeApiKey();
  const std::string bearer_ = "Bearer " + key_.Reveal();
};

TEST_F(CallersTest, AKeyHoldsForAsLongAsItIsThereAndMayRead) {
  const CallFacts call{.authorization = {bearer_, 1}};
  const DirectoryPtr before = Read(KeyTable("a", "k", key_));
  EXPECT_EQ(After(call, before, before), StatusCode::kOk);
  EXPECT_EQ(After(call, before, Read(KeyTable("a", "renamed", key_))), StatusCode::kOk);
  EXPECT_EQ(After(call, before, Read("[tenants.a]")), StatusCode::kUnauthenticated);
  EXPECT_EQ(After(call, before, Read(KeyTable("a", "k", MakeApiKey()))),
            StatusCode::kUnauthenticated);
  // The key is another tenant's now: the watch is of the former one's job.
  EXPECT_EQ(After(call, before, Read(KeyTable("b", "k", key_))), StatusCode::kUnauthenticated);
  EXPECT_EQ(After(call, before, Read(KeyTable("a", "k", key_) + "roles=['submit']")),
            StatusCode::kPermissionDenied);
  EXPECT_EQ(
      After(call, before, Read("[tenants.a]\nroles=['operate']\n" + KeyTable("a", "k", key_))),
      StatusCode::kPermissionDenied);
}

TEST_F(CallersTest, ANameHoldsForAsLongAsItIsTheTenants) {
  const CallFacts call{.tenant = {"x", 1}, .peer = "unix:"};
  const DirectoryPtr before = Read("[tenants.a]\nidentities=['header:x']");
  EXPECT_EQ(After(call, before, before), StatusCode::kOk);
  EXPECT_EQ(After(call, before, Read("[tenants.a]")), StatusCode::kUnauthenticated);
  EXPECT_EQ(After(call, before, Read("[tenants.b]\nidentities=['header:x']")),
            StatusCode::kUnauthenticated);
  EXPECT_EQ(After(call, before, Read("[tenants.a]\nidentities=['header:x']\nroles=['submit']")),
            StatusCode::kPermissionDenied);
}

TEST_F(CallersTest, ATokenHoldsForAsLongAsItsKeyAndTenantDo) {
  const test::TokenMaker maker("ES256");
  const auto tokens = [&](const test::TokenMaker& issuer, const std::string& text,
                          const std::string& claim) {
    JwtRules rules{.issuer = "i", .audience = "a", .algorithms = {"ES256"}, .tenant_claim = claim};
    auto made = JwtVerifier::Make(rules, issuer.KeySet());
    EXPECT_TRUE(made.ok()) << made.status();
    return Read(text, *std::move(made));
  };
  const std::string bearer =
      "Bearer " + maker.Sign(R"({"iss":"i","aud":"a","sub":"x","tenant":"a","exp":99999999999})");
  const CallFacts call{.authorization = {bearer, 1}};
  const std::string by_subject = "[tenants.a]\nidentities=['jwt:x']";
  const DirectoryPtr before = tokens(maker, by_subject, "");
  EXPECT_EQ(After(call, before, before), StatusCode::kOk);
  EXPECT_EQ(After(call, before, tokens(test::TokenMaker("ES256"), by_subject, "")),
            StatusCode::kUnauthenticated);
  EXPECT_EQ(After(call, before, Read(by_subject)), StatusCode::kUnauthenticated);
  EXPECT_EQ(After(call, before, tokens(maker, "[tenants.a]", "")), StatusCode::kUnauthenticated);
  const DirectoryPtr named = tokens(maker, "[tenants.a]", "tenant");
  EXPECT_EQ(After(call, named, named), StatusCode::kOk);
  EXPECT_EQ(After(call, named, tokens(maker, "[tenants.b]", "tenant")),
            StatusCode::kUnauthenticated);
}

TEST_F(CallersTest, NoDocumentOpensWhatWasClosed) {
  const DirectoryPtr open = Read("[tenants.default]");
  const DirectoryPtr closed = Read("[tenants.a]");
  Callers callers(closed, {}, clock_);
  EXPECT_EQ(callers.Replace(open).code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(callers.directory(), closed);
  // The other way round, who was let in without a question is asked now.
  EXPECT_EQ(After({}, open, closed), StatusCode::kUnauthenticated);
  EXPECT_EQ(After({}, open, open), StatusCode::kOk);
}

TEST_F(CallersTest, TheRefusalNamesTheRoleAndTheCaller) {
  Principal principal;
  principal.tenant = "a";
  principal.name = "key:ci";
  principal.roles = Roles().With(Role::kRead);
  const absl::Status refused = CheckRole(principal, Role::kOperate, "DeleteJob");
  EXPECT_EQ(refused.code(), StatusCode::kPermissionDenied);
  EXPECT_EQ(errors::Reason(refused), "ROLE_REQUIRED");
  EXPECT_EQ(refused.message(),
            "DeleteJob needs the role operate, which key:ci of tenant a does not have; the "
            "operator of this gateway can give it");
  EXPECT_TRUE(CheckRole(principal, Role::kRead, "GetJob").ok());
}

}  // namespace
}  // namespace gateway::tenants
