#include "fuzz/identity_targets.h"

#include <rapidjson/document.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "fuzz/promises.h"
#include "tenants/directory.h"
#include "tenants/identify.h"
#include "tenants/jwt.h"
#include "tenants/tenants_file.h"
#include "tenants/token_maker.h"
#include "tenants/xfcc.h"

namespace gateway::fuzz {
namespace {

constexpr std::int64_t kNowSeconds = 1'800'000'000;
const WallTime kTokensNow{std::chrono::seconds(kNowSeconds)};
constexpr double kLeewaySeconds = 30;
constexpr char kTenantOfAlice[] = "acme";

bool IsOneLine(std::string_view text) {
  return std::none_of(text.begin(), text.end(),
                      [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

void MustSayWhere(const absl::Status& refused) {
  const std::string_view message(refused.message().data(), refused.message().size());
  Must(refused.code() == absl::StatusCode::kInvalidArgument && message.starts_with("f:"),
       "a mistake is named with its file");
  Must(IsOneLine(message), "a mistake is told in one line");
}

tenants::Principal Earlier(const std::string& tenant, tenants::Proof proof) {
  tenants::Principal principal;
  principal.tenant = tenant;
  principal.proof = proof;
  return principal;
}

bool IsWithin(const tenants::TenantLimits& limits) {
  return limits.submits_per_minute >= 0 && limits.submits_per_day >= 0 &&
         limits.credits_per_day >= 0 && limits.active_jobs >= 0 && limits.watches >= 0 &&
         limits.bytes_in_flight >= 0 && limits.requests_per_second >= 0;
}

tenants::JwtRules TokenRules() {
  tenants::JwtRules rules;
  rules.jwks_file = "f";
  rules.issuer = "i";
  rules.audience = "a";
  rules.algorithms = {"ES256"};
  return rules;
}

// Who signs tokens, with a key that no input can have.
class TokenHouse {
 public:
  static const TokenHouse& The() {
    static const auto* const house = new TokenHouse;
    return *house;
  }

  // The whole of a made-up token, with parts of real ones in it.
  std::string Filled(std::string_view input) const {
    return absl::StrReplaceAll(std::string(input), {{"%h", good_.header},
                                                    {"%c", good_.claims},
                                                    {"%s", good_.signature},
                                                    {"%e", ended_.claims},
                                                    {"%f", ended_.signature}});
  }
  // Whether this text in front of a signature is the one that was signed and has not ended.
  bool HasSigned(std::string_view text) const {
    return text == absl::StrCat(good_.header, ".", good_.claims);
  }
  absl::StatusOr<tenants::PrincipalPtr> WhoHas(const std::string& token) const {
    const std::string bearer = absl::StrCat("Bearer ", token);
    tenants::CallFacts call;
    call.authorization = {bearer, 1};
    return tenants::Identify(call, *directory_, {}, kTokensNow);
  }
  std::string Sign(const std::string& claims, const std::string& header) const {
    return maker_.Sign(claims, header);
  }
  std::string PublicKey() const { return maker_.PublicKey(); }
  std::string PrivateKey() const { return maker_.PrivateKey(); }
  std::string GoodToken() const {
    return absl::StrCat(good_.header, ".", good_.claims, ".", good_.signature);
  }
  static std::string Claims(std::int64_t ends) {
    return absl::StrCat(R"({"iss":"i","aud":"a","sub":"alice","exp":)", ends, "}");
  }

 private:
  struct Token {
    std::string header, claims, signature;
  };

  TokenHouse() {
    auto read = tenants::ParseTenants("[tenants.acme]\nidentities=['jwt:alice']", "f");
    Must(read.ok(), "the file of the targets is one");
    auto verifier = tenants::JwtVerifier::Make(TokenRules(), maker_.KeySet());
    Must(verifier.ok(), "the key set of the targets is one");
    directory_ = std::make_unique<tenants::Directory>(*std::move(read), *std::move(verifier));
    Must(WhoHas(GoodToken()).ok() && !WhoHas(Filled("%h.%e.%f")).ok(), "the tokens are as named");
  }
  Token Make(std::int64_t ends) const {
    const std::string text = maker_.Sign(Claims(ends));
    const std::size_t first = text.find('.'), last = text.rfind('.');
    return {text.substr(0, first), text.substr(first + 1, last - first - 1), text.substr(last + 1)};
  }

  const test::TokenMaker maker_{"ES256", "k"};
  const Token good_ = Make(kNowSeconds + 100);
  const Token ended_ = Make(kNowSeconds - 100);
  std::unique_ptr<const tenants::Directory> directory_;
};

// A second opinion on JSON; the gateway reads tokens and key sets with another library.
class SecondReader {
 public:
  explicit SecondReader(const std::string& text) { document_.Parse(text.data(), text.size()); }
  const rapidjson::Value* Find(const char* name) const {
    if (document_.HasParseError() || !document_.IsObject()) return nullptr;
    const auto found = document_.FindMember(name);
    return found == document_.MemberEnd() ? nullptr : &found->value;
  }
  bool Is(const char* name, std::string_view text) const {
    const rapidjson::Value* const value = Find(name);
    return value != nullptr && IsText(*value, text);
  }
  std::optional<double> Number(const char* name) const {
    const rapidjson::Value* const value = Find(name);
    if (value == nullptr || !value->IsNumber()) return std::nullopt;
    return value->GetDouble();
  }
  static bool IsText(const rapidjson::Value& value, std::string_view text) {
    return value.IsString() && std::string_view(value.GetString(), value.GetStringLength()) == text;
  }

 private:
  rapidjson::Document document_;
};

void MustBeGoodClaims(const std::string& text, const tenants::Principal& principal) {
  const SecondReader claims(text);
  Must(claims.Is("iss", "i") && claims.Is("sub", "alice"), "a token is of its issuer and subject");
  const rapidjson::Value* const audience = claims.Find("aud");
  Must(audience != nullptr, "a token has an audience");
  if (audience->IsArray()) {
    Must(std::any_of(audience->Begin(), audience->End(),
                     [](const auto& one) { return SecondReader::IsText(one, "a"); }),
         "a token names its audience among others");
  } else {
    Must(SecondReader::IsText(*audience, "a"), "a token names its audience");
  }
  const auto ends = claims.Number("exp");
  constexpr double kNow = kNowSeconds;
  Must(ends.has_value() && *ends + kLeewaySeconds > kNow - 1, "a token has not ended");
  Must(claims.Find("nbf") == nullptr || claims.Number("nbf").value_or(1e300) < kNow + 31,
       "a token holds already");
  const double until =
      std::chrono::duration<double>(principal.until.value_or(WallTime{}).time_since_epoch())
          .count();
  Must(until > kNow && until <= *ends + kLeewaySeconds + 1, "a principal ends with its token");
}

void MadeUpClaims(const std::string& claims) {
  const TokenHouse& house = TokenHouse::The();
  const auto who = house.WhoHas(house.Sign(claims, "{}"));
  if (!who.ok()) return;
  Must((*who)->tenant == kTenantOfAlice, "a subject has one tenant");
  MustBeGoodClaims(claims, **who);
}

void MadeUpHeader(const std::string& header) {
  const TokenHouse& house = TokenHouse::The();
  const std::string token = house.Sign(TokenHouse::Claims(kNowSeconds + 100), header);
  if (token.empty() || !house.WhoHas(token).ok()) return;
  const SecondReader members(header);
  Must(members.Find("alg") == nullptr || members.Is("alg", "ES256"),
       "the algorithm is one of the rules");
  Must(members.Find("kid") == nullptr || members.Is("kid", "k"),
       "the key is the one that is named");
  Must(members.Find("crit") == nullptr, "no token has a critical header");
}

void MadeUpToken(std::string_view input) {
  const TokenHouse& house = TokenHouse::The();
  const std::string token = house.Filled(input);
  const auto who = house.WhoHas(token);
  if (!who.ok()) return;
  // What stands behind Bearer may begin with spaces.
  std::string_view text = token;
  text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
  Must(house.HasSigned(text.substr(0, text.rfind('.'))), "who is known shows what was signed");
  Must((*who)->tenant == kTenantOfAlice, "a signed token is its subject's");
}

}  // namespace

void TenantsFile(std::string_view input) {
  auto read = tenants::ParseTenants(input, "f");
  if (!read.ok()) return MustSayWhere(read.status());
  const tenants::Directory directory(*read, nullptr);
  std::set<tenants::Sha256> keys;
  std::set<std::string> identities;
  bool others = false;
  for (const auto& [name, tenant] : read->tenants) {
    Must(name == tenant.name && tenants::IsTenantName(name), "a tenant has a name");
    Must(tenant.account == tenants::kDefaultAccount || read->accounts.contains(tenant.account),
         "a tenant has an account");
    Must(!tenant.roles.empty() && IsWithin(tenant.limits), "a tenant may do something");
    others = others || name != tenants::kDefaultTenant;
    for (const tenants::ApiKey& key : tenant.keys) {
      Must(keys.insert(key.sha256).second, "a key is one tenant's");
      Must(!key.roles.empty() && key.roles.And(tenant.roles) == key.roles,
           "a key may no more than its tenant");
      tenants::Principal earlier = Earlier(name, tenants::Proof::kKey);
      earlier.evidence = key.sha256;
      const tenants::PrincipalPtr known = directory.Again(earlier);
      Must(known != nullptr && known->tenant == name, "a key is its tenant's");
    }
    for (const std::string& identity : tenant.identities) {
      Must(identities.insert(identity).second, "an identity is one tenant's");
      const tenants::PrincipalPtr known = directory.FindName(identity);
      Must(known != nullptr && known->tenant == name, "an identity is its tenant's");
    }
  }
  const bool proofs = read->jwt.has_value() || !keys.empty() || !identities.empty();
  Must(read->identities == (proofs || others), "who is to be known must prove it");
  Must(tenants::Identify({}, directory, {}, kTokensNow).ok() == !read->identities,
       "who proves nothing is nobody");
}

void Xfcc(std::string_view input) {
  const std::size_t cut = std::min(input.find('\n'), input.size());
  const std::string forged(input.substr(0, cut));
  const std::string appended(input.substr(std::min(cut + 1, input.size())));
  const auto own = tenants::ParseXfcc(appended);
  const auto whole = tenants::ParseXfcc(absl::StrCat(forged, ",", appended));
  if (!own.ok() || !whole.ok()) return;
  Must(own->by == whole->by && own->hash == whole->hash && own->subject == whole->subject &&
           own->uris == whole->uris && own->dns == whole->dns,
       "what is forged in front changes nothing of what is appended");
}

void Jwt(std::string_view input) {
  switch (TakeByte(input)) {
    case 'h':
      return MadeUpHeader(std::string(input));
    case 'c':
      return MadeUpClaims(std::string(input));
    default:
      return MadeUpToken(input);
  }
}

void KeySet(std::string_view input) {
  const TokenHouse& house = TokenHouse::The();
  const std::string text = absl::StrReplaceAll(
      std::string(input), {{"%p", house.PublicKey()}, {"%d", house.PrivateKey()}});
  const auto made = tenants::JwtVerifier::Make(TokenRules(), text);
  if (!made.ok()) return MustSayWhere(made.status());
  const SecondReader set(text);
  const rapidjson::Value* const keys = set.Find("keys");
  Must(keys != nullptr && keys->IsArray(), "a key set has keys");
  for (const auto& key : keys->GetArray()) {
    Must(!key.IsObject() || (!key.HasMember("d") && !key.HasMember("k")),
         "a key set has no private and no shared key");
  }
  if (!(*made)->Verify(house.GoodToken(), kTokensNow).ok()) return;
  Must(input.find("%p") != std::string_view::npos, "only keys of the set sign");
}

}  // namespace gateway::fuzz
