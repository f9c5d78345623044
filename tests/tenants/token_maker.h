// A TokenMaker is an issuer of JSON Web Tokens: it has a key of its own and signs what a test says.
#pragma once

#include <memory>
#include <string>

struct _cjose_jwk_int;

namespace gateway::test {

class TokenMaker {
 public:
  // `algorithm` such as RS256 or ES256 says what kind of key it has; HS… one that is shared.
  explicit TokenMaker(const std::string& algorithm, const std::string& kid = "k1");
  ~TokenMaker();

  // The key as a member of a key set.
  std::string PublicKey() const;
  std::string PrivateKey() const;
  std::string KeySet() const { return "{\"keys\":[" + PublicKey() + "]}"; }

  // A token with these claims, as JSON. `header` are further members of its header, as JSON. Empty:
  // such a header cannot be signed.
  std::string Sign(const std::string& claims, const std::string& header = "{}") const;

 private:
  struct Free {
    void operator()(_cjose_jwk_int* key) const;
  };
  const std::string algorithm_;
  const std::string kid_;
  std::unique_ptr<_cjose_jwk_int, Free> key_;
};

}  // namespace gateway::test
