#include "client/process.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <cstring>
#include <utility>

extern char** environ;

namespace pictory_jobs::fake {
namespace {

std::array<int, 2> Pipe() {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) std::abort();
  return ends;
}

void ReadAll(int fd, std::string& into) {
  std::array<char, 4096> block;
  for (;;) {
    const ssize_t got = read(fd, block.data(), block.size());
    if (got <= 0) break;
    into.append(block.data(), static_cast<std::size_t>(got));
  }
  close(fd);
}

}  // namespace

Process::Process(std::vector<std::string> args, const std::string& input, const Streams& streams) {
  args.insert(args.begin(), PICTORY_COMMAND);
  setenv("XDG_STATE_HOME", "/dev/null", 0);  // nobody's own is written
  if (!streams.shell.empty()) {
    // `ulimit -f 0; >file` puts the limit first.
    const std::size_t limit = streams.shell.rfind(';') + 1;  // 0 without one
    args.insert(args.begin(), {"/bin/sh", "-c",
                               streams.shell.substr(0, limit) + R"(exec "$0" "$@" )" +
                                   streams.shell.substr(limit)});
  }
  std::vector<char*> argv;
  for (std::string& arg : args) argv.push_back(arg.data());
  argv.push_back(nullptr);
  const auto in = Pipe();
  const auto out = Pipe();
  const auto err = Pipe();
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, in[0], STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, streams.out == -1 ? out[1] : streams.out,
                                   STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, streams.err == -1 ? err[1] : streams.err,
                                   STDERR_FILENO);
  if (posix_spawn(&pid_, argv[0], &actions, nullptr, argv.data(), environ) != 0) std::abort();
  posix_spawn_file_actions_destroy(&actions);
  close(in[0]);
  close(out[1]);
  close(err[1]);
  // Small enough for the pipe's buffer.
  if (write(in[1], input.data(), input.size()) != static_cast<ssize_t>(input.size())) std::abort();
  close(in[1]);
  out_ = std::thread([this, fd = out[0]] { ReadAll(fd, outcome_.out); });
  err_ = std::thread([this, fd = err[0]] { ReadAll(fd, outcome_.err); });
}

Process::~Process() {
  if (pid_ > 0) {
    kill(pid_, SIGKILL);
    Wait();
  }
}

void Process::Signal(int signal) const { kill(pid_, signal); }

Outcome Process::Wait() {
  out_.join();
  err_.join();
  int status = 0;
  waitpid(pid_, &status, 0);
  pid_ = -1;
  outcome_.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return std::move(outcome_);
}

}  // namespace pictory_jobs::fake
