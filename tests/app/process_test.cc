#include "app/process.h"

#include <gtest/gtest.h>

#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <cstring>
#include <functional>

namespace gateway::app {
namespace {

// In a process of its own, whose signals may then be as they like.
void Expect(int code, const std::function<int()>& work) {
  EXPECT_EXIT(std::_Exit(work()), testing::ExitedWithCode(code), "");
}

TEST(SignalsDeathTest, AHangupAsksForAReloadAndNotForTheEnd) {
  Expect(7, [] {
    SignalWaiter signals;
    kill(getpid(), SIGHUP);
    return signals.Wait() == SignalOrder::kReload ? 7 : 1;
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

}  // namespace
}  // namespace gateway::app
