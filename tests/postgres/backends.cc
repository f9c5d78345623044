// The behaviour suite of stores (tests/store) runs on PostgreSQL, and once more through a pooler.
#include "store/store_suite.h"  // first, see there

#include "postgres/postgres_job_store.h"
#include "server.h"

namespace gateway::store {
namespace {

class PostgresGround final : public Ground {
 public:
  PostgresGround(std::string conninfo, std::int64_t tombstones_max) {
    postgres::PostgresServer::Shared().Empty();
    postgres::PostgresOptions options{
        .conninfo = std::move(conninfo), .gateway = "suite", .address = "here"};
    // The suite asks for tombstones. This store counts all changes: its three tombstones, and what
    // it wrote of one of those jobs before.
    if (tombstones_max < options.feed_max) options.feed_max = tombstones_max + 1;
    auto opened = postgres::PostgresJobStore::Open(std::move(options));
    EXPECT_TRUE(opened.ok()) << opened.status();
    store_ = *std::move(opened);
  }
  jobs::Store& store() override { return *store_; }

 private:
  std::unique_ptr<postgres::PostgresJobStore> store_;
};

}  // namespace

std::vector<Backend> Backends() {
  return {{"Postgres",
           [](std::int64_t tombstones_max) {
             return std::make_unique<PostgresGround>(postgres::PostgresServer::Shared().conninfo(),
                                                     tombstones_max);
           }},
          {"Pooled", [](std::int64_t tombstones_max) {
             return std::make_unique<PostgresGround>(postgres::Pooler::Shared().conninfo(),
                                                     tombstones_max);
           }}};
}

}  // namespace gateway::store
