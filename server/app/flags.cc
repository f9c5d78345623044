#include "app/flags.h"

#include <CLI/CLI.hpp>
#include <cstdint>
#include <limits>

#include "absl/strings/str_cat.h"
#include "app/number_check.h"
#include "base/limits.h"
#include "contract/paid_looks.h"

namespace gateway::app {
namespace {

constexpr int kLeastRequestIdDays = limits::kRequestIdKept / std::chrono::days(1);

void AddCommon(CLI::App& app, CommonFlags& common) {
  app.add_option("--log-level", common.log_level, "Least important lines to log")
      ->check(CLI::IsMember({"debug", "info", "warn", "error"}))
      ->envname("PICTORY_LOG_LEVEL")
      ->capture_default_str();
  app.add_option("--log-format", common.log_format, "auto is text on a terminal, else JSON lines")
      ->check(CLI::IsMember({"auto", "text", "json"}))
      ->envname("PICTORY_LOG_FORMAT")
      ->capture_default_str();
  app.add_option(
         "--ready-file", common.ready_file,
         "Write the addresses in use to this file once serving, as NAME=VALUE lines; it is gone "
         "again when the end begins")
      ->envname("PICTORY_READY_FILE");
}

void AddListeners(CLI::App& app, GatewayFlags& flags, Config& config) {
  app.add_option("--listen", flags.listen,
                 "gRPC listener: host:port, tls:host:port, mtls:host:port (callers must show a "
                 "certificate) or unix:/path; may be repeated; port 0 is any")
      ->envname("PICTORY_LISTEN")
      ->capture_default_str();
  app.add_option("--http-listen", flags.http_listen,
                 "Listener of the API as HTTP/JSON (server/docs/http.md), as for --listen; may be "
                 "repeated; default: none")
      ->envname("PICTORY_HTTP_LISTEN");
  app.add_option("--http-allow-origin", config.http_origins,
                 "Origin of pages in browsers that may call the HTTP listener, such as "
                 "https://app.example.com; all others are refused; may be repeated")
      ->envname("PICTORY_HTTP_ALLOW_ORIGIN");
  app.add_option("--tls-cert-file", config.tls_files.certificate,
                 "Certificate of the tls: and mtls: listeners and those between it and its "
                 "authority (PEM); this and the next two are read again when they change")
      ->envname("PICTORY_TLS_CERT_FILE");
  app.add_option("--tls-key-file", config.tls_files.key,
                 "Its private key (PEM), readable by its owner only")
      ->envname("PICTORY_TLS_KEY_FILE");
  app.add_option("--tls-client-ca-file", config.tls_files.client_ca,
                 "Authorities (PEM) one of which must vouch for a caller's certificate (mtls:)")
      ->envname("PICTORY_TLS_CLIENT_CA_FILE");
  app.add_option("--admin-listen", flags.admin_listen,
                 "HTTP listener for /metrics, /livez, /readyz; 'off' for none")
      ->envname("PICTORY_ADMIN_LISTEN")
      ->capture_default_str();
  app.add_option(
         "--allowed-host", config.allowed_hosts,
         "Name that a proxy sends as Host to the admin or webhook listener on loopback, or a "
         "caller to a plain HTTP listener, which else answer only to their address, localhost and "
         "the host of --webhook-url; may be repeated")
      ->envname("PICTORY_ALLOWED_HOST");
  app.add_flag("--trust-network", config.trust_network,
               "Allow listeners others can reach although callers are not identified")
      ->envname("PICTORY_TRUST_NETWORK");
  app.add_option(
         "--state-dir", flags.state_dir,
         "Where jobs are kept; default $STATE_DIRECTORY, else $XDG_STATE_HOME/pictory-gateway")
      ->envname("PICTORY_STATE_DIR");
  app.add_option("--store", flags.store,
                 "Keep jobs in PostgreSQL instead of --state-dir: postgres://USER@HOST/DATABASE, "
                 "or host=… dbname=… as libpq takes it, without a password")
      ->envname("PICTORY_STORE");
  app.add_option("--store-file", flags.store_file,
                 "The same from the first line of a file, readable by its owner only: a URL, "
                 "which may hold a password")
      ->envname("PICTORY_STORE_FILE");
  app.add_flag("--allow-core-dumps", config.allow_core_dumps,
               "Let a crash leave a core dump and other processes of this user look into the "
               "memory, which holds the secrets; to find a fault")
      ->envname("PICTORY_ALLOW_CORE_DUMPS");
  app.add_option("--reflection", flags.reflection, "Server reflection, which grpcurl needs")
      ->check(CLI::IsMember({"on", "off"}))
      ->envname("PICTORY_REFLECTION")
      ->capture_default_str();
  app.add_option(
         "--max-watches", config.max_watches,
         absl::StrCat("Streams of WatchJob and WatchJobs at once; default ", limits::kWatchesMax,
                      ", fewer where half of the memory limit does not hold as many"))
      ->check(Whole(1, 1'000'000))
      ->envname("PICTORY_MAX_WATCHES");
  app.add_option(
         "--max-health-watches", config.max_health_watches,
         "Watches of the health service at once, half of them from one address; each client that "
         "checks health holds one")
      ->check(Whole(2, 1'000'000))
      ->envname("PICTORY_MAX_HEALTH_WATCHES")
      ->capture_default_str();
  app.add_option("--memory-limit-mib", config.memory_limit_mib,
                 absl::StrCat("MiB this process should stay below: from three quarters on, or ",
                              limits::kMemoryShortHeadroom / limits::kMiB,
                              " MiB below it, requests that do not come at once are refused; "
                              "default: the container's "
                              "limit, or half of the machine's memory. Under load it needs ",
                              limits::kMemorySmallestMiB, " MiB"))
      ->check(Whole(limits::kMemoryLimitMinMiB, 16 * 1024 * 1024, "MiB"))
      ->envname("PICTORY_MEMORY_LIMIT_MIB");
  app.add_option("--max-streams-per-connection", config.max_streams_per_connection,
                 "Calls at once on one connection; the client queues further ones")
      ->check(Whole(1, 1'000'000))
      ->envname("PICTORY_MAX_STREAMS_PER_CONNECTION")
      ->capture_default_str();
  app.add_option("--drain-delay", flags.drain_delay_seconds,
                 "Seconds between 'not ready' and refusing calls on SIGTERM; for meshes")
      ->check(Decimal(0, 3600, "seconds"))
      ->envname("PICTORY_DRAIN_DELAY");
  app.add_option("--drain-timeout", flags.drain_timeout_seconds,
                 "Seconds that running calls and submits get to end on SIGTERM")
      ->check(Decimal(0.1, 3600, "seconds"))
      ->envname("PICTORY_DRAIN_TIMEOUT")
      ->capture_default_str();
}

void AddTracing(CLI::App& app, Config& config) {
  app.add_option("--otlp-endpoint", config.otlp_endpoint,
                 "Base URL of an OpenTelemetry collector that gets spans (OTLP/HTTP), such as "
                 "http://127.0.0.1:4318; https, or plain on loopback")
      ->envname("PICTORY_OTLP_ENDPOINT");
  app.add_flag("--send-traceparent", config.send_traceparent,
               "Tell Pictory in the header traceparent which trace a submit is in")
      ->envname("PICTORY_SEND_TRACEPARENT");
}

// Adds the options that say where Pictory is and how quickly it may be asked.
void AddPictory(CLI::App& app, Config& config) {
  app.add_option("--base-url", config.base_url, "Pictory's REST API")
      ->envname("PICTORY_BASE_URL")
      ->capture_default_str();
  app.add_option("--ca-file", config.ca_file, "CA certificates (PEM) instead of the system's")
      ->envname("PICTORY_CA_FILE");
  app.add_option(
         "--proxy", config.proxy,
         "Proxy URL for calls to Pictory; the proxy variables of the environment are ignored")
      ->envname("PICTORY_PROXY");
  app.add_option(
         "--requests-per-second", config.requests_per_second,
         "Budget of the Pictory account, polls and submits together; default 5 (sandbox 2000)")
      ->check(Decimal(0.01, 1e6))
      ->envname("PICTORY_REQUESTS_PER_SECOND");
  app.add_option("--burst", config.burst, "Requests at once beyond that; default 10 (sandbox 2000)")
      ->check(Decimal(1, 1e6))
      ->envname("PICTORY_BURST");
}

void AddUpstream(CLI::App& app, Config& config) {
  app.add_flag("--sandbox", config.sandbox,
               "Use the built-in stand-in for Pictory instead of Pictory; nothing is billed")
      ->envname("PICTORY_SANDBOX");
  app.add_option(
         "--sandbox-port", config.sandbox_port,
         "Port of the sandbox on 127.0.0.1; 0 is any free one, the same again after a restart")
      ->check(Whole(0, 65'535))
      ->envname("PICTORY_SANDBOX_PORT");
  app.add_option("--sandbox-speed", config.sandbox_speed, "How much faster than life its jobs run")
      ->check(Decimal(0.01, 10'000))
      ->envname("PICTORY_SANDBOX_SPEED")
      ->capture_default_str();
  app.add_option("--upstream-engines", config.upstream_engines, "Threads for calls to Pictory")
      ->check(Whole(1, 64))
      ->envname("PICTORY_UPSTREAM_ENGINES")
      ->capture_default_str();
  app.add_option("--max-polls-in-flight", config.max_polls_in_flight,
                 "Polls under way at once, and connections for them")
      ->check(Whole(64, 10'000))  // each engine needs one
      ->envname("PICTORY_MAX_POLLS_IN_FLIGHT")
      ->capture_default_str();
  app.add_option("--max-job-reply-mib", config.max_job_reply_mib,
                 "MiB that Pictory's answer about one job may have; two such are held at a time")
      ->check(Whole(1, limits::kJobReplyMostMiB, "MiB"))
      ->envname("PICTORY_MAX_JOB_REPLY_MIB")
      ->capture_default_str();
}

void AddCallers(CLI::App& app, GatewayFlags& flags, Config& config) {
  app.add_option("--tenants", config.tenants_file,
                 "File that says who may call: tenants with their keys, roles and limits, and "
                 "Pictory accounts; read again when it changes. Without it everybody may")
      ->envname("PICTORY_TENANTS");
  app.add_flag("--callers-pay", config.callers_pay,
               "Callers show Pictory keys of their own (metadata pictory-api-key), and jobs are "
               "made with those; keys are kept in memory only. With --tenants the file says so, "
               "tenant by tenant")
      ->envname("PICTORY_CALLERS_PAY");
  app.add_option("--trusted-proxies", flags.trusted_proxies,
                 "Proxies whose word about a caller counts: addresses and networks, or 'unix' for "
                 "unix sockets, with commas between them")
      ->envname("PICTORY_TRUSTED_PROXIES");
  app.add_flag("--trust-xfcc", config.trust.xfcc,
               "What these proxies say of certificates in x-forwarded-client-cert counts; only "
               "its last element does")
      ->envname("PICTORY_TRUST_XFCC");
  app.add_option("--tenant-header", flags.tenant_header,
                 "The header in which these proxies name a caller, such as x-tenant; they must "
                 "remove it from what callers send")
      ->envname("PICTORY_TENANT_HEADER");
}

// Adds the options that guard money and memory.
void AddGuards(CLI::App& app, GatewayFlags& flags, Config& config) {
  app.add_flag(
         "--require-request-id", config.require_request_id,
         "Refuse submits without a request_id, which alone makes repeating one safe at any time")
      ->envname("PICTORY_REQUIRE_REQUEST_ID");
  app.add_option(
         "--keyless-settle", flags.keyless_settle_seconds,
         "Seconds in which a submit without a request_id that equals the one before is taken "
         "for its repetition, unless somebody has asked for that job meanwhile")
      ->check(
          Decimal(0, std::chrono::duration<double>(limits::kKeylessSettleMax).count(), "seconds"))
      ->envname("PICTORY_KEYLESS_SETTLE")
      ->capture_default_str();
  const auto spending = [&app](const char* name, int& limit, const char* help,
                               const char* variable) {
    app.add_option(name, limit, help)
        ->check(Whole(0, limits::kSpendingLimitMax))
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
      ->check(Whole(kLeastRequestIdDays, limits::kKeptMostDays, "days"))
      ->envname("PICTORY_KEEP_JOBS_DAYS")
      ->capture_default_str();
  app.add_option("--keep-request-ids-days", flags.keep_request_ids_days,
                 "Days that the request_id of a refused or never sent submit is remembered; no job "
                 "is kept for less")
      ->check(Whole(kLeastRequestIdDays, limits::kKeptMostDays, "days"))
      ->envname("PICTORY_KEEP_REQUEST_IDS_DAYS")
      ->capture_default_str();
}

void AddArchive(CLI::App& app, ArchiveSettings& archive) {
  app.add_option("--archive-dir", archive.directory,
                 "Keep the files of finished results (videos, pictures, subtitles) in this "
                 "directory, which must be there: Pictory removes them after a time that it does "
                 "not publish. Without it they are not kept")
      ->envname("PICTORY_ARCHIVE_DIR");
  const auto mib = [&app](const char* name, std::int64_t& value, std::int64_t least,
                          const char* help, const char* variable) {
    app.add_option(name, value, help)
        ->check(Whole(least, limits::kArchiveMostMiB, "MiB"))
        ->envname(variable)
        ->capture_default_str();
  };
  mib("--archive-max-mib", archive.max_mib, 1,
      "MiB that the archive may have on disk; what does not fit waits for room",
      "PICTORY_ARCHIVE_MAX_MIB");
  mib("--archive-max-file-mib", archive.max_file_mib, 1,
      "MiB that one file may have; a larger one is not archived", "PICTORY_ARCHIVE_MAX_FILE_MIB");
  mib("--archive-min-free-mib", archive.min_free_mib, 0,
      "MiB that stay free on the archive's disk, for whoever else writes there",
      "PICTORY_ARCHIVE_MIN_FREE_MIB");
  mib("--archive-mib-per-second", archive.mib_per_second, 0,
      "MiB a second that are fetched for it; 0 is no limit", "PICTORY_ARCHIVE_MIB_PER_SECOND");
  app.add_option("--archive-transfers", archive.transfers,
                 "Jobs whose files are fetched at once, one file of each")
      ->check(Whole(1, limits::kArchiveTransfersMost))
      ->envname("PICTORY_ARCHIVE_TRANSFERS")
      ->capture_default_str();
}

}  // namespace

void AddGatewayOptions(CLI::App& app, GatewayFlags& flags, Config& config) {
  app.add_option("--config", flags.config_file,
                 "Read options from this file, one name=value a line")
      ->envname("PICTORY_CONFIG")
      ->configurable(false);
  app.add_flag("--check-settings", flags.check_settings,
               "Only say whether the settings are right, with the files that they name: config, "
               "secrets, certificates, tenants; starts nothing, and exits with 0 or 2")
      ->configurable(false);
  AddListeners(app, flags, config);
  AddCallers(app, flags, config);
  AddUpstream(app, config);
  AddPictory(app, config);
  AddTracing(app, config);
  AddCredentialFlags(app, flags.pictory);
  AddVersionFlags(app, flags.pictory);
  AddWebhookFlags(app, flags.webhooks);
  AddNotifyFlags(app, flags.notify);
  AddGuards(app, flags, config);
  AddArchive(app, config.archive);
  AddCommon(app, flags.common);
  app.footer(
      "SIGTERM ends it in order: calls under way have --drain-timeout. A second one ends it at "
      "once.\n"
      "SIGHUP reads the files of secrets, certificates and --tenants again, which is also done "
      "when\n"
      "they change.\n"
      "\n"
      "Exit status:\n"
      "  0    it was ended in order\n"
      "  1    it could not serve: it did not start, or its store failed\n"
      "  2    wrong usage; stderr has a line for each fault\n"
      "  70   an orderly end took longer than it may\n"
      "  71   it did not answer its own calls\n"
      "  72   a second signal asked for the end\n"
      "\n"
      "Examples:\n"
      "  pictory-gateway --sandbox\n"
      "  pictory-gateway --config /etc/pictory-gateway.conf\n"
      "  pictory-gateway --api-key-file /etc/pictory.key --state-dir /var/lib/pictory-gateway");
}

void AddSandboxOptions(CLI::App& app, SandboxFlags& flags, SandboxConfig& config) {
  AddCommon(app, flags.common);
  app.add_option("--api-key-file", flags.api_key_file,
                 "File whose first line is the one API key it takes; or set PICTORY_API_KEY")
      ->envname("PICTORY_API_KEY_FILE");
  app.add_option("--listen", flags.listen, "host:port to serve on; port 0 is any")
      ->capture_default_str();
  app.add_option("--state-dir", flags.state_dir, "Keep its journal here; default: memory only");
  app.add_flag(
      "--tls", config.tls,
      "Serve over https, and link to it: an authority of its own is made and kept in "
      "tls/ca.pem of --state-dir, which clients are to trust (curl --cacert, the gateway's "
      "--ca-file)");
  app.add_option("--tls-name", config.tls_names,
                 "Name or address that the certificate is for, besides localhost, 127.0.0.1, ::1 "
                 "and that of --listen; may be repeated");
  app.add_option("--speed", config.speed, "How much faster than life its jobs run")
      ->check(Decimal(0.01, 10'000))
      ->capture_default_str();
  app.add_option("--seed", config.seed, "Seed of its ids and faults")
      ->check(Whole(0, std::numeric_limits<std::int64_t>::max()))
      ->capture_default_str();
  app.add_option("--requests-per-second", config.requests_per_second, "Over it: 429")
      ->check(Decimal(0.01, 1e6))
      ->capture_default_str();
  app.add_flag("--no-ffmpeg", flags.no_ffmpeg,
               "Always serve the built-in clip, even if ffmpeg could draw the story's own words");
  app.add_option("--client-id", config.client_id,
                 "With PICTORY_CLIENT_SECRET: the one pair that gets access tokens")
      ->envname("PICTORY_CLIENT_ID");
  app.add_option("--token-seconds", config.token_seconds, "How long an access token is good")
      ->check(Whole(1, 86'400, "seconds"))
      ->capture_default_str();
  app.footer(
      "Pictory's API, all generations of it, under /pictoryapis; a front page under /; for tests\n"
      "/sandbox/faults (GET, POST, DELETE), /sandbox/journal and /sandbox/stats.\n"
      "Keys: the one of PICTORY_API_KEY or --api-key-file if given, else every pictai_... without\n"
      "'bad' in it. Tokens: POST /pictoryapis/v1/oauth2/token, for every pair without 'bad' in it\n"
      "unless one is given. Both are sent raw in Authorization; 'Bearer' may stand before a "
      "token.\n"
      "A job goes wrong on purpose with one of these in its videoName, or in the URL of a file to\n"
      "transcribe, or in a prompt: sandbox-fail, sandbox-fail-object, sandbox-fail-list,\n"
      "sandbox-fail-text, sandbox-fail-silent, sandbox-fail-render, sandbox-fail-summary,\n"
      "sandbox-no-credits, sandbox-stuck, sandbox-slow, sandbox-no-video, sandbox-minutes-600\n"
      "(server/docs/sandbox.md says how).");
}

void AddContractOptions(CLI::App& app, ContractFlags& flags, ContractConfig& config) {
  app.add_flag("--live", flags.live,
               "Ask the service at --base-url; without --spend only what costs nothing and changes "
               "nothing");
  app.add_option(
         "--spend", config.spend,
         absl::StrCat(
             "Pay for one job of each kind too, as far as this goes: ", contract::PriceOfAll(),
             " for all, where a video counts 8, its AI credits, and any other job 1"))
      ->check(Whole(1, limits::kContractSpendMax));
  app.add_option("--media-url", config.media_url,
                 "With --spend: what is transcribed; default: the video that it has rendered");
  app.add_flag("--json", config.json, "The report as JSON");
  app.add_option("--poll-seconds", flags.poll_seconds, "Seconds between two looks at a paid job")
      ->check(Decimal(0.01, 600, "seconds"))
      ->capture_default_str();
  app.add_option("--state-dir", flags.state_dir,
                 "Where it notes what it pays for, until it has ended; default as the gateway's")
      ->envname("PICTORY_STATE_DIR");
  AddPictory(app, config.account);
  AddCredentialFlags(app, flags.pictory);
  app.footer(
      "Tries what the gateway relies on at Pictory (server/pictory/API.md) and tells which of it\n"
      "holds. The report has no key, token, URL, address or id of the account, but the ids of the\n"
      "jobs that it has paid for. A run that was killed is not paid for twice: the next one goes "
      "on\n"
      "with its jobs.\n"
      "Exit codes: 0 all that could be tried holds, 1 some does not, 2 wrong usage, or Pictory "
      "was\n"
      "not reached or takes no such credentials.");
}

}  // namespace gateway::app
