#include "app/ending_signals.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <functional>

namespace gateway::app {
namespace {

using namespace std::chrono_literals;

// In a process of its own, whose signals may then be as they like.
void ExpectExit(int code, const std::function<int()>& work) {
  EXPECT_EXIT(std::_Exit(work()), testing::ExitedWithCode(code), "");
}

const auto kAtOnce = [](const std::string& name, int pid) {
  std::_Exit(name == "SIGINT" && pid == getpid() ? 7 : 1);
};

TEST(EndingSignalsDeathTest, ASecondSignalEndsAtOnce) {
  ExpectExit(7, [] {
    SignalWaiter signals;
    EndingSignals ending(signals, kAtOnce, 0s);
    kill(getpid(), SIGINT);
    ending.Wait(60s);
    return 2;
  });
}

TEST(EndingSignalsDeathTest, OneThatBelongsToTheFirstDoesNot) {
  ExpectExit(8, [] {
    SignalWaiter signals;
    EndingSignals ending(signals, kAtOnce, 3600s);
    kill(getpid(), SIGINT);
    for (sigset_t pending; sigpending(&pending) == 0 && sigismember(&pending, SIGINT) == 1;) {
    }
    return 8;
  });
}

// The program's own word that it must end is nobody's second signal, but shortens what is waited.
TEST(EndingSignalsDeathTest, AFaultOfTheProgramIsNoSecondSignal) {
  ExpectExit(8, [] {
    SignalWaiter signals;
    EndingSignals ending(signals, kAtOnce, 0s);
    signals.Raise();
    ending.Wait(3600s);
    return 8;
  });
  ExpectExit(8, [] {
    SignalWaiter signals;
    signals.Raise();
    if (signals.Wait() != SignalOrder::kEnd) return 1;
    EndingSignals ending(signals, kAtOnce, 0s);
    ending.Wait(3600s);
    return 8;
  });
}

TEST(EndingSignalsDeathTest, NobodyNeedsToSendOne) {
  ExpectExit(8, [] {
    SignalWaiter signals;
    EndingSignals(signals, kAtOnce, 0s).Wait(1ms);
    return 8;
  });
}

}  // namespace
}  // namespace gateway::app
