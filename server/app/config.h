// A Config holds everything that an operator can set. Each setting comes from its flag, else from
// its PICTORY_… variable, else from the config file, else it is the default. Secrets come from
// files and the environment only.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "app/address.h"
#include "app/given.h"
#include "app/mcp.h"
#include "app/probe.h"
#include "app/secret_file.h"
#include "app/store_copy.h"
#include "app/tenants_watch.h"
#include "app/tls_files.h"
#include "base/clock.h"
#include "base/limits.h"
#include "base/secret.h"
#include "jobs/retention.h"
#include "jobs/schedule.h"
#include "jobs/spending.h"
#include "obs/log.h"
#include "pictory/credentials.h"
#include "pictory/jobs/v1/annotations.pb.h"
#include "pictory/jobs/v1/job.pb.h"
#include "tenants/identify.h"

namespace gateway::app {

// Where the files of results are kept, and how many of them.
struct ArchiveSettings {
  std::string directory;  // empty: they are not
  std::int64_t max_mib = limits::kArchiveMaxMiB;
  std::int64_t max_file_mib = limits::kArchiveFileMaxMiB;
  std::int64_t min_free_mib = limits::kArchiveMinFreeMiB;
  int transfers = limits::kArchiveTransfers;
  std::int64_t mib_per_second = limits::kArchiveMiBPerSecond;  // 0: no limit
};

// `pictory-gateway`
struct Config {
  std::vector<ListenAddress> listen = {{.address = {"127.0.0.1", 50051}}};
  std::vector<ListenAddress> http_listen;  // of the API as HTTP/JSON
  std::vector<std::string> http_origins;   // of pages that may call it
  TlsFiles tls_files;
  std::optional<TlsRead> tls;  // what they say; unset if no listener needs it
  // Both kinds.
  std::vector<ListenAddress> AllListeners() const;
  std::optional<Address> admin_listen = Address{"127.0.0.1", 8081};
  bool trust_network = false;
  bool allow_core_dumps = false;
  std::filesystem::path state_dir;  // never empty after Parse
  Secret store;  // where PostgreSQL is that keeps the jobs; empty: they are in state_dir

  // Who may call.
  std::string tenants_file;  // empty: everybody, as the tenant `default`
  TenantsRead tenants{.directory = tenants::Directory::OfDefault()};  // what it says
  tenants::TrustRules trust;
  bool callers_pay = false;  // everybody with a Pictory key of their own; without a tenants_file

  // Pictory.
  bool sandbox = false;
  bool sandbox_by_default = false;  // chosen because there were no credentials
  pictory::AuthMode auth = pictory::AuthMode::kKey;
  Secret api_key;            // kKey
  std::string client_id;     // kOAuth
  Secret client_secret;      // kOAuth
  SecretOrigin secret_file;  // where that one of them came from; no path: from a variable
  std::string user_id;       // kOAuth; empty for accounts that need none
  // Which API version's paths each kind of job uses; v2 where a kind is missing.
  std::map<::pictory::jobs::v1::JobKind, ::pictory::jobs::v1::PathVersion> api_versions;
  std::string base_url = "https://api.pictory.ai/pictoryapis";
  std::string ca_file;
  std::string proxy;
  int upstream_engines = 1;
  int max_polls_in_flight = limits::kPollsInFlightMax;
  int max_job_reply_mib = limits::kJobReplyMaxMiB;
  double requests_per_second = 0;  // 0: limits::kBudgetPerSecond, or the sandbox's
  double burst = 0;                // 0: limits::kBudgetBurst, or twice the sandbox's rate
  // How often jobs are polled. Unset: as Pictory's pace needs, or quicker for the sandbox. There is
  // no flag for it, because the budget is what operators know of their account; tests with a
  // stand-in for Pictory set it, because they cannot wait as long as real renders take.
  std::optional<jobs::PollCurve> poll_curve;

  // Where Pictory's webhook calls arrive when a job ends. Without a listener Pictory is not asked
  // for them. An empty URL is the listener's own, plain and on loopback.
  std::optional<Address> webhook_listen;
  std::string webhook_url;
  // Names under which the plain HTTP listeners, and the admin and webhook listeners on loopback,
  // are addressed, besides localhost and the host of webhook_url.
  std::vector<std::string> allowed_hosts;
  // If true, jobs and what was paid are forgotten with the process. There is no flag for it: only
  // benches have a use for it, to show what durability costs.
  bool memory_store = false;

  // Money and memory.
  bool require_request_id = false;
  Duration keyless_settle = limits::kKeylessSettle;
  jobs::SpendingLimits spending;
  jobs::RetentionOptions retention;

  ArchiveSettings archive;

  // The embedded sandbox.
  std::uint16_t sandbox_port = 0;
  double sandbox_speed = 1;

  // Calls.
  bool reflection = true;
  int max_watches = 0;  // 0: as many as the memory allows
  int max_health_watches = limits::kHealthWatchesMax;
  int memory_limit_mib = 0;  // 0: the container's
  int max_streams_per_connection = limits::kConcurrentStreamsMax;
  Duration drain_delay = Duration::zero();
  Duration drain_timeout = limits::kDrainDeadline;

  // Where spans go: a collector's base URL. Empty: nowhere, and none are made.
  std::string otlp_endpoint;
  bool send_traceparent = false;  // with submits to Pictory

  obs::Level log_level = obs::Level::kInfo;
  obs::LogFormat log_format = obs::LogFormat::kText;
  // Where to write the addresses that are listened on, once ready: for scripts that ask for port 0.
  std::filesystem::path ready_file;
  GivenSettings given;
};

// `pictory-gateway sandbox`
struct SandboxConfig {
  Address listen = {"127.0.0.1", 8090};
  std::filesystem::path state_dir;  // empty: memory only
  double speed = 1;
  std::uint64_t seed = 1;
  double requests_per_second = limits::kSandboxBudgetPerSecond;
  // The API key that callers must show; empty: any key without "bad" in it.
  Secret api_key;
  std::string client_id;
  Secret client_secret;
  int token_seconds = 3600;
  bool use_ffmpeg = true;
  bool tls = false;
  std::vector<std::string> tls_names;
  obs::Level log_level = obs::Level::kInfo;
  obs::LogFormat log_format = obs::LogFormat::kText;
  std::filesystem::path ready_file;
  GivenSettings given;
};

// `pictory-gateway contract`
struct ContractConfig {
  Config account;  // where Pictory is, and the credentials; nothing else of it counts
  int spend = 0;   // 0: nothing
  std::string media_url;
  bool json = false;
  Duration poll_every = limits::kContractPollEvery;
  std::filesystem::path state_dir;
};

struct Parsed {
  std::optional<Config> gateway;
  std::optional<Config> check;  // the same, only to be checked
  std::optional<SandboxConfig> sandbox;
  std::optional<ContractConfig> contract;
  std::optional<ProbeFlags> probe;
  std::optional<McpFlags> mcp;
  std::optional<StoreCopyFlags> store_copy;
  // No command is to run: the program prints `text` (to stderr if exit_code is not 0) and
  // leaves.
  int exit_code = 0;
  std::string text;
};

// Reads argv, the environment and files; has no other effect.
Parsed ParseCommandLine(int argc, const char* const* argv);

}  // namespace gateway::app
