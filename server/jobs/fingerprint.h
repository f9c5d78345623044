// A fingerprint tells whether two submits are the same request: two submits under one request_id
// must have the same one, and by it a submit without a request_id is known to equal another.
//
// It is 33 bytes: a version byte and the SHA-256 of the canonical bytes (rpc/canonical.h) of
// method, account and request. A fingerprint that was stored before there were versions is a bare
// SHA-256.
#pragma once

#include <string>
#include <string_view>

namespace gateway::jobs {

// The version rises when the canonical bytes of an unchanged request change.
inline constexpr char kFingerprintVersion = 1;
inline constexpr std::size_t kDigestBytes = 32;

// The version of a fingerprint; 0 for one that was stored before there were versions.
inline int VersionOfFingerprint(std::string_view fingerprint) {
  return fingerprint.size() == kDigestBytes + 1 ? fingerprint.front() : 0;
}

// Whether both fingerprints may be of one request. Fingerprints of two versions cannot be compared:
// then the request_id counts, because a program that was replaced must not refuse the retries of
// its callers.
inline bool SameRequest(std::string_view one, std::string_view other) {
  return one == other || VersionOfFingerprint(one) != VersionOfFingerprint(other);
}

}  // namespace gateway::jobs
