#include "postgres/postgres_job_store.h"

#include <algorithm>
#include <future>
#include <iterator>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/errors.h"
#include "base/limits.h"
#include "postgres/schema.h"

namespace gateway::postgres {

using jobs::BeginResult;
using jobs::JobRecord;

namespace {

constexpr std::size_t kSlicesAtOnce = limits::kStoreGroupMaxBytes / limits::kPartSliceBytes;

jobs::JobKey KeyOf(const JobRecord& record) { return {record.job.tenant, record.job.job_id}; }

// libpq passes over a server that takes no writes and says little of it. Says what is wrong with
// one that answers; OK if there is nothing.
absl::Status WhyNoServerFits(const std::string& conninfo) {
  try {
    return CheckServer(
        *Connection::Open(conninfo, limits::kStoreReplyMax, Connection::Takes::kAnything));
  } catch (const Error&) {
    return absl::OkStatus();
  }
}

absl::Status OpenError(const Error& error, const std::string& place) {
  const std::string message =
      absl::StrCat("Cannot open the job store in PostgreSQL (", place, "): ", Describe(error));
  if (error.sqlstate() == "42501") {
    return absl::PermissionDeniedError(
        absl::StrCat(message, "; the role must own the database, or the schema `pictory` in it"));
  }
  if (error.sqlstate().starts_with("28") || error.sqlstate().starts_with("3D")) {
    return absl::PermissionDeniedError(message);
  }
  if (error.NeedsConnection() || error.ShouldRunAgain() || error.sqlstate().starts_with("53")) {
    return absl::UnavailableError(message);
  }
  return absl::InternalError(message);
}

}  // namespace

absl::StatusOr<std::unique_ptr<PostgresJobStore>> PostgresJobStore::Open(PostgresOptions options) {
  Opened opened{.identity = {.gateway = options.gateway,
                             .address = options.address,
                             .copying = options.copying,
                             .sandbox = options.sandbox,
                             .times = options.lease_times}};
  const absl::StatusOr<Place> place = PlaceOf(options.conninfo);
  if (!place.ok()) {
    return absl::InvalidArgumentError(absl::StrCat("--store ", place.status().message()));
  }
  opened.place = place->text;
  for (int tries = 0;; ++tries) {
    try {
      auto connection = Connection::Open(options.conninfo, limits::kStoreRecoverMax);
      if (absl::Status fit = CheckServer(*connection); !fit.ok()) return fit;
      opened.has_standby = HasSynchronousStandby(*connection);
      bool created = false;
      if (absl::Status migrated = Migrate(*connection, Migrations(), options.sandbox, created);
          !migrated.ok()) {
        return migrated;
      }
      opened.created |= created;
      if (absl::Status leased = TakeLease(*connection, opened.identity); !leased.ok()) {
        return leased;
      }
      const MonoTime asked = std::chrono::steady_clock::now();
      const WallTime here = SystemClock().WallNow();
      const WallTime there = RenewLease(*connection, opened.identity);
      opened.ahead = (there - here) - (std::chrono::steady_clock::now() - asked) / 2;
      connection->set_patience(limits::kStoreReplyMax);
      Session session(std::move(connection), opened.identity, options.feed_max, std::nullopt);
      return std::unique_ptr<PostgresJobStore>(
          new PostgresJobStore(std::move(opened), std::move(session), std::move(options)));
    } catch (const Final& error) {
      return absl::FailedPreconditionError(error.what());
    } catch (const Error& error) {
      // Two that make the tables at once run into each other in the catalogue's unique indexes.
      const bool again = error.ShouldRunAgain() || error.sqlstate() == "23505" ||
                         error.sqlstate() == "42P06" || error.sqlstate() == "42P07";
      if (again && tries < 2) continue;
      const absl::Status unfit = WhyNoServerFits(options.conninfo);
      return unfit.ok() ? OpenError(error, opened.place) : unfit;
    }
  }
}

PostgresJobStore::PostgresJobStore(Opened opened, Session session, PostgresOptions options)
    : conninfo_(options.conninfo),
      place_(std::move(opened.place)),
      created_(opened.created),
      ahead_(opened.ahead),
      has_standby_(opened.has_standby),
      identity_(std::move(opened.identity)),
      close_wait_(options.close_wait),
      on_refused_(std::move(options.on_refused)),
      finds_(LaneOptions(options.read_queue_max)),
      lists_(LaneOptions(options.read_queue_max)),
      parts_(LaneOptions(options.read_queue_max)),
      feed_(LaneOptions(options.read_queue_max)),
      looks_(LaneOptions(options.read_queue_max)),
      writer_({.conninfo = conninfo_,
               .identity = identity_,
               .queue_max = options.write_queue_max,
               .group_max = options.group_max,
               .feed_max = options.feed_max,
               .away_wait = options.away_wait,
               .told = &told_,
               .end = &end_,
               .limits_of = &limits_of_,
               .on_refused = [this](const Error& error) { TellRefused(error); },
               .on_fatal =
                   [this, tell = std::move(options.on_fatal)](absl::Status why) {
                     for (Lane* lane : Lanes()) lane->Refuse(why);
                     if (tell) tell(std::move(why));
                   },
               .on_away = std::move(options.on_away),
               .on_back = std::move(options.on_back)},
              Attach(std::move(session))) {}

Session PostgresJobStore::Attach(Session session) {
  session.connection().set_end(&end_);
  told_.Set(session.mark());
  return session;
}

Lane::Options PostgresJobStore::LaneOptions(std::size_t queue_max) {
  return {.conninfo = conninfo_,
          .queue_max = queue_max,
          .told = &told_,
          .end = &end_,
          .on_refused = [this](const Error& error) { TellRefused(error); }};
}

void PostgresJobStore::TellRefused(const Error& error) {
  const Duration now = MonoTime(std::chrono::steady_clock::now()).time_since_epoch();
  Duration::rep next = next_refused_told_;
  if (!on_refused_ || now.count() < next) return;
  if (!next_refused_told_.compare_exchange_strong(next, (now + limits::kStoreRefusedTold).count()))
    return;
  on_refused_(Describe(error));
}

PostgresJobStore::~PostgresJobStore() { Close(); }

void PostgresJobStore::Begin(JobRecord record, Callback<BeginResult> done) {
  auto change =
      std::make_shared<Change>(Change{.kind = Change::Kind::kBegin, .record = std::move(record)});
  // The writer has it until `done` has run, unless it refuses it.
  std::weak_ptr<Change> own = change;
  writer_.Post({.change = std::move(change),
                .done = [own = std::move(own), done = std::move(done)](absl::Status status) {
                  status.ok() ? done(std::move(own.lock()->begun)) : done(std::move(status));
                }});
}

// A result of many megabytes in one commit would hold up everybody else's small writes. So the
// parts of a large update are written first, a group's worth a commit, with other writes in
// between. They stand aside until the record's transaction makes them the job's.
struct PostgresJobStore::LargeUpdate {
  JobRecord record;
  std::vector<pictory::JobResult::Part> parts;
  Done done;
  std::int64_t number = 0;  // under which they stand aside
  std::size_t part = 0;     // the next to write,
  std::size_t slice = 0;    // from here on
};

void PostgresJobStore::Update(JobRecord record, std::vector<pictory::JobResult::Part> parts,
                              Done done) {
  std::size_t bytes = record.job.result_wire.size();
  for (const auto& part : parts) bytes += part.bytes.size();
  if (bytes > limits::kStoreGroupMaxBytes) {
    return StartLarge(std::make_shared<LargeUpdate>(
        LargeUpdate{std::move(record), std::move(parts), std::move(done)}));
  }
  writer_.Post({.change = std::make_shared<Change>(
                    Change{.record = std::move(record), .parts = std::move(parts)}),
                .done = std::move(done),
                .bytes = bytes});
}

void PostgresJobStore::StartLarge(const std::shared_ptr<LargeUpdate>& update) {
  WriteFor<std::int64_t>(
      KeyOf(update->record), [update](Writes& writes) { return writes.StartAside(update->record); },
      [this, update](absl::StatusOr<std::int64_t> number) {
        if (!number.ok()) return update->done(number.status());
        update->number = *number;
        Continue(update);
      });
}

void PostgresJobStore::Continue(const std::shared_ptr<LargeUpdate>& update) {
  if (update->part == update->parts.size()) {
    update->parts.clear();
    writer_.Post(
        {.change =
             std::make_shared<Change>(Change{.record = update->record, .aside = update->number}),
         .done = [this, update](absl::Status status) { EndLarge(update, std::move(status)); }});
    return;
  }
  const auto& part = update->parts[update->part];
  const std::size_t first = update->slice;
  const std::size_t all = jobs::PartSlices(part.bytes.size());
  const std::size_t last = std::min(first + kSlicesAtOnce, all);
  writer_.Post({.apply =
                    [update, &part, first, last](Writes& writes) {
                      return writes.PutAside(update->record, update->number, part, first, last);
                    },
                .job = KeyOf(update->record),
                .done =
                    [this, update, last, all](absl::Status status) {
                      if (!status.ok()) return EndLarge(update, std::move(status));
                      update->slice = last == all ? 0 : last;
                      update->part += last == all ? 1 : 0;
                      Continue(update);
                    },
                .bytes = (last - first) * limits::kPartSliceBytes});
}

// Of a server that is away nothing is removed: the next update of the job with large parts does it.
void PostgresJobStore::EndLarge(const std::shared_ptr<LargeUpdate>& update, absl::Status status) {
  if (status.ok() || absl::IsUnavailable(status)) return update->done(std::move(status));
  writer_.Post({.apply =
                    [update](Writes& writes) {
                      writes.DropAside(KeyOf(update->record), update->number);
                      return absl::OkStatus();
                    },
                .job = KeyOf(update->record),
                .done = [update, status](const absl::Status&) { update->done(status); }});
}

template <class T, class Query>
void PostgresJobStore::WriteFor(jobs::JobKey job, Query query, Callback<T> done) {
  auto result = std::make_shared<T>();
  writer_.Post({.apply =
                    [query = std::move(query), result](Writes& writes) {
                      absl::StatusOr<T> given = query(writes);
                      if (!given.ok()) return given.status();
                      *result = *std::move(given);
                      return absl::OkStatus();
                    },
                .job = std::move(job),
                .done =
                    [done = std::move(done), result](absl::Status status) {
                      status.ok() ? done(std::move(*result)) : done(std::move(status));
                    }});
}

void PostgresJobStore::Adopt(JobRecord record, Done done) {
  jobs::JobKey job = KeyOf(record);
  writer_.Post({.apply =
                    [record = std::move(record)](Writes& writes) {
                      writes.Adopt(record);
                      return absl::OkStatus();
                    },
                .job = std::move(job),
                .done = std::move(done)});
}

void PostgresJobStore::TakeOver(JobRecord record, std::int64_t adopted_version,
                                Callback<std::string> done) {
  jobs::JobKey job = KeyOf(record);
  WriteFor<std::string>(
      std::move(job),
      [record = std::move(record), adopted_version](Writes& writes) {
        return writes.TakeOver(record, adopted_version);
      },
      std::move(done));
}

void PostgresJobStore::Delete(JobRecord record, Done done) {
  jobs::JobKey job = KeyOf(record);
  writer_.Post(
      {.apply = [record = std::move(record)](Writes& writes) { return writes.Delete(record); },
       .job = std::move(job),
       .done = std::move(done)});
}

void PostgresJobStore::KeepHints(jobs::JobKey job, std::vector<std::string> pictory_job_ids,
                                 Done done) {
  writer_.Post({.apply =
                    [job, ids = std::move(pictory_job_ids)](Writes& writes) {
                      writes.KeepHints(job, ids);
                      return absl::OkStatus();
                    },
                .job = job,
                .done = std::move(done)});
}

void PostgresJobStore::FindHints(jobs::JobKey job, Callback<std::vector<std::string>> done) {
  Read<std::vector<std::string>>(
      finds_, [job = std::move(job)](Reads& reads) { return reads.FindHints(job); },
      std::move(done));
}

void PostgresJobStore::Nudge(jobs::JobKey job, Done done) {
  writer_.Post({.apply =
                    [job](Writes& writes) {
                      writes.Nudge(job);
                      return absl::OkStatus();
                    },
                .job = job,
                .done = std::move(done)});
}

void PostgresJobStore::Claim(jobs::OwedAnswers::Claim claim, Callback<bool> done) {
  WriteFor<bool>(
      claim.job, [claim](Writes& writes) -> absl::StatusOr<bool> { return writes.Claim(claim); },
      std::move(done));
}

absl::StatusOr<std::string> PostgresJobStore::ShareSecret(const std::string& name,
                                                          std::string made) {
  std::promise<absl::StatusOr<std::string>> done;
  WriteFor<std::string>(
      {},
      [&](Writes& writes) -> absl::StatusOr<std::string> { return writes.ShareSecret(name, made); },
      [&done](absl::StatusOr<std::string> kept) { done.set_value(std::move(kept)); });
  return done.get_future().get();
}

void PostgresJobStore::SetStopped(bool stopped, Done done) {
  writer_.Post({.apply =
                    [this, stopped](Writes& writes) {
                      writes.SetStopped(identity_, stopped);
                      return absl::OkStatus();
                    },
                .done = std::move(done)});
}

void PostgresJobStore::EndEpoch(std::vector<jobs::OwedJob> owed, Done done) {
  writer_.Post({.apply =
                    [this, owed = std::move(owed)](Writes& writes) {
                      writes.EndEpoch(owed, identity_.gateway);
                      return absl::OkStatus();
                    },
                .done = std::move(done)});
}

void PostgresJobStore::NoteAsked(std::string account, jobs::Asked asked, Done done) {
  writer_.Post({.apply =
                    [account = std::move(account), asked](Writes& writes) {
                      writes.NoteAsked(account, asked);
                      return absl::OkStatus();
                    },
                .done = std::move(done)});
}

void PostgresJobStore::Prune(jobs::PruneQuery query, Callback<std::vector<jobs::JobKey>> done) {
  using Keys = std::vector<jobs::JobKey>;
  WriteFor<Keys>(
      {}, [query](Writes& writes) -> absl::StatusOr<Keys> { return writes.Prune(query); },
      std::move(done));
}

template <class T, class Query>
void PostgresJobStore::Read(Lane& lane, Query query, Callback<T> done) {
  auto result = std::make_shared<absl::StatusOr<T>>(absl::UnknownError(""));
  lane.Post({.read = [query = std::move(query), result](Reads& reads) { *result = query(reads); },
             .done =
                 [done = std::move(done), result](absl::Status status) {
                   status.ok() ? done(std::move(*result)) : done(std::move(status));
                 }});
}

void PostgresJobStore::Find(std::string tenant, std::string name,
                            Callback<std::optional<JobRecord>> done) {
  Read<std::optional<JobRecord>>(
      finds_,
      [tenant = std::move(tenant), name = std::move(name)](Reads& reads) {
        return reads.Find(tenant, name);
      },
      std::move(done));
}

void PostgresJobStore::FindMany(std::vector<jobs::JobKey> keys,
                                Callback<std::vector<JobRecord>> done) {
  Read<std::vector<JobRecord>>(
      feed_, [keys = std::move(keys)](Reads& reads) { return reads.FindMany(keys); },
      std::move(done));
}

void PostgresJobStore::FindRequest(std::string tenant, std::string request_id,
                                   Callback<std::optional<JobRecord>> done) {
  Read<std::optional<JobRecord>>(
      finds_,
      [tenant = std::move(tenant), request_id = std::move(request_id)](Reads& reads) {
        return reads.FindRequest(tenant, request_id);
      },
      std::move(done));
}

void PostgresJobStore::FindOwner(std::string account, std::string pictory_job_id,
                                 Callback<std::optional<std::string>> done) {
  Read<std::optional<std::string>>(
      finds_,
      [account = std::move(account), id = std::move(pictory_job_id)](Reads& reads) {
        return reads.FindOwner(account, id);
      },
      std::move(done));
}

void PostgresJobStore::FindToken(std::string token, Callback<std::optional<JobRecord>> done) {
  Read<std::optional<JobRecord>>(
      finds_, [token = std::move(token)](Reads& reads) { return reads.FindToken(token); },
      std::move(done));
}

void PostgresJobStore::FindWithoutRequestId(std::string tenant, std::string fingerprint,
                                            jobs::RetryEvidence evidence, WallTime since,
                                            Callback<std::optional<JobRecord>> done) {
  Read<std::optional<JobRecord>>(
      finds_,
      [tenant = std::move(tenant), fingerprint = std::move(fingerprint),
       evidence = std::move(evidence), since](Reads& reads) {
        return reads.FindWithoutRequestId(tenant, fingerprint, evidence, since);
      },
      std::move(done));
}

void PostgresJobStore::FindEqual(jobs::EqualQuery query, Callback<std::vector<JobRecord>> done) {
  Read<std::vector<JobRecord>>(
      finds_,
      [query = std::move(query), takes_over = takes_over_.load()](Reads& reads) {
        return reads.FindEqual(query, takes_over);
      },
      std::move(done));
}

void PostgresJobStore::FindSpent(std::optional<std::string> tenant,
                                 Callback<std::vector<jobs::SpentTotal>> done) {
  Read<std::vector<jobs::SpentTotal>>(
      lists_, [tenant = std::move(tenant)](Reads& reads) { return reads.ReadSpent(tenant); },
      std::move(done));
}

void PostgresJobStore::List(std::string tenant, jobs::ListQuery query,
                            Callback<std::vector<JobRecord>> done) {
  Read<std::vector<JobRecord>>(
      lists_,
      [tenant = std::move(tenant), query = std::move(query)](Reads& reads) {
        return reads.List(tenant, query);
      },
      std::move(done));
}

void PostgresJobStore::ReadPart(std::string tenant, std::string job_id, jobs::v1::ResultPart part,
                                std::int64_t offset, std::int64_t max_bytes,
                                Callback<jobs::PartChunk> done) {
  Read<jobs::PartChunk>(
      parts_,
      [tenant = std::move(tenant), job_id = std::move(job_id), part, offset,
       max_bytes](Reads& reads) { return reads.ReadPart(tenant, job_id, part, offset, max_bytes); },
      std::move(done));
}

// Who is told what it holds goes on polling; a look may take minutes where a million jobs have not
// ended.
void PostgresJobStore::Renew(Callback<jobs::Holding> done) {
  WriteFor<std::shared_ptr<Renewal>>(
      {},
      [this](Writes& writes) -> absl::StatusOr<std::shared_ptr<Renewal>> {
        return std::make_shared<Renewal>(writes.Renew(identity_, seen_, leaves_));
      },
      [this, done = std::move(done)](absl::StatusOr<std::shared_ptr<Renewal>> renewed) {
        if (!renewed.ok()) return done(renewed.status());
        const std::shared_ptr<Renewal>& renewal = *renewed;
        renewal->holding.owed = std::exchange(owed_, {});
        done(renewal->holding);
        if (!looking_) takes_over_ = false;
        const bool looks = !renewal->look.shards->empty() && !leaves_;
        if (!looks || looking_.exchange(true)) return;
        takes_over_ = true;
        TakeLeft(renewal);
      });
}

// If this fails, the next Renew looks again.
void PostgresJobStore::TakeLeft(const std::shared_ptr<Renewal>& renewal) {
  auto found = std::make_shared<LeftJobs>();
  const auto end = [this, renewal, found](const absl::Status& read) {
    if (!read.ok()) {
      looking_ = false;
      return;
    }
    WriteFor<std::vector<jobs::OwedJob>>(
        {},
        [this, renewal, found](Writes& writes) -> absl::StatusOr<std::vector<jobs::OwedJob>> {
          if (leaves_) return std::vector<jobs::OwedJob>{};  // nobody would hear of them
          const WallTime now =
              SystemClock().WallNow() +
              std::chrono::duration_cast<WallTime::duration>(renewal->holding.ahead);
          return writes.TakeLeft(now, identity_.gateway, renewal->look, *found);
        },
        [this, renewal](absl::StatusOr<std::vector<jobs::OwedJob>> owed) {
          if (owed.ok()) {
            seen_ = std::move(renewal->seen);
            std::move(owed->begin(), owed->end(), std::back_inserter(owed_));
          }
          looking_ = false;
        });
  };
  looks_.Post({.read = [renewal, found](Reads& reads) { *found = reads.FindLeft(renewal->look); },
               .done = end});
}

void PostgresJobStore::ReadShards(std::vector<std::int32_t> shards,
                                  std::function<void(JobRecord)> take, Done done) {
  lists_.Post({.read = [shards = std::move(shards),
                        take = std::move(take)](Reads& reads) { reads.ReadShards(shards, take); },
               .done = std::move(done)});
}

void PostgresJobStore::ReadNotifying(std::vector<std::int32_t> shards, TakeName take, Done done) {
  lists_.Post({.read = [shards = std::move(shards), take = std::move(take)](
                           Reads& reads) { reads.ReadNotifying(shards, take); },
               .done = std::move(done)});
}

void PostgresJobStore::ReadArchiving(std::vector<std::int32_t> shards, TakeName take, Done done) {
  lists_.Post({.read = [shards = std::move(shards), take = std::move(take)](
                           Reads& reads) { reads.ReadArchiving(shards, take); },
               .done = std::move(done)});
}

void PostgresJobStore::FindFeedEnd(Callback<std::string> done) {
  Read<std::string>(feed_, [](Reads& reads) { return reads.FindFeedEnd(); }, std::move(done));
}

void PostgresJobStore::ReadFeed(std::string position, int limit, Callback<jobs::FeedPage> done) {
  Read<jobs::FeedPage>(
      feed_,
      [position = std::move(position), limit](Reads& reads) {
        return reads.ReadFeed(position, limit);
      },
      std::move(done));
}

absl::StatusOr<jobs::Recovered> PostgresJobStore::Recover(WallTime now) {
  LeftJobs found;
  if (absl::Status read = Stream([&](Reads& reads) {
        found = reads.FindLeft({.gateway = identity_.gateway, .shards = std::nullopt});
      });
      !read.ok()) {
    return read;
  }
  std::promise<absl::StatusOr<jobs::Recovered>> done;
  WriteFor<jobs::Recovered>(
      {},
      [&, this](Writes& writes) -> absl::StatusOr<jobs::Recovered> {
        return writes.Recover(now, identity_.gateway, found);
      },
      [&done](absl::StatusOr<jobs::Recovered> recovered) { done.set_value(std::move(recovered)); });
  // The writer is at it for as long as that takes, and the lease must not run out meanwhile.
  std::future<absl::StatusOr<jobs::Recovered>> answer = done.get_future();
  while (answer.wait_for(identity_.times.renewal) == std::future_status::timeout) {
    try {
      RenewLeaseAlone(*Connection::Open(conninfo_, limits::kStoreReplyMax), identity_);
    } catch (const std::exception&) {
      // The writer finds out as well, and says so.
    }
  }
  absl::StatusOr<jobs::Recovered> recovered = answer.get();
  if (!recovered.ok()) {
    return absl::Status(recovered.status().code(),
                        absl::StrCat("PostgreSQL (", place_, "): ", recovered.status().message()));
  }
  if (absl::Status counted = Stream([&recovered](Reads& reads) { reads.CountAll(*recovered); });
      !counted.ok()) {
    return counted;
  }
  return recovered;
}

absl::Status PostgresJobStore::Stream(const std::function<void(Reads&)>& read) {
  try {
    const auto connection = ConnectToRead(conninfo_, limits::kStoreRecoverMax, told_.Get(), &end_);
    Reads reads(*connection);
    read(reads);
    return absl::OkStatus();
  } catch (const Error& error) {
    return OpenError(error, place_);
  }
}

absl::Status PostgresJobStore::ReadUnfinished(const std::function<void(JobRecord)>& take) {
  return Stream([&take](Reads& reads) { reads.ReadUnfinished(take); });
}

void PostgresJobStore::Close() {
  if (end_.at() == MonoTime::max()) {
    end_.Set(MonoTime(std::chrono::steady_clock::now()) + close_wait_);
  }
  // The writer is closed first, because callbacks of writes may still read.
  writer_.Close();
  for (Lane* lane : Lanes()) lane->Close();
}

PostgresJobStore::Stats PostgresJobStore::stats() const {
  return {.commits = writer_.commits(),
          .commit_time = writer_.commit_time(),
          .writes_queued = writer_.queued()};
}

}  // namespace gateway::postgres
