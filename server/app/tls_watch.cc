#include "app/tls_watch.h"

#include <utility>

#include "base/limits.h"
#include "obs/log.h"

namespace gateway::app {
namespace {

using obs::Level;
using obs::Log;

}  // namespace

TlsWatch::TlsWatch(TlsFiles files, TlsRead present, rpc::TlsKeys& keys, const Clock& clock,
                   Timers& timers)
    : files_(std::move(files)),
      keys_(keys),
      clock_(clock),
      present_(std::move(present)),
      next_(timers) {
  {
    MutexLock lock(mutex_);
    NoteCertificate();
  }
  Again();
}

void TlsWatch::Again() {
  next_.At(clock_.Now() + limits::kSecretLookInterval, [this] {
    Look();
    Again();
  });
}

TlsWatch::Found TlsWatch::Look() {
  absl::StatusOr<TlsRead> read = ReadTlsFiles(files_);
  MutexLock lock(mutex_);
  Note(read.ok() ? "" : std::string(read.status().message()));
  if (read.ok() && read->keys != present_.keys) {
    present_ = *std::move(read);
    keys_.Replace(present_.keys);
    Log(Level::kInfo, "tls_replaced",
        {{"file", files_.certificate}, {"names", present_.facts.names}});
    NoteCertificate();
    return Found::kReplaced;
  }
  NoteCertificate();
  return read.ok() ? Found::kSame : Found::kUnusable;
}

WallTime TlsWatch::ends() const {
  MutexLock lock(mutex_);
  return present_.facts.ends;
}

void TlsWatch::Note(const std::string& trouble) {
  if (std::exchange(trouble_, trouble) == trouble) return;
  if (trouble.empty()) return Log(Level::kInfo, "tls_readable", {{"file", files_.certificate}});
  Log(Level::kError, "tls_kept",
      {{"reason", trouble},
       {"advice",
        "the certificate and key read before stay in use; put the file right, all are read again "
        "every few seconds"}});
}

void TlsWatch::NoteCertificate() {
  std::string trouble = CertificateTrouble(present_.facts, clock_.WallNow());
  if (std::exchange(certificate_, trouble) == trouble || trouble.empty()) return;
  Log(Level::kWarn, "tls_certificate",
      {{"reason", std::move(trouble)},
       {"file", files_.certificate},
       {"advice",
        "callers refuse a certificate whose time is over; put a new one and its key in place, "
        "they are read every few seconds"}});
}

}  // namespace gateway::app
