// ServerTls is the certificate that an http::Server shows, and its key: TLS 1.2 or 1.3, HTTP/1.1.
// Several servers may share one. It is only for what stands in for a service on the same machine,
// such as the sandbox: who connects proves nothing.
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "base/secret.h"

namespace gateway::http {

class ServerTls {
 public:
  // The certificate and those between it and its authority, then its key, both PEM.
  static absl::StatusOr<std::shared_ptr<ServerTls>> Make(const std::string& certificate_pem,
                                                         const Secret& key_pem);
  ~ServerTls();
  ServerTls(const ServerTls&) = delete;
  ServerTls& operator=(const ServerTls&) = delete;

  struct Inside;  // of http/server_stream.h
  Inside& inside() { return *inside_; }

 private:
  explicit ServerTls(std::unique_ptr<Inside> inside);
  const std::unique_ptr<Inside> inside_;
};

}  // namespace gateway::http
