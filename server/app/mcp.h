// `pictory-gateway mcp` lets agents use a gateway that runs, by the Model Context Protocol. RunMcp
// (app/run.h) does it.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace gateway::app {

struct McpFlags {
  std::string server = "127.0.0.1:50051";  // as the client library takes it
  std::string gateway_key_file;
  std::string caller_key_file;
  std::string tls_ca;
  std::string tls_cert;
  std::string tls_key;
  std::string http;  // empty: stdin and stdout
  bool trust_network = false;
  std::vector<std::string> allowed_hosts;
  std::vector<std::string> allow_origins;
  std::optional<double> spend_cap;
  std::string confirm = "above-cap";
  std::string session;  // empty: a name of its own
};

void AddMcpOptions(CLI::App& app, McpFlags& flags);

}  // namespace gateway::app
