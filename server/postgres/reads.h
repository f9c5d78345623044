// Reads is what the reads of a store ask on one connection. Each call may be made again on another
// connection. They throw Error.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "jobs/store.h"
#include "postgres/connection.h"
#include "postgres/left.h"
#include "postgres/spending.h"

namespace gateway::postgres {

class Reads {
 public:
  explicit Reads(Connection& connection) : connection_(connection) {}

  std::optional<jobs::JobRecord> Find(const std::string& tenant, const std::string& name);
  std::vector<jobs::JobRecord> FindMany(const std::vector<jobs::JobKey>& keys);
  std::optional<jobs::JobRecord> FindRequest(const std::string& tenant,
                                             const std::string& request_id);
  std::optional<std::string> FindOwner(const std::string& account,
                                       const std::string& pictory_job_id);
  std::optional<jobs::JobRecord> FindToken(const std::string& token);
  std::optional<jobs::JobRecord> FindWithoutRequestId(const std::string& tenant,
                                                      const std::string& fingerprint,
                                                      const jobs::RetryEvidence& evidence,
                                                      WallTime since);
  // `takes_over`: the process does not know yet all that has its epoch.
  std::vector<jobs::JobRecord> FindEqual(const jobs::EqualQuery& query, bool takes_over);
  std::vector<std::string> FindHints(const jobs::JobKey& job);
  std::vector<jobs::JobRecord> List(const std::string& tenant, const jobs::ListQuery& query);
  absl::StatusOr<jobs::PartChunk> ReadPart(const std::string& tenant, const std::string& job_id,
                                           jobs::v1::ResultPart part, std::int64_t offset,
                                           std::int64_t max_bytes);
  std::string FindFeedEnd();
  absl::StatusOr<jobs::FeedPage> ReadFeed(const std::string& position, int limit);
  std::vector<jobs::SpentTotal> ReadSpent(const std::optional<std::string>& tenant);
  LeftJobs FindLeft(const Left& left);
  // What Recover tells of all that there is.
  void CountAll(jobs::Recovered& recovered);
  void ReadUnfinished(const std::function<void(jobs::JobRecord)>& take);
  void ReadShards(const std::vector<std::int32_t>& shards,
                  const std::function<void(jobs::JobRecord)>& take);
  void ReadArchiving(const std::vector<std::int32_t>& shards,
                     const std::function<void(jobs::ShardJob)>& take);
  void ReadNotifying(const std::vector<std::int32_t>& shards,
                     const std::function<void(jobs::ShardJob)>& take);

 private:
  void StreamNames(const std::vector<std::int32_t>& shards, const std::string& where,
                   const std::function<void(jobs::ShardJob)>& take);
  std::vector<jobs::Unfinished> CountUnfinished();
  jobs::AskedOfAccounts ReadAsked();
  std::optional<jobs::JobRecord> One(const Statement& statement);
  std::vector<std::string> ListIds(const std::string& tenant, const jobs::ListQuery& query);

  Connection& connection_;
};

}  // namespace gateway::postgres
