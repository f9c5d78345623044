#include "postgres/postgres_job_store.h"
#include "server.h"
#include "store/sqlite_place.h"

namespace gateway::store {
namespace {

class PostgresPlace final : public CopyPlace {
 public:
  explicit PostgresPlace(const std::string& database)
      : conninfo_(postgres::PostgresServer::Shared().conninfo("dbname=" + database)) {
    auto& server = postgres::PostgresServer::Shared();
    if (server.Number("SELECT count(*) FROM pg_database WHERE datname = '" + database + "'") == 0) {
      server.Sql("CREATE DATABASE " + database);
    }
    Connect()->Script("SET client_min_messages = warning; DROP SCHEMA IF EXISTS pictory CASCADE");
  }

  absl::StatusOr<OpenedPlace> Open(bool copying) override {
    auto opened = postgres::PostgresJobStore::Open({.conninfo = conninfo_,
                                                    .copying = copying,
                                                    .gateway = copying ? "store-copy" : "gateway",
                                                    .address = "here"});
    if (!opened.ok()) return opened.status();
    OpenedPlace place{.copyable = opened->get()};
    place.store = *std::move(opened);
    return place;
  }
  std::vector<std::string> Tables() override {
    const auto connection = Connect();
    const postgres::Rows rows =
        connection->Run("SELECT tablename::text FROM pg_tables WHERE schemaname = 'pictory'");
    std::vector<std::string> names;
    for (int row = 0; row < rows.size(); ++row) names.emplace_back(rows.Bytes(row, 0));
    return names;
  }

 private:
  std::unique_ptr<postgres::Connection> Connect() const {
    return postgres::Connection::Open(conninfo_, kPatience);
  }

  const std::string conninfo_;
};

}  // namespace

std::vector<CopyBackend> CopyBackends() {
  const auto sqlite = [] { return std::make_unique<SqlitePlace>(); };
  const auto postgres = [] { return std::make_unique<PostgresPlace>("jobs"); };
  const auto other = [] { return std::make_unique<PostgresPlace>("other_jobs"); };
  return {{"SqliteToPostgres", sqlite, postgres},
          {"PostgresToSqlite", postgres, sqlite},
          {"PostgresToPostgres", postgres, other}};
}

}  // namespace gateway::store
