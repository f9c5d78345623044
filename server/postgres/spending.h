// How the tables count submits (jobs/shared_spending.h): pictory.spending has sums by steps of
// time, and each row of pictory.jobs says what of it is in them. Both change with the record, in
// its transaction, so nothing counts twice, whoever does it, and a crash loses nothing.
//
// Where a submit is limited, the row of pictory.spenders of its tenant, or of all, is locked from
// before the sums are read until they are raised. Without limits nobody waits for anybody: each
// writer adds to rows of its own. All times are the database's.
//
// These are for a transaction of the caller's, and throw Error.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "absl/status/status.h"
#include "jobs/shared_spending.h"
#include "jobs/store.h"
#include "postgres/connection.h"

namespace gateway::postgres {

// A submit that is about to begin, or to be sent after it has waited.
struct SpendingAsk {
  const jobs::JobRecord* record = nullptr;
  absl::Status status;  // RESOURCE_EXHAUSTED: it must not be
};

// Locks what these are limited by, and says of each whether it may be. What begins and has a
// request_id that is known costs nothing, and may.
void CheckSpending(Connection& connection, const jobs::SubmitLimitsOf& limits_of,
                   std::vector<SpendingAsk>& asks);

// SpendingTally collects what a transaction changes in the sums.
class SpendingTally {
 public:
  // What the row says that is counted of it.
  struct Was {
    std::optional<WallTime> at;  // in these steps; nullopt: in none
    double credits = 0;
    double reserved = 0;
    WallTime now;
  };

  // A row was inserted that is counted so.
  void NoteBegun(const std::string& tenant, const Was& was);
  // A row was replaced by this record's.
  void NoteReplaced(const jobs::JobRecord& record, const Was& was);
  // Writes it down, into the rows of the writer with this number.
  void Write(Connection& connection, std::int64_t writer);
  void Clear();

 private:
  struct Sum {
    std::int64_t submits = 0;
    double credits = 0;
    double reserved = 0;
  };
  struct Row {
    jobs::JobKey job;
    std::optional<WallTime> at;
    jobs::CountedSpending counted;
  };
  void Add(const std::string& tenant, WallTime at, WallTime now, const Sum& sum);

  // By tenant, length of the step in seconds, and its beginning.
  std::map<std::tuple<std::string, std::int64_t, WallTime>, Sum> sums_;
  std::vector<Row> rows_;  // whose columns change
};

// What a job may use as it is counted, in SQL. Then the columns of a Was, in their order, as they
// are now.
inline constexpr char kCountableCredits[] = "least(greatest(credits_reserved, 0), 1e12)";
inline constexpr char kCountedColumns[] = "counted_at, counted_credits, counted_reserved";
SpendingTally::Was ReadCounted(const Rows& rows, int row, int first);

// What is counted of each tenant, and of all; or of one, with its active jobs.
std::vector<jobs::SpentTotal> ReadSpentTotals(Connection& connection);
jobs::SpentTotal ReadSpentTotal(Connection& connection, const std::string& tenant);
// How many jobs of a tenant have not ended; at most `most` are counted.
std::int64_t CountActive(Connection& connection, const std::string& tenant, std::int64_t most);

// Forgets steps that no window reaches any more.
void ForgetSpending(Connection& connection);
// Counts all jobs anew, which is for tables that nobody else uses; as SQL, and done with patience.
extern const char kCountJobsSql[];
void CountJobs(Connection& connection);

}  // namespace gateway::postgres
