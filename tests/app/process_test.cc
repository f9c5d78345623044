#include "app/process.h"

#include <gtest/gtest.h>

#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <functional>
#include <iterator>
#include <string>

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

TEST(ProcessDeathTest, NoCoreDumpAndNoLookIntoTheMemory) {
  Expect(7, [] {
    if (prctl(PR_GET_DUMPABLE) != 1) return 1;
    HardenProcess();
    rlimit cores{};
    getrlimit(RLIMIT_CORE, &cores);
    return prctl(PR_GET_DUMPABLE) == 0 && cores.rlim_cur == 0 && cores.rlim_max == 0 ? 7 : 2;
  });
}

// A process of its own, because /proc shows the environment that a program was started with.
TEST(ProcessDeathTest, SecretVariablesAreForgotten) {
  const auto holds = [] {
    std::ifstream file("/proc/self/environ");
    const std::string all((std::istreambuf_iterator<char>(file)), {});
    return all.find("canary") != std::string::npos;
  };
  if (getenv("PICTORY_API_KEY") == nullptr) {
    setenv("PICTORY_API_KEY", "pictai_canary", 1);
    setenv("PICTORY_CLIENT_SECRET", "secret_canary", 1);
    setenv("PICTORY_USER_ID", "kept", 1);
    EXPECT_EXIT(execl("/proc/self/exe", "app_test",
                      "--gtest_filter=ProcessDeathTest.SecretVariablesAreForgotten", nullptr),
                testing::ExitedWithCode(0), "");
    for (const char* name : {"PICTORY_API_KEY", "PICTORY_CLIENT_SECRET", "PICTORY_USER_ID"}) {
      unsetenv(name);
    }
    return;
  }
  ASSERT_TRUE(holds());
  ForgetSecretVariables();
  EXPECT_FALSE(holds());
  EXPECT_EQ(getenv("PICTORY_API_KEY"), nullptr);
  EXPECT_EQ(getenv("PICTORY_CLIENT_SECRET"), nullptr);
  EXPECT_STREQ(getenv("PICTORY_USER_ID"), "kept");
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
