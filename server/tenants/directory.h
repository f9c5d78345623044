// A Directory is a tenants document made ready for calls: it finds the principal that a key, a
// name or a token proves. It does not change; a newer document is another directory.
//
// Thread-safe.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "absl/status/statusor.h"
#include "base/clock.h"
#include "base/mutex.h"
#include "tenants/jwt.h"
#include "tenants/principal.h"
#include "tenants/tenants.h"

namespace gateway::tenants {

class Directory {
 public:
  // `jwt` is there if the document has rules for tokens.
  Directory(Tenants tenants, std::unique_ptr<const JwtVerifier> jwt);
  // The directory of who gives no document: callers prove nothing.
  static std::shared_ptr<const Directory> OfDefault(bool callers_pay = false,
                                                    NotifyRules notify = {});

  const Tenants& tenants() const { return tenants_; }
  bool takes_keys() const { return !by_key_.empty(); }
  bool takes_tokens() const { return jwt_ != nullptr; }

  // Everybody, where callers prove nothing.
  const PrincipalPtr& anybody() const { return anybody_; }
  // Null: it is no key of anybody's.
  PrincipalPtr FindKey(std::string_view key) const;
  // `identity` as it stands in the document: `san:NAME`, `header:VALUE`. Null: it is nobody's.
  PrincipalPtr FindName(std::string_view identity) const;
  // Why a token proves nobody is INVALID_ARGUMENT. A token that was taken once is not verified
  // again while it lasts.
  absl::StatusOr<PrincipalPtr> FindToken(std::string_view token, WallTime now) const;

  // The principal that what has proved `earlier`, perhaps to another directory, proves now; null:
  // nobody. An expired token is not looked at.
  PrincipalPtr Again(const Principal& earlier) const;

 private:
  struct HashOfText {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const {
      return std::hash<std::string_view>()(text);
    }
  };
  struct HashOfHash {
    std::size_t operator()(const Sha256& hash) const;
  };
  struct KnownKey {
    Sha256 sha256{};
    PrincipalPtr principal;
  };

  Principal Made(Principal principal) const;
  absl::StatusOr<PrincipalPtr> MakePrincipal(const JwtVerifier::Verified& token) const;

  const Tenants tenants_;
  const std::unique_ptr<const JwtVerifier> jwt_;
  std::unordered_map<std::string, int> tenants_of_;  // by account: how many have it
  PrincipalPtr anybody_;
  // By the first bytes of the hash. Where a key lies here tells nothing of it, and the hashes
  // themselves are compared in constant time.
  std::unordered_multimap<std::uint64_t, KnownKey> by_key_;
  std::unordered_map<std::string, PrincipalPtr, HashOfText, std::equal_to<>> by_name_;
  mutable Mutex mutex_;
  mutable std::unordered_map<Sha256, PrincipalPtr, HashOfHash> tokens_ GUARDED_BY(mutex_);
};

using DirectoryPtr = std::shared_ptr<const Directory>;

}  // namespace gateway::tenants
