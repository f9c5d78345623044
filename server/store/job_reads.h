// JobReads is what the reads of a store ask of the file: the statements, without threads.
//
// It is for one thread, on a connection of its own. Each call sees one state of the file: all that
// was committed when the call began. Calls throw SQLite::Exception if the file fails.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "SQLiteCpp/Database.h"
#include "SQLiteCpp/Statement.h"
#include "jobs/store.h"

namespace gateway::store {

class JobReads {
 public:
  // `db` must outlive this.
  explicit JobReads(SQLite::Database& db);

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
  std::vector<jobs::JobRecord> List(const std::string& tenant, const jobs::ListQuery& query);
  void ReadUnfinished(const std::function<void(jobs::JobRecord)>& take);
  void ReadShards(const std::vector<std::int32_t>& shards,
                  const std::function<void(jobs::JobRecord)>& take);
  void ReadArchiving(const std::vector<std::int32_t>& shards,
                     const std::function<void(jobs::ShardJob)>& take);
  void ReadNotifying(const std::vector<std::int32_t>& shards,
                     const std::function<void(jobs::ShardJob)>& take);
  std::string FindFeedEnd();
  absl::StatusOr<jobs::FeedPage> ReadFeed(const std::string& position, int limit);
  absl::StatusOr<jobs::PartChunk> ReadPart(const std::string& tenant, const std::string& job_id,
                                           jobs::v1::ResultPart part, std::int64_t offset,
                                           std::int64_t max_bytes);

 private:
  struct FeedTold {
    std::string id;
    std::int64_t begin = 0;  // what changed up to here is forgotten
    std::int64_t end = 0;
  };
  FeedTold ReadFeedEnds();
  void ReadNames(const std::string& from, const std::vector<std::int32_t>& shards,
                 const char* order, const std::function<void(jobs::ShardJob)>& take);
  std::vector<std::string> ListIds(const std::string& tenant, const jobs::ListQuery& query);

  SQLite::Database& db_;
  SQLite::Statement find_;
  SQLite::Statement find_without_results_;
  SQLite::Statement find_pictory_;
  SQLite::Statement find_alias_;
  SQLite::Statement find_request_;
  SQLite::Statement find_owner_;
  SQLite::Statement find_token_;
  SQLite::Statement find_without_request_id_;
  SQLite::Statement feed_end_;
  SQLite::Statement part_size_;
  SQLite::Statement part_slices_;
};

}  // namespace gateway::store
