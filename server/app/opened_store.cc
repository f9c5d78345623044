#include "app/opened_store.h"

#include <utility>

#include "app/postgres_store.h"
#include "obs/log.h"
#include "store/memory_job_store.h"
#include "store/sqlite_job_store.h"

namespace gateway::app {
namespace {

using obs::Level;
using obs::Log;

// Puts a store and what is asked of its writer into `opened`.
template <class Kept>
void Keep(std::unique_ptr<Kept> store, bool sandbox, OpenedStore& opened) {
  if (store->created()) {
    Log(sandbox ? Level::kInfo : Level::kWarn, "store_created",
        {{opened.kind, opened.place},
         {"note",
          "there was no store here before; if jobs were submitted with another one, this one does "
          "not know their request_ids, and a retry of them is paid for again"}});
  }
  opened.commits = [kept = store.get()] { return kept->stats().commits; };
  opened.commit_time = [kept = store.get()] { return kept->stats().commit_time; };
  opened.writes_queued = [kept = store.get()] { return kept->stats().writes_queued; };
  opened.store = std::move(store);
}

absl::StatusOr<std::unique_ptr<store::SqliteJobStore>> OpenSqlite(const Config& config,
                                                                  const std::string& directory,
                                                                  std::function<void()> failed) {
  store::SqliteOptions options;
  options.directory = directory;
  options.sandbox = config.sandbox;
  options.on_fatal = [failed = std::move(failed), directory](const absl::Status& why) {
    Log(Level::kError, "store_failed",
        {{"reason", std::string(why.message())},
         {"directory", directory},
         {"advice",
          "nothing is submitted any more and this gateway ends; put right what the reason says, "
          "then start it again (server/docs/operations.md, \"The state directory\")"}});
    failed();
  };
  return store::SqliteJobStore::Open(std::move(options));
}

}  // namespace

absl::StatusOr<OpenedStore> OpenStore(const Config& config, const std::filesystem::path& directory,
                                      std::function<void()> failed) {
  OpenedStore opened{.kind = "directory", .place = directory.string()};
  if (config.memory_store) {
    opened.store = std::make_unique<store::MemoryJobStore>();
  } else if (!config.store.empty()) {
    auto found = OpenPostgres(config, directory, std::move(failed));
    if (!found.ok()) return found.status();
    opened.kind = "postgres";
    opened.place = found->store->place();
    opened.lock = std::move(found->lock);
    opened.ahead = found->store->ahead();
    opened.away = [store = found->store.get()] { return store->away(); };
    Keep(std::move(found->store), config.sandbox, opened);
  } else {
    auto found = OpenSqlite(config, opened.place, std::move(failed));
    if (!found.ok()) return found.status();
    Keep(*std::move(found), config.sandbox, opened);
  }
  return opened;
}

}  // namespace gateway::app
