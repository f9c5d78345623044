#include "app/run.h"

#include <atomic>
#include <cstdlib>
#include <fstream>
#include <utility>
#include <vector>

#include "app/exit_codes.h"
#include "app/gateway.h"
#include "app/given.h"
#include "app/observe.h"
#include "app/process.h"
#include "app/watchdog.h"
#include "base/limits.h"
#include "base/memory.h"
#include "base/mutex.h"
#include "obs/log.h"
#include "rpc/library_log.h"
#include "sandbox/sandbox.h"

namespace gateway::app {
namespace {

using obs::Level;
using obs::Log;

using Lines = std::vector<std::pair<std::string, std::string>>;

// The file is written beside its place and renamed, so that whoever waits for it reads all of it.
absl::Status WriteReadyFile(const std::filesystem::path& path, const Lines& lines) {
  if (path.empty()) return absl::OkStatus();
  const std::filesystem::path beside = path.string() + ".part";
  {
    std::ofstream file(beside, std::ios::trunc);
    for (const auto& [name, value] : lines) file << name << "=" << value << "\n";
    if (!file.flush()) {
      return absl::InternalError("--ready-file: cannot write " + path.string());
    }
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

int CannotServe(const absl::Status& status) {
  Log(Level::kError, "cannot_start", {{"reason", std::string(status.message())}});
  obs::StopLog();
  return kCannotServe;
}

}  // namespace

int RunGateway(const Config& config) {
  SignalWaiter signals;  // first: threads inherit the blocked signals
  obs::StartLog(config.log_level, config.log_format);
  LogGiven(config.given);
  DropTlsKeyLog(config.log_level == obs::Level::kDebug);
  rpc::TakeLibraryLogs();
  ReturnLargeBlocksAtOnce();
  RemoveReadyFile(config.ready_file);
  HardenProcess();
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

  Lines lines = {{"grpc", gateway.grpc_addresses().front()}};
  if (!gateway.admin_address().empty()) lines.emplace_back("admin", gateway.admin_address());
  if (!gateway.sandbox_url().empty()) lines.emplace_back("sandbox", gateway.sandbox_url());
  if (!gateway.webhook_address().empty()) lines.emplace_back("webhook", gateway.webhook_address());
  if (absl::Status written = WriteReadyFile(config.ready_file, lines); !written.ok()) {
    return CannotServe(written);
  }
  while (signals.Wait() == SignalOrder::kReload) gateway.ReadSecrets();
  RemoveReadyFile(config.ready_file);
  const Duration allowed = config.drain_delay + config.drain_timeout;
  Log(Level::kInfo, "draining",
      {{"seconds_at_most", std::chrono::duration<double>(allowed).count()}});
  Mutex mutex;  // held while the watchdog asks a gateway that may be about to go
  bool drained = false;
  // A paid request that was sent is followed to its answer, whatever the drain allows.
  const Duration most = allowed + limits::kSubmitTimeout + limits::kDrainWatchdog;
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
  // A gateway that has failed refuses every submit, so it helps nobody by staying.
  gateway.Drain([&signals](Duration wait) { return signals.raised() || signals.WaitFor(wait); });
  {
    MutexLock lock(mutex);
    drained = true;
  }
  started->reset();
  const bool failed = signals.raised();
  Log(failed ? Level::kError : Level::kInfo, "stopped");
  obs::StopLog();
  if (unreachable) return kUnreachable;
  return failed ? kCannotServe : 0;
}

int RunSandbox(const SandboxConfig& config) {
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
  auto started = sandbox::Sandbox::Start(options);
  if (!started.ok()) return CannotServe(started.status());
  Log(Level::kInfo, "sandbox_serving",
      {{"base_url", (*started)->base_url()}, {"front_page", (*started)->origin() + "/"}});
  TellLostPorts((*started)->lost_ports(), "--listen");
  if (absl::Status written =
          WriteReadyFile(config.ready_file, {{"sandbox", (*started)->base_url()}});
      !written.ok()) {
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
