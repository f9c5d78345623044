#include "tenants/api_key.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <charconv>
#include <cstddef>
#include <memory>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "base/random.h"

namespace gateway::tenants {
namespace {

constexpr std::size_t kKeyBytes = 32;

absl::string_view View(std::string_view text) { return {text.data(), text.size()}; }

}  // namespace

Secret MakeApiKey() {
  std::string text = absl::WebSafeBase64Escape(RandomBytes(kKeyBytes));
  while (!text.empty() && text.back() == '=') text.pop_back();
  return Secret(absl::StrCat(View(kApiKeyPrefix), text));
}

Sha256 Sha256Of(std::string_view text) {
  // To look an algorithm up costs more than to hash a key, so each thread does it once.
  thread_local const std::unique_ptr<EVP_MD, decltype(&EVP_MD_free)> algorithm(
      EVP_MD_fetch(nullptr, "SHA256", nullptr), EVP_MD_free);
  thread_local const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(
      EVP_MD_CTX_new(), EVP_MD_CTX_free);
  Sha256 hash{};
  EVP_DigestInit_ex(context.get(), algorithm.get(), nullptr);
  EVP_DigestUpdate(context.get(), text.data(), text.size());
  EVP_DigestFinal_ex(context.get(), hash.data(), nullptr);
  return hash;
}

bool SameHash(const Sha256& a, const Sha256& b) {
  return CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

std::string HexOf(const Sha256& hash) {
  return absl::BytesToHexString(
      absl::string_view(reinterpret_cast<const char*>(hash.data()), hash.size()));
}

std::optional<Sha256> HashOf(std::string_view hex) {
  Sha256 hash{};
  if (hex.size() != 2 * hash.size()) return std::nullopt;
  for (std::size_t i = 0; i < hash.size(); ++i) {
    const char* const begin = hex.data() + 2 * i;
    const char* const end = begin + 2;
    const auto [read, failed] = std::from_chars(begin, end, hash[i], 16);
    if (failed != std::errc() || read != end) return std::nullopt;
  }
  return hash;
}

std::string KeyTable(std::string_view tenant, std::string_view name, const Secret& key) {
  return absl::StrCat("[[tenants.", View(tenant), ".keys]]\nname = \"", View(name),
                      "\"\nsha256 = \"", HexOf(Sha256Of(key.Reveal())), "\"\n");
}

}  // namespace gateway::tenants
