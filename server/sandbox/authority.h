// An Authority issues the certificate by which a sandbox is reached over https: its own authority,
// in which nobody trusts who was not told to.
//
// Authority and key are kept in a directory, so that whoever was told once trusts the sandbox after
// a restart too. The certificate of the sandbox is made anew at each start, and kept nowhere.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "base/secret.h"

namespace gateway::sandbox {

struct Issued {
  std::string certificate_pem;
  Secret key_pem;
};

class Authority {
 public:
  // Reads the authority that is kept in `directory`, or makes one there. What is there and cannot
  // be used is an error that says what to do: nobody would trust another in its place.
  static absl::StatusOr<Authority> Open(const std::filesystem::path& directory);

  // For whom trusts it: the authority's certificate, PEM.
  const std::filesystem::path& file() const { return file_; }
  // A certificate for these addresses and names, good for a year.
  absl::StatusOr<Issued> Issue(const std::vector<std::string>& names) const;

 private:
  Authority(std::filesystem::path file, Issued own)
      : file_(std::move(file)), own_(std::move(own)) {}

  std::filesystem::path file_;
  Issued own_;
};

}  // namespace gateway::sandbox
