// These functions turn SQLite's errors into statuses for the operator: what happened, to which
// file, what to do.
#pragma once

#include <string>

#include "SQLiteCpp/Exception.h"
#include "absl/status/status.h"

namespace gateway::store {

// The status for an error while opening `path`.
absl::Status OpenError(const SQLite::Exception& error, const std::string& path);

// Whether a write was refused because its row would break a uniqueness rule. That is no failure of
// the store.
bool IsConflict(const SQLite::Exception& error);

// The status ALREADY_EXISTS, naming the rule that was broken.
absl::Status Conflict(const SQLite::Exception& error);

// SQLite's words with its code, and for a damaged file the way out.
std::string Describe(const SQLite::Exception& error);

}  // namespace gateway::store
