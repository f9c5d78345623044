#include "app/complete.h"

#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <map>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "app/accounts.h"
#include "app/pictory_flags.h"
#include "app/postgres_store.h"
#include "app/secret_file.h"
#include "app/webhooks.h"
#include "archive/disk.h"
#include "base/errors.h"
#include "base/host_port.h"
#include "face/web_guard.h"

namespace gateway::app {
namespace {

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

// Reads what the listeners need for TLS. What is given and not used is refused: whoever names
// authorities believes that callers are asked for certificates.
absl::Status CompleteTls(Config& config) {
  const auto wrong = [](const char* why) { return absl::InvalidArgumentError(why); };
  bool tls = false;
  bool mutual = false;
  for (const ListenAddress& listen : config.AllListeners()) {
    tls = tls || listen.security != rpc::Security::kPlain;
    mutual = mutual || listen.security == rpc::Security::kMutualTls;
  }
  const TlsFiles& files = config.tls_files;
  if (tls && files.certificate.empty()) {
    return wrong("--tls-cert-file: a listener with TLS needs a certificate; name its file");
  }
  if (tls && files.key.empty()) {
    return wrong("--tls-key-file: the certificate needs its private key; name its file");
  }
  if (mutual && files.client_ca.empty()) {
    return wrong(
        "--tls-client-ca-file: an mtls: listener needs the authorities of its callers' "
        "certificates; name their file");
  }
  if (!tls && !files.certificate.empty()) {
    return wrong("--tls-cert-file: no listener has TLS; write --listen tls:… or mtls:…");
  }
  if (!tls && !files.key.empty()) {
    return wrong("--tls-key-file: no listener has TLS; write --listen tls:… or mtls:…");
  }
  if (!mutual && !files.client_ca.empty()) {
    return wrong(
        "--tls-client-ca-file: no listener asks callers for a certificate; write --listen mtls:…");
  }
  if (!tls) return absl::OkStatus();
  absl::StatusOr<TlsRead> read = ReadTlsFiles(files);
  if (!read.ok()) return read.status();
  config.tls = *std::move(read);
  return absl::OkStatus();
}

absl::Status Wrong(const char* flag, const absl::Status& why) {
  return absl::InvalidArgumentError(absl::StrCat(flag, ": ", std::string(why.message())));
}

absl::StatusOr<std::string> HeaderName(const std::string& text) {
  const std::string name = absl::AsciiStrToLower(text);
  const bool plain = std::all_of(name.begin(), name.end(), [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '-' || c == '_' || c == '.';
  });
  const bool taken = name.starts_with("grpc-") || name.ends_with("-bin") ||
                     name == tenants::kAuthorizationHeader || name == tenants::kXfccHeader;
  if (plain && !taken) return name;
  return absl::InvalidArgumentError(
      absl::StrCat("'", name.substr(0, limits::kSettingShownMaxBytes),
                   "' cannot name a tenant; take a header of your own, such as x-tenant"));
}

// Reads who may call, and whose word about callers counts.
absl::Status CompleteCallers(const GatewayFlags& flags, Config& config) {
  const bool words = config.trust.xfcc || !flags.tenant_header.empty();
  const char* const asks = config.trust.xfcc ? "--trust-xfcc" : "--tenant-header";
  if (!config.tenants_file.empty() && config.callers_pay) {
    return absl::InvalidArgumentError(
        "--callers-pay: is for a gateway without --tenants; write callers_pay = true for each "
        "tenant whose callers pay");
  }
  if (!config.tenants_file.empty() && !flags.notify.empty()) {
    return absl::InvalidArgumentError(
        "--notify-url: this and its like are for a gateway without --tenants; write a table "
        "[tenants.NAME.notify] for each tenant");
  }
  if (config.tenants_file.empty()) {
    absl::StatusOr<tenants::NotifyRules> notify = ReadNotifyFlags(flags.notify);
    if (!notify.ok()) return notify.status();
    config.tenants.directory =
        tenants::Directory::OfDefault(config.callers_pay, *std::move(notify));
    if (!words && flags.trusted_proxies.empty()) return absl::OkStatus();
    return absl::InvalidArgumentError(
        absl::StrCat(words ? asks : "--trusted-proxies",
                     ": needs --tenants, the file that says who the callers are"));
  }
  if (words && flags.trusted_proxies.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat(asks, ": needs --trusted-proxies, or everybody could say who they are"));
  }
  if (!words && !flags.trusted_proxies.empty()) {
    return absl::InvalidArgumentError(
        "--trusted-proxies: has no use without --trust-xfcc or --tenant-header");
  }
  absl::StatusOr<TenantsRead> read = ReadTenants(config.tenants_file);
  if (!read.ok()) return Wrong("--tenants", read.status());
  config.tenants = *std::move(read);
  if (!words) return absl::OkStatus();
  absl::StatusOr<tenants::TrustedProxies> proxies =
      tenants::TrustedProxies::Parse(flags.trusted_proxies);
  if (!proxies.ok()) return Wrong("--trusted-proxies", proxies.status());
  config.trust.proxies = *std::move(proxies);
  absl::StatusOr<std::string> header = HeaderName(flags.tenant_header);
  if (!header.ok()) return Wrong("--tenant-header", header.status());
  config.trust.tenant_header = *std::move(header);
  return absl::OkStatus();
}

absl::Status ReadListeners(const char* flag, const std::vector<std::string>& texts,
                           std::vector<ListenAddress>& listeners) {
  listeners.clear();
  for (const std::string& text : texts) {
    absl::StatusOr<ListenAddress> listen = ParseListenAddress(text);
    if (!listen.ok()) return Wrong(flag, listen.status());
    listeners.push_back(*std::move(listen));
  }
  return absl::OkStatus();
}

// Fills in what the raw texts say. The first thing that is wrong ends it.
absl::Status FillFrom(const GatewayFlags& flags, const Variables& variables, Config& config) {
  absl::Status listened = ReadListeners("--listen", flags.listen, config.listen);
  listened.Update(ReadListeners("--http-listen", flags.http_listen, config.http_listen));
  if (!listened.ok()) return listened;
  for (const std::string& origin : config.http_origins) {
    if (face::IsOrigin(origin)) continue;
    return absl::InvalidArgumentError(
        absl::StrCat("--http-allow-origin: '", errors::Clean(origin),
                     "' is not an origin as browsers send it: scheme://host or "
                     "scheme://host:port in small letters, without a path"));
  }
  if (!config.http_origins.empty() && config.http_listen.empty()) {
    return absl::InvalidArgumentError("--http-allow-origin: has no use without --http-listen");
  }
  if (absl::Status status = CompleteTls(config); !status.ok()) return status;
  config.admin_listen.reset();
  if (flags.admin_listen != "off") {
    absl::StatusOr<Address> address = ParseAddress(flags.admin_listen);
    if (!address.ok()) {
      return absl::InvalidArgumentError("--admin-listen: " +
                                        std::string(address.status().message()));
    }
    config.admin_listen = *address;
  }
  config.state_dir =
      flags.state_dir.empty() ? DefaultStateDir() : std::filesystem::path(flags.state_dir);
  if (absl::Status status = CompleteStore(flags.store, flags.store_file, config); !status.ok()) {
    return status;
  }
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
  for (const std::string& host : config.allowed_hosts) {
    if (ParseHostPort(host + ":0").ok()) continue;
    return absl::InvalidArgumentError(absl::StrCat("--allowed-host: '", errors::Clean(host),
                                                   "' is not a host's name; no port goes with it"));
  }
  if (absl::Status status = CompleteCallers(flags, config); !status.ok()) return status;
  if (absl::Status status = CompleteWebhooks(flags.webhooks, config); !status.ok()) return status;
  return CompletePictory(flags.pictory, variables, config);
}

// Checks who may reach the gateway, and whom it may pay.
absl::Status CheckTrust(Config& config) {
  const bool admin = config.admin_listen.has_value() && !config.admin_listen->IsLoopback();
  const tenants::Tenants& document = config.tenants.directory->tenants();
  const bool identities = document.identities;
  bool reachable = admin;  // by others
  bool open = admin;       // to all of them
  for (const ListenAddress& listen : config.AllListeners()) {
    reachable = reachable || !listen.IsLocal();
    // Callers prove who they are, and nobody between can take that from them.
    const bool proven = listen.security == rpc::Security::kMutualTls ||
                        (listen.security == rpc::Security::kTls && identities);
    open = open || (!listen.IsLocal() && !proven);
  }
  const bool needed = UsesFlags(document);
  if (const std::string missing = MissingCredentials(config);
      needed && !config.sandbox && !missing.empty()) {
    // An operator who has begun to set credentials, or has given a public address for Pictory, does
    // not want the sandbox instead.
    const bool none = config.auth == pictory::AuthMode::kKey && config.client_id.empty() &&
                      config.client_secret.empty() && config.webhook_url.empty() &&
                      document.accounts.empty();
    if (reachable || !none) return absl::InvalidArgumentError(missing);
    config.sandbox = config.sandbox_by_default = true;
  }
  if (open && !config.trust_network) {
    return absl::InvalidArgumentError(
        "a listener beyond this machine lets anybody there spend this Pictory account's money; "
        "bind 127.0.0.1, let callers prove who they are (--listen mtls:…, or tls:… with "
        "--tenants), or say --trust-network "
        "if only trusted callers can reach it");
  }
  return absl::OkStatus();
}

// Checks the archive's directory, so that one that is not there is a wrong setting, and no reason
// to try again. What may pass is told at the start.
absl::Status CheckArchive(const std::string& directory) {
  if (directory.empty()) return absl::OkStatus();
  const absl::Status fit = archive::Disk::CheckDirectory(directory);
  return absl::IsFailedPrecondition(fit) ? fit : absl::OkStatus();
}

}  // namespace

absl::Status CompleteGateway(const GatewayFlags& flags, const Variables& variables,
                             Config& config) {
  if (absl::Status status = FillFrom(flags, variables, config); !status.ok()) return status;
  if (absl::Status status = CheckTrust(config); !status.ok()) return status;
  absl::Status notify = CheckNotify(config.tenants.directory->tenants(), config.sandbox);
  if (!notify.ok()) return notify;
  if (absl::Status archive = CheckArchive(config.archive.directory); !archive.ok()) return archive;
  return CheckWebhooks(config);
}

absl::Status CompleteSandbox(const SandboxFlags& flags, const Variables& variables,
                             SandboxConfig& config) {
  absl::StatusOr<Address> address = ParseAddress(flags.listen);
  if (!address.ok()) {
    return absl::InvalidArgumentError("--listen: " + std::string(address.status().message()));
  }
  config.listen = *address;
  if (config.tls && flags.state_dir.empty()) {
    return absl::InvalidArgumentError("--tls: needs --state-dir, where its authority is kept");
  }
  if (!config.tls && !config.tls_names.empty()) {
    return absl::InvalidArgumentError("--tls-name: has no use without --tls");
  }
  for (const std::string& name : config.tls_names) {
    const bool v6 = name.find(':') != std::string::npos;
    if (ParseHostPort(v6 ? "[" + name + "]:0" : name + ":0").ok()) continue;
    return absl::InvalidArgumentError(absl::StrCat("--tls-name: '", errors::Clean(name),
                                                   "' is neither a host's name nor an address"));
  }
  absl::StatusOr<Secret> key = FindSecret(kApiKey, flags.api_key_file, variables);
  if (!key.ok()) return key.status();
  config.api_key = *std::move(key);
  absl::StatusOr<Secret> secret = FindSecret(kClientSecret, "", variables);
  if (!secret.ok()) return secret.status();
  config.client_secret = *std::move(secret);
  config.state_dir = flags.state_dir;
  config.use_ffmpeg = !flags.no_ffmpeg;
  config.log_level = LevelOf(flags.common.log_level);
  config.log_format = FormatOf(flags.common.log_format);
  config.ready_file = flags.common.ready_file;
  return absl::OkStatus();
}

absl::Status CompleteContract(const ContractFlags& flags, const Variables& variables,
                              ContractConfig& config) {
  if (!flags.live) {
    return absl::InvalidArgumentError(
        "contract asks Pictory itself; say --live, which costs nothing without --spend");
  }
  if (absl::Status status = CompletePictory(flags.pictory, variables, config.account);
      !status.ok()) {
    return status;
  }
  if (const std::string missing = MissingCredentials(config.account); !missing.empty()) {
    return absl::InvalidArgumentError(missing);
  }
  config.state_dir =
      flags.state_dir.empty() ? DefaultStateDir() : std::filesystem::path(flags.state_dir);
  config.poll_every =
      std::chrono::duration_cast<Duration>(std::chrono::duration<double>(flags.poll_seconds));
  return absl::OkStatus();
}

}  // namespace gateway::app
