#include "app/tls_files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "app/secret_file.h"
#include "base/limits.h"
#include "base/own_file.h"
#include "base/utc_text.h"
#include "rpc/listen_sockets.h"

namespace gateway::app {
namespace {

constexpr char kCertificate[] = "--tls-cert-file";
constexpr char kKey[] = "--tls-key-file";
constexpr char kClientCa[] = "--tls-client-ca-file";

absl::Status Wrong(const char* flag, const std::string& path, absl::string_view why) {
  return absl::InvalidArgumentError(absl::StrCat(flag, ": ", path, " ", why));
}

// Reads a file that is there to be read again: no pipe, which would have nothing to say the next
// time. The file that is looked at is the one that is read, whatever becomes of its name.
absl::StatusOr<std::string> ReadWhole(const char* flag, const std::string& path, bool secret) {
  const auto cannot = [&] {
    return Wrong(flag, path, absl::StrCat("cannot be read: ", std::strerror(errno)));
  };
  const rpc::OwnedFd file(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  struct stat info{};
  if (file.get() < 0 || fstat(file.get(), &info) != 0) return cannot();
  if (!S_ISREG(info.st_mode)) return Wrong(flag, path, "is no regular file");
  if (secret && OthersMayRead(info)) {
    return Wrong(flag, path,
                 "can be read by others; run chmod 600 on it (in Kubernetes: fsGroup, and "
                 "defaultMode 0440)");
  }
  std::string text(limits::kTlsFileMaxBytes + 1, '\0');
  std::size_t size = 0;
  while (size < text.size()) {
    const ssize_t got = read(file.get(), text.data() + size, text.size() - size);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return cannot();
    if (got == 0) break;
    size += static_cast<std::size_t>(got);
  }
  if (size > limits::kTlsFileMaxBytes) {
    return Wrong(flag, path,
                 absl::StrCat("has more than ", limits::kTlsFileMaxBytes / limits::kKiB, " KiB"));
  }
  text.resize(size);
  if (text.find('\0') != text.npos) return Wrong(flag, path, "is no text; it must be PEM");
  return text;
}

}  // namespace

absl::StatusOr<rpc::TlsKeySet> ReadTlsKeys(const TlsFiles& files) {
  rpc::TlsKeySet keys;
  absl::StatusOr<std::string> certificate = ReadWhole(kCertificate, files.certificate, false);
  if (!certificate.ok()) return certificate.status();
  absl::StatusOr<std::string> key = ReadWhole(kKey, files.key, true);
  if (!key.ok()) return key.status();
  keys.certificate = *std::move(certificate);
  keys.key = Secret(*std::move(key));
  if (files.client_ca.empty()) return keys;
  absl::StatusOr<std::string> client_ca = ReadWhole(kClientCa, files.client_ca, false);
  if (!client_ca.ok()) return client_ca.status();
  keys.client_ca = *std::move(client_ca);
  return keys;
}

FileTexts TextsOf(const rpc::TlsKeySet& keys) {
  return {keys.certificate, keys.key.Reveal(), keys.client_ca};
}

rpc::TlsKeySet KeysOf(const FileTexts& texts) {
  return {.certificate = texts[0], .key = Secret(texts[1]), .client_ca = texts[2]};
}

namespace {

absl::StatusOr<rpc::CertificateFacts> Check(const TlsFiles& files, const rpc::TlsKeySet& keys) {
  auto facts = rpc::ReadCertificate(keys.certificate);
  if (!facts.ok()) return Wrong(kCertificate, files.certificate, facts.status().message());
  if (absl::Status key = rpc::CheckKey(keys.key.Reveal(), keys.certificate); !key.ok()) {
    return Wrong(kKey, files.key, key.message());
  }
  if (files.client_ca.empty()) return facts;
  if (absl::Status authorities = rpc::CheckAuthorities(keys.client_ca); !authorities.ok()) {
    return Wrong(kClientCa, files.client_ca, authorities.message());
  }
  return facts;
}

std::string TimeText(WallTime time) {
  return UtcText(std::chrono::system_clock::to_time_t(time)) + "Z";
}

}  // namespace

absl::StatusOr<TlsRead> CheckTls(const TlsFiles& files, rpc::TlsKeySet keys) {
  absl::StatusOr<rpc::CertificateFacts> facts = Check(files, keys);
  if (!facts.ok()) return facts.status();
  return TlsRead{.keys = std::move(keys), .facts = *std::move(facts)};
}

absl::StatusOr<TlsRead> ReadTlsFiles(const TlsFiles& files) {
  const absl::StatusOr<rpc::TlsKeySet> keys = ReadTlsKeys(files);
  if (!keys.ok()) return keys.status();
  absl::StatusOr<TlsRead> read = CheckTls(files, *keys);
  if (read.ok()) return read;
  // One of them may have been read before all were replaced, and the other after it.
  const absl::StatusOr<rpc::TlsKeySet> again = ReadTlsKeys(files);
  if (!again.ok()) return again.status();
  return *again == *keys ? read : CheckTls(files, *again);
}

std::string CertificateTrouble(const rpc::CertificateFacts& facts, WallTime now) {
  if (now >= facts.ends) return absl::StrCat("it has ended at ", TimeText(facts.ends));
  if (now < facts.begins) return absl::StrCat("it begins only at ", TimeText(facts.begins));
  // One that lives for days only is replaced in time all the same.
  const WallTime::duration soon =
      std::min<WallTime::duration>(limits::kCertificateEndsSoon, (facts.ends - facts.begins) / 3);
  if (facts.ends - now < soon) {
    return absl::StrCat("it ends at ", TimeText(facts.ends));
  }
  return "";
}

}  // namespace gateway::app
