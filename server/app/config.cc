#include "app/config.h"

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdlib>
#include <map>
#include <memory>
#include <sstream>
#include <utility>

#include "app/pictory_flags.h"
#include "app/secret_file.h"
#include "app/version.h"
#include "app/webhooks.h"

namespace gateway::app {
namespace {

constexpr int kUsage = 2;
constexpr int kLeastRequestIdDays = limits::kRequestIdKept / std::chrono::days(1);
constexpr int kMostKeptDays = 3650;

std::string Environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

std::filesystem::path DefaultStateDir() {
  if (const std::string given = Environment("STATE_DIRECTORY"); !given.empty()) return given;
  if (const std::string xdg = Environment("XDG_STATE_HOME"); !xdg.empty()) {
    return std::filesystem::path(xdg) / "pictory-gateway";
  }
  const std::string home = Environment("HOME");
  return std::filesystem::path(home.empty() ? "/var/lib" : home + "/.local/state") /
         "pictory-gateway";
}

// What the options of both commands share.
struct Common {
  std::string log_level = "info";
  std::string log_format = "auto";
  std::string ready_file;
};

void AddCommon(CLI::App& app, Common& common) {
  app.add_option("--log-level", common.log_level, "Least important lines to log")
      ->check(CLI::IsMember({"debug", "info", "warn", "error"}))
      ->envname("PICTORY_LOG_LEVEL")
      ->capture_default_str();
  app.add_option("--log-format", common.log_format, "auto is text on a terminal, else JSON lines")
      ->check(CLI::IsMember({"auto", "text", "json"}))
      ->envname("PICTORY_LOG_FORMAT")
      ->capture_default_str();
  app.add_option("--ready-file", common.ready_file,
                 "Write the addresses in use to this file once serving, as NAME=VALUE lines")
      ->envname("PICTORY_READY_FILE");
}

obs::Level LevelOf(const std::string& name) {
  static const std::map<std::string, obs::Level> levels = {{"debug", obs::Level::kDebug},
                                                           {"info", obs::Level::kInfo},
                                                           {"warn", obs::Level::kWarn},
                                                           {"error", obs::Level::kError}};
  return levels.at(name);
}

obs::LogFormat FormatOf(const std::string& name) {
  if (name == "json") return obs::LogFormat::kJson;
  if (name == "text") return obs::LogFormat::kText;
  return isatty(STDERR_FILENO) ? obs::LogFormat::kText : obs::LogFormat::kJson;
}

// CLI11 lets the file decide where a variable of the environment does, too; here the variable wins,
// as it does with most servers: it is set closer to the one run that is meant.
class FileBelowEnvironment : public CLI::ConfigBase {
 public:
  explicit FileBelowEnvironment(const CLI::App& app) : app_(app) {}

  std::vector<CLI::ConfigItem> from_config(std::istream& input) const override {
    std::vector<CLI::ConfigItem> kept = CLI::ConfigBase::from_config(input);
    // `api-version.render=v1` is a name with a dot, or a line of a section; not a subcommand.
    std::erase_if(kept, [](CLI::ConfigItem& item) {
      if (item.parents != std::vector<std::string>{"api-version"}) return false;
      item.name = "api-version." + item.name;
      item.parents.clear();
      return item.name == "api-version.++" || item.name == "api-version.--";
    });
    std::erase_if(kept, [this](const CLI::ConfigItem& item) {
      const CLI::Option* option = app_.get_option_no_throw("--" + item.name);
      return option != nullptr && !Environment(option->get_envname().c_str()).empty();
    });
    return kept;
  }

 private:
  const CLI::App& app_;
};

Parsed Usage(const absl::Status& status) {
  return {.gateway = {}, .sandbox = {}, .exit_code = kUsage,
          .text = "pictory-gateway: " + std::string(status.message()) + "\n"};
}

// The raw texts of `pictory-gateway`'s options, before they mean anything.
struct GatewayFlags {
  Common common;
  PictoryFlags pictory;
  WebhookFlags webhooks;
  std::vector<std::string> listen = {"127.0.0.1:50051"};
  std::string admin_listen = "127.0.0.1:8081";
  std::string state_dir;
  std::string reflection = "on";
  double keyless_settle_seconds = std::chrono::duration<double>(limits::kKeylessSettle).count();
  int keep_jobs_days = limits::kFinishedJobKept / std::chrono::days(1);
  int keep_request_ids_days = kLeastRequestIdDays;
  double drain_delay_seconds = 0;
  double drain_timeout_seconds = std::chrono::duration<double>(limits::kDrainDeadline).count();
};

void AddListeners(CLI::App& app, GatewayFlags& flags, Config& config) {
  app.add_option("--listen", flags.listen, "gRPC listener, host:port; may be repeated; port 0 is any")
      ->envname("PICTORY_LISTEN")
      ->capture_default_str();
  app.add_option("--admin-listen", flags.admin_listen,
                 "HTTP listener for /metrics, /livez, /readyz; 'off' for none")
      ->envname("PICTORY_ADMIN_LISTEN")
      ->capture_default_str();
  app.add_flag("--trust-network", config.trust_network,
               "Allow listeners others can reach although callers are not identified")
      ->envname("PICTORY_TRUST_NETWORK");
  app.add_option("--state-dir", flags.state_dir,
                 "Where jobs are kept; default $STATE_DIRECTORY, else $XDG_STATE_HOME/pictory-gateway")
      ->envname("PICTORY_STATE_DIR");
  app.add_option("--reflection", flags.reflection, "Server reflection, which grpcurl needs")
      ->check(CLI::IsMember({"on", "off"}))
      ->envname("PICTORY_REFLECTION")
      ->capture_default_str();
  app.add_option("--max-watches", config.max_watches, "WatchJob streams at once")
      ->check(CLI::Range(1, 1'000'000))
      ->envname("PICTORY_MAX_WATCHES")
      ->capture_default_str();
  app.add_option("--max-streams-per-connection", config.max_streams_per_connection,
                 "Calls at once on one connection; the client queues further ones")
      ->check(CLI::Range(1, 1'000'000))
      ->envname("PICTORY_MAX_STREAMS_PER_CONNECTION")
      ->capture_default_str();
  app.add_option("--drain-delay", flags.drain_delay_seconds,
                 "Seconds between 'not ready' and refusing calls on SIGTERM; for meshes")
      ->check(CLI::Range(0.0, 3600.0))
      ->envname("PICTORY_DRAIN_DELAY");
  app.add_option("--drain-timeout", flags.drain_timeout_seconds,
                 "Seconds that running calls and submits get to end on SIGTERM")
      ->check(CLI::Range(0.1, 3600.0))
      ->envname("PICTORY_DRAIN_TIMEOUT")
      ->capture_default_str();
}

void AddUpstream(CLI::App& app, Config& config) {
  app.add_flag("--sandbox", config.sandbox,
               "Use the built-in stand-in for Pictory instead of Pictory; nothing is billed")
      ->envname("PICTORY_SANDBOX");
  app.add_option("--sandbox-port", config.sandbox_port, "Port of the sandbox on 127.0.0.1; 0 is any")
      ->envname("PICTORY_SANDBOX_PORT");
  app.add_option("--sandbox-speed", config.sandbox_speed, "How much faster than life its jobs run")
      ->check(CLI::Range(0.01, 10000.0))
      ->envname("PICTORY_SANDBOX_SPEED")
      ->capture_default_str();
  app.add_option("--base-url", config.base_url, "Pictory's REST API")
      ->envname("PICTORY_BASE_URL")
      ->capture_default_str();
  app.add_option("--ca-file", config.ca_file, "CA certificates (PEM) instead of the system's")
      ->envname("PICTORY_CA_FILE");
  app.add_option("--proxy", config.proxy,
                 "Proxy URL for calls to Pictory; the proxy variables of the environment are ignored")
      ->envname("PICTORY_PROXY");
  app.add_option("--upstream-engines", config.upstream_engines, "Threads for calls to Pictory")
      ->check(CLI::Range(1, 64))
      ->envname("PICTORY_UPSTREAM_ENGINES")
      ->capture_default_str();
  app.add_option("--max-polls-in-flight", config.max_polls_in_flight,
                 "Polls under way at once, and connections for them")
      ->check(CLI::Range(64, 10'000))  // each engine needs one
      ->envname("PICTORY_MAX_POLLS_IN_FLIGHT")
      ->capture_default_str();
  app.add_option("--max-job-reply-mib", config.max_job_reply_mib,
                 "MiB that Pictory's answer about one job may have; two such are held at a time")
      ->check(CLI::Range(1, limits::kJobReplyMostMiB))
      ->envname("PICTORY_MAX_JOB_REPLY_MIB")
      ->capture_default_str();
  app.add_option("--requests-per-second", config.requests_per_second,
                 "Budget of the Pictory account, polls and submits together; default 5 (sandbox 2000)")
      ->check(CLI::Range(0.01, 1e6))
      ->envname("PICTORY_REQUESTS_PER_SECOND");
  app.add_option("--burst", config.burst, "Requests at once beyond that; default 10 (sandbox 2000)")
      ->check(CLI::Range(1.0, 1e6))
      ->envname("PICTORY_BURST");
}

// Money and memory.
void AddGuards(CLI::App& app, GatewayFlags& flags, Config& config) {
  app.add_flag("--require-request-id", config.require_request_id,
               "Refuse submits without a request_id, which alone makes repeating one safe at any time")
      ->envname("PICTORY_REQUIRE_REQUEST_ID");
  app.add_option("--keyless-settle", flags.keyless_settle_seconds,
                 "Seconds in which a submit without a request_id that equals the one before is taken for "
                 "its repetition, unless somebody has asked for that job meanwhile")
      ->check(CLI::Range(0.0, std::chrono::duration<double>(limits::kKeylessSettleMax).count()))
      ->envname("PICTORY_KEYLESS_SETTLE")
      ->capture_default_str();
  const auto spending = [&app](const char* name, int& limit, const char* help, const char* variable) {
    app.add_option(name, limit, help)
        ->check(CLI::Range(0, limits::kSpendingLimitMax))
        ->envname(variable)
        ->capture_default_str();
  };
  spending("--max-submits-per-minute", config.spending.per_minute,
           "Submits that may cost money, of all tenants, in any 60 seconds; 0 is no limit",
           "PICTORY_MAX_SUBMITS_PER_MINUTE");
  spending("--max-submits-per-day", config.spending.per_day,
           "The same in any 24 hours; counted across restarts", "PICTORY_MAX_SUBMITS_PER_DAY");
  spending("--max-tenant-submits-per-minute", config.spending.tenant_per_minute,
           "The same for each tenant alone", "PICTORY_MAX_TENANT_SUBMITS_PER_MINUTE");
  spending("--max-tenant-submits-per-day", config.spending.tenant_per_day,
           "The same for each tenant alone, in 24 hours", "PICTORY_MAX_TENANT_SUBMITS_PER_DAY");
  app.add_option("--keep-jobs-days", flags.keep_jobs_days,
                 "Days that a finished job and its result are kept")
      ->check(CLI::Range(kLeastRequestIdDays, kMostKeptDays))
      ->envname("PICTORY_KEEP_JOBS_DAYS")
      ->capture_default_str();
  app.add_option("--keep-request-ids-days", flags.keep_request_ids_days,
                 "Days that the request_id of a refused or never sent submit is remembered; no job "
                 "is kept for less")
      ->check(CLI::Range(kLeastRequestIdDays, kMostKeptDays))
      ->envname("PICTORY_KEEP_REQUEST_IDS_DAYS")
      ->capture_default_str();
}

void AddSandboxOptions(CLI::App& app, Common& common, std::string& key_file, std::string& listen,
                       std::string& state_dir, bool& no_ffmpeg, SandboxConfig& config) {
  AddCommon(app, common);
  app.add_option("--api-key-file", key_file,
                 "File whose first line is the one API key it takes; or set PICTORY_API_KEY")
      ->envname("PICTORY_API_KEY_FILE");
  app.add_option("--listen", listen, "host:port to serve on; port 0 is any")->capture_default_str();
  app.add_option("--state-dir", state_dir, "Keep its journal here; default: memory only");
  app.add_option("--speed", config.speed, "How much faster than life its jobs run")
      ->check(CLI::Range(0.01, 10000.0))
      ->capture_default_str();
  app.add_option("--seed", config.seed, "Seed of its ids and faults")->capture_default_str();
  app.add_option("--requests-per-second", config.requests_per_second, "Over it: 429")
      ->check(CLI::Range(0.01, 1e6))
      ->capture_default_str();
  app.add_flag("--no-ffmpeg", no_ffmpeg,
               "Always serve the built-in clip, even if ffmpeg could draw the story's own words");
  app.add_option("--client-id", config.client_id,
                 "With PICTORY_CLIENT_SECRET: the one pair that gets access tokens")
      ->envname("PICTORY_CLIENT_ID");
  app.add_option("--token-seconds", config.token_seconds, "How long an access token is good")
      ->check(CLI::Range(1, 86'400))
      ->capture_default_str();
  app.footer(
      "Pictory's API, all generations of it, under /pictoryapis; a front page under /; for tests\n"
      "/sandbox/faults (GET, POST, DELETE), /sandbox/journal and /sandbox/stats.\n"
      "Keys: the one of PICTORY_API_KEY or --api-key-file if given, else every pictai_... without\n"
      "'bad' in it. Tokens: POST /pictoryapis/v1/oauth2/token, for every pair without 'bad' in it\n"
      "unless one is given. Both are sent raw in Authorization; after 'Bearer' they are refused.\n"
      "A videoName with [fail], [fail-render], [no-credits], [stuck], [slow] or [no-video] in it\n"
      "goes wrong on purpose.");
}

// Fills what the raw texts say; the first thing that is wrong ends it.
absl::Status Complete(const GatewayFlags& flags, Config& config) {
  config.listen.clear();
  for (const std::string& text : flags.listen) {
    absl::StatusOr<Address> address = ParseAddress(text);
    if (!address.ok()) return absl::InvalidArgumentError("--listen: " + std::string(address.status().message()));
    config.listen.push_back(*address);
  }
  config.admin_listen.reset();
  if (flags.admin_listen != "off") {
    absl::StatusOr<Address> address = ParseAddress(flags.admin_listen);
    if (!address.ok()) {
      return absl::InvalidArgumentError("--admin-listen: " + std::string(address.status().message()));
    }
    config.admin_listen = *address;
  }
  config.state_dir = flags.state_dir.empty() ? DefaultStateDir() : std::filesystem::path(flags.state_dir);
  config.reflection = flags.reflection == "on";
  const auto seconds = [](double value) {
    return std::chrono::duration_cast<Duration>(std::chrono::duration<double>(value));
  };
  config.drain_delay = seconds(flags.drain_delay_seconds);
  config.drain_timeout = seconds(flags.drain_timeout_seconds);
  config.keyless_settle = seconds(flags.keyless_settle_seconds);
  config.retention.finished_kept = std::chrono::days(flags.keep_jobs_days);
  config.retention.request_ids_kept = std::chrono::days(flags.keep_request_ids_days);
  config.log_level = LevelOf(flags.common.log_level);
  config.log_format = FormatOf(flags.common.log_format);
  config.ready_file = flags.common.ready_file;
  if (absl::Status status = CompleteWebhooks(flags.webhooks, config); !status.ok()) return status;
  return CompletePictory(flags.pictory, config);
}

// Who may reach us, and whom we may pay.
absl::Status CheckTrust(Config& config) {
  bool reachable = config.admin_listen.has_value() && !config.admin_listen->IsLoopback();
  for (const Address& address : config.listen) reachable = reachable || !address.IsLoopback();
  if (const std::string missing = MissingCredentials(config); !config.sandbox && !missing.empty()) {
    // Whoever began to set credentials, or has a public address for Pictory, does not want the sandbox
    // instead.
    const bool none = config.auth == pictory::AuthMode::kKey && config.client_id.empty() &&
                      config.client_secret.empty() && config.webhook_url.empty();
    if (reachable || !none) return absl::InvalidArgumentError(missing);
    config.sandbox = config.sandbox_by_default = true;
  }
  if (reachable && !config.trust_network) {
    return absl::InvalidArgumentError(
        "a listener beyond this machine lets anybody there spend this Pictory account's money; bind "
        "127.0.0.1, or say --trust-network if only trusted callers can reach it");
  }
  return absl::OkStatus();
}

}  // namespace

Parsed ParseCommandLine(int argc, const char* const* argv) {
  CLI::App app(
      "gRPC gateway to Pictory's video jobs.\n"
      "Every option can also be set as PICTORY_… in the environment, or in a file given by --config.");
  app.name("pictory-gateway");
  app.set_version_flag("--version", VersionText());
  app.set_config("--config", "", "Read options from this file, one name=value a line")
      ->envname("PICTORY_CONFIG");
  app.config_formatter(std::make_shared<FileBelowEnvironment>(app));
  app.allow_config_extras(CLI::config_extras_mode::error);
  Config config;
  GatewayFlags flags;
  AddListeners(app, flags, config);
  AddUpstream(app, config);
  AddPictoryFlags(app, flags.pictory);
  AddWebhookFlags(app, flags.webhooks);
  AddGuards(app, flags, config);
  AddCommon(app, flags.common);

  SandboxConfig sandbox;
  Common sandbox_common;
  std::string sandbox_listen = sandbox.listen.ToString();
  std::string sandbox_state;
  std::string sandbox_key_file;
  bool no_ffmpeg = false;
  CLI::App* sandbox_command =
      app.add_subcommand("sandbox", "Run only the stand-in for Pictory's REST API");
  AddSandboxOptions(*sandbox_command, sandbox_common, sandbox_key_file, sandbox_listen, sandbox_state, no_ffmpeg,
                    sandbox);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    std::ostringstream out;
    std::ostringstream err;
    const int code = app.exit(error, out, err) == 0 ? 0 : kUsage;
    return {.gateway = {}, .sandbox = {}, .exit_code = code, .text = out.str() + err.str()};
  }

  if (*sandbox_command) {
    absl::StatusOr<Address> address = ParseAddress(sandbox_listen);
    if (!address.ok()) return Usage(address.status());
    absl::StatusOr<Secret> key =
        FindSecret("--api-key-file", sandbox_key_file, "PICTORY_API_KEY");
    if (!key.ok()) return Usage(key.status());
    sandbox.listen = *address;
    sandbox.api_key = *std::move(key);
    sandbox.client_secret = Secret(Environment("PICTORY_CLIENT_SECRET"));
    sandbox.state_dir = sandbox_state;
    sandbox.use_ffmpeg = !no_ffmpeg;
    sandbox.log_level = LevelOf(sandbox_common.log_level);
    sandbox.log_format = FormatOf(sandbox_common.log_format);
    sandbox.ready_file = sandbox_common.ready_file;
    return {.gateway = {}, .sandbox = std::move(sandbox), .exit_code = 0, .text = ""};
  }
  if (absl::Status status = Complete(flags, config); !status.ok()) return Usage(status);
  if (absl::Status status = CheckTrust(config); !status.ok()) return Usage(status);
  if (absl::Status status = CheckWebhooks(config); !status.ok()) return Usage(status);
  return {.gateway = std::move(config), .sandbox = {}, .exit_code = 0, .text = ""};
}

}  // namespace gateway::app
