// The fingerprint of a submit: what two submits under one request_id must have in common, and what
// tells an equal submit that has none.
//
// It is a version byte and the SHA-256 of the canonical bytes of method, account and request, 33
// bytes; the bytes are those of rpc/canonical.h. What was stored before there were versions is a
// bare SHA-256.
#pragma once

#include <string>
#include <string_view>

namespace gateway::jobs {

// Rises when the canonical bytes of an unchanged request change.
inline constexpr char kFingerprintVersion = 1;
inline constexpr std::size_t kDigestBytes = 32;

// 0 for those of before.
inline int VersionOfFingerprint(std::string_view fingerprint) {
  return fingerprint.size() == kDigestBytes + 1 ? fingerprint.front() : 0;
}

// Whether both may be of one request. Fingerprints of two versions cannot be compared: then the
// request_id counts, because a program that was replaced must not refuse the retries of its
// callers.
inline bool SameRequest(std::string_view one, std::string_view other) {
  return one == other || VersionOfFingerprint(one) != VersionOfFingerprint(other);
}

}  // namespace gateway::jobs
