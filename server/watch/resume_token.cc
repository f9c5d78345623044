#include "watch/resume_token.h"

#include "absl/strings/escaping.h"
#include "base/ids.h"
#include "base/limits.h"

namespace gateway::watch {
namespace {

// The first byte: what follows the hash.
constexpr char kChanges = 'c';  // the position
constexpr char kList = 'l';     // the length of the job id, the job id, the position

}  // namespace

std::string TextOf(const ResumeToken& token) {
  std::string bytes(1, token.listing ? kList : kChanges);
  bytes += token.filter_hash;
  if (token.listing) {
    bytes += static_cast<char>(token.last_job_id.size());
    bytes += token.last_job_id;
  }
  return absl::WebSafeBase64Escape(bytes + token.position);
}

std::optional<ResumeToken> ReadResumeToken(std::string_view text) {
  std::string bytes;
  if (text.size() > limits::kResumeTokenMaxBytes ||
      !absl::WebSafeBase64Unescape(absl::string_view(text.data(), text.size()), &bytes) ||
      bytes.size() <= 1 + kFilterHashBytes) {
    return std::nullopt;
  }
  ResumeToken token{.filter_hash = bytes.substr(1, kFilterHashBytes),
                    .position = {},
                    .listing = bytes[0] == kList,
                    .last_job_id = {}};
  if (!token.listing && bytes[0] != kChanges) return std::nullopt;
  std::string rest = bytes.substr(1 + kFilterHashBytes);
  if (token.listing) {
    const auto length = static_cast<unsigned char>(rest[0]);
    if (rest.size() < std::size_t{1} + length) return std::nullopt;
    token.last_job_id = rest.substr(1, length);
    if (length > 0 && !IsCallerId(token.last_job_id)) return std::nullopt;
    rest = rest.substr(std::size_t{1} + length);
  }
  if (rest.empty()) return std::nullopt;
  token.position = rest;
  return token;
}

}  // namespace gateway::watch
