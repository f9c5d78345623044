#include "app/tls_watch.h"

#include <utility>

#include "obs/log.h"

namespace gateway::app {
namespace {

using obs::Level;
using obs::Log;

}  // namespace

TlsInUse::TlsInUse(TlsFiles files, TlsRead present, rpc::TlsKeys& keys, const Clock& clock)
    : files_(std::move(files)), keys_(keys), clock_(clock), present_(std::move(present)) {
  NoteCertificate();
}

WatchedFiles TlsInUse::Watched() {
  WatchedFiles files{
      .name = "tls",
      .file = files_.certificate,
      .advice =
          "the certificate and key read before stay in use; put the file right, all are read "
          "again every few seconds"};
  files.read = [this]() -> absl::StatusOr<FileTexts> {
    const absl::StatusOr<rpc::TlsKeySet> keys = ReadTlsKeys(files_);
    if (!keys.ok()) return keys.status();
    return TextsOf(*keys);
  };
  files.make = [this](const FileTexts& texts) -> absl::StatusOr<WatchedFiles::Use> {
    absl::StatusOr<TlsRead> read = CheckTls(files_, KeysOf(texts));
    if (!read.ok()) return read.status();
    absl::StatusOr<Http> http = ForHttp(read->keys);
    if (!http.ok()) return http.status();
    return [this, newer = *std::move(read), http = *std::move(http)] {
      Use(newer, http);
      return absl::OkStatus();
    };
  };
  files.looked = [this] { NoteCertificate(); };
  return files;
}

void TlsInUse::Use(const TlsRead& newer, const Http& http) {
  MutexLock lock(mutex_);
  present_ = newer;
  keys_.Replace(newer.keys);
  if (http_.tls != nullptr) http_.tls->ReplaceWith(*http.tls);
  if (http_.mutual != nullptr) http_.mutual->ReplaceWith(*http.mutual);
  Log(Level::kInfo, "tls_replaced", {{"file", files_.certificate}, {"names", newer.facts.names}});
}

absl::StatusOr<TlsInUse::Http> TlsInUse::ForHttp(const rpc::TlsKeySet& keys) {
  Http made;
  auto tls = http::ServerTls::Make(keys.certificate, keys.key);
  if (!tls.ok()) return tls.status();
  made.tls = *std::move(tls);
  if (keys.client_ca.empty()) return made;
  auto mutual = http::ServerTls::Make(keys.certificate, keys.key, keys.client_ca);
  if (!mutual.ok()) return mutual.status();
  made.mutual = *std::move(mutual);
  return made;
}

void TlsInUse::AlsoReplace(Http http) {
  MutexLock lock(mutex_);
  http_ = std::move(http);
}

rpc::CertificateFacts TlsInUse::facts() const {
  MutexLock lock(mutex_);
  return present_.facts;
}

void TlsInUse::NoteCertificate() {
  MutexLock lock(mutex_);
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
