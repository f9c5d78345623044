#include "app/command_tree.h"

#include <memory>

#include "app/version.h"

namespace gateway::app {
namespace {

// Has texts printed with the lines they have. CLI11 breaks them anew since 2.5.
template <class Formatter>
void KeepLines(Formatter& formatter) {
  if constexpr (requires { formatter.enable_footer_formatting(false); }) {
    formatter.enable_footer_formatting(false);
    formatter.enable_description_formatting(false);
  }
}

}  // namespace

CommandTree::CommandTree() {
  app.name("pictory-gateway");
  const auto formatter = std::make_shared<CLI::Formatter>();
  KeepLines(*formatter);
  app.formatter(formatter);
  app.set_help_flag("-h,--help", "Show this help");
  app.set_version_flag("--version", VersionText(), "Show the version");
  sandbox = app.add_subcommand("sandbox", "Run only the stand-in for Pictory's REST API");
  sandbox->set_version_flag("--version", VersionText(), "Show the version");
  AddSandboxOptions(*sandbox, sandbox_flags, sandbox_config);
  contract = app.add_subcommand(
      "contract", "Try at Pictory itself what the gateway relies on, and tell what holds");
  AddContractOptions(*contract, contract_flags, contract_config);
  keygen =
      app.add_subcommand("keygen", "Make an API key for a caller, and its lines for --tenants");
  AddKeygenOptions(*keygen, keygen_flags);
  probe = app.add_subcommand("probe", "Ask a gateway whether it serves");
  AddProbeOptions(*probe, probe_flags);
  mcp = app.add_subcommand("mcp", "Let agents use a gateway, by the Model Context Protocol");
  AddMcpOptions(*mcp, mcp_flags);
  store = app.add_subcommand("store", "Move the jobs of one store to another");
  store->require_subcommand(1);
  store->footer(
      "A store is a state directory, or a PostgreSQL database. While jobs are moved no gateway\n"
      "may use either. More: server/docs/operations.md, \"Moving jobs to another store\".");
  AddStoreCopyOptions(
      *store->add_subcommand("copy", "Move them, and mark the store that they were in"),
      store_copy_flags);
  AddGatewayOptions(app, flags, config);  // last: what is added to it would have its footer, too
}

}  // namespace gateway::app
