#include "app/mcp.h"

#include <CLI/CLI.hpp>

#include "app/number_check.h"
#include "base/ids.h"
#include "base/limits.h"
#include "face/web_guard.h"

namespace gateway::app {
namespace {

std::string SessionName(const std::string& name) {
  return IsRequestId(name) ? "" : "must be 1 to 64 of [A-Za-z0-9_-]";
}

std::string Origin(const std::string& origin) {
  return face::IsOrigin(origin) ? "" : "must be an origin, such as https://app.example.com";
}

}  // namespace

void AddMcpOptions(CLI::App& app, McpFlags& flags) {
  app.add_option("--server", flags.server,
                 "The gateway: host:port, or https://host[:port] for TLS; or set PICTORY_GATEWAY")
      ->envname("PICTORY_GATEWAY")
      ->capture_default_str();
  app.add_option("--gateway-key-file", flags.gateway_key_file,
                 "File whose first line is your API key for the gateway, or a token; or set "
                 "PICTORY_GATEWAY_KEY");
  app.add_option("--caller-key-file", flags.caller_key_file,
                 "File whose first line is your own API key of Pictory's, for a gateway whose "
                 "callers pay; or set PICTORY_CALLER_KEY");
  app.add_option("--tls-ca", flags.tls_ca, "Authorities to trust instead of the system's (PEM)");
  app.add_option("--tls-cert", flags.tls_cert, "Your certificate (PEM)");
  app.add_option("--tls-key", flags.tls_key, "Its key (PEM)");
  app.add_option("--http", flags.http,
                 "Serve over HTTP at host:port, path /mcp, instead of stdin and stdout");
  app.add_flag("--trust-network", flags.trust_network,
               "Let --http listen where other machines reach it: whoever does is taken for you");
  app.add_option("--allowed-host", flags.allowed_hosts,
                 "A name that --http may be addressed by, besides localhost and addresses; "
                 "repeatable");
  app.add_option("--http-allow-origin", flags.allow_origins,
                 "An origin whose pages may call --http; repeatable")
      ->check(CLI::Validator(Origin, ""));
  app.add_option("--spend-cap", flags.spend_cap,
                 "AI credits that one session may use without a person's word; without it every "
                 "submit needs that word")
      ->check(Decimal(0, limits::kMcpSpendCapMax, "credits"));
  app.add_option("--confirm", flags.confirm,
                 "When a person is asked before a submit: always, or above-cap, which is also "
                 "where its cost is not known")
      ->check(CLI::IsMember({"always", "above-cap"}))
      ->capture_default_str();
  app.add_option("--session", flags.session,
                 "A name for this session: a submit that is repeated in another session of this "
                 "name is the same job")
      ->check(CLI::Validator(SessionName, ""));
  app.footer(
      "Serves the Model Context Protocol, of 2026-07-28 with the Tasks extension and of the\n"
      "versions back to 2024-11-05, as a client of a gateway that runs. A session is one run of\n"
      "this command. Exit codes: 0 the agent has ended it, 1 it cannot serve, 2 wrong usage.\n"
      "More: server/docs/mcp.md.");
}

}  // namespace gateway::app
