#include "base/sha256.h"

#include <openssl/evp.h>

namespace gateway {
namespace {

constexpr std::size_t kSmallBytes = 1024;
constexpr std::size_t kDigestBytes = 32;

}  // namespace

void Sha256Stream::Free::operator()(evp_md_ctx_st* context) const { EVP_MD_CTX_free(context); }

Sha256Stream::Sha256Stream() : context_(EVP_MD_CTX_new()) {
  EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr);
}

Sha256Stream::~Sha256Stream() = default;

void Sha256Stream::Append(std::string_view bytes) {
  if (small_.size() + bytes.size() > kSmallBytes) Flush();
  if (bytes.size() > kSmallBytes) {
    EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size());
  } else {
    small_.append(bytes);
  }
}

void Sha256Stream::Flush() {
  EVP_DigestUpdate(context_.get(), small_.data(), small_.size());
  small_.clear();
}

std::string Sha256Stream::Finish() {
  Flush();
  std::string digest(kDigestBytes, '\0');
  EVP_DigestFinal_ex(context_.get(), reinterpret_cast<unsigned char*>(digest.data()), nullptr);
  return digest;
}

}  // namespace gateway
