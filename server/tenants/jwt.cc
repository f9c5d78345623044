#include "tenants/jwt.h"

#include <cjose/cjose.h>
#include <jansson.h>

#include <algorithm>
#include <cstdlib>
#include <iterator>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "base/limits.h"
#include "tenants/api_key.h"

namespace gateway::tenants {
namespace {

// The end of the year 9999: a token's time beyond it is as good as it.
constexpr double kLatestSeconds = 253'402'300'799;

struct FreeJson {
  void operator()(json_t* json) const { json_decref(json); }
};
using Json = std::unique_ptr<json_t, FreeJson>;

struct FreeJws {
  void operator()(cjose_jws_t* jws) const { cjose_jws_release(jws); }
};
using Jws = std::unique_ptr<cjose_jws_t, FreeJws>;

// A member twice is refused, because two readers might take different ones.
Json ParseJson(std::string_view text) {
  return Json(json_loadb(text.data(), text.size(), JSON_REJECT_DUPLICATES, nullptr));
}

// The text of a member; null if it is no text, or is not there.
const char* TextOf(const json_t* object, const char* name) {
  return json_string_value(json_object_get(object, name));
}

absl::Status Refused(const char* why) {
  return absl::InvalidArgumentError(absl::StrCat("The token ", why));
}

// Whether a key may verify at all. Both members are free to be absent.
bool IsForSignatures(const json_t* key) {
  const json_t* const use = json_object_get(key, "use");
  if (use != nullptr && (!json_is_string(use) || std::string_view(json_string_value(use)) != "sig"))
    return false;
  const json_t* const operations = json_object_get(key, "key_ops");
  if (operations == nullptr) return true;
  for (std::size_t i = 0; i < json_array_size(operations); ++i) {
    const char* const operation = json_string_value(json_array_get(operations, i));
    if (operation != nullptr && std::string_view(operation) == "verify") return true;
  }
  return false;
}

bool NamesAudience(const json_t* audience, std::string_view name) {
  if (json_is_string(audience)) return json_string_value(audience) == name;
  for (std::size_t i = 0; i < json_array_size(audience); ++i) {
    const char* const one = json_string_value(json_array_get(audience, i));
    if (one != nullptr && one == name) return true;
  }
  return false;
}

bool IsRsa(std::string_view algorithm) { return algorithm[0] == 'R' || algorithm[0] == 'P'; }

cjose_jwk_ec_curve CurveOf(std::string_view algorithm) {
  return algorithm == "ES256"   ? CJOSE_JWK_EC_P_256
         : algorithm == "ES384" ? CJOSE_JWK_EC_P_384
                                : CJOSE_JWK_EC_P_521;
}

// The size of the algorithm's signatures; 0: as large as the key.
std::size_t SignatureBytes(std::string_view algorithm) {
  return algorithm == "ES256" ? 64 : algorithm == "ES384" ? 96 : algorithm == "ES512" ? 132 : 0;
}

// Whether a text is base64url, written in the one way in which it should be. The library reads
// other texts, too, passes over some of what they hold, and over some an assertion in it ends the
// process.
bool IsBase64Url(std::string_view text) {
  const absl::string_view written(text.data(), text.size());
  std::string bytes;
  return absl::WebSafeBase64Unescape(written, &bytes) &&
         absl::WebSafeBase64Escape(bytes) == written;
}

// Whether a token has three such parts.
bool IsSigned(std::string_view token) {
  const std::size_t first = token.find('.');
  const std::size_t last = token.rfind('.');
  if (first == std::string_view::npos || first == last) return false;
  return IsBase64Url(token.substr(0, first)) &&
         IsBase64Url(token.substr(first + 1, last - first - 1)) &&
         IsBase64Url(token.substr(last + 1));
}

// Whether the signature is as long as the algorithm makes them. The library passes over what is
// behind an elliptic one.
bool IsAsLongAs(std::string_view algorithm, std::string_view signature) {
  std::string bytes;
  absl::WebSafeBase64Unescape({signature.data(), signature.size()}, &bytes);
  const std::size_t wanted = SignatureBytes(algorithm);
  return wanted == 0 || bytes.size() == wanted;
}

// Whether the numbers of a key can be given to the library.
bool NumbersAreWritten(const json_t* key) {
  constexpr const char* kNumbers[] = {"n", "e", "p", "q", "dp", "dq", "qi", "x", "y"};
  return std::all_of(std::begin(kNumbers), std::end(kNumbers), [key](const char* name) {
    const char* const number = TextOf(key, name);
    return number == nullptr || IsBase64Url(number);
  });
}

}  // namespace

void JwtVerifier::Free::operator()(_cjose_jwk_int* key) const { cjose_jwk_release(key); }

absl::StatusOr<std::unique_ptr<const JwtVerifier>> JwtVerifier::Make(const JwtRules& rules,
                                                                     std::string_view jwks) {
  std::unique_ptr<JwtVerifier> verifier(new JwtVerifier(rules));
  if (absl::Status added = verifier->AddKeys(jwks); !added.ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat(rules.jwks_file, ": ", std::string(added.message())));
  }
  return verifier;
}

absl::Status JwtVerifier::AddKeys(std::string_view jwks) {
  if (jwks.size() > limits::kJwksMaxBytes) {
    return absl::InvalidArgumentError(
        absl::StrCat("is larger than ", limits::kJwksMaxBytes, " bytes"));
  }
  const Json set = ParseJson(jwks);
  const json_t* const keys = json_object_get(set.get(), "keys");
  if (!json_is_array(keys)) {
    return absl::InvalidArgumentError("is no JSON Web Key Set, {\"keys\": […]}");
  }
  if (json_array_size(keys) > limits::kJwksKeysMax) {
    return absl::InvalidArgumentError(
        absl::StrCat("has more than ", limits::kJwksKeysMax, " keys"));
  }
  for (std::size_t i = 0; i < json_array_size(keys); ++i) {
    json_t* const one = json_array_get(keys, i);
    if (json_object_get(one, "d") != nullptr || json_object_get(one, "k") != nullptr) {
      return absl::InvalidArgumentError(
          "holds a private or a shared key; the gateway needs the public ones only");
    }
    if (!json_is_object(one) || !IsForSignatures(one) || !NumbersAreWritten(one)) continue;
    Key key;
    key.key.reset(cjose_jwk_import_json(one, nullptr));
    if (key.key == nullptr) continue;  // of a kind that no algorithm here uses
    const char* const id = TextOf(one, "kid");
    const char* const algorithm = TextOf(one, "alg");
    key.id = id == nullptr ? "" : id;
    key.algorithm = algorithm == nullptr ? "" : algorithm;
    const bool fits = std::any_of(rules_.algorithms.begin(), rules_.algorithms.end(),
                                  [&](const std::string& allowed) { return Fits(key, allowed); });
    if (!fits) continue;
    char* const json = cjose_jwk_to_json(key.key.get(), /*priv=*/false, nullptr);
    if (json == nullptr) continue;
    key.evidence = Sha256Of(
        absl::StrCat(json, "\n", rules_.issuer, "\n", rules_.audience, "\n", rules_.tenant_claim));
    std::free(json);
    keys_.push_back(std::move(key));
  }
  if (keys_.empty()) return absl::InvalidArgumentError("has no key for the algorithms of [jwt]");
  return absl::OkStatus();
}

bool JwtVerifier::Fits(const Key& key, std::string_view algorithm) const {
  if (!key.algorithm.empty() && key.algorithm != algorithm) return false;
  const cjose_jwk_kty_t type = cjose_jwk_get_kty(key.key.get(), nullptr);
  if (IsRsa(algorithm)) {
    const std::size_t bits = cjose_jwk_get_keysize(key.key.get(), nullptr);
    return type == CJOSE_JWK_KTY_RSA && bits >= limits::kJwtRsaMinBits &&
           bits <= limits::kJwtRsaMostBits;
  }
  return type == CJOSE_JWK_KTY_EC &&
         cjose_jwk_EC_get_curve(key.key.get(), nullptr) == CurveOf(algorithm);
}

// A token without a key's id counts only where one key fits, so that nobody makes us try them all.
std::vector<const JwtVerifier::Key*> JwtVerifier::Candidates(std::string_view algorithm,
                                                             const char* id) const {
  std::vector<const Key*> fitting;
  for (const Key& key : keys_) {
    if (Fits(key, algorithm) && (id == nullptr || key.id == id)) fitting.push_back(&key);
  }
  if (id == nullptr && fitting.size() > 1) fitting.clear();
  return fitting;
}

absl::StatusOr<JwtVerifier::Verified> JwtVerifier::Verify(std::string_view token,
                                                          WallTime now) const {
  if (token.size() > limits::kJwtMaxBytes) return Refused("is too long");
  const Jws jws(IsSigned(token) ? cjose_jws_import(token.data(), token.size(), nullptr) : nullptr);
  if (jws == nullptr) return Refused("is no signed JSON Web Token");
  cjose_header_t* const header = cjose_jws_get_protected(jws.get());
  const auto* const members = reinterpret_cast<const json_t*>(header);
  const char* const algorithm = TextOf(members, "alg");
  const bool allowed = algorithm != nullptr &&
                       std::find(rules_.algorithms.begin(), rules_.algorithms.end(), algorithm) !=
                           rules_.algorithms.end();
  if (!allowed) return Refused("is signed with an algorithm that does not count here");
  if (!IsAsLongAs(algorithm, token.substr(token.rfind('.') + 1))) {
    return Refused("has a signature of a wrong length");
  }
  if (json_object_get(members, "crit") != nullptr) return Refused("has a critical header");
  const char* const id = TextOf(members, "kid");
  if (id == nullptr && json_object_get(members, "kid") != nullptr) {
    return Refused("has a kid that is no text");
  }
  const std::vector<const Key*> candidates = Candidates(algorithm, id);
  if (candidates.empty()) return Refused("names no key of this gateway's key set");
  const auto signer = std::find_if(candidates.begin(), candidates.end(), [&](const Key* key) {
    return cjose_jws_verify(jws.get(), key->key.get(), nullptr);
  });
  if (signer == candidates.end()) return Refused("has a wrong signature");
  std::uint8_t* claims = nullptr;
  std::size_t size = 0;
  if (!cjose_jws_get_plaintext(jws.get(), &claims, &size, nullptr)) return Refused("is empty");
  absl::StatusOr<Verified> verified =
      CheckClaims({reinterpret_cast<const char*>(claims), size}, now);
  if (verified.ok()) verified->evidence = (*signer)->evidence;
  return verified;
}

absl::StatusOr<JwtVerifier::Verified> JwtVerifier::CheckClaims(std::string_view json,
                                                               WallTime now) const {
  const Json claims = ParseJson(json);
  if (!json_is_object(claims.get())) return Refused("holds no claims");
  const char* const issuer = TextOf(claims.get(), "iss");
  if (issuer == nullptr || issuer != rules_.issuer) return Refused("is of another issuer");
  if (!NamesAudience(json_object_get(claims.get(), "aud"), rules_.audience)) {
    return Refused("is for another audience");
  }
  const json_t* const ends = json_object_get(claims.get(), "exp");
  if (!json_is_number(ends)) return Refused("has no end, exp");
  const double seconds = std::chrono::duration<double>(now.time_since_epoch()).count();
  const auto leeway = static_cast<double>(rules_.leeway.count());
  const double until = json_number_value(ends) + leeway;
  if (!(seconds < until)) return Refused("has expired");
  const json_t* const begins = json_object_get(claims.get(), "nbf");
  if (begins != nullptr) {
    if (!json_is_number(begins)) return Refused("has an nbf that is no time");
    if (seconds < json_number_value(begins) - leeway) return Refused("does not hold yet");
  }
  Verified verified;
  verified.until = WallTime(std::chrono::duration_cast<WallTime::duration>(
      std::chrono::duration<double>(std::min(until, kLatestSeconds))));
  if (const char* const subject = TextOf(claims.get(), "sub")) verified.subject = subject;
  if (!rules_.tenant_claim.empty()) {
    const char* const tenant = TextOf(claims.get(), rules_.tenant_claim.c_str());
    if (tenant == nullptr) return Refused("does not name a tenant");
    verified.tenant = tenant;
  } else if (verified.subject.empty()) {
    return Refused("has no subject");
  }
  return verified;
}

bool JwtVerifier::Takes(const Sha256& evidence) const {
  return std::any_of(keys_.begin(), keys_.end(),
                     [&](const Key& key) { return key.evidence == evidence; });
}

}  // namespace gateway::tenants
