// What listeners with TLS show to callers, and which callers they believe.
//
// The library offers to watch files itself (FileWatcherCertificateProvider), but takes a key that
// does not fit its certificate, and then every handshake fails. So the files are read and checked
// elsewhere, and TlsKeys hands the library whole sets that belong together: it asks for them with
// each new connection. Connections that are there keep what they began with.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/clock.h"
#include "base/mutex.h"
#include "base/secret.h"
#include "rpc/grpc_credentials.h"

namespace gateway::rpc {

// PEM texts.
struct TlsKeySet {
  std::string certificate;  // and those between it and its authority, in this order
  Secret key;
  std::string client_ca;  // whose certificates callers may show; empty where none is asked for

  friend bool operator==(const TlsKeySet&, const TlsKeySet&) = default;
};

struct CertificateFacts {
  WallTime begins{};
  WallTime ends{};
  std::string names;  // that it is for, as people read them: "DNS:a.example, IP Address:192.0.2.1"
};

// The checks below are those of the library and its TLS, made before it sees anything. The errors
// are only reasons, such as "holds no certificate", and never hold what a file says. Pure.

// Reads the first certificate, and checks all that follow.
absl::StatusOr<CertificateFacts> ReadCertificate(const std::string& pem);
// Checks that there is a key which fits the certificate.
absl::Status CheckKey(const std::string& key_pem, const std::string& certificate_pem);
// Checks that there are certificates and nothing else.
absl::Status CheckAuthorities(const std::string& pem);

// Thread-safe.
class TlsKeys {
 public:
  // The set must have passed the checks above.
  explicit TlsKeys(TlsKeySet first) : present_(std::move(first)) {}
  TlsKeys(const TlsKeys&) = delete;
  TlsKeys& operator=(const TlsKeys&) = delete;

  // New connections get it from now on.
  void Replace(TlsKeySet set);

  // One more certificate that callers may show, beside those of client_ca.
  void Trust(const std::string& certificate_pem);

  // Credentials of one listener, for the caller to release. They look at the TlsKeys and the clock
  // as long as the listener lives. With `from_callers`, who shows no certificate, or one that
  // nobody vouches for, gets no connection. A caller may resume a session, and nobody looks at the
  // certificates of that again; it can for `sessions_last`, and not after a Replace.
  grpc_server_credentials* Credentials(bool from_callers, const Clock& clock,
                                       Duration sessions_last);

 private:
  struct Fetcher {
    TlsKeys& keys;
    const bool from_callers;
    const Clock& clock;
    const Duration sessions_last;
    // The library calls it for one connection at a time.
    std::uint64_t has = 0;
    MonoTime since{};
  };
  static grpc_ssl_certificate_config_reload_status Fetch(void* fetcher,
                                                         grpc_ssl_server_certificate_config** into);

  Mutex mutex_;
  TlsKeySet present_ GUARDED_BY(mutex_);
  std::string also_trusted_ GUARDED_BY(mutex_);
  std::uint64_t version_ GUARDED_BY(mutex_) = 1;
  std::deque<Fetcher> fetchers_ GUARDED_BY(mutex_);  // the library has pointers to them
};

}  // namespace gateway::rpc
