// These functions bring the tables of a store up to date, and check that a server may be trusted
// with one. They throw Error.
//
// All tables are in the schema `pictory`. Steps only ever add, so that an older gateway goes on
// beside a newer one; pictory.store has the version and the oldest program allowed.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "postgres/connection.h"

namespace gateway::postgres {

// One step of the schema. A released one never changes.
struct Migration {
  int version;         // 1, 2, 3 …
  int oldest_program;  // the last step that a program must know to go on with the tables
  const char* sql;
};

const std::vector<Migration>& Migrations();

// Brings the tables up to the last of `migrations`, under the lock of the row in pictory.store.
// FAILED_PRECONDITION if the store asks for a newer program, or is of the other of sandbox and
// real. Sets `created` if there was no store.
absl::Status Migrate(Connection& connection, const std::vector<Migration>& migrations, bool sandbox,
                     bool& created);

// What a store says of itself.
struct StoreKind {
  std::int64_t version = 0;
  std::int64_t oldest_program = 0;
  bool sandbox = false;
};

// FAILED_PRECONDITION if the store asks for a program that knows more than version `known`, or is
// of the other of sandbox and real.
absl::Status CheckStore(const StoreKind& store, int known, bool sandbox);

// FAILED_PRECONDITION, naming the setting, if the server might lose what it has committed, takes no
// writes, or is too old.
absl::Status CheckServer(Connection& connection);

// Whether the server waits for a standby at each commit.
bool HasSynchronousStandby(Connection& connection);

}  // namespace gateway::postgres
