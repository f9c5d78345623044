// SQLite's errors as statuses for the operator: what happened, to which file, what to do.
#pragma once

#include <string>

#include "SQLiteCpp/Exception.h"
#include "absl/status/status.h"

namespace gateway::store {

// While opening `path`.
absl::Status OpenError(const SQLite::Exception& error, const std::string& path);

// A row that would break a uniqueness rule: a refusal of one write, no failure of the store.
bool IsConflict(const SQLite::Exception& error);

// ALREADY_EXISTS, naming which rule.
absl::Status Conflict(const SQLite::Exception& error);

// SQLite's words with its code.
std::string Describe(const SQLite::Exception& error);

}  // namespace gateway::store
