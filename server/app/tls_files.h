// The files of the certificate that listeners with TLS show, of its key, and of the authorities
// whose certificates callers must show.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "app/file_watch.h"
#include "base/clock.h"
#include "rpc/tls_keys.h"

namespace gateway::app {

// Paths. Without a certificate no listener has TLS; without a client_ca none asks callers for a
// certificate.
struct TlsFiles {
  std::string certificate;  // --tls-cert-file
  std::string key;          // --tls-key-file
  std::string client_ca;    // --tls-client-ca-file
};

struct TlsRead {
  rpc::TlsKeySet keys;
  rpc::CertificateFacts facts;
};

// Reads all of them, and looks at none.
absl::StatusOr<rpc::TlsKeySet> ReadTlsKeys(const TlsFiles& files);
// Checks what was read, and that it belongs together.
absl::StatusOr<TlsRead> CheckTls(const TlsFiles& files, rpc::TlsKeySet keys);

// What each file said, and back again. Pure.
FileTexts TextsOf(const rpc::TlsKeySet& keys);
rpc::TlsKeySet KeysOf(const FileTexts& texts);

// Reads and checks all of them, so that what it returns belongs together: if a file is replaced
// meanwhile they are read once more. Errors are INVALID_ARGUMENT, begin with the flag of the file
// that is wrong, and never hold what it says. Whether the certificate has ended is no error.
absl::StatusOr<TlsRead> ReadTlsFiles(const TlsFiles& files);

// How a certificate stands at a time: "" if well, else what is wrong, for the log. Pure.
std::string CertificateTrouble(const rpc::CertificateFacts& facts, WallTime now);

}  // namespace gateway::app
