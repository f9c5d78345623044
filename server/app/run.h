// The two commands of the program, from a complete configuration to an exit code.
//
// Both serve until SIGTERM, SIGINT or SIGQUIT, then end in order; a second one makes the end quick.
// SIGHUP reads the files of secrets again (app/process.h). Exit codes: 0 ended as asked, 1 could
// not start or had to stop (the log says why), 70 the end hung and was cut short.
#pragma once

#include "app/config.h"

namespace gateway::app {

int RunGateway(const Config& config);
int RunSandbox(const SandboxConfig& config);

}  // namespace gateway::app
