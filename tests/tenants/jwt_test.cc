#include "tenants/jwt.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "tenants/token_maker.h"

namespace gateway::tenants {
namespace {

using std::chrono::seconds;
using test::TokenMaker;
using testing::HasSubstr;

constexpr std::int64_t kTokenNow = 1'800'000'000;
const WallTime kTokenTime{seconds(kTokenNow)};

JwtRules RulesOf(std::vector<std::string> algorithms) {
  JwtRules rules;
  rules.jwks_file = "jwks.json";
  rules.issuer = "https://issuer";
  rules.audience = "pictory";
  rules.algorithms = std::move(algorithms);
  return rules;
}

std::string Claims(const std::string& more = "", std::int64_t exp = kTokenNow + 100) {
  return absl::StrCat(R"({"iss":"https://issuer","aud":"pictory","sub":"alice","exp":)", exp, more,
                      "}");
}

std::unique_ptr<const JwtVerifier> VerifierOf(const JwtRules& rules, const std::string& keys) {
  auto made = JwtVerifier::Make(rules, keys);
  EXPECT_TRUE(made.ok()) << made.status();
  return made.ok() ? *std::move(made) : nullptr;
}

std::string Encoded(const std::string& text) {
  std::string encoded = absl::WebSafeBase64Escape(text);
  while (!encoded.empty() && encoded.back() == '=') encoded.pop_back();
  return encoded;
}

class JwtTest : public testing::Test {
 protected:
  void ExpectRefused(const JwtVerifier& verifier, const std::string& token, const char* why) {
    const auto verified = verifier.Verify(token, kTokenTime);
    EXPECT_EQ(verified.status().code(), absl::StatusCode::kInvalidArgument) << token;
    EXPECT_THAT(std::string(verified.status().message()), HasSubstr(why)) << token;
  }
  const TokenMaker maker_{"ES256"};
  const std::unique_ptr<const JwtVerifier> verifier_ =
      VerifierOf(RulesOf({"ES256"}), maker_.KeySet());
};

TEST_F(JwtTest, TakesAllTheAlgorithmsOfTheRules) {
  for (const char* algorithm :
       {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512"}) {
    const TokenMaker maker(algorithm);
    const auto verifier = VerifierOf(RulesOf({algorithm}), maker.KeySet());
    const auto verified = verifier->Verify(maker.Sign(Claims()), kTokenTime);
    ASSERT_TRUE(verified.ok()) << algorithm << verified.status();
    EXPECT_EQ(verified->subject, "alice");
    EXPECT_EQ(verified->tenant, "");
    EXPECT_EQ(verified->until, kTokenTime + seconds(130));
    EXPECT_TRUE(verifier->Takes(verified->evidence));
  }
}

TEST_F(JwtTest, TheAlgorithmIsTheRulesChoice) {
  const TokenMaker rsa("RS256");
  const auto verifier = VerifierOf(RulesOf({"RS256"}), rsa.KeySet());
  ExpectRefused(*verifier, rsa.Sign(Claims(), R"({"alg":"PS256"})"), "algorithm");
  ExpectRefused(*verifier, maker_.Sign(Claims()), "algorithm");
  // The public key as the secret of an HMAC; no signature at all.
  const TokenMaker shared("HS256");
  ExpectRefused(*verifier, shared.Sign(Claims()), "algorithm");
  for (const char* algorithm : {"none", "None", "NONE", "nOnE", ""}) {
    const std::string token =
        absl::StrCat(Encoded(absl::StrCat(R"({"alg":")", algorithm, R"(","kid":"k1"})")), ".",
                     Encoded(Claims()), ".");
    EXPECT_FALSE(verifier->Verify(token, kTokenTime).ok()) << algorithm;
  }
  // A key that is for one algorithm is for no other.
  std::string key = rsa.PublicKey();
  key.insert(1, R"("alg":"RS512",)");
  const auto both = VerifierOf(RulesOf({"RS256", "RS512"}), "{\"keys\":[" + key + "]}");
  ExpectRefused(*both, rsa.Sign(Claims()), "names no key");
  EXPECT_TRUE(both->Verify(rsa.Sign(Claims(), R"({"alg":"RS512"})"), kTokenTime).ok());
}

TEST_F(JwtTest, OnlyTheKeysOfTheSetCount) {
  const TokenMaker other("ES256");
  ExpectRefused(*verifier_, other.Sign(Claims()), "wrong signature");
  const TokenMaker elsewhere("ES256", "k2");
  ExpectRefused(*verifier_, elsewhere.Sign(Claims()), "names no key");
  std::string token = maker_.Sign(Claims());
  const std::size_t dot = token.rfind('.');
  token[dot + 10] = token[dot + 10] == 'A' ? 'B' : 'A';
  ExpectRefused(*verifier_, token, "wrong signature");
  // The claims of one with the signature of another.
  const std::string mallory = maker_.Sign(Claims(R"(,"admin":true)"));
  const std::string mixed =
      mallory.substr(0, mallory.rfind('.')) + maker_.Sign(Claims()).substr(dot);
  EXPECT_FALSE(verifier_->Verify(mixed, kTokenTime).ok());
  // A key that the token brings along.
  ExpectRefused(*verifier_, other.Sign(Claims(), "{\"jwk\":" + other.PublicKey() + "}"),
                "wrong signature");
}

TEST_F(JwtTest, ASignatureIsWrittenInOneWay) {
  for (const char* algorithm : {"RS256", "ES256", "ES384", "ES512"}) {
    const TokenMaker maker(algorithm);
    const auto verifier = VerifierOf(RulesOf({algorithm}), maker.KeySet());
    const std::string token = maker.Sign(Claims());
    ASSERT_TRUE(verifier->Verify(token, kTokenTime).ok());
    for (const char* more : {"A", "AA", "AAAA", "=", "==", " ", "\n"}) {
      EXPECT_FALSE(verifier->Verify(token + more, kTokenTime).ok()) << algorithm << " " << more;
    }
  }
}

TEST_F(JwtTest, WithoutAnIdOnlyASingleKeyIsTried) {
  const TokenMaker first("ES256", "");
  const TokenMaker second("ES256", "");
  const auto one = VerifierOf(RulesOf({"ES256"}), first.KeySet());
  EXPECT_TRUE(one->Verify(first.Sign(Claims()), kTokenTime).ok());
  const auto two = VerifierOf(RulesOf({"ES256"}),
                              "{\"keys\":[" + first.PublicKey() + "," + second.PublicKey() + "]}");
  ExpectRefused(*two, first.Sign(Claims()), "names no key");
}

TEST_F(JwtTest, ChecksIssuerAudienceAndTimes) {
  const auto sign = [&](const std::string& claims) { return maker_.Sign(claims); };
  const std::string who = R"("iss":"https://issuer","aud":"pictory","sub":"a")";
  ExpectRefused(*verifier_, sign(R"({"aud":"pictory","sub":"a","exp":1900000000})"), "issuer");
  ExpectRefused(*verifier_,
                sign(R"({"iss":"https://other","aud":"pictory","sub":"a","exp":1900000000})"),
                "issuer");
  ExpectRefused(*verifier_, sign(R"({"iss":"https://issuer","sub":"a","exp":1900000000})"),
                "audience");
  ExpectRefused(*verifier_,
                sign(R"({"iss":"https://issuer","aud":["x",3],"sub":"a","exp":1900000000})"),
                "audience");
  ExpectRefused(*verifier_, sign("{" + who + "}"), "exp");
  ExpectRefused(*verifier_, sign("{" + who + R"(,"exp":"1900000000"})"), "exp");
  ExpectRefused(*verifier_, sign(Claims("", kTokenNow - 30)), "expired");
  ExpectRefused(*verifier_, sign(Claims("", -1)), "expired");
  ExpectRefused(*verifier_, sign(Claims(absl::StrCat(",\"nbf\":", kTokenNow + 31))),
                "not hold yet");
  ExpectRefused(*verifier_, sign(Claims(",\"nbf\":\"soon\"")), "nbf");
  ExpectRefused(*verifier_, sign(R"({"iss":"https://issuer","aud":"pictory","exp":1900000000})"),
                "subject");
  ExpectRefused(*verifier_, sign("{" + who + R"(,"exp":1900000000,"exp":1900000000})"), "claims");
  EXPECT_TRUE(verifier_->Verify(sign(Claims("", kTokenNow - 29)), kTokenTime).ok());
  EXPECT_TRUE(
      verifier_->Verify(sign(Claims(absl::StrCat(",\"nbf\":", kTokenNow + 29))), kTokenTime).ok());
  EXPECT_TRUE(verifier_
                  ->Verify(sign(R"({"iss":"https://issuer","aud":["x","pictory"],"sub":"a",)"
                                R"("exp":1900000000.5})"),
                           kTokenTime)
                  .ok());
  EXPECT_TRUE(verifier_->Verify(sign("{" + who + R"(,"exp":1e300})"), kTokenTime).ok());
}

TEST_F(JwtTest, TheTenantMayBeAClaim) {
  JwtRules rules = RulesOf({"ES256"});
  rules.tenant_claim = "tenant";
  const auto verifier = VerifierOf(rules, maker_.KeySet());
  EXPECT_TRUE(verifier->names_tenants());
  const auto verified = verifier->Verify(maker_.Sign(Claims(R"(,"tenant":"acme")")), kTokenTime);
  ASSERT_TRUE(verified.ok()) << verified.status();
  EXPECT_EQ(verified->tenant, "acme");
  ExpectRefused(*verifier, maker_.Sign(Claims()), "name a tenant");
  ExpectRefused(*verifier, maker_.Sign(Claims(R"(,"tenant":["acme"])")), "name a tenant");
}

TEST_F(JwtTest, RefusesWhatIsNoToken) {
  const std::string token = maker_.Sign(Claims());
  for (const std::string& odd :
       {std::string(), std::string("."), std::string(".."), std::string("a.b.c"),
        std::string("eyJ"), token + ".x", token.substr(0, token.rfind('.')),
        token.substr(0, token.rfind('.') + 1), token + std::string(10'000, 'A'),
        std::string("eyJhbGciOiJFUzI1NiJ9..x"), Encoded("{}") + "." + Encoded("{}") + ".x",
        Encoded("[]") + "." + Encoded("{}") + ".x", std::string("\0.\0.\0", 5)}) {
    EXPECT_FALSE(verifier_->Verify(odd, kTokenTime).ok()) << odd;
  }
  ExpectRefused(*verifier_, maker_.Sign("[]"), "claims");
  ExpectRefused(*verifier_, maker_.Sign("x"), "claims");
  // Newer libraries refuse it before we see it.
  ExpectRefused(*verifier_, maker_.Sign(Claims(), R"({"crit":["exp"]})"), "The token ");
  ExpectRefused(*verifier_, maker_.Sign(Claims(), R"({"kid":3})"), "kid");
}

// An assertion of the library ends the process over some of these.
TEST_F(JwtTest, PartsAreBase64Url) {
  const std::string token = maker_.Sign(Claims());
  const std::size_t first = token.find('.'), last = token.rfind('.');
  const std::string header = token.substr(0, first), claims = token.substr(first, last - first),
                    signature = token.substr(last);
  for (const char* odd : {"A", "AAAAA", "AAAA=", "A=AA", "AAAAA=AAA", "=", "====", "AA==", "AA+/",
                          "AA AA", "\xc3\xa4"}) {
    const std::string dotted = absl::StrCat(".", odd);
    ExpectRefused(*verifier_, odd + claims + signature, "no signed");
    ExpectRefused(*verifier_, header + dotted + signature, "no signed");
    ExpectRefused(*verifier_, header + claims + dotted, "no signed");
    const std::string in_rsa = absl::StrCat(R"({"kty":"RSA","e":"AQAB","n":")", odd, "\"}");
    const std::string in_ec =
        absl::StrCat(R"({"kty":"EC","crv":"P-256","x":"AAAA","y":")", odd, "\"}");
    for (const std::string& key : {in_rsa, in_ec}) {
      const auto made = JwtVerifier::Make(RulesOf({"RS256", "ES256"}), "{\"keys\":[" + key + "]}");
      EXPECT_THAT(std::string(made.status().message()), HasSubstr("has no key for")) << key;
    }
  }
}

TEST_F(JwtTest, AKeySetMustHaveAKeyForTheRulesAndNoPrivateOne) {
  const auto refused = [](const std::string& keys) {
    const auto made = JwtVerifier::Make(RulesOf({"ES256"}), keys);
    return std::string(made.status().message());
  };
  EXPECT_THAT(refused(""), HasSubstr("jwks.json: is no JSON Web Key Set"));
  EXPECT_THAT(refused("[]"), HasSubstr("is no JSON Web Key Set"));
  EXPECT_THAT(refused(R"({"keys":[]})"), HasSubstr("has no key for"));
  EXPECT_THAT(refused(R"({"keys":[3,{},{"kty":"OKP"}]})"), HasSubstr("has no key for"));
  EXPECT_THAT(refused(TokenMaker("RS256").KeySet()), HasSubstr("has no key for"));
  EXPECT_THAT(refused(TokenMaker("ES384").KeySet()), HasSubstr("has no key for"));
  EXPECT_THAT(refused("{\"keys\":[" + maker_.PrivateKey() + "]}"), HasSubstr("private"));
  EXPECT_THAT(refused(R"({"keys":[{"kty":"oct","k":"AAAA"}]})"), HasSubstr("shared key"));
  std::string key = maker_.PublicKey();
  key.insert(1, R"("use":"enc",)");
  EXPECT_THAT(refused("{\"keys\":[" + key + "]}"), HasSubstr("has no key for"));
  std::string many = "{\"keys\":[" + maker_.PublicKey();
  for (int i = 0; i < 64; ++i) many += "," + maker_.PublicKey();
  EXPECT_THAT(refused(many + "]}"), HasSubstr("has more than 64 keys"));
}

TEST_F(JwtTest, EvidenceIsOfTheKeyAndTheRules) {
  const auto verified = verifier_->Verify(maker_.Sign(Claims()), kTokenTime);
  ASSERT_TRUE(verified.ok());
  EXPECT_TRUE(VerifierOf(RulesOf({"ES256", "RS256"}), maker_.KeySet())->Takes(verified->evidence));
  EXPECT_FALSE(
      VerifierOf(RulesOf({"ES256"}), TokenMaker("ES256").KeySet())->Takes(verified->evidence));
  JwtRules other = RulesOf({"ES256"});
  other.audience = "another";
  EXPECT_FALSE(VerifierOf(other, maker_.KeySet())->Takes(verified->evidence));
}

}  // namespace
}  // namespace gateway::tenants
