#include "copy_ground.h"
#include "sqlite_place.h"

namespace gateway::store {

std::vector<CopyBackend> CopyBackends() {
  const auto sqlite = [] { return std::make_unique<SqlitePlace>(); };
  return {{"SqliteToSqlite", sqlite, sqlite}};
}

}  // namespace gateway::store
