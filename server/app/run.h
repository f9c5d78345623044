// The commands of the program, from a complete configuration to an exit code.
//
// Two of them serve until a signal asks for the end (SignalOrder::kEnd in app/process.h), then end
// in order; a second one makes the end quick. SIGHUP reads the files of secrets again. The exit
// code is 0 if the command ended as asked, else one of app/exit_codes.h; the log says why.
#pragma once

#include "app/config.h"

namespace gateway::app {

int RunGateway(const Config& config);
int RunSandbox(const SandboxConfig& config);

// Prints what of the settings a start would refuse, to stderr, or that nothing is wrong. Starts
// nothing, and writes nowhere.
int RunCheck(const Config& config);

// Prints its report to stdout, and what it does meanwhile to stderr.
int RunContract(const ContractConfig& config);

// Prints what it has copied to stdout, and what it does meanwhile to stderr.
int RunStoreCopy(const StoreCopyFlags& flags);

// Serves until the agent ends it, or over HTTP until a signal does. What it has to say to people
// goes to stderr.
int RunMcp(const McpFlags& flags);

// Prints one line about what it found: to stdout if the gateway serves, else to stderr.
int RunProbe(const ProbeFlags& flags);

}  // namespace gateway::app
