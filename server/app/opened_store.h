// OpenStore opens the store that the settings name: a file, a PostgreSQL server, or memory.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "app/config.h"
#include "base/clock.h"
#include "jobs/store.h"
#include "store/state_lock.h"

namespace gateway::app {

struct OpenedStore {
  // Of the directory, where the jobs are in PostgreSQL; SQLite's store has its own. Goes last.
  std::unique_ptr<store::StateLock> lock;
  std::unique_ptr<jobs::Store> store;
  // Where the jobs are, for the log: `directory` or `postgres`, and which one.
  std::string kind;
  std::string place;
  Duration ahead{};  // so far is its clock ahead of this machine's
  // Of its writer, for metrics; may be called as long as `store` is there.
  std::function<bool()> away = [] { return false; };  // it cannot be reached
  std::function<double()> commits = [] { return 0; };
  std::function<Duration()> commit_time = [] { return Duration::zero(); };
  std::function<std::size_t()> writes_queued = [] { return 0; };
};

// Logs what an operator should know of the store. `failed` is called once, from any thread, when
// it accepts no write any more and the program must end.
absl::StatusOr<OpenedStore> OpenStore(const Config& config, const std::filesystem::path& directory,
                                      std::function<void()> failed);

}  // namespace gateway::app
