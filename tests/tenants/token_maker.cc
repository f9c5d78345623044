#include "tenants/token_maker.h"

#include <cjose/cjose.h>
#include <jansson.h>

#include <cstdlib>

namespace gateway::test {
namespace {

std::string Taken(char* text) {
  std::string taken = text == nullptr ? "" : text;
  std::free(text);
  return taken;
}

}  // namespace

void TokenMaker::Free::operator()(_cjose_jwk_int* key) const { cjose_jwk_release(key); }

TokenMaker::TokenMaker(const std::string& algorithm, const std::string& kid)
    : algorithm_(algorithm), kid_(kid) {
  if (algorithm[0] == 'E') {
    key_.reset(cjose_jwk_create_EC_random(algorithm == "ES256"   ? CJOSE_JWK_EC_P_256
                                          : algorithm == "ES384" ? CJOSE_JWK_EC_P_384
                                                                 : CJOSE_JWK_EC_P_521,
                                          nullptr));
  } else if (algorithm[0] == 'H') {
    key_.reset(cjose_jwk_create_oct_random(512, nullptr));
  } else {
    key_.reset(cjose_jwk_create_RSA_random(2048, nullptr, 0, nullptr));
  }
  if (key_ == nullptr) std::abort();
  if (!kid.empty()) cjose_jwk_set_kid(key_.get(), kid.data(), kid.size(), nullptr);
}

TokenMaker::~TokenMaker() = default;

std::string TokenMaker::PublicKey() const {
  return Taken(cjose_jwk_to_json(key_.get(), false, nullptr));
}

std::string TokenMaker::PrivateKey() const {
  return Taken(cjose_jwk_to_json(key_.get(), true, nullptr));
}

std::string TokenMaker::Sign(const std::string& claims, const std::string& header) const {
  json_t* const members = json_loads(header.c_str(), JSON_REJECT_DUPLICATES, nullptr);
  if (json_object_get(members, "alg") == nullptr) {
    json_object_set_new(members, "alg", json_string(algorithm_.c_str()));
  }
  if (json_object_get(members, "kid") == nullptr && !kid_.empty()) {
    json_object_set_new(members, "kid", json_string(kid_.c_str()));
  }
  cjose_jws_t* const jws =
      cjose_jws_sign(key_.get(), members, reinterpret_cast<const std::uint8_t*>(claims.data()),
                     claims.size(), nullptr);
  json_decref(members);
  const char* text = nullptr;
  std::string token;
  if (jws != nullptr && cjose_jws_export(jws, &text, nullptr)) token = text;
  cjose_jws_release(jws);
  return token;
}

}  // namespace gateway::test
