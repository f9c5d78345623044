// All commands and options of `pictory-gateway`, with their help.
#pragma once

#include <CLI/CLI.hpp>

#include "app/config.h"
#include "app/flags.h"
#include "app/keygen.h"
#include "app/mcp.h"
#include "app/probe.h"
#include "app/store_copy.h"

namespace gateway::app {

// The options put what they are given into the members.
struct CommandTree {
  CommandTree();
  CommandTree(const CommandTree&) = delete;
  CommandTree& operator=(const CommandTree&) = delete;

  CLI::App app{
      "gRPC gateway to Pictory's video jobs.\n"
      "Every option can also be set as PICTORY_… in the environment, or in a file given by "
      "--config."};
  CLI::App* sandbox = nullptr;
  CLI::App* contract = nullptr;
  CLI::App* keygen = nullptr;
  CLI::App* probe = nullptr;
  CLI::App* mcp = nullptr;
  CLI::App* store = nullptr;

  Config config;
  GatewayFlags flags;
  SandboxConfig sandbox_config;
  SandboxFlags sandbox_flags;
  ContractConfig contract_config;
  ContractFlags contract_flags;
  KeygenFlags keygen_flags;
  ProbeFlags probe_flags;
  McpFlags mcp_flags;
  StoreCopyFlags store_copy_flags;
};

}  // namespace gateway::app
