#include "store/sqlite_job_store.h"

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <future>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/errors.h"
#include "base/limits.h"
#include "base/own_file.h"
#include "store/checkpoint.h"
#include "store/copy_rows.h"
#include "store/grant_all.h"
#include "store/hint_rows.h"
#include "store/room.h"
#include "store/schema.h"
#include "store/sqlite_status.h"

namespace gateway::store {

using jobs::BeginResult;
using jobs::JobRecord;

namespace {

// What SQLite opens by its name, and the mark.
constexpr const char* kFileNames[] = {"jobs.db", "jobs.db-wal", "jobs.db-shm", "jobs.db-journal",
                                      kOpenMarkName};

std::string DatabaseIn(const std::string& directory) {
  return (std::filesystem::path(directory) / "jobs.db").string();
}

}  // namespace

absl::StatusOr<std::unique_ptr<SqliteJobStore>> SqliteJobStore::Open(SqliteOptions options) {
  const std::string path = DatabaseIn(options.directory);
  try {
    auto opened = OpenFiles(options);
    if (!opened.ok()) return opened.status();
    return std::unique_ptr<SqliteJobStore>(
        new SqliteJobStore(*std::move(opened), std::move(options)));
  } catch (const SQLite::Exception& error) {  // preparing the statements reads the schema
    return OpenError(error, path);
  }
}

absl::StatusOr<SqliteJobStore::Opened> SqliteJobStore::OpenFiles(const SqliteOptions& options) {
  const std::string& directory = options.directory;
  const std::string path = DatabaseIn(directory);
  Opened opened;
  auto lock = StateLock::Take(directory);
  if (!lock.ok()) return lock.status();
  opened.lock = *std::move(lock);
  for (const char* name : kFileNames) {
    const std::string file = (std::filesystem::path(directory) / name).string();
    if (absl::Status own = CheckOwnFile(file); !own.ok()) return own;
  }
  auto mark = ReadOpenMark(directory);
  if (!mark.ok()) return mark.status();
  if (absl::Status whole = CheckLeftovers(directory, *mark); !whole.ok()) return whole;

  if (absl::Status room = CheckRoom(directory); !room.ok()) return room;
  if (!mark->has_value()) {
    mark->emplace();
    (*mark)->epoch = TimeWithoutLog(path).value_or(FileTime{}).epoch;
    if (absl::Status marked = WriteOpenMark(directory, **mark); !marked.ok()) return marked;
  }

  opened.created = access(path.c_str(), F_OK) != 0;
  if (absl::Status made = CreatePrivateFile(path); !made.ok()) return made;
  auto files = StoreFiles::Hold(directory, opened.lock->fd());
  if (!files.ok()) return files.status();
  opened.files = *std::move(files);
  auto writing = OpenForWriting(path, options.sandbox, options.max_pages);
  absl::Status admitted = writing.status();
  if (writing.ok() && !options.copying) admitted = AdmitGateway(ReadCopyMark(**writing));
  if (!admitted.ok()) {
    if (!(*mark)->log.has_value()) RemoveOpenMarkWithoutLog(directory);
    return admitted;
  }
  opened.writing = *std::move(writing);
  for (const auto& [lane, cache_kib] : {std::pair(&opened.finds, limits::kFindsCacheKiB),
                                        std::pair(&opened.lists, limits::kListsCacheKiB),
                                        std::pair(&opened.parts, limits::kPartsCacheKiB)}) {
    auto reading = OpenForReading(path, cache_kib);
    if (!reading.ok()) return reading.status();
    *lane = *std::move(reading);
  }

  // From the next write on there is a log, and jobs.db alone tells its time. What the mark says of
  // both must be true before the mark is written.
  NumberEpochs(*opened.writing);
  const bool numbered = FoldLog(*opened.writing);
  const std::int64_t epoch = BeginEpoch(*opened.writing);
  if (!options.copying) NoteCopyUsed(*opened.writing);
  const bool folded = FoldLog(*opened.writing);
  auto log = opened.files->HoldLog();
  if (!log.ok()) return log.status();
  opened.mark = {.epoch = folded ? epoch : (*mark)->epoch,
                 .log = *log,
                 .numbered = numbered && folded,
                 .damage = {}};
  if (absl::Status marked = WriteOpenMark(directory, opened.mark); !marked.ok()) return marked;
  if (absl::Status held = opened.files->HoldMark(); !held.ok()) return held;
  FoldLongLogs(*opened.writing, *opened.files);
  return opened;
}

SqliteJobStore::SqliteJobStore(Opened opened, SqliteOptions options)
    : directory_(options.directory),
      created_(opened.created),
      mark_(std::move(opened.mark)),
      lock_(std::move(opened.lock)),
      files_(std::move(opened.files)),
      db_(std::move(opened.writing)),
      finds_(std::move(opened.finds), options.read_queue_max),
      lists_(std::move(opened.lists), options.read_queue_max),
      parts_(std::move(opened.parts), options.read_queue_max),
      writer_(*db_, *files_,
              {.queue_max = options.write_queue_max,
               .group_max = options.group_max,
               .tombstones_max = options.tombstones_max,
               .look_every = options.look_every,
               .on_fatal =
                   [this, tell = std::move(options.on_fatal)](absl::Status why) {
                     if (!files_->lost().ok()) {
                       for (ReadThread* lane : Lanes()) lane->Refuse(why);
                       NoteLoss();
                     }
                     if (tell) tell(std::move(why));
                   },
               .before_commit = std::move(options.before_commit)}) {}

SqliteJobStore::~SqliteJobStore() { Close(); }

void SqliteJobStore::Begin(JobRecord record, Callback<BeginResult> done) {
  auto result = std::make_shared<BeginResult>();
  writer_.Post({.apply =
                    [record = std::move(record), result](JobWrites& writes) mutable {
                      absl::StatusOr<BeginResult> begun = writes.Begin(std::move(record));
                      if (!begun.ok()) return begun.status();
                      *result = *std::move(begun);
                      return absl::OkStatus();
                    },
                .done =
                    [done = std::move(done), result](absl::Status status) {
                      status.ok() ? done(std::move(*result)) : done(std::move(status));
                    }});
}

// A result of many megabytes in one commit would hold up everybody else's small writes. So the
// parts of a large update are written first, a group's worth a commit, with other writes in
// between; nobody can see them before the record says that the job has a result.
struct SqliteJobStore::LargeUpdate {
  JobRecord record;
  std::vector<pictory::JobResult::Part> parts;
  Done done;
  std::size_t part = 0;   // the next to write,
  std::size_t slice = 0;  // from here on
};

void SqliteJobStore::Update(JobRecord record, std::vector<pictory::JobResult::Part> parts,
                            Done done) {
  std::size_t bytes = record.job.result_wire.size();
  for (const auto& part : parts) bytes += part.bytes.size();
  if (bytes > limits::kStoreGroupMaxBytes) {
    return Continue(std::make_shared<LargeUpdate>(
        LargeUpdate{std::move(record), std::move(parts), std::move(done)}));
  }
  writer_.Post({.apply = [record = std::move(record), parts = std::move(parts)](
                             JobWrites& writes) { return writes.Update(record, parts); },
                .done = std::move(done),
                .bytes = bytes});
}

void SqliteJobStore::Continue(std::shared_ptr<LargeUpdate> update) {
  constexpr std::size_t kSlices = limits::kStoreGroupMaxBytes / limits::kPartSliceBytes;
  if (update->part == update->parts.size()) {
    writer_.Post(
        {.apply = [update](JobWrites& writes) { return writes.Update(update->record, {}); },
         .done =
             [update](absl::Status status) {
               update->parts.clear();
               update->done(std::move(status));
             }});
    return;
  }
  const auto& part = update->parts[update->part];
  const std::size_t first = update->slice;
  const std::size_t last = std::min(first + kSlices, jobs::PartSlices(part.bytes.size()));
  writer_.Post(
      {.apply =
           [update, &part, first, last](JobWrites& writes) {
             return writes.PutSlices(update->record, part, first, last);
           },
       .done =
           [this, update, last, all = jobs::PartSlices(part.bytes.size())](absl::Status status) {
             if (!status.ok()) return update->done(std::move(status));
             update->slice = last == all ? 0 : last;
             update->part += last == all ? 1 : 0;
             Continue(update);
           },
       .bytes = (last - first) * limits::kPartSliceBytes});
}

void SqliteJobStore::Adopt(JobRecord record, Done done) {
  writer_.Post({.apply =
                    [record = std::move(record)](JobWrites& writes) {
                      writes.Adopt(record);
                      return absl::OkStatus();
                    },
                .done = std::move(done)});
}

void SqliteJobStore::TakeOver(JobRecord record, std::int64_t adopted_version,
                              Callback<std::string> done) {
  auto adopted = std::make_shared<std::string>();
  writer_.Post({.apply =
                    [record = std::move(record), adopted_version, adopted](JobWrites& writes) {
                      absl::StatusOr<std::string> taken = writes.TakeOver(record, adopted_version);
                      if (!taken.ok()) return taken.status();
                      *adopted = *std::move(taken);
                      return absl::OkStatus();
                    },
                .done =
                    [done = std::move(done), adopted](absl::Status status) {
                      status.ok() ? done(std::move(*adopted)) : done(std::move(status));
                    }});
}

void SqliteJobStore::Delete(JobRecord record, Done done) {
  writer_.Post(
      {.apply = [record = std::move(record)](JobWrites& writes) { return writes.Delete(record); },
       .done = std::move(done)});
}

void SqliteJobStore::KeepHints(jobs::JobKey job, std::vector<std::string> pictory_job_ids,
                               Done done) {
  writer_.Post(
      {.apply =
           [db = db_.get(), job = std::move(job), ids = std::move(pictory_job_ids)](JobWrites&) {
             InsertHints(*db, job, ids);
             return absl::OkStatus();
           },
       .done = std::move(done)});
}

void SqliteJobStore::Claim(jobs::OwedAnswers::Claim claim, Callback<bool> done) {
  auto claimed = std::make_shared<bool>(false);
  writer_.Post({.apply =
                    [claim = std::move(claim), claimed](JobWrites& writes) {
                      *claimed = writes.Claim(claim);
                      return absl::OkStatus();
                    },
                .done =
                    [done = std::move(done), claimed](absl::Status status) {
                      status.ok() ? done(*claimed) : done(std::move(status));
                    }});
}

void SqliteJobStore::EndEpoch(std::vector<jobs::OwedJob> owed, Done done) {
  writer_.Post({.apply =
                    [owed = std::move(owed)](JobWrites& writes) {
                      writes.EndEpoch(owed);
                      return absl::OkStatus();
                    },
                .done = std::move(done)});
}

void SqliteJobStore::NoteAsked(std::string account, jobs::Asked asked, Done done) {
  writer_.Post({.apply =
                    [account = std::move(account), asked](JobWrites& writes) {
                      writes.NoteAsked(account, asked);
                      return absl::OkStatus();
                    },
                .done = std::move(done)});
}

void SqliteJobStore::Prune(jobs::PruneQuery query, Callback<std::vector<jobs::JobKey>> done) {
  auto pruned = std::make_shared<std::vector<jobs::JobKey>>();
  writer_.Post({.apply =
                    [query, pruned](JobWrites& writes) {
                      *pruned = writes.Prune(query);
                      return absl::OkStatus();
                    },
                .done =
                    [done = std::move(done), pruned](absl::Status status) {
                      status.ok() ? done(std::move(*pruned)) : done(std::move(status));
                    }});
}

template <class T, class Query>
void SqliteJobStore::Read(ReadThread& lane, Query query, Callback<T> done) {
  lane.Post(
      [query = std::move(query), done = std::move(done)](absl::Status status, JobReads* reads) {
        absl::StatusOr<T> result = absl::UnknownError("");
        if (!status.ok()) {
          result = std::move(status);
        } else {
          try {
            result = query(*reads);
          } catch (const SQLite::Exception& error) {
            result = errors::StoreFailed(Describe(error));
          }
        }
        done(std::move(result));
      });
}

void SqliteJobStore::Find(std::string tenant, std::string name,
                          Callback<std::optional<JobRecord>> done) {
  Read<std::optional<JobRecord>>(
      finds_,
      [tenant = std::move(tenant), name = std::move(name)](JobReads& reads) {
        return reads.Find(tenant, name);
      },
      std::move(done));
}

void SqliteJobStore::FindMany(std::vector<jobs::JobKey> keys,
                              Callback<std::vector<JobRecord>> done) {
  Read<std::vector<JobRecord>>(
      finds_, [keys = std::move(keys)](JobReads& reads) { return reads.FindMany(keys); },
      std::move(done));
}

void SqliteJobStore::FindRequest(std::string tenant, std::string request_id,
                                 Callback<std::optional<JobRecord>> done) {
  Read<std::optional<JobRecord>>(
      finds_,
      [tenant = std::move(tenant), request_id = std::move(request_id)](JobReads& reads) {
        return reads.FindRequest(tenant, request_id);
      },
      std::move(done));
}

void SqliteJobStore::FindOwner(std::string account, std::string pictory_job_id,
                               Callback<std::optional<std::string>> done) {
  Read<std::optional<std::string>>(
      finds_,
      [account = std::move(account), id = std::move(pictory_job_id)](JobReads& reads) {
        return reads.FindOwner(account, id);
      },
      std::move(done));
}

void SqliteJobStore::FindToken(std::string token, Callback<std::optional<JobRecord>> done) {
  Read<std::optional<JobRecord>>(
      finds_, [token = std::move(token)](JobReads& reads) { return reads.FindToken(token); },
      std::move(done));
}

void SqliteJobStore::FindWithoutRequestId(std::string tenant, std::string fingerprint,
                                          jobs::RetryEvidence evidence, WallTime since,
                                          Callback<std::optional<JobRecord>> done) {
  Read<std::optional<JobRecord>>(
      finds_,
      [tenant = std::move(tenant), fingerprint = std::move(fingerprint),
       evidence = std::move(evidence), since](JobReads& reads) {
        return reads.FindWithoutRequestId(tenant, fingerprint, evidence, since);
      },
      std::move(done));
}

void SqliteJobStore::List(std::string tenant, jobs::ListQuery query,
                          Callback<std::vector<JobRecord>> done) {
  Read<std::vector<JobRecord>>(
      lists_,
      [tenant = std::move(tenant), query = std::move(query)](JobReads& reads) {
        return reads.List(tenant, query);
      },
      std::move(done));
}

void SqliteJobStore::ReadPart(std::string tenant, std::string job_id, jobs::v1::ResultPart part,
                              std::int64_t offset, std::int64_t max_bytes,
                              Callback<jobs::PartChunk> done) {
  Read<jobs::PartChunk>(
      parts_,
      [tenant = std::move(tenant), job_id = std::move(job_id), part, offset, max_bytes](
          JobReads& reads) { return reads.ReadPart(tenant, job_id, part, offset, max_bytes); },
      std::move(done));
}

void SqliteJobStore::Renew(Callback<jobs::Holding> done) {
  Read<jobs::Holding>(finds_, [this](JobReads&) { return GrantAll(epoch_); }, std::move(done));
}

void SqliteJobStore::ReadShards(std::vector<std::int32_t> shards,
                                std::function<void(JobRecord)> take, Done done) {
  Read<bool>(
      lists_,
      [shards = std::move(shards), take = std::move(take)](JobReads& reads) {
        reads.ReadShards(shards, take);
        return true;
      },
      [done = std::move(done)](const absl::StatusOr<bool>& read) { done(read.status()); });
}

void SqliteJobStore::ReadNotifying(std::vector<std::int32_t> shards, TakeName take, Done done) {
  Read<bool>(
      lists_,
      [shards = std::move(shards), take = std::move(take)](JobReads& reads) {
        reads.ReadNotifying(shards, take);
        return true;
      },
      [done = std::move(done)](const absl::StatusOr<bool>& read) { done(read.status()); });
}

void SqliteJobStore::ReadArchiving(std::vector<std::int32_t> shards, TakeName take, Done done) {
  Read<bool>(
      lists_,
      [shards = std::move(shards), take = std::move(take)](JobReads& reads) {
        reads.ReadArchiving(shards, take);
        return true;
      },
      [done = std::move(done)](const absl::StatusOr<bool>& read) { done(read.status()); });
}

void SqliteJobStore::FindFeedEnd(Callback<std::string> done) {
  Read<std::string>(lists_, [](JobReads& reads) { return reads.FindFeedEnd(); }, std::move(done));
}

void SqliteJobStore::ReadFeed(std::string position, int limit, Callback<jobs::FeedPage> done) {
  Read<jobs::FeedPage>(
      lists_,
      [position = std::move(position), limit](JobReads& reads) {
        return reads.ReadFeed(position, limit);
      },
      std::move(done));
}

absl::StatusOr<jobs::Recovered> SqliteJobStore::Recover(WallTime now) {
  // This runs on the writer's thread, which owns the connection.
  jobs::Recovered recovered;
  std::promise<absl::Status> done;
  writer_.Post({.apply =
                    [&recovered, now](JobWrites& writes) {
                      recovered = writes.Recover(now);
                      return absl::OkStatus();
                    },
                .done = [&done](absl::Status status) { done.set_value(std::move(status)); }});
  absl::Status status = done.get_future().get();
  if (!status.ok()) {
    return absl::Status(status.code(),
                        absl::StrCat(DatabaseIn(directory_), ": ", status.message()));
  }
  epoch_ = recovered.epoch;
  return recovered;
}

absl::Status SqliteJobStore::ReadUnfinished(const std::function<void(JobRecord)>& take) {
  return ReadOnce([&take](JobReads& reads) { reads.ReadUnfinished(take); });
}

// This has a connection of its own, so that what it caches of the file goes with it.
absl::Status SqliteJobStore::ReadOnce(const std::function<void(JobReads&)>& read) {
  auto db = OpenForReading(DatabaseIn(directory_));
  if (!db.ok()) return db.status();
  try {
    JobReads reads(**db);
    read(reads);
    return absl::OkStatus();
  } catch (const SQLite::Exception& error) {
    return OpenError(error, DatabaseIn(directory_));
  }
}

// Tells the next start that what lies under the names now does not belong to what is in the log:
// only this process knows that.
void SqliteJobStore::NoteLoss() {
  const absl::Status& lost = files_->lost();
  if (!absl::IsDataLoss(lost)) return;
  OpenMark mark = mark_;
  mark.damage = std::string(lost.message());
  // If this fails, the next start still sees what can be seen without it.
  WriteOpenMark(directory_, mark).IgnoreError();
}

bool SqliteJobStore::FoldAtEnd() {
  if (!writer_.failed().ok()) return false;
  if (!files_->Check().ok()) {
    NoteLoss();
    return false;
  }
  try {
    // The order matters: a kill in between must leave neither a mark that asks for a log that is
    // gone nor a log without a mark. A log that was folded as a whole is empty.
    OpenMark mark = mark_;
    mark.log.reset();
    return FoldLog(*db_) && WriteOpenMark(directory_, mark).ok() && FoldLogWhole(*db_) &&
           RemoveOpenMark(directory_).ok();
  } catch (const SQLite::Exception&) {
    return false;
  }
}

void SqliteJobStore::Close() {
  MutexLock lock(close_mutex_);
  if (lock_ == nullptr) return;
  // The writer is closed first, because callbacks of writes may still read.
  writer_.Close();
  for (ReadThread* lane : Lanes()) lane->Close();
  // Folding is for tidiness, not for durability: every commit is on disk already, and the next
  // start reads the log.
  copying_.reset();
  if (FoldAtEnd()) RemoveLogOnClose(*db_);
  db_.reset();
  lock_.reset();
}

SqliteJobStore::Stats SqliteJobStore::stats() const {
  return {.commits = writer_.commits(),
          .commit_time = writer_.commit_time(),
          .writes_queued = writer_.queued()};
}

}  // namespace gateway::store
