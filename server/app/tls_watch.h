// The certificate that is in use, whose files are read again so that a new one needs no restart.
//
// New keys serve the connections that begin from then on; those that are there stay as they are.
//
// Thread-safe.
#pragma once

#include <memory>
#include <string>

#include "app/file_watch.h"
#include "app/tls_files.h"
#include "base/clock.h"
#include "base/mutex.h"
#include "http/server_tls.h"
#include "rpc/tls_keys.h"

namespace gateway::app {

class TlsInUse {
 public:
  // `present` is what the files said at the start, and what `keys` has. What is passed in must
  // outlive it. The log warns of a certificate that has ended, or soon will, once.
  TlsInUse(TlsFiles files, TlsRead present, rpc::TlsKeys& keys, const Clock& clock);
  // For the HTTP listeners, which get newer keys too.
  struct Http {
    std::shared_ptr<http::ServerTls> tls;
    std::shared_ptr<http::ServerTls> mutual;  // asks for a certificate; null without a client_ca
  };
  static absl::StatusOr<Http> ForHttp(const rpc::TlsKeySet& keys);
  void AlsoReplace(Http http);
  TlsInUse(const TlsInUse&) = delete;
  TlsInUse& operator=(const TlsInUse&) = delete;

  // For a FileWatch, which this must outlive.
  WatchedFiles Watched();

  // Of the certificate that is in use.
  rpc::CertificateFacts facts() const;

 private:
  // Everything that could be wrong with them has been looked for, so that either all listeners get
  // newer keys or none does.
  void Use(const TlsRead& newer, const Http& http);
  void NoteCertificate();

  const TlsFiles files_;
  rpc::TlsKeys& keys_;
  const Clock& clock_;
  mutable Mutex mutex_;
  TlsRead present_ GUARDED_BY(mutex_);
  Http http_ GUARDED_BY(mutex_);
  std::string certificate_ GUARDED_BY(mutex_);  // what was said of the certificate's time
};

}  // namespace gateway::app
