// A JwtVerifier checks JSON Web Tokens against the keys of a JWKS file.
//
// A token counts if one of these keys has signed it with an algorithm of the rules, and its issuer,
// audience and times are right. The algorithm is the rules' choice and never the token's: none and
// HS… are not among those that there are. Thread-safe.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "base/clock.h"
#include "tenants/tenants.h"

struct _cjose_jwk_int;

namespace gateway::tenants {

class JwtVerifier {
 public:
  // `jwks` is what the file `rules.jwks_file` holds. INVALID_ARGUMENT, with the file's name, if it
  // is no key set, has none of the keys that the algorithms need, or has a private one.
  static absl::StatusOr<std::unique_ptr<const JwtVerifier>> Make(const JwtRules& rules,
                                                                 std::string_view jwks);

  struct Verified {
    std::string subject;  // empty if the token has none
    std::string tenant;   // of the rules' tenant_claim; empty if the rules name none
    WallTime until{};     // with the leeway
    Sha256 evidence{};    // names the rules and the key
  };
  // Why a token does not count is INVALID_ARGUMENT.
  absl::StatusOr<Verified> Verify(std::string_view token, WallTime now) const;

  // Whether a token with this evidence would still be taken.
  bool Takes(const Sha256& evidence) const;
  // Whether tokens name the tenant itself.
  bool names_tenants() const { return !rules_.tenant_claim.empty(); }

 private:
  struct Free {
    void operator()(_cjose_jwk_int* key) const;
  };
  struct Key {
    std::unique_ptr<_cjose_jwk_int, Free> key;
    std::string id;         // empty: none
    std::string algorithm;  // that it is for; empty: any that fits
    Sha256 evidence{};
  };

  explicit JwtVerifier(JwtRules rules) : rules_(std::move(rules)) {}
  absl::Status AddKeys(std::string_view jwks);
  bool Fits(const Key& key, std::string_view algorithm) const;
  std::vector<const Key*> Candidates(std::string_view algorithm, const char* id) const;
  absl::StatusOr<Verified> CheckClaims(std::string_view json, WallTime now) const;

  const JwtRules rules_;
  std::vector<Key> keys_;
};

}  // namespace gateway::tenants
