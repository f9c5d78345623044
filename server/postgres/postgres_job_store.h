// PostgresJobStore is the store on a PostgreSQL server, for several gateways, and for those who
// want their jobs where their other data is.
//
// Writes go through one thread and connection that commits them in groups (postgres/writer.h).
// Reads have five lanes (postgres/lane.h), for finds, lists, parts, the feed, and looks at all that
// has not ended; all reads see every write whose callback ran. Callbacks get the errors of
// jobs/store.h; RESOURCE_EXHAUSTED when a queue is full; UNAVAILABLE STORE_AWAY while the server
// cannot be reached; INTERNAL STORE_FAILED once another process has taken this gateway's name, or
// the server is one that lacks what was stored; and UNAVAILABLE after Close, then inside the call.
// Thread-safe.
//
// The feed is read writer by writer: of one gateway's changes each comes after the one before, of
// two gateways' in any order, so a `gone` may come before an older change of the same job. Who
// needs to know the newest compares versions, or reads the record.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/limits.h"
#include "jobs/store.h"
#include "postgres/lane.h"
#include "postgres/writer.h"
#include "store/copyable.h"

namespace gateway::postgres {

struct PostgresOptions {
  std::string conninfo;  // a postgres:// URL, or libpq's `key=value` text
  // Whether the jobs are the sandbox's. A store of one kind is never opened as the other.
  bool sandbox = false;
  // For a copy and not for a gateway: the store's mark (store/copy_mark.h) does not keep it out.
  bool copying = false;
  // The gateway's name, the same at each start and of no two processes at once; and where it runs,
  // for people.
  std::string gateway;
  std::string address;

  // Called once, on the writer's thread, when the store cannot be used any more: another process
  // has taken this gateway's name, the server lacks what was stored, or a newer program has changed
  // the tables. No later write is accepted, nothing is read, and the program should end. Must not
  // call Close itself.
  std::function<void(absl::Status)> on_fatal;
  // Called on the writer's thread: the server cannot be reached, and why, each reason once and at
  // most limits::kStoreAwayReasonsMax of them; and it can be again.
  std::function<void(std::string)> on_away;
  std::function<void()> on_back;
  // Called on any of the store's threads, at most once a minute: PostgreSQL refuses what it is
  // asked, and why; its disk is full, or the role has lost a privilege. It may hold what is stored.
  std::function<void(std::string)> on_refused;

  std::size_t write_queue_max = limits::kStoreQueueMax;
  std::size_t read_queue_max = limits::kStoreQueueMax;  // of each lane
  std::size_t group_max = limits::kStoreGroupMax;
  std::int64_t feed_max = limits::kFeedMax;
  Duration away_wait = limits::kStoreAwayWait;
  Duration close_wait = limits::kStoreCloseMax;
  LeaseTimes lease_times;
};

class PostgresJobStore final : public jobs::Store, public jobs::Sharing, public store::Copyable {
 public:
  // Blocks until the server is reached and its tables are of the present schema. Errors say a way
  // out: INVALID_ARGUMENT (conninfo), UNAVAILABLE (not reached), FAILED_PRECONDITION (settings with
  // which jobs could be lost, made by a newer program, made for the other of sandbox and real),
  // PERMISSION_DENIED, INTERNAL.
  static absl::StatusOr<std::unique_ptr<PostgresJobStore>> Open(PostgresOptions options);

  ~PostgresJobStore() override;

  jobs::Sharing& sharing() override { return *this; }
  bool shared() const override { return true; }
  void LimitWith(jobs::SubmitLimitsOf limits_of) override { limits_of_ = std::move(limits_of); }
  void FindSpent(std::optional<std::string> tenant,
                 Callback<std::vector<jobs::SpentTotal>> done) override;
  void Begin(jobs::JobRecord record, Callback<jobs::BeginResult> done) override;
  void Update(jobs::JobRecord record, std::vector<pictory::JobResult::Part> parts,
              Done done) override;
  void Adopt(jobs::JobRecord record, Done done) override;
  void TakeOver(jobs::JobRecord record, std::int64_t adopted_version,
                Callback<std::string> done) override;
  void Find(std::string tenant, std::string name,
            Callback<std::optional<jobs::JobRecord>> done) override;
  void FindMany(std::vector<jobs::JobKey> keys,
                Callback<std::vector<jobs::JobRecord>> done) override;
  void FindRequest(std::string tenant, std::string request_id,
                   Callback<std::optional<jobs::JobRecord>> done) override;
  void FindOwner(std::string account, std::string pictory_job_id,
                 Callback<std::optional<std::string>> done) override;
  void FindToken(std::string token, Callback<std::optional<jobs::JobRecord>> done) override;
  void FindEqual(jobs::EqualQuery query, Callback<std::vector<jobs::JobRecord>> done) override;
  void FindWithoutRequestId(std::string tenant, std::string fingerprint,
                            jobs::RetryEvidence evidence, WallTime since,
                            Callback<std::optional<jobs::JobRecord>> done) override;
  void List(std::string tenant, jobs::ListQuery query,
            Callback<std::vector<jobs::JobRecord>> done) override;
  void ReadPart(std::string tenant, std::string job_id, jobs::v1::ResultPart part,
                std::int64_t offset, std::int64_t max_bytes,
                Callback<jobs::PartChunk> done) override;
  void KeepHints(jobs::JobKey job, std::vector<std::string> pictory_job_ids, Done done) override;
  void FindHints(jobs::JobKey job, Callback<std::vector<std::string>> done) override;
  void Nudge(jobs::JobKey job, Done done) override;
  void Claim(jobs::OwedAnswers::Claim claim, Callback<bool> done) override;
  absl::StatusOr<std::string> ShareSecret(const std::string& name, std::string made) override;
  void SetStopped(bool stopped, Done done) override;
  void EndEpoch(std::vector<jobs::OwedJob> owed, Done done) override;
  void NoteAsked(std::string account, jobs::Asked asked, Done done) override;
  void Delete(jobs::JobRecord record, Done done) override;
  void Prune(jobs::PruneQuery query, Callback<std::vector<jobs::JobKey>> done) override;
  void Renew(Callback<jobs::Holding> done) override;
  void Leave() override { leaves_ = true; }
  void ReadShards(std::vector<std::int32_t> shards, std::function<void(jobs::JobRecord)> take,
                  Done done) override;
  void ReadNotifying(std::vector<std::int32_t> shards, TakeName take, Done done) override;
  void ReadArchiving(std::vector<std::int32_t> shards, TakeName take, Done done) override;
  void FindFeedEnd(Callback<std::string> done) override;
  void ReadFeed(std::string position, int limit, Callback<jobs::FeedPage> done) override;
  absl::StatusOr<jobs::Recovered> Recover(WallTime now) override;
  absl::Status ReadUnfinished(const std::function<void(jobs::JobRecord)>& take) override;
  absl::StatusOr<std::string> ReadStoreId() override;
  absl::StatusOr<store::CopyCounts> Count() override;
  absl::StatusOr<store::CopiedRest> ReadRest() override;
  absl::StatusOr<std::vector<store::CopiedJob>> ReadJobs(const jobs::JobKey& after) override;
  absl::StatusOr<std::vector<store::CopiedSlice>> ReadSlices(const jobs::JobKey& job, int part,
                                                             std::int64_t after_slice) override;
  absl::StatusOr<std::vector<jobs::JobKey>> FindSlices(const jobs::JobKey& after,
                                                       const jobs::JobKey& last) override;
  absl::StatusOr<std::optional<store::CopyMark>> ReadMark() override;
  absl::Status SetMark(const std::optional<store::CopyMark>& mark) override;
  absl::Status Clear(const std::optional<store::CopyMark>& mark) override;
  absl::Status WriteSlices(std::vector<store::CopiedSlice> slices) override;
  absl::Status WriteJobs(std::vector<store::CopiedJob> jobs) override;
  absl::Status WriteRest(store::CopiedRest rest) override;
  // Closes as Store says, and gives the lease back. What is not stored after `close_wait` gets
  // UNAVAILABLE, and reads that have not begun get it at once; it takes no longer than that and one
  // try to connect.
  void Close() override;

  // Whether there was no store in the database before.
  bool created() const { return created_; }
  // So far was the server's clock ahead of this machine's when the store was opened.
  Duration ahead() const { return ahead_; }
  // Whether each commit waits for a standby.
  bool has_standby() const { return has_standby_; }
  // Whether the server cannot be reached at present.
  bool away() const { return writer_.away(); }
  // Where the store is, without a password.
  const std::string& place() const { return place_; }

  struct Stats {
    std::uint64_t commits = 0;
    Duration commit_time{};  // of all of them together
    std::size_t writes_queued = 0;
  };
  Stats stats() const;

 private:
  struct Opened {
    std::string place;
    Identity identity;
    bool created = false;
    Duration ahead{};
    bool has_standby = false;
  };
  PostgresJobStore(Opened opened, Session session, PostgresOptions options);

  struct LargeUpdate;
  void StartLarge(const std::shared_ptr<LargeUpdate>& update);
  // Posts the next slices of its parts, or at the end its record; the rest follows from there.
  void Continue(const std::shared_ptr<LargeUpdate>& update);
  void EndLarge(const std::shared_ptr<LargeUpdate>& update, absl::Status status);

  // Writes what gives back a T, of `job` if it is of one; `query` gets Writes, and gives back a
  // StatusOr<T>.
  template <class T, class Query>
  void WriteFor(jobs::JobKey job, Query query, Callback<T> done);
  // Of a copy: runs `query` on a connection of its own, and `apply` as a write.
  template <class T, class Query>
  absl::StatusOr<T> ReadToCopy(Query query);
  absl::Status WriteToCopy(std::function<absl::Status(Connection&)> apply);

  template <class T, class Query>
  void Read(Lane& lane, Query query, Callback<T> done);
  // Ends what gateways that are gone have left in the shards of the renewal. What they owed comes
  // with a later one.
  void TakeLeft(const std::shared_ptr<Renewal>& renewal);
  // Lets the session be one of this store's.
  Session Attach(Session session);
  void TellRefused(const Error& error);
  Lane::Options LaneOptions(std::size_t queue_max);
  absl::Status Stream(const std::function<void(Reads&)>& read);
  std::array<Lane*, 5> Lanes() { return {&finds_, &lists_, &parts_, &feed_, &looks_}; }

  const std::string conninfo_;
  const std::string place_;
  const bool created_;
  const Duration ahead_;
  const bool has_standby_;
  const Identity identity_;
  const Duration close_wait_;
  const std::function<void(std::string)> on_refused_;
  // These two on the writer's thread only: what there was at the last look, and the answers that
  // looks have found and no renewal has told of.
  Seen seen_;
  std::vector<jobs::OwedJob> owed_;
  std::atomic<bool> looking_{false};
  std::atomic<bool> leaves_{false};
  // From the beginning of a look for what gateways have left until the core has heard of it.
  std::atomic<bool> takes_over_{false};
  std::atomic<Duration::rep> next_refused_told_{};  // when that may be, of MonoTime
  jobs::SubmitLimitsOf limits_of_;                  // may be empty
  Told told_;
  End end_;
  std::unique_ptr<Connection> copying_;  // null until a copy reads
  Lane finds_;
  Lane lists_;
  Lane parts_;
  Lane feed_;
  Lane looks_;
  Writer writer_;  // last: its thread uses the others
};

}  // namespace gateway::postgres
