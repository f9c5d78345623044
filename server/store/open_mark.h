// OpenMark is the file `jobs.open` beside jobs.db. It is there from before anything is written to
// the log until the store has ended in order. A gateway that finds it at a start follows one that
// was killed. It then knows that jobs.db alone is not everything: there must be a log, and of which
// time. A gateway that finds a log without the mark does not know whose log that is: SQLite would
// put its pages into any jobs.db of that name, a backup too, and ruin it.
//
// SQLite itself cannot tell this. Without its log, jobs.db is a sound database of an earlier time,
// and a new jobs.db is empty; a gateway on either would pay again for what it has forgotten.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "store/log_header.h"

namespace gateway::store {

inline constexpr char kOpenMarkName[] = "jobs.open";

struct OpenMark {
  std::int64_t epoch = 0;        // that jobs.db has reached, without its log
  std::optional<LogHeader> log;  // when the mark was made; none: it is not needed (any more)
  bool numbered = false;         // jobs.db alone tells whether it is a copy
  std::string damage;  // what befell the files meanwhile and makes them unfit; mostly empty
};

// None if there is no such file. FAILED_PRECONDITION if it is not one of ours.
absl::StatusOr<std::optional<OpenMark>> ReadOpenMark(const std::string& directory);

// Writes the mark: durable, and whole under its name or not at all.
absl::Status WriteOpenMark(const std::string& directory, const OpenMark& mark);
absl::Status RemoveOpenMark(const std::string& directory);
// Removes the mark if there is no log. Called after a start that was refused before it committed
// anything.
void RemoveOpenMarkWithoutLog(const std::string& directory);

// Whether what lies in `directory` can be opened without forgetting anything, before SQLite touches
// it: SQLite removes the log of a jobs.db that is gone. FAILED_PRECONDITION, with what is wrong and
// what to do.
absl::Status CheckLeftovers(const std::string& directory, const std::optional<OpenMark>& mark);

}  // namespace gateway::store
