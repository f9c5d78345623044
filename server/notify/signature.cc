#include "notify/signature.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <array>
#include <cstdlib>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "base/limits.h"

namespace gateway::notify {
namespace {

constexpr std::string_view kPrefix = "whsec_";

std::string Mac(const Secret& key, const std::string& text) {
  std::array<unsigned char, 32> mac{};
  const std::string& bytes = key.Reveal();
  if (HMAC(EVP_sha256(), bytes.data(), static_cast<int>(bytes.size()),
           reinterpret_cast<const unsigned char*>(text.data()), text.size(), mac.data(),
           nullptr) == nullptr) {
    std::abort();  // an empty MAC would prove nothing
  }
  return absl::Base64Escape(
      absl::string_view(reinterpret_cast<const char*>(mac.data()), mac.size()));
}

}  // namespace

absl::StatusOr<Secret> KeyOf(const Secret& written) {
  const std::string& text = written.Reveal();
  std::string key;
  if (!text.starts_with(kPrefix) ||
      !absl::Base64Unescape(absl::string_view(text).substr(kPrefix.size()), &key)) {
    return absl::InvalidArgumentError("must be whsec_ and a key in base64");
  }
  if (key.size() < limits::kNotifyKeyMinBytes || key.size() > limits::kNotifyKeyMaxBytes) {
    return absl::InvalidArgumentError(absl::StrCat("must have a key of ",
                                                   limits::kNotifyKeyMinBytes, " to ",
                                                   limits::kNotifyKeyMaxBytes, " bytes"));
  }
  return Secret(std::move(key));
}

std::string Sign(const std::vector<Secret>& keys, std::string_view id, std::int64_t seconds,
                 std::string_view body) {
  const std::string signed_text =
      absl::StrCat(absl::string_view(id.data(), id.size()), ".", seconds, ".",
                   absl::string_view(body.data(), body.size()));
  std::string signatures;
  for (const Secret& key : keys) {
    absl::StrAppend(&signatures, signatures.empty() ? "v1," : " v1,", Mac(key, signed_text));
  }
  return signatures;
}

}  // namespace gateway::notify
