// Certificates for tests, made on the spot: an authority, and what it issues.
#pragma once

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <atomic>
#include <memory>
#include <string>

namespace gateway::test {

struct Issued {
  std::string certificate;  // PEM
  std::string key;
};

class Authority {
 public:
  explicit Authority(const std::string& name = "Test CA")
      : key_(EVP_EC_gen("P-256"), &EVP_PKEY_free),
        certificate_(Make(name, "", key_.get(), 3600, true), &X509_free) {}

  std::string certificate() const { return Pem(certificate_.get()); }

  // `names` as OpenSSL takes them: "DNS:localhost,IP:127.0.0.1,URI:spiffe://test/a". With a
  // negative time it has ended.
  Issued Issue(const std::string& names, long seconds = 3600, const char* curve = "P-256") const {
    const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key(EVP_EC_gen(curve),
                                                                  &EVP_PKEY_free);
    const std::unique_ptr<X509, decltype(&X509_free)> made(
        Make("leaf", names, key.get(), seconds, false), &X509_free);
    return {.certificate = Pem(made.get()), .key = Pem(key.get())};
  }

 private:
  static void Add(X509* certificate, X509* issuer, int nid, const std::string& value) {
    X509V3_CTX context{};
    X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
    X509_EXTENSION* const extension = X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str());
    X509_add_ext(certificate, extension, -1);
    X509_EXTENSION_free(extension);
  }

  X509* Make(const std::string& name, const std::string& names, EVP_PKEY* key, long seconds,
             bool authority) const {
    static std::atomic<long> serial{1};
    X509* const made = X509_new();
    X509_set_version(made, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(made), serial++);
    X509_gmtime_adj(X509_getm_notBefore(made), -7200);
    X509_gmtime_adj(X509_getm_notAfter(made), seconds);
    X509_set_pubkey(made, key);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(made), "CN", MBSTRING_ASC,
                               reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0);
    X509* const issuer = authority ? made : certificate_.get();
    X509_set_issuer_name(made, X509_get_subject_name(issuer));
    Add(made, issuer, NID_basic_constraints, authority ? "critical,CA:TRUE" : "CA:FALSE");
    if (!names.empty()) Add(made, issuer, NID_subject_alt_name, names);
    X509_sign(made, key_.get(), EVP_sha256());
    return made;
  }

  static std::string Text(BIO* bio) {
    char* bytes = nullptr;
    const long size = BIO_get_mem_data(bio, &bytes);
    std::string text(bytes, static_cast<std::size_t>(size));
    BIO_free(bio);
    return text;
  }
  static std::string Pem(X509* certificate) {
    BIO* const bio = BIO_new(BIO_s_mem());
    PEM_write_bio_X509(bio, certificate);
    return Text(bio);
  }
  static std::string Pem(EVP_PKEY* key) {
    BIO* const bio = BIO_new(BIO_s_mem());
    PEM_write_bio_PKCS8PrivateKey(bio, key, nullptr, nullptr, 0, nullptr, nullptr);
    return Text(bio);
  }

  const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key_;
  const std::unique_ptr<X509, decltype(&X509_free)> certificate_;
};

// The same key behind a passphrase.
inline std::string Encrypted(const std::string& key_pem) {
  BIO* const from = BIO_new_mem_buf(key_pem.data(), static_cast<int>(key_pem.size()));
  EVP_PKEY* const key = PEM_read_bio_PrivateKey(from, nullptr, nullptr, nullptr);
  BIO* const into = BIO_new(BIO_s_mem());
  PEM_write_bio_PKCS8PrivateKey(into, key, EVP_aes_128_cbc(), "word", 4, nullptr, nullptr);
  char* bytes = nullptr;
  const long size = BIO_get_mem_data(into, &bytes);
  std::string text(bytes, static_cast<std::size_t>(size));
  BIO_free(into);
  EVP_PKEY_free(key);
  BIO_free(from);
  return text;
}

}  // namespace gateway::test
