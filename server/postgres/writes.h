// Writes is what the writes of a store do in one transaction: the statements, without threads, and
// without BEGIN and COMMIT. It keeps what has changed, for the feed.
//
// Everything but ApplyAll is for one write, and for a savepoint of the caller's, who rolls it back
// if the call returns an error or throws Error.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/limits.h"
#include "jobs/store.h"
#include "postgres/connection.h"
#include "postgres/lease.h"
#include "postgres/left.h"
#include "postgres/spending.h"

namespace gateway::postgres {

// A change of one record, of the two kinds that are most of all writes: many of them go in two
// statements.
struct Change {
  enum class Kind { kBegin, kUpdate };

  Kind kind = Kind::kUpdate;
  jobs::JobRecord record;
  std::vector<pictory::JobResult::Part> parts;
  std::int64_t aside = 0;  // parts of this number become the job's, too (Writes::StartAside)
  // What became of it.
  absl::Status status;
  jobs::BeginResult begun;  // of a kBegin
};

// What a gateway saw when it last looked for what gateways that are gone have left.
struct Seen {
  std::vector<std::int64_t> epochs;             // ShareHeld::epochs
  std::map<std::int32_t, std::int64_t> shards;  // that it held, and their epochs
};

struct Renewal {
  jobs::Holding holding;
  Seen seen;
  Left look;  // at these; at no shards: there is nothing to look for
};

class Writes {
 public:
  // `since`: when the session of the connection began; `writer`: its number. `limits_of` outlives
  // this, and may be empty: nothing is limited.
  Writes(Connection& connection, MonoTime since, std::int64_t writer,
         const jobs::SubmitLimitsOf& limits_of)
      : connection_(connection), since_(since), writer_(writer), limits_of_(limits_of) {}

  // Applies changes of different jobs and different requests. What only one of them is to blame for
  // is in its status; if this throws, it may be any of them.
  void ApplyAll(const std::vector<Change*>& changes);
  // The same for one.
  void Apply(Change& change);

  // Parts that are written before the record that they are of stand aside until then, under a
  // number that nobody else has: what two gateways store of one job at a time is not mixed. This
  // gives the number. ABORTED or NOT_FOUND if the job does not have record.version.
  absl::StatusOr<std::int64_t> StartAside(const jobs::JobRecord& record);
  // Writes the slices [first, last) of a part aside; errors as above.
  absl::Status PutAside(const jobs::JobRecord& record, std::int64_t number,
                        const pictory::JobResult::Part& part, std::size_t first, std::size_t last);
  // Removes what stands aside under this number.
  void DropAside(const jobs::JobKey& job, std::int64_t number);
  void Adopt(const jobs::JobRecord& record);
  absl::StatusOr<std::string> TakeOver(const jobs::JobRecord& record, std::int64_t adopted_version);
  void KeepHints(const jobs::JobKey& job, const std::vector<std::string>& pictory_job_ids);
  void Nudge(const jobs::JobKey& job);
  bool Claim(const jobs::OwedAnswers::Claim& claim);
  void EndEpoch(const std::vector<jobs::OwedJob>& owed, const std::string& gateway);
  std::string ShareSecret(const std::string& name, const std::string& made);
  void SetStopped(const Identity& identity, bool stopped);
  absl::Status Delete(const jobs::JobRecord& record);
  std::vector<jobs::JobKey> Prune(const jobs::PruneQuery& query);
  void NoteAsked(const std::string& account, const jobs::Asked& asked);
  // Begins a new epoch of the gateway's attempts, ends those of its former ones and of gateways
  // that are gone, which were found among all jobs, and takes over the answers that they owed. The
  // rest of what a process is told when it starts is Reads::CountAll's.
  jobs::Recovered Recover(WallTime now, const std::string& gateway, const LeftJobs& found);
  // Renews the lease and the shards; `seen`: at the last look. `leaves`: see Sharing::Leave.
  Renewal Renew(const Identity& identity, const Seen& seen, bool leaves);
  // Ends what gateways that are gone have left, and takes over the answers that they owed.
  std::vector<jobs::OwedJob> TakeLeft(WallTime now, const std::string& gateway, const Left& left,
                                      const LeftJobs& found);

  // For what a copy reads and writes (postgres/copy_rows.h).
  Connection& connection() { return connection_; }

  const std::vector<jobs::FeedEntry>& changed() const { return changed_; }
  // Goes back to what had changed when there were so many changes.
  void Forget(std::size_t changes) {
    changed_.resize(changes);
    tally_.Clear();
  }

 private:
  // The stored labels of a job. NOT_FOUND, or ABORTED if it has another version.
  absl::StatusOr<std::string> LabelsToChange(const jobs::JobRecord& record);
  // Takes away those that pass a limit of submits.
  void Limit(std::vector<Change*>& begins, std::vector<Change*>& updates);
  void BeginAll(std::vector<Change*> changes);
  void BeginKnown(Change& change);
  absl::Status TryBeginKnown(Change& change);
  void UpdateAll(std::vector<Change*> changes);
  absl::Status UpdateWithLabels(const jobs::JobRecord& record);
  void Insert(const jobs::JobRecord& record);
  // Which of these records were there with their version, by their place among them.
  std::set<std::size_t> ReplaceRows(const std::vector<const jobs::JobRecord*>& records,
                                    bool same_labels);
  void InsertLabels(const std::vector<const jobs::JobRecord*>& records);
  void RemoveLabels(const jobs::JobKey& job, const std::string& labels);
  int RemoveParts(const jobs::JobKey& job);
  void PutParts(const std::vector<Change*>& changes);
  // Has the parts that stand aside under this number take the place of the job's.
  void TakeAside(const jobs::JobKey& job, std::int64_t number);
  void Rename(const std::string& tenant, const std::string& adopted, const std::string& job_id);
  // Removes the record, if it still has `version`; returns whether it had.
  bool RemoveRow(const jobs::JobKey& job, std::int64_t version);
  // Removes all that belonged to it. Returns how many slices of parts there were, and adds the
  // job's other names.
  int RemoveRest(const jobs::JobKey& job, const std::string& labels, std::int32_t shard,
                 std::vector<jobs::JobKey>* aliases_removed = nullptr);
  void Note(const jobs::JobRecord& record, std::int64_t version);
  // Forgets connections that have ended long ago, and what they have changed.
  void ForgetWriters();

  void EndUnderWay(WallTime now, const LeftJobs& found);
  std::vector<jobs::Hint> RecoverHints();
  std::vector<OwedOnce> Owed(WallTime now, const Left& left, const LeftJobs& found);
  // Says that nothing of the gateway's present epoch is owed but what the records themselves name.
  void EndOwing(const std::string& gateway);
  // Makes the owed jobs the process's of this epoch. Gives back those that nobody else has taken.
  std::vector<jobs::OwedJob> Owe(const std::vector<OwedOnce>& owed, std::int64_t epoch,
                                 jobs::Delivery as);

  Connection& connection_;
  const MonoTime since_;
  const std::int64_t writer_;
  const jobs::SubmitLimitsOf& limits_of_;
  std::vector<jobs::FeedEntry> changed_;
  SpendingTally tally_;  // empty between two calls
};

}  // namespace gateway::postgres
