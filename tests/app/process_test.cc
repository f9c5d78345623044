#include "app/process.h"

#include <gtest/gtest.h>

#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <cstring>
#include <functional>

namespace gateway::app {
namespace {

using namespace std::chrono_literals;

// In a process of its own, whose signals may then be as they like.
void Expect(int code, const std::function<int()>& work) {
  EXPECT_EXIT(std::_Exit(work()), testing::ExitedWithCode(code), "");
}

TEST(SignalsDeathTest, AHangupAsksForAReloadAndNotForTheEnd) {
  Expect(7, [] {
    SignalWaiter signals;
    kill(getpid(), SIGHUP);
    if (signals.Wait() != SignalOrder::kReload) return 1;
    kill(getpid(), SIGHUP);  // nor does it hurry the end
    return signals.WaitFor(0s) ? 2 : 7;
  });
}

TEST(SignalsDeathTest, SomeAskForTheEndAndAllOthersAreSurvived) {
  for (int signal = 1; signal <= SIGRTMAX; ++signal) {
    const bool fault = signal == SIGSEGV || signal == SIGBUS || signal == SIGFPE ||
                       signal == SIGILL || signal == SIGABRT || signal == SIGTRAP ||
                       signal == SIGSYS;
    const bool stops =
        signal == SIGSTOP || signal == SIGTSTP || signal == SIGTTIN || signal == SIGTTOU;
    const bool of_the_library = signal > SIGSYS && signal < SIGRTMIN;
    if (fault || stops || signal == SIGKILL || signal == SIGHUP || of_the_library) continue;
    const bool ends = signal == SIGTERM || signal == SIGINT || signal == SIGQUIT ||
                      signal == SIGPWR || signal == SIGXCPU;
    SCOPED_TRACE(strsignal(signal));
    Expect(7, [signal, ends] {
      SignalWaiter signals;
      kill(getpid(), signal);
      if (!ends) kill(getpid(), SIGHUP);  // what is not heard of must not wait for ever
      const bool ended = signals.Wait() == SignalOrder::kEnd;
      return ended == ends ? 7 : 1;
    });
  }
}

// libcurl asks the environment for it, so what counts is that it is gone from there.
TEST(TlsKeyLogDeathTest, IsDroppedUnlessWanted) {
  Expect(7, [] {
    DropTlsKeyLog(false);  // there is none
    setenv("SSLKEYLOGFILE", "/tmp/keys", 1);
    DropTlsKeyLog(true);
    if (std::getenv("SSLKEYLOGFILE") == nullptr) return 1;
    DropTlsKeyLog(false);
    return std::getenv("SSLKEYLOGFILE") == nullptr ? 7 : 2;
  });
}

}  // namespace
}  // namespace gateway::app
