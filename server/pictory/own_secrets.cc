#include "pictory/own_secrets.h"

#include <algorithm>
#include <bitset>
#include <cstdint>
#include <cstring>
#include <set>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_replace.h"
#include "base/ids.h"
#include "base/limits.h"
#include "json/writer.h"

namespace gateway::pictory {
namespace {

std::string JsonEscaped(std::string_view text) {
  std::string quoted;
  json::AppendString(quoted, text);
  return quoted.substr(1, quoted.size() - 2);
}

// The characters of base 64 that `text` alone decides where `before` bytes stand before it in the
// same group of three.
std::string Base64Of(std::string_view text, std::size_t before) {
  const std::string whole = absl::Base64Escape(std::string(before, 'x') + std::string(text));
  const std::size_t begin = before == 0 ? 0 : before + 1;
  const std::size_t end = (before + text.size()) * 8 / 6;
  return whole.substr(begin, end - begin);
}

std::vector<std::string> FormsOf(const std::string& secret) {
  const std::string json = JsonEscaped(secret);
  std::vector<std::string> forms = {secret, PercentEncode(secret), json,
                                    absl::StrReplaceAll(json, {{"/", "\\/"}}),
                                    absl::BytesToHexString(secret)};
  for (std::size_t before = 0; before < 3; ++before) {
    forms.push_back(Base64Of(secret, before));
    forms.push_back(absl::StrReplaceAll(forms.back(), {{"+", "-"}, {"/", "_"}}));
  }
  return forms;
}

}  // namespace

// The patterns are all runs of kSecretPartMinBytes in all forms of all secrets, or a whole form
// where that is shorter. A filter over the first bytes of a run lets nearly all other text pass.
class OwnSecrets::Patterns {
 public:
  explicit Patterns(const std::vector<Secret>& secrets) {
    for (const Secret& secret : secrets) {
      for (const std::string& form : FormsOf(secret.Reveal())) AddRuns(absl::AsciiStrToLower(form));
    }
  }

  // How many bytes at `at` are a run; 0: they are none.
  std::size_t MatchAt(std::string_view text, std::size_t at) const {
    if (text.size() - at < kHeadBytes || !heads_.test(HeadOf(text.data() + at))) return 0;
    for (const std::size_t length : lengths_) {
      if (text.size() - at < length) continue;
      if (runs_.contains(absl::AsciiStrToLower({text.data() + at, length}))) return length;
    }
    return 0;
  }

 private:
  static constexpr std::size_t kHeadBytes = 4;

  static std::size_t HeadOf(const char* bytes) {
    std::uint32_t head;
    std::memcpy(&head, bytes, kHeadBytes);
    head |= 0x20202020U;  // upper and lower case of a letter fall together
    return (head * 2654435761U) >> 16;
  }

  void AddRuns(const std::string& form) {
    const std::size_t length = std::min(form.size(), limits::kSecretPartMinBytes);
    lengths_.insert(length);
    for (std::size_t at = 0; at + length <= form.size(); ++at) {
      runs_.insert(form.substr(at, length));
      heads_.set(HeadOf(form.data() + at));
    }
  }

  std::set<std::size_t> lengths_;
  absl::flat_hash_set<std::string> runs_;  // in lower case
  std::bitset<std::size_t{1} << 16> heads_;
};

OwnSecrets::OwnSecrets() = default;
OwnSecrets::~OwnSecrets() = default;

void OwnSecrets::Add(const Secret& secret) {
  if (secret.Reveal().size() < limits::kSecretMinBytes) return;
  MutexLock lock(mutex_);
  if (std::find(secrets_.begin(), secrets_.end(), secret) != secrets_.end()) return;
  if (secrets_.size() == limits::kSecretsRemembered) secrets_.erase(secrets_.begin());
  secrets_.push_back(secret);
  patterns_ = std::make_shared<const Patterns>(secrets_);
}

void OwnSecrets::TakeOutOf(std::string& text) const {
  std::shared_ptr<const Patterns> patterns;
  {
    MutexLock lock(mutex_);
    patterns = patterns_;
  }
  if (patterns == nullptr) return;
  std::string out;
  std::size_t kept = 0;  // up to here all is in `out`
  for (std::size_t at = 0; at < text.size();) {
    std::size_t length = patterns->MatchAt(text, at);
    if (length == 0) {
      ++at;
      continue;
    }
    out.append(text, kept, at - kept).append(kRemoved);
    // Runs that overlap, or follow each other at once, are one secret.
    std::size_t end = at;
    for (; at <= end; ++at) {
      length = at < text.size() ? patterns->MatchAt(text, at) : 0;
      end = std::max(end, at + length);
    }
    kept = at = end;
  }
  if (kept == 0) return;
  text = out.append(text, kept, std::string::npos);
}

void OwnSecrets::TakeOutOf(http::Response& response) const {
  TakeOutOf(response.body);
  TakeOutOf(response.error);
}

}  // namespace gateway::pictory
