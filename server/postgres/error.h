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
  // Whether a COMMIT that was answered with this may have been done all the same.
  bool LeavesCommitUnknown() const;
  // Whether nothing but what was to be written can be the reason.
  bool IsOfTheData() const;

 private:
  bool IsOfClass(std::string_view prefix) const { return sqlstate_.starts_with(prefix); }

  std::string sqlstate_;
  std::string message_;
  std::string constraint_;
};

// The message and the SQLSTATE, for the log.
std::string Describe(const Error& error);

// What a caller of the store is told: ALREADY_EXISTS for a name that is taken, INTERNAL for what
// PostgreSQL will never take, else UNAVAILABLE, which says nothing of where the store is.
absl::Status ToStatus(const Error& error);

// Another gateway has taken over the store. It is final for this one.
class TakenOver : public std::exception {
 public:
  const char* what() const noexcept override {
    return "another gateway has taken over this store, because the lease of this one had run out";
  }
};

}  // namespace gateway::postgres
