#include "server.h"

#include <fcntl.h>
#include <glob.h>
#include <libpq-fe.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <thread>

#include "postgres/connection.h"

namespace gateway::postgres {
namespace {

constexpr std::chrono::seconds kPatience{180};
constexpr char kUser[] = "gateway";
// What the tests themselves ask may be answered later than a gateway waits for, on a machine that
// does much else.
constexpr char kPatient[] = " connect_timeout=60";

[[noreturn]] void Die(const std::string& what) {
  std::cerr << what << "; `cmake/install-deps --tests` installs what this test needs" << std::endl;
  std::abort();
}

// The user that servers run as; null: the test's own.
const passwd* Servant() {
  if (geteuid() != 0) return nullptr;
  const passwd* user = getpwnam("postgres");
  if (user == nullptr) user = getpwnam("nobody");
  return user;
}

std::string Program(const std::string& pattern) {
  glob_t found{};
  std::string last;
  if (glob(pattern.c_str(), 0, nullptr, &found) == 0) last = found.gl_pathv[found.gl_pathc - 1];
  globfree(&found);
  if (last.empty()) Die("There is no " + pattern);
  return last;
}

pid_t Run(const std::vector<std::string>& command, const std::string& log) {
  const passwd* user = Servant();
  std::vector<char*> arguments;
  for (const std::string& argument : command) {
    arguments.push_back(const_cast<char*>(argument.c_str()));
  }
  arguments.push_back(nullptr);
  const pid_t pid = fork();
  if (pid != 0) return pid;
  const int out = open(log.c_str(), O_CREAT | O_APPEND | O_WRONLY, 0666);
  dup2(out, 1);
  dup2(out, 2);
  if (user != nullptr && (setgid(user->pw_gid) != 0 || setuid(user->pw_uid) != 0)) _exit(126);
  prctl(PR_SET_PDEATHSIG, SIGKILL);  // with a test that is killed
  if (chdir("/") != 0) _exit(126);
  unsetenv("NOTIFY_SOCKET");
  execv(arguments[0], arguments.data());
  _exit(127);
}

void RunToEnd(const std::vector<std::string>& command, const std::string& log) {
  int status = 0;
  waitpid(Run(command, log), &status, 0);
  if (status != 0) Die(command[0] + " failed; see " + log);
}

// Short, because the path of a socket must be.
std::string MakeDirectory() {
  std::string pattern = "/tmp/pgXXXXXX";
  if (mkdtemp(pattern.data()) == nullptr) Die("mkdtemp failed");
  if (const passwd* user = Servant()) {
    if (chown(pattern.c_str(), user->pw_uid, user->pw_gid) != 0) Die("chown failed");
  }
  chmod(pattern.c_str(), 0711);
  return pattern;
}

bool Answers(const std::string& conninfo) { return PQping(conninfo.c_str()) == PQPING_OK; }

}  // namespace

PostgresServer::PostgresServer() : directory_(MakeDirectory()) {
  RunToEnd({Program("/usr/lib/postgresql/*/bin/initdb"), "-D", directory_ + "/data", "-U", kUser,
            "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync", "--no-instructions"},
           directory_ + ".log");
  Start();
  Sql("CREATE DATABASE jobs");
}

PostgresServer::PostgresServer(const PostgresServer* primary)
    : directory_(MakeDirectory()),
      primary_("host=" + primary->directory_ + " user=" + kUser + " application_name=standby") {
  RunToEnd({Program("/usr/lib/postgresql/*/bin/pg_basebackup"), "-h", primary->directory_, "-U",
            kUser, "-D", directory_ + "/data", "-X", "stream", "-R", "-c", "fast", "--no-sync"},
           directory_ + ".log");
  Start();
}

PostgresServer::~PostgresServer() {
  if (pid_ != 0) Kill();
  std::error_code ignored;
  std::filesystem::remove_all(directory_, ignored);
  std::filesystem::remove(directory_ + ".log", ignored);
}

PostgresServer& PostgresServer::Shared() {
  static PostgresServer server;
  return server;
}

std::string PostgresServer::conninfo(const std::string& more) const {
  return "host=" + directory_ + " user=" + kUser + " dbname=jobs " + more;
}

void PostgresServer::Kill() {
  kill(pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
  pid_ = 0;
}

void PostgresServer::Start(const std::vector<std::string>& settings) {
  {
    std::ofstream file(directory_ + "/data/postgresql.auto.conf");
    file << "listen_addresses = ''\nunix_socket_directories = '" << directory_ << "'\n"
         << "max_connections = 60\n";
    if (!primary_.empty()) file << "primary_conninfo = '" << primary_ << "'\n";
    for (const std::string& setting : settings) file << setting << "\n";
  }
  const std::string database = "host=" + directory_ + " user=" + kUser + " dbname=postgres";
  const auto until = std::chrono::steady_clock::now() + kPatience;
  while (!Answers(database)) {
    // Processes of the one before may hold the directory for a moment after its end.
    if (pid_ != 0 && waitpid(pid_, nullptr, WNOHANG) == pid_) pid_ = 0;
    if (pid_ == 0) {
      std::error_code ignored;
      pid_ = Run({Program("/usr/lib/postgresql/*/bin/postgres"), "-D", directory_ + "/data"},
                 directory_ + ".log");
    }
    if (std::chrono::steady_clock::now() > until) Die("PostgreSQL does not start");
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
}

void PostgresServer::Write(const std::string& name, const std::string& text) const {
  const std::string path = directory_ + "/data/" + name;
  std::ofstream(path) << text;
  chmod(path.c_str(), 0600);
  const passwd* user = Servant();
  if (user != nullptr && chown(path.c_str(), user->pw_uid, user->pw_gid) != 0) Die("chown failed");
}

void PostgresServer::Set(const std::string& name, const std::string& value) const {
  const auto connection =
      Connection::Open(conninfo(kPatient), kPatience, Connection::Takes::kAnything);
  connection->Run(("ALTER SYSTEM SET " + name + " = '" + value + "'").c_str());
  connection->Script("SELECT pg_reload_conf()");
}

void PostgresServer::Promote() {
  Connection::Open(conninfo(kPatient), kPatience, Connection::Takes::kAnything)
      ->Script("SELECT pg_promote()");
  primary_.clear();
}

void PostgresServer::Sql(const std::string& script) const {
  const bool makes_database = script.starts_with("CREATE DATABASE");
  const std::string place =
      makes_database ? "host=" + directory_ + " user=" + kUser + " dbname=postgres" + kPatient
                     : conninfo(kPatient);
  Connection::Open(place, kPatience)->Script(script);
}

long PostgresServer::Number(const std::string& query) const {
  return Connection::Open(conninfo(kPatient), kPatience)->Run(query.c_str()).Int(0, 0);
}

std::string PostgresServer::log() const {
  std::ifstream file(directory_ + ".log");
  return {std::istreambuf_iterator<char>(file), {}};
}

Pooler::Pooler(const PostgresServer& server) : directory_(MakeDirectory()) {
  {
    std::ofstream file(directory_ + "/ini");
    file << "[databases]\njobs = host=" << server.directory()
         << " port=5432 dbname=jobs user=" << kUser
         << "\n[pgbouncer]\nlisten_port = 5432\nunix_socket_dir = " << directory_
         << "\nauth_type = any\npool_mode = transaction\ndefault_pool_size = 4\n";
  }
  pid_ = Run({Program("/usr/sbin/pgbouncer"), "-q", directory_ + "/ini"}, directory_ + ".log");
  const auto until = std::chrono::steady_clock::now() + kPatience;
  while (!Answers(conninfo())) {
    if (std::chrono::steady_clock::now() > until) Die("PgBouncer does not start");
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
}

Pooler::~Pooler() {
  kill(pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
  std::error_code ignored;
  std::filesystem::remove_all(directory_, ignored);
  std::filesystem::remove(directory_ + ".log", ignored);
}

Pooler& Pooler::Shared() {
  static Pooler pooler(PostgresServer::Shared());
  return pooler;
}

std::string Pooler::conninfo() const {
  return "host=" + directory_ + " user=" + kUser + " dbname=jobs";
}

}  // namespace gateway::postgres
