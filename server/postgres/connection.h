// Connection is one connection to PostgreSQL. Calls block, no longer than a patience, and throw
// Error. It is for one thread.
#pragma once

#include <libpq-fe.h>

#include <atomic>
#include <functional>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "base/clock.h"
#include "postgres/error.h"
#include "postgres/statement.h"

namespace gateway::postgres {

// Where a store is.
struct Place {
  std::string text;  // for people, without the password
  bool has_password = false;
};

// Reads a URL or libpq's `key=value` text. INVALID_ARGUMENT, which does not repeat the text.
absl::StatusOr<Place> PlaceOf(const std::string& conninfo);

// End is when nobody waits for PostgreSQL any more: never, until somebody sets it. Thread-safe.
class End {
 public:
  void Set(MonoTime at) { at_ = at.time_since_epoch().count(); }
  MonoTime at() const { return MonoTime(Duration(at_)); }
  bool Passed() const { return MonoTime(std::chrono::steady_clock::now()) >= at(); }

 private:
  std::atomic<Duration::rep> at_{MonoTime::max().time_since_epoch().count()};
};

class Connection {
 public:
  // What a server takes: with kAnything, which is for finding out what is wrong, also none that
  // takes writes, whatever `conninfo` says.
  enum class Takes { kWrites, kAnything };

  // `conninfo` is a URL or libpq's `key=value` text. What it does not say about time-outs is set so
  // that a dead way is noticed; of several hosts one is taken that takes writes.
  static std::unique_ptr<Connection> Open(const std::string& conninfo, Duration patience,
                                          Takes takes = Takes::kWrites);

  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // For the statements from now on. No statement is waited for past `end`, which outlives this.
  void set_patience(Duration patience) { patience_ = patience; }
  Duration patience() const { return patience_; }
  void set_end(const End* end) { end_ = end; }

  Rows Run(const Statement& statement);
  Rows Run(const char* sql) { return Run(Statement(sql)); }
  // Runs statements that give nothing back, in one round.
  void Script(const std::string& sql);
  // Hands over the rows one by one, as they come; each call gets Rows of one row.
  void Stream(const Statement& statement, const std::function<void(const Rows&)>& take);
  // Runs COMMIT. If this throws, the transaction is undone for certain, or the error is one that
  // LeavesCommitUnknown: any but the few answers whose sense is beyond doubt, and a warning too,
  // after which a standby may not have the transaction.
  void Commit();
  // Gives up the transaction, if there is one. Does not throw.
  void Rollback() noexcept;

 private:
  struct Finish {
    void operator()(PGconn* connection) const { PQfinish(connection); }
  };

  explicit Connection(PGconn* connection, Duration patience);
  static void Notice(void* self, const PGresult* notice);
  // Waits for the next result; null after the last one.
  PGresult* Next(MonoTime deadline);
  // Reads all results and gives back the last.
  Rows Last();
  // Reads what is left, of no interest.
  void Drain();
  void Sent(bool sent);
  [[noreturn]] void Lost();

  std::unique_ptr<PGconn, Finish> connection_;
  Duration patience_;
  const End* end_ = nullptr;
  bool warned_ = false;
};

// More patience with a connection, for as long as this is there.
class MorePatience {
 public:
  MorePatience(Connection& connection, Duration patience)
      : connection_(connection), before_(connection.patience()) {
    connection_.set_patience(patience);
  }
  ~MorePatience() { connection_.set_patience(before_); }
  MorePatience(const MorePatience&) = delete;
  MorePatience& operator=(const MorePatience&) = delete;

 private:
  Connection& connection_;
  const Duration before_;
};

}  // namespace gateway::postgres
