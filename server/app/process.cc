#include "app/process.h"

#include <pthread.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <string>

#include "absl/synchronization/mutex.h"
#include "base/limits.h"
#include "obs/log.h"

namespace gateway::app {

SignalWaiter::SignalWaiter() {
  std::signal(SIGPIPE, SIG_IGN);
  sigemptyset(&signals_);
  sigaddset(&signals_, SIGINT);
  sigaddset(&signals_, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals_, nullptr);
}

void SignalWaiter::Wait() {
  int signal = 0;
  while (sigwait(&signals_, &signal) != 0) {
  }
}

bool SignalWaiter::WaitFor(Duration at_most) {
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(at_most);
  const timespec limit{.tv_sec = seconds.count(), .tv_nsec = (at_most - seconds).count()};
  return sigtimedwait(&signals_, nullptr, &limit) > 0;
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
    obs::Log(obs::Level::kWarn, "few_open_files",
             {{"allowed", files.rlim_cur},
              {"advice", "each client connection takes one; raise the hard limit for many clients"}});
  }
  return absl::OkStatus();
}

void SkipDeadlockDetection() {
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
}

void HardenProcess() {
  prctl(PR_SET_DUMPABLE, 0);
  const rlimit none{.rlim_cur = 0, .rlim_max = 0};
  setrlimit(RLIMIT_CORE, &none);
}

}  // namespace gateway::app
