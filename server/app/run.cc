#include "app/run.h"

#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "app/ending_signals.h"
#include "app/exit_codes.h"
#include "app/gateway.h"
#include "app/given.h"
#include "app/observe.h"
#include "app/process.h"
#include "app/service_notices.h"
#include "app/watchdog.h"
#include "base/limits.h"
#include "base/memory.h"
#include "base/mutex.h"
#include "base/own_file.h"
#include "obs/log.h"
#include "rpc/library_log.h"
#include "sandbox/sandbox.h"

namespace gateway::app {
namespace {

using obs::Level;
using obs::Log;

using Lines = std::vector<std::pair<std::string, std::string>>;

// The file is written beside its place and renamed, so that whoever waits for it reads all of it.
// It may be in a directory that others may write to, such as /tmp: no link of theirs is followed.
absl::Status WriteReadyFile(const std::filesystem::path& path, const Lines& lines) {
  if (path.empty()) return absl::OkStatus();
  const std::filesystem::path beside = path.string() + ".part";
  {
    std::string text;
    for (const auto& [name, value] : lines) absl::StrAppend(&text, name, "=", value, "\n");
    const absl::StatusOr<int> file = CreateOwnFile(beside.string());
    if (!file.ok()) {
      return absl::InternalError(absl::StrCat("--ready-file: ", file.status().message()));
    }
    const bool written = fchmod(*file, 0644) == 0 && write(*file, text.data(), text.size()) ==
                                                         static_cast<ssize_t>(text.size());
    close(*file);
    if (!written) return absl::InternalError("--ready-file: cannot write " + path.string());
  }
  std::error_code failed;
  std::filesystem::rename(beside, path, failed);
  if (failed) {
    return absl::InternalError("--ready-file: cannot write " + path.string() + ": " +
                               failed.message());
  }
  return absl::OkStatus();
}

// Removes the ready file, which is there only while the program serves: neither after a start that
// failed, nor while the program ends. One that a killed program left behind goes at the next start.
void RemoveReadyFile(const std::filesystem::path& path) {
  std::error_code ignored;
  if (!path.empty() && std::filesystem::is_regular_file(path, ignored)) {
    std::filesystem::remove(path, ignored);
  }
}

// What settings name is looked at when it is needed, so that some of them show only here that they
// are wrong. All that say so are InvalidArgument.
int CannotServe(const absl::Status& status) {
  Log(Level::kError, "cannot_start", {{"reason", std::string(status.message())}});
  obs::StopLog();
  return absl::IsInvalidArgument(status) ? kWrongSettings : kCannotServe;
}

}  // namespace

int RunGateway(const Config& config) {
  if (!config.allow_core_dumps) HardenProcess();
  ForgetSecretVariables();
  const absl::StatusOr<ServiceNotices> notices = ServiceNotices::FromEnvironment();
  SignalWaiter signals;  // before any thread: threads inherit the blocked signals
  obs::StartLog(config.log_level, config.log_format);
  if (!notices.ok()) return CannotServe(notices.status());
  if (config.allow_core_dumps) {
    Log(Level::kWarn, "core_dumps_allowed",
        {{"advice", "a core dump holds the secrets; remove --allow-core-dumps once it is made"}});
  }
  LogGiven(config.given);
  DropTlsKeyLog(config.log_level == obs::Level::kDebug);
  rpc::TakeLibraryLogs();
  ReturnLargeBlocksAtOnce();
  RemoveReadyFile(config.ready_file);
  SkipDeadlockDetection();
  if (absl::Status files = RaiseFileLimit(); !files.ok()) return CannotServe(files);

  std::atomic<bool> unreachable{false};
  absl::StatusOr<std::unique_ptr<Gateway>> started = Gateway::Start(
      config, [&signals] { signals.Raise(); },
      [&signals, &unreachable] {
        unreachable = true;
        signals.Raise();
      });
  if (!started.ok()) return CannotServe(started.status());
  Gateway& gateway = **started;

  Lines lines;
  for (const std::string& address : gateway.grpc_addresses()) {
    lines.emplace_back(lines.empty() ? "grpc" : "grpc" + std::to_string(lines.size() + 1), address);
  }
  std::size_t http = 0;
  for (const std::string& address : gateway.http_addresses()) {
    lines.emplace_back(++http == 1 ? "http" : "http" + std::to_string(http), address);
  }
  if (!gateway.admin_address().empty()) lines.emplace_back("admin", gateway.admin_address());
  if (!gateway.sandbox_url().empty()) lines.emplace_back("sandbox", gateway.sandbox_url());
  if (!gateway.webhook_address().empty()) lines.emplace_back("webhook", gateway.webhook_address());
  if (absl::Status written = WriteReadyFile(config.ready_file, lines); !written.ok()) {
    return CannotServe(written);
  }
  const std::string status = "Serves at " + absl::StrJoin(gateway.grpc_addresses(), ", ");
  gateway.BeatWithin(notices->watchdog(), [&notices] { notices->Alive(); });
  notices->Ready(status);
  while (signals.Wait() == SignalOrder::kReload) {
    notices->Reloading();
    gateway.ReadSecrets();
    notices->Ready(status);
  }
  RemoveReadyFile(config.ready_file);
  const Duration allowed = config.drain_delay + config.drain_timeout;
  // A paid request that was sent is followed to its answer, whatever the drain allows.
  const Duration most = allowed + limits::kSubmitTimeout + limits::kDrainWatchdog;
  notices->Stopping(most);
  Log(Level::kInfo, "draining",
      {{"seconds_at_most", std::chrono::duration<double>(allowed).count()}});
  Mutex mutex;  // held while the watchdog asks a gateway that may be about to go
  bool drained = false;
  const Watchdog watchdog(most, [&] {
    MutexLock lock(mutex);
    std::vector<obs::Field> fields = {
        {"after_seconds", std::chrono::duration<double>(most).count()}};
    if (!drained) {
      fields.push_back({"open_calls", gateway.open_calls()});
      fields.push_back({"open_watches", gateway.open_watches()});
    }
    Log(Level::kError, "drain_hung", fields);
    obs::StopLog();
    std::_Exit(unreachable ? kUnreachable : kHung);
  });
  EndingSignals second(
      signals,
      [&](const std::string& name, int pid) {
        MutexLock lock(mutex);
        std::vector<obs::Field> fields = {{"signal", name}, {"from_pid", pid}};
        if (!drained) {
          fields.push_back({"open_calls", gateway.open_calls()});
          fields.push_back({"open_watches", gateway.open_watches()});
        }
        fields.push_back({"note",
                          "the second signal ends the gateway at once; all jobs are stored, and a "
                          "submit that was sent is UNCONFIRMED at the next start"});
        Log(Level::kWarn, "ended_at_once", fields);
        obs::StopLog();
        std::_Exit(unreachable ? kUnreachable : kEndedAtOnce);
      },
      limits::kSecondSignalAfter);
  // A gateway that has failed refuses every submit, so it helps nobody by staying.
  gateway.Drain([&second](Duration wait) { second.Wait(wait); });
  {
    MutexLock lock(mutex);
    drained = true;
  }
  const bool held_up = gateway.held_up();
  if (!held_up) started->reset();
  const bool failed = signals.raised();
  Log(failed ? Level::kError : Level::kInfo, "stopped");
  obs::StopLog();
  const int code = unreachable ? kUnreachable : failed ? kCannotServe : 0;
  if (held_up) std::_Exit(code);
  return code;
}

int RunSandbox(const SandboxConfig& config) {
  ForgetSecretVariables();
  SignalWaiter signals;
  obs::StartLog(config.log_level, config.log_format);
  LogGiven(config.given);
  RemoveReadyFile(config.ready_file);
  if (absl::Status files = RaiseFileLimit(); !files.ok()) return CannotServe(files);

  sandbox::SandboxOptions options;
  options.listen = config.listen.host;
  options.port = config.listen.port;
  options.state_dir = config.state_dir;
  options.speed = config.speed;
  options.seed = config.seed;
  options.requests_per_second = config.requests_per_second;
  options.api_key = config.api_key.Reveal();
  options.client_id = config.client_id;
  options.client_secret = config.client_secret.Reveal();
  options.token_lifetime = std::chrono::seconds(config.token_seconds);
  options.use_ffmpeg = config.use_ffmpeg;
  options.tls = config.tls;
  options.tls_names = config.tls_names;
  auto started = sandbox::Sandbox::Start(options);
  if (!started.ok()) return CannotServe(started.status());
  const std::string base_url = (*started)->base_url();
  const std::string front_page = (*started)->origin() + "/";
  const std::string ca_file =
      config.tls ? std::filesystem::absolute((*started)->ca_file()).string() : "";
  Lines lines = {{"sandbox", base_url}};
  std::vector<obs::Field> fields = {{"base_url", base_url}, {"front_page", front_page}};
  if (config.tls) {
    lines.emplace_back("ca", ca_file);
    fields.emplace_back("ca_file", ca_file);
  }
  Log(Level::kInfo, "sandbox_serving", fields);
  TellLostPorts((*started)->lost_ports(), "--listen");
  if (absl::Status written = WriteReadyFile(config.ready_file, lines); !written.ok()) {
    return CannotServe(written);
  }
  while (signals.Wait() == SignalOrder::kReload) {
    Log(Level::kInfo, "reloaded", {{"note", "the sandbox reads nothing but at its start"}});
  }
  RemoveReadyFile(config.ready_file);
  (*started)->Stop();
  Log(Level::kInfo, "stopped");
  obs::StopLog();
  return 0;
}

}  // namespace gateway::app
