// The files of TLS in a directory of their own, for tests.
#pragma once

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "app/tls_files.h"
#include "support/certificates.h"

namespace gateway::app {

class TlsOnDisk : public testing::Test {
 protected:
  ~TlsOnDisk() override { std::filesystem::remove_all(directory_); }

  std::string Path(const std::string& name) const { return (directory_ / name).string(); }
  void Write(const std::string& name, const std::string& text, unsigned mode = 0600) const {
    std::filesystem::remove(Path(name));
    std::ofstream(Path(name)) << text;
    chmod(Path(name).c_str(), mode);
  }
  void Write(const test::Issued& issued) const {
    Write("cert", issued.certificate, 0644);
    Write("key", issued.key);
  }
  TlsFiles Files(bool with_clients = false) const {
    return {.certificate = Path("cert"),
            .key = Path("key"),
            .client_ca = with_clients ? Path("clients") : ""};
  }
  static std::string Why(const absl::StatusOr<TlsRead>& read) {
    return read.ok() ? "" : std::string(read.status().message());
  }

  const std::filesystem::path directory_ = [] {
    std::string name = testing::TempDir() + "tls-XXXXXX";
    return std::filesystem::path(mkdtemp(name.data()));
  }();
  const test::Authority authority_;
};

}  // namespace gateway::app
