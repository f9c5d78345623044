#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "app/address.h"
#include "app/exit_codes.h"
#include "app/process.h"
#include "app/run.h"
#include "app/secret_file.h"
#include "app/version.h"
#include "base/clock.h"
#include "base/limits.h"
#include "base/random.h"
#include "mcp/http.h"
#include "mcp/server.h"
#include "mcp/session.h"
#include "mcp/stdio.h"
#include "obs/log.h"
#include "pictory_jobs/client.h"

namespace gateway::app {
namespace {

constexpr SecretSource kGatewayKey = {"--gateway-key-file", "PICTORY_GATEWAY_KEY"};
constexpr SecretSource kCallerKey = {"--caller-key-file", "PICTORY_CALLER_KEY"};
constexpr int kMcpUsage = 2;

// stdout is the agent's.
int Fails(int code, const absl::Status& why) {
  std::fprintf(stderr, "pictory-gateway mcp: %s\n", std::string(why.message()).c_str());
  return code;
}

absl::StatusOr<std::string> FileText(std::string_view flag, const std::string& path) {
  if (path.empty()) return std::string();
  std::ifstream file(path, std::ios::binary);
  std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  if (!file.is_open() || text.empty() || text.size() > limits::kTlsFileMaxBytes) {
    return absl::InvalidArgumentError(
        absl::StrCat(std::string(flag), ": ", path, " cannot be read"));
  }
  return text;
}

absl::StatusOr<pictory_jobs::ClientOptions> OptionsOf(const McpFlags& flags) {
  pictory_jobs::ClientOptions options;
  options.user_agent = absl::StrCat("pictory-gateway-mcp/", Version());
  options.retry.max_attempts = limits::kMcpAttempts;
  options.retry.max_wait = limits::kMcpRetryMaxWait;
  const Variables variables = ProcessVariables();
  const auto key = FindSecret(kGatewayKey, flags.gateway_key_file, variables);
  if (!key.ok()) return key.status();
  const auto own = FindSecret(kCallerKey, flags.caller_key_file, variables);
  if (!own.ok()) return own.status();
  if (!key->empty()) options.metadata.emplace_back("authorization", "Bearer " + key->Reveal());
  options.pictory_key = own->Reveal();
  if (flags.tls_cert.empty() != flags.tls_key.empty()) {
    return absl::InvalidArgumentError("--tls-cert and --tls-key come together");
  }
  if (flags.tls_ca.empty() && flags.tls_cert.empty()) return options;
  const auto ca = FileText("--tls-ca", flags.tls_ca);
  const auto cert = FileText("--tls-cert", flags.tls_cert);
  const auto tls_key = FileText("--tls-key", flags.tls_key);
  for (const auto* const text : {&ca, &cert, &tls_key}) {
    if (!text->ok()) return text->status();
  }
  options.tls = pictory_jobs::TlsOptions{*ca, *cert, *tls_key};
  return options;
}

int ServeHttp(const McpFlags& flags, const Address& address, SignalWaiter& signals,
              mcp::Server& server) {
  obs::StartLog(obs::Level::kWarn, obs::LogFormat::kText);
  auto door = mcp::HttpDoor::Listen(
      {.host = address.host,
       .port = address.port,
       .rules = {.origins = flags.allow_origins, .hosts = flags.allowed_hosts}},
      server);
  if (!door.ok()) {
    obs::StopLog();
    return Fails(kCannotServe, door.status());
  }
  std::fprintf(stderr, "pictory-gateway mcp: serves at %s\n", (*door)->url().c_str());
  while (signals.Wait() == SignalOrder::kReload) {
  }
  obs::StopLog();
  // Calls to the gateway may still be under way; what they have submitted is the gateway's to know.
  std::fflush(nullptr);
  std::_Exit(0);
}

}  // namespace

int RunMcp(const McpFlags& flags) {
  // Before any thread: threads inherit the blocked signals. Over stdin the agent ends the program.
  std::optional<SignalWaiter> signals;
  if (!flags.http.empty()) signals.emplace();
  HardenProcess();
  std::signal(SIGPIPE, SIG_IGN);
  SkipDeadlockDetection();
  auto options = OptionsOf(flags);
  if (!options.ok()) return Fails(kMcpUsage, options.status());
  auto client = pictory_jobs::Client::Connect(flags.server, *std::move(options));
  if (!client.ok()) return Fails(kMcpUsage, client.status());
  const SystemClock clock;
  mcp::Session session(flags.session.empty() ? RandomHex(16) : flags.session,
                       {.cap = flags.spend_cap, .always_ask = flags.confirm == "always"}, clock);
  mcp::Server server(*std::move(client), session, std::string(Version()));
  if (!flags.http.empty()) {
    const absl::StatusOr<Address> address = ParseAddress(flags.http);
    if (!address.ok()) return Fails(kMcpUsage, address.status());
    if (!address->IsLoopback() && !flags.trust_network) {
      return Fails(kMcpUsage,
                   absl::InvalidArgumentError(absl::StrCat(
                       "--http ", flags.http,
                       " is reached by other machines, and whoever reaches it is taken for you; "
                       "listen on 127.0.0.1, or consent by --trust-network")));
    }
    return ServeHttp(flags, *address, *signals, server);
  }
  if (mcp::ServeLines(server, STDIN_FILENO, STDOUT_FILENO)) return 0;
  std::fflush(nullptr);
  std::_Exit(0);  // calls are still under way
}

}  // namespace gateway::app
