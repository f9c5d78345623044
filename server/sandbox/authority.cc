#include "sandbox/authority.h"

#include <fcntl.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <ctime>
#include <memory>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/file_error.h"
#include "base/freed.h"
#include "base/own_file.h"
#include "base/own_lock.h"

namespace gateway::sandbox {
namespace {

constexpr long kDay = 24L * 60 * 60;
constexpr long kAuthorityDays = 3650;
// Some clients take no certificate of more than 398 days.
constexpr long kIssuedDays = 365;

using Bio = std::unique_ptr<BIO, Freed<BIO_free>>;
using Certificate = std::unique_ptr<X509, Freed<X509_free>>;
using Key = std::unique_ptr<EVP_PKEY, Freed<EVP_PKEY_free>>;
using Extension = std::unique_ptr<X509_EXTENSION, Freed<X509_EXTENSION_free>>;

absl::Status Failed() { return absl::InternalError("OpenSSL makes no certificate"); }

std::string TextOf(BIO* bio) {
  char* bytes = nullptr;
  const long size = BIO_get_mem_data(bio, &bytes);
  return std::string(bytes, static_cast<std::size_t>(size));
}

Bio ReaderOf(const std::string& pem) {
  return Bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
}

// How OpenSSL writes a name: an address or a name of DNS.
std::string AltName(const std::string& name) {
  const bool address = name.find(':') != std::string::npos ||
                       name.find_first_not_of("0123456789.") == std::string::npos;
  return absl::StrCat(address ? "IP:" : "DNS:", name);
}

bool AddExtension(X509* certificate, X509* issuer, int what, const std::string& value) {
  X509V3_CTX context{};
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  const Extension made(X509V3_EXT_conf_nid(nullptr, &context, what, value.c_str()));
  return made != nullptr && X509_add_ext(certificate, made.get(), -1) == 1;
}

bool SetSerial(X509* certificate) {
  unsigned char bytes[16];
  if (RAND_bytes(bytes, sizeof bytes) != 1) return false;
  bytes[0] = static_cast<unsigned char>((bytes[0] & 0x3F) | 0x40);  // positive, and of full length
  const std::unique_ptr<BIGNUM, Freed<BN_free>> number(BN_bin2bn(bytes, sizeof bytes, nullptr));
  return number != nullptr &&
         BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(certificate)) != nullptr;
}

struct Wanted {
  std::string name;
  long days;
  std::vector<std::pair<int, std::string>> extensions;  // in this order
};

// A certificate of a new key; signed by itself if there is no issuer.
absl::StatusOr<Issued> Make(const Wanted& wanted, X509* issuer, EVP_PKEY* issuer_key) {
  const Key key(EVP_EC_gen("P-256"));
  const Certificate made(X509_new());
  const Bio pem(BIO_new(BIO_s_mem()));
  const Bio secret(BIO_new(BIO_s_mem()));
  if (key == nullptr || made == nullptr || pem == nullptr || secret == nullptr) return Failed();
  X509* const above = issuer == nullptr ? made.get() : issuer;
  X509_NAME* const name = X509_get_subject_name(made.get());
  bool good = X509_set_version(made.get(), X509_VERSION_3) == 1 && SetSerial(made.get()) &&
              X509_gmtime_adj(X509_getm_notBefore(made.get()), -kDay) != nullptr &&
              X509_gmtime_adj(X509_getm_notAfter(made.get()), wanted.days * kDay) != nullptr &&
              X509_NAME_add_entry_by_txt(
                  name, "CN", MBSTRING_ASC,
                  reinterpret_cast<const unsigned char*>(wanted.name.c_str()), -1, -1, 0) == 1 &&
              X509_set_issuer_name(made.get(), X509_get_subject_name(above)) == 1 &&
              X509_set_pubkey(made.get(), key.get()) == 1;
  for (const auto& [what, value] : wanted.extensions) {
    good = good && AddExtension(made.get(), above, what, value);
  }
  good = good &&
         X509_sign(made.get(), issuer == nullptr ? key.get() : issuer_key, EVP_sha256()) > 0 &&
         PEM_write_bio_X509(pem.get(), made.get()) == 1 &&
         PEM_write_bio_PKCS8PrivateKey(secret.get(), key.get(), nullptr, nullptr, 0, nullptr,
                                       nullptr) == 1;
  if (!good) return Failed();
  return Issued{TextOf(pem.get()), Secret(TextOf(secret.get()))};
}

absl::StatusOr<std::string> ReadWhole(const std::filesystem::path& path) {
  const absl::StatusOr<int> file = OpenOwnFile(path.string(), O_RDONLY);
  if (!file.ok()) return file.status();
  std::string text(64 * 1024, '\0');
  const ssize_t got = read(*file, text.data(), text.size());
  const int error = errno;
  close(*file);
  if (got < 0) return FileError(error, "read", path.string());
  text.resize(static_cast<std::size_t>(got));
  return text;
}

Certificate CertificateOf(const Issued& issued) {
  return Certificate(
      PEM_read_bio_X509(ReaderOf(issued.certificate_pem).get(), nullptr, nullptr, nullptr));
}

Key KeyOf(const Issued& issued) {
  char none[] = "";  // or OpenSSL would ask for a passphrase
  return Key(
      PEM_read_bio_PrivateKey(ReaderOf(issued.key_pem.Reveal()).get(), nullptr, nullptr, none));
}

bool IsUsable(const Issued& issued) {
  const Certificate certificate = CertificateOf(issued);
  const Key key = KeyOf(issued);
  std::time_t needed = std::time(nullptr) + kIssuedDays * kDay;
  return certificate != nullptr && key != nullptr &&
         X509_check_private_key(certificate.get(), key.get()) == 1 &&
         X509_cmp_time(X509_get0_notAfter(certificate.get()), &needed) > 0;
}

}  // namespace

absl::StatusOr<Authority> Authority::Open(const std::filesystem::path& directory) {
  std::error_code failed;
  std::filesystem::create_directories(directory, failed);
  if (failed) return FileError(failed.value(), "create", directory.string());
  if (absl::Status own = CheckOwnDirectory(directory.string()); !own.ok()) return own;
  // Two that start for the first time at once would each keep one half of a pair.
  const absl::StatusOr<OwnLock> lock = OwnLock::Take((directory / "ca.lock").string());
  if (!lock.ok()) return lock.status();
  const std::filesystem::path file = directory / "ca.pem";
  const std::filesystem::path key_file = directory / "ca-key.pem";
  if (std::filesystem::exists(file, failed)) {
    const absl::StatusOr<std::string> certificate = ReadWhole(file);
    if (!certificate.ok()) return certificate.status();
    const absl::StatusOr<std::string> key = ReadWhole(key_file);
    if (!key.ok()) return key.status();
    Issued own{*certificate, Secret(*key)};
    if (IsUsable(own)) return Authority(file, std::move(own));
    return absl::FailedPreconditionError(
        absl::StrCat(file.string(),
                     " and ca-key.pem beside it are no authority, or one that ends within a year; "
                     "remove both, and let clients trust the one that is made at the next start"));
  }
  absl::StatusOr<Issued> made =
      Make({.name = "Pictory sandbox on this machine",
            .days = kAuthorityDays,
            .extensions = {{NID_basic_constraints, "critical,CA:TRUE"},
                           {NID_key_usage, "critical,keyCertSign,cRLSign"},
                           {NID_subject_key_identifier, "hash"}}},
           nullptr, nullptr);
  if (!made.ok()) return made.status();
  // The certificate comes last: where it is, the key is.
  absl::Status kept = ReplaceOwnFile(key_file.string(), made->key_pem.Reveal());
  if (kept.ok()) kept = ReplaceOwnFile(file.string(), made->certificate_pem);
  if (!kept.ok()) return kept;
  return Authority(file, *std::move(made));
}

absl::StatusOr<Issued> Authority::Issue(const std::vector<std::string>& names) const {
  std::string alternatives;
  for (const std::string& name : names) {
    absl::StrAppend(&alternatives, alternatives.empty() ? "" : ",", AltName(name));
  }
  const Certificate above = CertificateOf(own_);
  const Key key = KeyOf(own_);
  if (above == nullptr || key == nullptr) return Failed();
  return Make({.name = "Pictory sandbox",
               .days = kIssuedDays,
               .extensions = {{NID_basic_constraints, "critical,CA:FALSE"},
                              {NID_key_usage, "critical,digitalSignature"},
                              {NID_ext_key_usage, "serverAuth"},
                              {NID_subject_alt_name, alternatives},
                              {NID_subject_key_identifier, "hash"},
                              {NID_authority_key_identifier, "keyid:always"}}},
              above.get(), key.get());
}

}  // namespace gateway::sandbox
