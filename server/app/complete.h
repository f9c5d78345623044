// These functions turn the raw texts of the options, each of which is right by itself, into a
// configuration whose parts fit together.
#pragma once

#include "absl/status/status.h"
#include "app/config.h"
#include "app/environment.h"
#include "app/flags.h"

namespace gateway::app {

// They read secrets too, from files and `variables`. The first thing that is wrong ends them with
// INVALID_ARGUMENT, which begins with the flag if it is about one.
absl::Status CompleteGateway(const GatewayFlags& flags, const Variables& variables, Config& config);
absl::Status CompleteSandbox(const SandboxFlags& flags, const Variables& variables,
                             SandboxConfig& config);
absl::Status CompleteContract(const ContractFlags& flags, const Variables& variables,
                              ContractConfig& config);

}  // namespace gateway::app
