#include "app/process.h"

#include <pthread.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <span>
#include <string>
#include <string_view>

#include "absl/synchronization/mutex.h"
#include "app/secret_file.h"
#include "base/limits.h"
#include "obs/log.h"

namespace gateway::app {

namespace {

constexpr int kEnding[] = {SIGTERM, SIGINT, SIGQUIT, SIGPWR, SIGXCPU};
constexpr int kOther[] = {SIGHUP, SIGUSR1, SIGUSR2};
// With SIGXFSZ ignored a write beyond the limit of file sizes fails, which the store can tell.
constexpr int kIgnored[] = {SIGPIPE, SIGXFSZ, SIGALRM, SIGVTALRM, SIGPROF, SIGIO, SIGSTKFLT};

bool Holds(std::span<const int> signals, int signal) {
  return std::find(signals.begin(), signals.end(), signal) != signals.end();
}

std::string NameOf(int signal) {
  const char* const name = sigabbrev_np(signal);
  return name == nullptr ? std::to_string(signal) : std::string("SIG") + name;
}

}  // namespace

SignalWaiter::SignalWaiter() {
  for (const int signal : kIgnored) std::signal(signal, SIG_IGN);
  for (int signal = SIGRTMIN; signal <= SIGRTMAX; ++signal) std::signal(signal, SIG_IGN);
  sigemptyset(&ending_);
  for (const int signal : kEnding) sigaddset(&ending_, signal);
  all_ = ending_;
  for (const int signal : kOther) sigaddset(&all_, signal);
  pthread_sigmask(SIG_BLOCK, &all_, nullptr);
}

SignalOrder SignalWaiter::Wait() {
  for (;;) {
    siginfo_t info{};
    const int signal = sigwaitinfo(&all_, &info);
    if (signal < 0) continue;
    const bool ends = Holds(kEnding, signal);
    if (ends && raised_) return SignalOrder::kEnd;
    const bool ignored = !ends && signal != SIGHUP;
    obs::Log(ignored ? obs::Level::kWarn : obs::Level::kInfo, "signal",
             {{"name", NameOf(signal)},
              {"from_pid", info.si_pid},
              {"does", ends      ? "ends the gateway in order"
                       : ignored ? "nothing"
                                 : "reads the files of secrets again"}});
    if (ends) return SignalOrder::kEnd;
    if (signal == SIGHUP) return SignalOrder::kReload;
  }
}

SignalWaiter::Received SignalWaiter::NextEnding() {
  siginfo_t info{};
  int signal = -1;
  while (signal < 0) signal = sigwaitinfo(&ending_, &info);
  return {.name = NameOf(signal), .pid = info.si_pid, .raised = raised_ && info.si_pid == getpid()};
}

void SignalWaiter::Raise() {
  raised_ = true;
  kill(getpid(), SIGTERM);
}

absl::Status RaiseFileLimit() {
  rlimit files{};
  if (getrlimit(RLIMIT_NOFILE, &files) != 0) return absl::OkStatus();
  if (files.rlim_cur < files.rlim_max) {
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    getrlimit(RLIMIT_NOFILE, &files);
  }
  if (files.rlim_cur < limits::kFilesRefuseBelow) {
    return absl::ResourceExhaustedError(
        "only " + std::to_string(files.rlim_cur) + " open files are allowed, " +
        std::to_string(limits::kFilesRefuseBelow) +
        " are needed: raise the limit (ulimit -n, or LimitNOFILE= in the unit)");
  }
  if (files.rlim_cur < limits::kFilesWarnBelow) {
    obs::Log(
        obs::Level::kWarn, "few_open_files",
        {{"allowed", files.rlim_cur},
         {"advice", "each client connection takes one; raise the hard limit for many clients"}});
  }
  return absl::OkStatus();
}

void SkipDeadlockDetection() {
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
}

void ForgetSecretVariables() {
  for (const SecretSource& source : kSecretSources) {
    const std::string prefix = std::string(source.variable) + "=";
    for (char** entry = environ; *entry != nullptr; ++entry) {
      if (std::string_view(*entry).rfind(prefix, 0) != 0) continue;
      explicit_bzero(*entry + prefix.size(), std::strlen(*entry) - prefix.size());
    }
    unsetenv(prefix.substr(0, prefix.size() - 1).c_str());
  }
}

void HardenProcess() {
  prctl(PR_SET_DUMPABLE, 0);
  const rlimit none{.rlim_cur = 0, .rlim_max = 0};
  setrlimit(RLIMIT_CORE, &none);
}

void DropTlsKeyLog(bool wanted) {
  constexpr char kVariable[] = "SSLKEYLOGFILE";
  if (std::getenv(kVariable) == nullptr) return;
  if (!wanted) unsetenv(kVariable);
  obs::Log(
      obs::Level::kWarn, "tls_key_log",
      {{"note", wanted ? "SSLKEYLOGFILE is set: the keys of all calls to Pictory go into that file"
                       : "SSLKEYLOGFILE is ignored; it counts with --log-level debug only"}});
}

}  // namespace gateway::app
