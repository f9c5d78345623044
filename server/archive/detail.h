// A trouble of the archive has words for everybody, which are its status's message, and may have a
// detail for the log alone: paths, addresses and what else of the inside no caller is told. Pure.
#pragma once

#include <string>

#include "absl/status/status.h"

namespace gateway::archive {

absl::Status WithDetail(absl::Status trouble, const std::string& detail);

// The detail, or the words if there is none.
std::string DetailOf(const absl::Status& trouble);

// A problem of our own disk, which passes once an operator has mended it, and says nothing of the
// file: RESOURCE_EXHAUSTED if it is full, else INTERNAL. `what` says what cannot be done, such as
// "read".
absl::Status DiskTrouble(int error, const std::string& what, const std::string& path);
// The same for an error of base/own_file.h.
absl::Status DiskTrouble(const absl::Status& error);

// Whether it is such a problem.
bool IsOfTheDisk(const absl::Status& trouble);

}  // namespace gateway::archive
