// ServerTls is the certificate that an http::Server shows, and its key: TLS 1.2 or 1.3, HTTP/1.1.
// Several servers may share one. If it is given authorities, who connects must show a certificate
// that one of them vouches for. Thread-safe.
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "base/mutex.h"
#include "base/secret.h"

namespace gateway::http {

class ServerTls {
 public:
  // The certificate and those between it and its authority, then its key, then the authorities of
  // the peers' certificates (none: peers are not asked), all PEM.
  static absl::StatusOr<std::shared_ptr<ServerTls>> Make(const std::string& certificate_pem,
                                                         const Secret& key_pem,
                                                         const std::string& client_ca_pem = "");
  ~ServerTls();
  ServerTls(const ServerTls&) = delete;
  ServerTls& operator=(const ServerTls&) = delete;

  // New connections get what `other` has from now on.
  void ReplaceWith(const ServerTls& other);

  struct Inside;  // of http/server_stream.h
  std::shared_ptr<Inside> inside() const;

 private:
  explicit ServerTls(std::shared_ptr<Inside> inside);
  mutable Mutex mutex_;
  std::shared_ptr<Inside> inside_ GUARDED_BY(mutex_);
};

}  // namespace gateway::http
