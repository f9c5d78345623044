// PostgresServer is a real PostgreSQL of Debian's, on a unix socket in a directory of its own, with
// everything flushed to disk as in earnest. Pooler is a real PgBouncer in front of one, in
// transaction mode. Both run as another user if the test runs as root, which they refuse.
#pragma once

#include <sys/types.h>

#include <functional>
#include <future>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace gateway::postgres {

class PostgresServer {
 public:
  PostgresServer();  // empty, and running
  // A running standby of another one, which follows it by the name `standby`.
  explicit PostgresServer(const PostgresServer* primary);
  ~PostgresServer();
  PostgresServer(const PostgresServer&) = delete;
  PostgresServer& operator=(const PostgresServer&) = delete;

  // The one that tests share which do it no harm.
  static PostgresServer& Shared();

  // How to reach the database `jobs`. `more` is added.
  std::string conninfo(const std::string& more = "") const;
  const std::string& directory() const { return directory_; }
  // The path of its socket.
  std::string socket() const { return directory_ + "/.s.PGSQL.5432"; }

  // Kills it with SIGKILL, and everything that belongs to it.
  void Kill();
  // Starts it again, with these lines at the end of its settings.
  void Start(const std::vector<std::string>& settings = {});
  void Restart(const std::vector<std::string>& settings) {
    Kill();
    Start(settings);
  }

  // Writes a file of its data directory, which nobody else may read.
  void Write(const std::string& name, const std::string& text) const;
  // Sets a setting while it runs.
  void Set(const std::string& name, const std::string& value) const;
  // Makes a standby a primary.
  void Promote();

  // Runs statements as its superuser.
  void Sql(const std::string& script) const;
  // The first column of the first row, as a number.
  long Number(const std::string& query) const;
  // Everything that it has written to its log.
  std::string log() const;
  // Removes the store in it.
  void Empty() const { Sql("DROP SCHEMA IF EXISTS pictory CASCADE"); }

 private:
  std::string directory_;
  std::string primary_;  // where a standby finds it
  pid_t pid_ = 0;
};

// For PostgresOptions::on_away: keeps the first reason.
inline std::function<void(std::string)> First(std::promise<std::string>& reason) {
  return [&reason, told = false](std::string why) mutable {
    if (!std::exchange(told, true)) reason.set_value(std::move(why));
  };
}

class Pooler {
 public:
  explicit Pooler(const PostgresServer& server);
  ~Pooler();
  Pooler(const Pooler&) = delete;
  Pooler& operator=(const Pooler&) = delete;

  static Pooler& Shared();
  std::string conninfo() const;

 private:
  std::string directory_;
  pid_t pid_ = 0;
};

}  // namespace gateway::postgres
