// pictory-gateway: flags to Config to Gateway, and nothing else.

#include <cstdio>

#include "app/config.h"
#include "app/run.h"

int main(int argc, char** argv) {
  const gateway::app::Parsed parsed = gateway::app::ParseCommandLine(argc, argv);
  if (parsed.gateway.has_value()) return gateway::app::RunGateway(*parsed.gateway);
  if (parsed.check.has_value()) return gateway::app::RunCheck(*parsed.check);
  if (parsed.sandbox.has_value()) return gateway::app::RunSandbox(*parsed.sandbox);
  if (parsed.contract.has_value()) return gateway::app::RunContract(*parsed.contract);
  if (parsed.probe.has_value()) return gateway::app::RunProbe(*parsed.probe);
  if (parsed.mcp.has_value()) return gateway::app::RunMcp(*parsed.mcp);
  if (parsed.store_copy.has_value()) return gateway::app::RunStoreCopy(*parsed.store_copy);
  std::fputs(parsed.text.c_str(), parsed.exit_code == 0 ? stdout : stderr);
  return parsed.exit_code;
}
