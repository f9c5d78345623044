#include "rpc/tls_keys.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <chrono>
#include <ctime>
#include <memory>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/freed.h"

namespace gateway::rpc {
namespace {

using Bio = std::unique_ptr<BIO, Freed<BIO_free>>;
using Certificate = std::unique_ptr<X509, Freed<X509_free>>;
using Key = std::unique_ptr<EVP_PKEY, Freed<EVP_PKEY_free>>;
using Context = std::unique_ptr<SSL_CTX, Freed<SSL_CTX_free>>;

// OpenSSL keeps errors by thread. What is left there would look like one of the next connection's.
class NoErrorsLeft {
 public:
  NoErrorsLeft() { ERR_clear_error(); }
  ~NoErrorsLeft() { ERR_clear_error(); }
};

absl::Status Bad(const std::string& why) { return absl::InvalidArgumentError(why); }

std::string Reason() {
  const char* const reason = ERR_reason_error_string(ERR_peek_last_error());
  return reason == nullptr ? "unknown reason" : reason;
}

Bio Reader(const std::string& pem) {
  return Bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
}

// A key with a passphrase is not decrypted. Without this OpenSSL would ask at the terminal.
int NoPassphrase(char*, int, int, void* asked) {
  if (asked != nullptr) *static_cast<bool*>(asked) = true;
  return -1;
}

absl::StatusOr<std::vector<Certificate>> ReadAll(const std::string& pem) {
  std::vector<Certificate> all;
  const Bio bio = Reader(pem);
  while (X509* const one = PEM_read_bio_X509(bio.get(), nullptr, NoPassphrase, nullptr)) {
    all.emplace_back(one);
  }
  if (ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE) {
    return Bad(absl::StrCat("holds a broken certificate (", Reason(), ")"));
  }
  if (all.empty()) return Bad("holds no certificate; it must be PEM (BEGIN CERTIFICATE)");
  return all;
}

absl::StatusOr<Key> ReadKey(const std::string& pem) {
  bool encrypted = false;
  Key key(PEM_read_bio_PrivateKey(Reader(pem).get(), nullptr, NoPassphrase, &encrypted));
  if (key != nullptr) return key;
  if (encrypted) return Bad("is encrypted; give the key without a passphrase (openssl pkey)");
  return Bad("holds no private key; it must be PEM (BEGIN PRIVATE KEY)");
}

WallTime TimeOf(const ASN1_TIME* time) {
  std::tm parts{};
  if (ASN1_TIME_to_tm(time, &parts) != 1) return {};
  return std::chrono::time_point_cast<WallTime::duration>(
      std::chrono::system_clock::from_time_t(timegm(&parts)));
}

std::string NamesOf(const X509& certificate) {
  const int at = X509_get_ext_by_NID(&certificate, NID_subject_alt_name, -1);
  if (at < 0) return "";
  const Bio text(BIO_new(BIO_s_mem()));
  X509V3_EXT_print(text.get(), X509_get_ext(&certificate, at), 0, 0);
  char* bytes = nullptr;
  const long size = BIO_get_mem_data(text.get(), &bytes);
  return std::string(bytes, static_cast<std::size_t>(size));
}

}  // namespace

absl::StatusOr<CertificateFacts> ReadCertificate(const std::string& pem) {
  const NoErrorsLeft clean;
  const auto chain = ReadAll(pem);
  if (!chain.ok()) return chain.status();
  // A server refuses keys and signatures that are too weak here, instead of at every handshake.
  const Context context(SSL_CTX_new(TLS_server_method()));
  if (SSL_CTX_use_certificate(context.get(), chain->front().get()) != 1) {
    return Bad(absl::StrCat("cannot be used: ", Reason()));
  }
  for (std::size_t i = 1; i < chain->size(); ++i) {
    if (SSL_CTX_add1_chain_cert(context.get(), (*chain)[i].get()) != 1) {
      return Bad(absl::StrCat("cannot be used: ", Reason()));
    }
  }
  const X509& first = *chain->front();
  return CertificateFacts{.begins = TimeOf(X509_get0_notBefore(&first)),
                          .ends = TimeOf(X509_get0_notAfter(&first)),
                          .names = NamesOf(first)};
}

absl::Status CheckKey(const std::string& key_pem, const std::string& certificate_pem) {
  const NoErrorsLeft clean;
  const auto key = ReadKey(key_pem);
  if (!key.ok()) return key.status();
  const auto chain = ReadAll(certificate_pem);
  if (!chain.ok()) return chain.status();
  if (X509_check_private_key(chain->front().get(), key->get()) == 1) return absl::OkStatus();
  return Bad("does not fit the certificate");
}

absl::Status CheckAuthorities(const std::string& pem) {
  const NoErrorsLeft clean;
  return ReadAll(pem).status();
}

void TlsKeys::Replace(TlsKeySet set) {
  MutexLock lock(mutex_);
  present_ = std::move(set);
  ++version_;
}

void TlsKeys::Trust(const std::string& certificate_pem) {
  MutexLock lock(mutex_);
  absl::StrAppend(&also_trusted_, "\n", certificate_pem);
  ++version_;
}

grpc_server_credentials* TlsKeys::Credentials(bool from_callers, const Clock& clock,
                                              Duration sessions_last) {
  Fetcher* fetcher = nullptr;
  {
    MutexLock lock(mutex_);
    fetcher = &fetchers_.emplace_back(*this, from_callers, clock, sessions_last);
  }
  return grpc_ssl_server_credentials_create_with_options(
      grpc_ssl_server_credentials_create_options_using_config_fetcher(
          from_callers ? GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY
                       : GRPC_SSL_DONT_REQUEST_CLIENT_CERTIFICATE,
          &TlsKeys::Fetch, fetcher));
}

grpc_ssl_certificate_config_reload_status TlsKeys::Fetch(
    void* fetcher, grpc_ssl_server_certificate_config** into) {
  auto& asking = *static_cast<Fetcher*>(fetcher);
  TlsKeys& keys = asking.keys;
  MutexLock lock(keys.mutex_);
  // Sessions belong to what the library makes of a set, and end with it: so the same set once more
  // ends them, too.
  const MonoTime now = asking.clock.Now();
  if (asking.has == keys.version_ && now - asking.since < asking.sessions_last) {
    return GRPC_SSL_CERTIFICATE_CONFIG_RELOAD_UNCHANGED;
  }
  asking.has = keys.version_;
  asking.since = now;
  const grpc_ssl_pem_key_cert_pair pair = {.private_key = keys.present_.key.Reveal().c_str(),
                                           .cert_chain = keys.present_.certificate.c_str()};
  // The library wants authorities also where it asks nobody for a certificate, and does not use
  // them then.
  const std::string trusted = asking.from_callers ? keys.present_.client_ca + keys.also_trusted_
                                                  : keys.present_.certificate;
  *into = grpc_ssl_server_certificate_config_create(trusted.c_str(), &pair, 1);
  return GRPC_SSL_CERTIFICATE_CONFIG_RELOAD_NEW;
}

}  // namespace gateway::rpc
