// These functions and SignalWaiter are what the program asks of the operating system and of
// libraries for itself: signals, file descriptors, locks, no core dumps.
#pragma once

#include <csignal>

#include <atomic>
#include <string>

#include "absl/status/status.h"

namespace gateway::app {

// What a signal asks of the program.
enum class SignalOrder {
  kEnd,     // SIGTERM, SIGINT, SIGQUIT, SIGPWR, SIGXCPU
  kReload,  // SIGHUP
};

// A SignalWaiter turns signals into something to wait for. Make it before any thread starts:
// threads inherit the blocked signals, so that only Wait takes them. No signal that anybody sends
// ends the program out of order, except SIGKILL: SIGUSR1 and SIGUSR2 are logged and do nothing
// else, the rest are ignored. A program's own faults (SIGSEGV, SIGABRT …) end it as ever.
class SignalWaiter {
 public:
  SignalWaiter();

  // Waits for a signal that asks for something, or for Raise. The signal is logged with who sent
  // it.
  SignalOrder Wait();
  // Waits for a signal that asks for the end, and does not log it.
  struct Received {
    std::string name;
    int pid = 0;          // who sent it
    bool raised = false;  // it is Raise's
  };
  Received NextEnding();

  // Says that the program must end because something in it failed. May be called from any thread.
  void Raise();
  bool raised() const { return raised_; }

 private:
  sigset_t ending_;
  sigset_t all_;
  std::atomic<bool> raised_{false};
};

// Raises the soft limit of open files to the hard one. An error if even that is too low to serve.
absl::Status RaiseFileLimit();

// Turns Abseil's deadlock detection off. Debian builds Abseil with its checks for development:
// under each lock that gRPC takes it would look for deadlocks, with a lock of its own that all
// threads share. Call it before gRPC starts.
void SkipDeadlockDetection();

// Keeps secrets in memory out of core dumps and away from other processes of the same user.
void HardenProcess();

// Overwrites and removes the variables of the environment that hold secrets, once they have been
// read: children inherit the environment, and /proc shows it. Call it before any thread starts.
void ForgetSecretVariables();

// Takes SSLKEYLOGFILE out of the environment, unless `wanted`, and says so in the log. libcurl
// would write the keys of each TLS connection into the file that it names, and who has those reads
// the credentials. Call it before libcurl starts and while no other thread reads the environment.
void DropTlsKeyLog(bool wanted);

}  // namespace gateway::app
