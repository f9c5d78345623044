#include "store/memory_job_store.h"
#include "store/sqlite_job_store.h"
#include "store_suite.h"

namespace gateway::store {
namespace {

class MemoryGround final : public Ground {
 public:
  explicit MemoryGround(std::int64_t tombstones_max) : store_(tombstones_max) {}
  jobs::Store& store() override { return store_; }

 private:
  MemoryJobStore store_;
};

class SqliteGround final : public Ground {
 public:
  explicit SqliteGround(std::int64_t tombstones_max) {
    auto opened =
        SqliteJobStore::Open({.directory = directory_.path(), .tombstones_max = tombstones_max});
    EXPECT_TRUE(opened.ok()) << opened.status();
    store_ = *std::move(opened);
  }
  jobs::Store& store() override { return *store_; }

 private:
  TemporaryDirectory directory_;
  std::unique_ptr<SqliteJobStore> store_;
};

template <class Kind>
std::unique_ptr<Ground> Open(std::int64_t tombstones_max) {
  return std::make_unique<Kind>(tombstones_max);
}

}  // namespace

std::vector<Backend> Backends() {
  return {{"Memory", Open<MemoryGround>}, {"Sqlite", Open<SqliteGround>}};
}

}  // namespace gateway::store
