// These functions open the store of a gateway that keeps its jobs in PostgreSQL (--store).
#pragma once

#include <filesystem>
#include <functional>
#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "app/config.h"
#include "postgres/postgres_job_store.h"
#include "store/state_lock.h"

namespace gateway::app {

// Where a process runs, for people who ask who uses a store.
std::string AddressOfThis();

// Finds where PostgreSQL is, from the text of a flag such as --store or the file of one such as
// --store-file; one of them is set. INVALID_ARGUMENT, which never holds a password.
absl::StatusOr<Secret> ReadStorePlace(const std::string& flag, const std::string& text,
                                      const std::string& file);

// Finds where PostgreSQL is, from --store or the file of --store-file, and leaves `config.store`
// empty if there is neither. INVALID_ARGUMENT, which never holds a password.
absl::Status CompleteStore(const std::string& store, const std::string& store_file, Config& config);

struct OpenedPostgres {
  // Of the directory that has the gateway's name, so that no two processes have one name.
  std::unique_ptr<store::StateLock> lock;
  std::unique_ptr<postgres::PostgresJobStore> store;
};

// Opens the store, and logs what an operator should know of it. `failed` is called once if another
// gateway has taken it over.
absl::StatusOr<OpenedPostgres> OpenPostgres(const Config& config,
                                            const std::filesystem::path& directory,
                                            std::function<void()> failed);

}  // namespace gateway::app
