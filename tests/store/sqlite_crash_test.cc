// These tests show that a process that is killed while it writes loses no write of which it was
// told that it is done.
#include "store/sqlite_job_store.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

#include "store_calls.h"

namespace gateway::store {
namespace {

constexpr char kDirectoryVariable[] = "JOB_STORE_CRASH_DIRECTORY";
constexpr int kAcknowledged = 400;

// This is the child: the test below starts this program again and kills it. The child prints the
// request_id of each durable write, one a line.
TEST(SqliteCrashChild, DISABLED_WritesUntilItIsKilled) {
  const char* directory = std::getenv(kDirectoryVariable);
  ASSERT_NE(directory, nullptr);
  auto store = SqliteJobStore::Open({.directory = directory});
  ASSERT_TRUE(store.ok()) << store.status();
  for (int i = 0;; ++i) {
    const std::string name = std::to_string(i);
    auto said = std::make_shared<std::promise<void>>();
    const auto say = [name, said](auto begun) {
      const std::string line = name + "\n";
      if (!begun.ok() || write(STDOUT_FILENO, line.data(), line.size()) < 0) _exit(1);
      said->set_value();
    };
    (*store)->Begin(Begun("j" + name, name), say);
    if (i % 32 == 31) said->get_future().wait();  // some in flight at any time, not all
  }
}

// Starts the child with its standard output on `out`.
pid_t StartChild(const std::string& directory, int out) {
  const pid_t child = fork();
  if (child != 0) return child;
  setenv(kDirectoryVariable, directory.c_str(), 1);
  dup2(out, STDOUT_FILENO);
  execl("/proc/self/exe", "store_test", "--gtest_also_run_disabled_tests",
        "--gtest_filter=SqliteCrashChild.*", nullptr);
  _exit(127);
}

// Reads until the child has said enough, kills it, and reads the rest.
std::string ListenAndKill(int in, pid_t child) {
  std::string text;
  char buffer[4096];
  bool killed = false;
  for (;;) {
    const ssize_t got = read(in, buffer, sizeof(buffer));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    text.append(buffer, static_cast<std::size_t>(got));
    if (!killed && std::count(text.begin(), text.end(), '\n') >= kAcknowledged) {
      kill(child, SIGKILL);
      killed = true;
    }
  }
  EXPECT_TRUE(killed) << "the child ended by itself: " << text;
  int status = 0;
  EXPECT_EQ(waitpid(child, &status, 0), child);
  return text;
}

TEST(SqliteCrashTest, AKilledProcessLosesNoAcknowledgedWrite) {
  TemporaryDirectory directory;
  int pipe_ends[2];
  ASSERT_EQ(pipe2(pipe_ends, O_CLOEXEC), 0);
  const pid_t child = StartChild(directory.path(), pipe_ends[1]);
  ASSERT_GT(child, 0);
  close(pipe_ends[1]);
  const std::string text = ListenAndKill(pipe_ends[0], child);
  close(pipe_ends[0]);

  auto store = SqliteJobStore::Open({.directory = directory.path()});
  ASSERT_TRUE(store.ok()) << store.status();
  StoreCalls calls(**store);
  int acknowledged = 0;
  for (std::size_t at = 0, end; (end = text.find('\n', at)) != std::string::npos; at = end + 1) {
    const std::string name = text.substr(at, end - at);
    // gtest's own lines share the child's output.
    if (name.empty() || name.find_first_not_of("0123456789") != std::string::npos) continue;
    ++acknowledged;
    const auto found = calls.FindRequest("acme", name);
    ASSERT_TRUE(found.ok()) << found.status();
    EXPECT_TRUE(found->has_value()) << name;
  }
  EXPECT_GT(acknowledged, kAcknowledged / 2);
}

}  // namespace
}  // namespace gateway::store
