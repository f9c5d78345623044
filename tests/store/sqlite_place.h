// A state directory, as a CopyPlace.
#pragma once

#include "copy_ground.h"  // first, see store_calls.h

#include "SQLiteCpp/Statement.h"
#include "store/schema.h"
#include "store/sqlite_job_store.h"

namespace gateway::store {

class SqlitePlace final : public CopyPlace {
 public:
  absl::StatusOr<OpenedPlace> Open(bool copying) override {
    auto opened = SqliteJobStore::Open({.directory = directory_.path(), .copying = copying});
    if (!opened.ok()) return opened.status();
    OpenedPlace place{.copyable = opened->get()};
    place.store = *std::move(opened);
    return place;
  }
  std::vector<std::string> Tables() override {
    const auto db = OpenForReading(directory_.path() + "/jobs.db");
    SQLite::Statement find(**db, "SELECT name FROM sqlite_schema WHERE type = 'table'");
    std::vector<std::string> names;
    while (find.executeStep()) names.push_back(find.getColumn(0).getString());
    return names;
  }

 private:
  TemporaryDirectory directory_;
};

}  // namespace gateway::store
