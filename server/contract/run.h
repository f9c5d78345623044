// `pictory-gateway contract --live`: tries on the live service what the gateway relies on, and
// tells which of it holds.
#pragma once

#include <filesystem>
#include <string>

#include "absl/status/statusor.h"
#include "contract/paid_looks.h"
#include "contract/report.h"

namespace gateway::contract {

struct RunOptions {
  jobs::UpstreamOptions upstream;
  std::string base_url;
  Spending spending;
  std::filesystem::path spent_file;  // of SpentBook
};

// An error says why nothing was tried: Pictory is not reached or takes no credentials, or what
// would be spent cannot be noted. No word of the report, and none that is told, has a secret of the
// account in it.
absl::StatusOr<Report> Run(const Ways& ways, RunOptions options, const Tell& tell);

}  // namespace gateway::contract
