// Error is what PostgreSQL, or the way to it, says instead of an answer; and what follows from it.
#pragma once

#include <exception>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/status.h"

namespace gateway::postgres {

class Error : public std::exception {
 public:
  // `sqlstate`: five characters, empty if the connection was lost or never there.
  Error(std::string sqlstate, std::string message, std::string constraint = {})
      : sqlstate_(std::move(sqlstate)),
        message_(std::move(message)),
        constraint_(std::move(constraint)) {}

  const char* what() const noexcept override { return message_.c_str(); }
  const std::string& sqlstate() const { return sqlstate_; }
  const std::string& constraint() const { return constraint_; }

  // Whether the transaction ran into another one, and would do better if it ran again.
  bool ShouldRunAgain() const;
  // Whether another connection may do better: this one is lost, its server ends, or it has become
  // one that takes no writes.
  bool NeedsConnection() const;
  // Whether a row or a table was locked by somebody else for too long.
  bool IsLocked() const { return sqlstate_ == "55P03"; }
  // Whether PostgreSQL says with this that it has undone the transaction.
  bool IsRolledBack() const;
  // Whether Connection::Commit cannot say if the transaction was done.
  bool LeavesCommitUnknown() const { return sqlstate_ == kOutcomeUnknown; }
  static constexpr char kOutcomeUnknown[] = "40003";
  // Whether nothing but what was to be written can be the reason.
  bool IsOfTheData() const;

 private:
  bool IsOfClass(std::string_view prefix) const { return sqlstate_.starts_with(prefix); }

  std::string sqlstate_;
  std::string message_;
  std::string constraint_;
};

// The answer did not come in time. The connection cannot be used any more.
class NoAnswer final : public Error {
 public:
  NoAnswer() : Error("", "PostgreSQL did not answer in time") {}
};

// The message and the SQLSTATE, for the log.
std::string Describe(const Error& error);

// What a caller of the store is told: ALREADY_EXISTS for a name that is taken, INTERNAL for what
// PostgreSQL will never take, else UNAVAILABLE. It says nothing of where the store is, and repeats
// nothing that is stored.
absl::Status ToStatus(const Error& error);

// The store cannot be used by this gateway any more, whatever it does.
class Final : public std::exception {
 public:
  explicit Final(std::string why) : why_(std::move(why)) {}
  const char* what() const noexcept override { return why_.c_str(); }

 private:
  std::string why_;
};

// Somebody has ended this session, because nothing was heard of its gateway for long, or because
// the gateway has a newer one.
class SessionEnded final : public Error {
 public:
  SessionEnded() : Error("", "this session was ended, because nothing was heard of it for long") {}
};

// A newer process has this gateway's name.
class TakenOver final : public Final {
 public:
  TakenOver()
      : Final(
            "another gateway with the same name has started on this store: both have the same "
            "gateway.id in their state directory. Give each a state directory of its own, and no "
            "copy of one") {}
};

// The store does not know this gateway any more.
class Forgotten final : public Final {
 public:
  Forgotten()
      : Final(
            "the other gateways have taken over this one's work and forgotten it: nothing was "
            "heard of it for longer than a day, or another process with its name has started and "
            "ended meanwhile. Nothing that was stored is lost; start this gateway again") {}
};

// The server does not have what callers were told is stored.
class LacksCommits final : public Final {
 public:
  LacksCommits()
      : Final(
            "this server lacks commits that were acknowledged: it is an old primary, a standby "
            "that "
            "was behind, or a restored backup. Make the server that has them the primary again and "
            "start the gateway; if it is lost, start the gateway with this one, which does not "
            "know "
            "the last jobs: a retry of one of them is submitted and paid for again") {}
};

}  // namespace gateway::postgres
