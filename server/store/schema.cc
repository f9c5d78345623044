#include "store/schema.h"

#include "SQLiteCpp/Statement.h"
#include "SQLiteCpp/Transaction.h"
#include "absl/strings/str_cat.h"
#include "base/limits.h"
#include "jobs/job.h"
#include "store/checkpoint.h"
#include "store/sqlite_status.h"

namespace gateway::store {
namespace {

constexpr int kApplicationId = 0x504a4f42;  // "PJOB"

constexpr int kBusyTimeoutMs =
    static_cast<int>(std::chrono::milliseconds(limits::kStoreBusyTimeout).count());

// The base is far above the number of changes that a schema can have, which SQLite counts in the
// cookie.
constexpr std::int64_t kCookieBase = 1'000'000;

// One column per field of a record, so that an operator can read the file with the sqlite3 shell
// and a new field is an ADD COLUMN. Labels stand twice: in the record as serialised v1.Job, to be
// read with it in one step, and in a table of their own, to be searched. Texts are compared as
// bytes.
//
// jobs and parts keep their rowid: their rows may be large.
// Each index serves one query, named beside it; conditions keep those of rare rows small, so that a
// million finished jobs cost the others nothing.
constexpr char kVersion1[] = R"sql(
CREATE TABLE store (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  sandbox INTEGER NOT NULL,
  epoch INTEGER NOT NULL
) STRICT;

CREATE TABLE jobs (
  id INTEGER PRIMARY KEY,
  tenant TEXT NOT NULL,
  job_id TEXT NOT NULL,
  pictory_job_id TEXT NOT NULL,
  request_id TEXT NOT NULL,
  kind INTEGER NOT NULL,
  state INTEGER NOT NULL,
  revision INTEGER NOT NULL,
  progress_percent REAL,
  message TEXT NOT NULL,
  create_time INTEGER NOT NULL,      -- this and all times: microseconds since 1970
  update_time INTEGER NOT NULL,
  finish_time INTEGER,
  labels BLOB NOT NULL,              -- a v1.Job with only its labels
  credits_used REAL,
  error_code TEXT NOT NULL,
  error_message TEXT NOT NULL,
  stale INTEGER NOT NULL,
  upstream_missing INTEGER NOT NULL,
  sandbox INTEGER NOT NULL,
  submission INTEGER NOT NULL,
  fingerprint BLOB NOT NULL,
  attempt INTEGER NOT NULL,
  owner_epoch INTEGER NOT NULL,
  correlation_token TEXT NOT NULL,
  refusal BLOB NOT NULL,
  accepted_at INTEGER NOT NULL,
  next_poll_at INTEGER NOT NULL,
  not_found_since INTEGER,
  not_found_count INTEGER NOT NULL,
  incomplete_since INTEGER,
  failure_seen INTEGER NOT NULL,
  visible INTEGER NOT NULL,          -- jobs::IsVisible of the record
  result_wire BLOB NOT NULL          -- last, because it may be large
) STRICT;
-- Find, Update, Remove
CREATE UNIQUE INDEX jobs_by_id ON jobs (tenant, job_id);
-- Begin, FindRequest
CREATE UNIQUE INDEX jobs_by_request ON jobs (tenant, request_id) WHERE request_id <> '';
-- Find, FindOwner; a Pictory job has one owner
CREATE UNIQUE INDEX jobs_by_pictory_id ON jobs (pictory_job_id) WHERE pictory_job_id <> '';
-- List without and with states or kinds
CREATE INDEX jobs_listed ON jobs (tenant, job_id, create_time) WHERE visible = 1;
CREATE INDEX jobs_filtered ON jobs (tenant, state, kind, job_id, create_time) WHERE visible = 1;
-- Recover
CREATE INDEX jobs_unfinished ON jobs (next_poll_at) WHERE visible = 1 AND state < 4;
CREATE INDEX jobs_in_flight ON jobs (submission) WHERE submission <= 2;

CREATE TABLE labels (
  tenant TEXT NOT NULL,
  key TEXT NOT NULL,
  value TEXT NOT NULL,
  job_id TEXT NOT NULL,
  PRIMARY KEY (tenant, key, value, job_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE parts (
  id INTEGER PRIMARY KEY,
  tenant TEXT NOT NULL,
  job_id TEXT NOT NULL,
  part INTEGER NOT NULL,
  bytes BLOB NOT NULL,
  UNIQUE (tenant, job_id, part)
) STRICT;
)sql";

// Version 2 keeps parts in rows of limits::kPartSliceBytes. One large value could only be read from
// its beginning, page by page, and only be written in one commit that everybody else waits for.
constexpr char kVersion2[] = R"sql(
ALTER TABLE jobs ADD COLUMN result_too_large INTEGER NOT NULL DEFAULT 0;

ALTER TABLE parts RENAME TO whole_parts;
CREATE TABLE parts (
  id INTEGER PRIMARY KEY,
  tenant TEXT NOT NULL,
  job_id TEXT NOT NULL,
  part INTEGER NOT NULL,
  slice INTEGER NOT NULL,            -- from 0; all but the last are of one size
  total_bytes INTEGER NOT NULL,      -- of the whole part
  bytes BLOB NOT NULL,
  UNIQUE (tenant, job_id, part, slice)
) STRICT;
INSERT INTO parts (tenant, job_id, part, slice, total_bytes, bytes)
  WITH RECURSIVE slices (id, slice) AS (
    SELECT id, 0 FROM whole_parts
    UNION ALL
    SELECT id, slice + 1 FROM slices JOIN whole_parts USING (id)
      WHERE (slice + 1) * 262144 < length(bytes)
  )
  SELECT tenant, job_id, part, slice, length(bytes),
         coalesce(substr(bytes, slice * 262144 + 1, 262144), x'')  -- NULL of an empty one
    FROM slices JOIN whole_parts USING (id);
DROP TABLE whole_parts;
)sql";
static_assert(limits::kPartSliceBytes == 262'144, "files hold slices of this size");

// Version 3 is for resolving by correlation token, matching retries that carry no request_id,
// counting what was spent, and forgetting.
constexpr char kVersion3[] = R"sql(
ALTER TABLE jobs ADD COLUMN sent_at INTEGER NOT NULL DEFAULT 0;
ALTER TABLE jobs ADD COLUMN minted_request_id INTEGER NOT NULL DEFAULT 0;
ALTER TABLE jobs ADD COLUMN mesh_request_id TEXT NOT NULL DEFAULT '';
-- What was sent before this version counts from when it was created.
UPDATE jobs SET sent_at = create_time WHERE submission IN (2, 3, 6, 7);
-- FindToken
CREATE INDEX jobs_by_token ON jobs (correlation_token)
  WHERE finish_time IS NULL AND correlation_token <> '';
-- FindWithoutRequestId
CREATE INDEX jobs_unkeyed ON jobs (tenant, fingerprint, create_time) WHERE minted_request_id = 1;
-- Recover
CREATE INDEX jobs_spent ON jobs (sent_at, tenant) WHERE submission IN (2, 3, 6, 7, 8);
-- Prune
CREATE INDEX jobs_finished ON jobs (finish_time) WHERE visible = 1 AND finish_time IS NOT NULL;
CREATE INDEX jobs_unseen ON jobs (update_time) WHERE visible = 0 AND submission > 2;
)sql";

// Version 4 keeps answers that may not have arrived. Nothing is known of answers given before it,
// and no submit can equal theirs, because fingerprints have changed with it.
constexpr char kVersion4[] = R"sql(
ALTER TABLE jobs ADD COLUMN delivery INTEGER NOT NULL DEFAULT 1;
ALTER TABLE jobs ADD COLUMN claims INTEGER NOT NULL DEFAULT 0;  -- changed by Claim alone
ALTER TABLE store ADD COLUMN clean_epoch INTEGER NOT NULL DEFAULT 0;  -- the last one that ended in order
-- Recover
CREATE INDEX jobs_unsettled ON jobs (sent_at) WHERE minted_request_id = 1 AND delivery <> 1;
)sql";

// Version 5 has more than one reason why the message is the gateway's own, and how long Pictory
// could be asked. It also has the hints about jobs that are unconfirmed, or may become so: few
// rows; the hints about resolved jobs go at the next Recover.
constexpr char kVersion5[] = R"sql(
ALTER TABLE jobs RENAME COLUMN result_too_large TO notice;  -- jobs::Notice
ALTER TABLE jobs ADD COLUMN incomplete_count INTEGER NOT NULL DEFAULT 0;
ALTER TABLE store ADD COLUMN answered_at INTEGER NOT NULL DEFAULT 0;
ALTER TABLE store ADD COLUMN asked_since INTEGER NOT NULL DEFAULT 0;
CREATE TABLE hints (
  id INTEGER PRIMARY KEY,            -- in the order they came
  tenant TEXT NOT NULL,
  job_id TEXT NOT NULL,
  pictory_job_id TEXT NOT NULL,
  UNIQUE (tenant, job_id, pictory_job_id)
) STRICT;
)sql";

// Version 6 numbers the writes of a record, so that two writers cannot overwrite each other.
constexpr char kVersion6[] = R"sql(
ALTER TABLE jobs ADD COLUMN version INTEGER NOT NULL DEFAULT 1;
)sql";

// Version 7 has several Pictory accounts, whose ids are unique within each; shards, for several
// processes; the feed; and jobs that were adopted and turned out to be submitted ones.
//
// Rows that are there already are not written again: the feed begins with this version. The Pictory
// id stands first in its index, because Find does not name the account.
constexpr char kVersion7[] = R"sql(
ALTER TABLE jobs ADD COLUMN account TEXT NOT NULL DEFAULT 'default';
ALTER TABLE jobs ADD COLUMN shard INTEGER NOT NULL DEFAULT 0;
-- Each write of a record gets the next number of the store; 0: none since this version.
ALTER TABLE jobs ADD COLUMN change INTEGER NOT NULL DEFAULT 0;
DROP INDEX jobs_by_pictory_id;
CREATE UNIQUE INDEX jobs_by_pictory_id ON jobs (pictory_job_id, account)
  WHERE pictory_job_id <> '';
-- ReadFeed
CREATE INDEX jobs_changed ON jobs (change) WHERE change > 0;
CREATE TABLE tombstones (            -- of records that are gone
  change INTEGER PRIMARY KEY,        -- a number as those of jobs
  tenant TEXT NOT NULL,
  job_id TEXT NOT NULL,
  shard INTEGER NOT NULL
) STRICT;
ALTER TABLE store ADD COLUMN feed_begin INTEGER NOT NULL DEFAULT 0;  -- those up to here are forgotten
CREATE TABLE aliases (               -- other names of jobs
  tenant TEXT NOT NULL,
  alias TEXT NOT NULL,               -- the job_id of an adopted job that is no more
  job_id TEXT NOT NULL,
  PRIMARY KEY (tenant, alias)
) STRICT, WITHOUT ROWID;
-- TakeOver, Prune
CREATE INDEX aliases_of ON aliases (tenant, job_id);
)sql";

// Version 8 notes for each account how long Pictory could be asked, and for each submission what it
// may cost.
constexpr char kVersion8[] = R"sql(
CREATE TABLE accounts (
  account TEXT PRIMARY KEY,
  answered_at INTEGER NOT NULL,
  asked_since INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO accounts SELECT 'default', answered_at, asked_since FROM store WHERE answered_at > 0;
ALTER TABLE store DROP COLUMN answered_at;
ALTER TABLE store DROP COLUMN asked_since;
ALTER TABLE jobs ADD COLUMN credits_reserved REAL NOT NULL DEFAULT 0;
)sql";

// Version 9 has jobs that wait for others. Their requests are few and small, and stand in the
// record.
constexpr char kVersion9[] = R"sql(
ALTER TABLE jobs ADD COLUMN waiting_request BLOB NOT NULL DEFAULT x'';
DROP INDEX jobs_unfinished;
CREATE INDEX jobs_unfinished ON jobs (next_poll_at) WHERE visible = 1 AND (state < 4 OR state = 9);
)sql";

// Version 10 has the archived files of finished jobs, beside the record; jobs that ended before it
// have none.
constexpr char kVersion10[] = R"sql(
ALTER TABLE jobs ADD COLUMN archive_wire BLOB NOT NULL DEFAULT x'';
ALTER TABLE jobs ADD COLUMN archiving INTEGER NOT NULL DEFAULT 0;  -- jobs::IsArchiving of the record
-- ReadArchiving
CREATE INDEX jobs_archiving ON jobs (finish_time) WHERE archiving = 1;
)sql";

// Version 11 notes the trace that a submit was in.
constexpr char kVersion11[] = R"sql(
ALTER TABLE jobs ADD COLUMN trace TEXT NOT NULL DEFAULT '';
)sql";

// Version 12 names the feed, so that a position in that of another store is known as such. The name
// is given when the file is opened.
constexpr char kVersion12[] = R"sql(
ALTER TABLE store ADD COLUMN feed_id TEXT NOT NULL DEFAULT '';
)sql";

// Version 13 has what is told to receivers of the tenants' own.
constexpr char kVersion13[] = R"sql(
ALTER TABLE jobs ADD COLUMN notify_wire BLOB NOT NULL DEFAULT x'';
ALTER TABLE jobs ADD COLUMN notifying INTEGER NOT NULL DEFAULT 0;  -- jobs::NotifyingOf the record
-- ReadNotifying, List of one notification state
CREATE INDEX jobs_notifying ON jobs (notifying, tenant, job_id) WHERE notifying > 0;
)sql";

// The steps above name these numbers. They are in files that exist, and in conditions of indexes:
// another meaning needs a step of its own.
template <class Enum>
constexpr bool Is(Enum value, int number) {
  return static_cast<int>(value) == number;
}
static_assert(Is(jobs::v1::JOB_STATE_UNCONFIRMED, 1) && Is(jobs::v1::JOB_STATE_QUEUED, 2) &&
              Is(jobs::v1::JOB_STATE_RUNNING, 3) && Is(jobs::v1::JOB_STATE_SUCCEEDED, 4) &&
              Is(jobs::v1::JOB_STATE_WAITING, 9) && Is(jobs::v1::JOB_STATE_CANCELLED, 10));
static_assert(Is(jobs::SubmissionState::kIntent, 1) && Is(jobs::SubmissionState::kSending, 2) &&
              Is(jobs::SubmissionState::kAccepted, 3) && Is(jobs::SubmissionState::kRejected, 4) &&
              Is(jobs::SubmissionState::kNotSent, 5) && Is(jobs::SubmissionState::kUnknown, 6) &&
              Is(jobs::SubmissionState::kAbandoned, 7) && Is(jobs::SubmissionState::kDeleted, 8) &&
              Is(jobs::SubmissionState::kWaiting, 9));
static_assert(Is(jobs::Delivery::kUnsaid, 0) && Is(jobs::Delivery::kArrived, 1));
static_assert(Is(jobs::Notice::kNone, 0) && Is(jobs::Notice::kTooLarge, 1));

int Number(SQLite::Database& db, const std::string& query) { return db.execAndGet(query).getInt(); }

absl::Status CheckFile(SQLite::Database& db, int newest) {
  const std::string path = db.getFilename();
  const int application = Number(db, "PRAGMA application_id");
  const bool empty = Number(db, "SELECT count(*) FROM sqlite_schema") == 0;
  if (application != kApplicationId && !(application == 0 && empty)) {
    return absl::FailedPreconditionError(absl::StrCat(
        path,
        " is an SQLite database but not a job store; move it away, or set another --state-dir"));
  }
  const int version = Number(db, "PRAGMA user_version");
  if (version > newest) {
    return absl::FailedPreconditionError(
        absl::StrCat(path, " has schema version ", version, ", this program knows versions up to ",
                     newest, "; run the newer program, or restore a backup made before it"));
  }
  return absl::OkStatus();
}

absl::Status ClaimFor(SQLite::Database& db, bool sandbox) {
  SQLite::Statement claim(db, "INSERT OR IGNORE INTO store (id, sandbox, epoch) VALUES (1, ?, 0)");
  claim.bind(1, sandbox ? 1 : 0);
  claim.exec();
  const bool made_for_sandbox = Number(db, "SELECT sandbox FROM store") != 0;
  if (made_for_sandbox == sandbox) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat(
      db.getFilename(), " holds ", made_for_sandbox ? "sandbox" : "real", " jobs and cannot take ",
      sandbox ? "sandbox" : "real", " ones; set another --state-dir"));
}

// Whether SQLite has made the file as a copy of another since its epoch began; a new file looks
// the same.
bool IsCopy(SQLite::Database& db) {
  return Number(db, "PRAGMA schema_version") <
         kCookieBase + db.execAndGet("SELECT epoch FROM store").getInt64();
}

// Names the feed, that of a copy anew: what follows in it is not what followed in the other.
void NameFeed(SQLite::Database& db) {
  SQLite::Statement name(db,
                         "UPDATE store SET feed_id = lower(hex(randomblob(8)))"
                         " WHERE feed_id = '' OR ?");
  name.bind(1, IsCopy(db) ? 1 : 0);
  name.exec();
}

// The path of a file in the form in which SQLite reads it in a URI.
std::string UriOf(const std::string& path) {
  std::string uri = "file:";
  for (const char c : path) {
    if (c == '%' || c == '?' || c == '#') {
      absl::StrAppend(&uri, "%", absl::Hex(static_cast<unsigned char>(c), absl::kZeroPad2));
    } else {
      uri += c;
    }
  }
  return uri;
}

void Configure(SQLite::Database& db) {
  db.exec("PRAGMA synchronous = FULL");
  db.exec("PRAGMA cache_size = -32768");  // KiB
  db.exec("PRAGMA journal_size_limit = 67108864");
}

}  // namespace

const std::vector<Migration>& Migrations() {
  static const std::vector<Migration> migrations = {
      {1, kVersion1},   {2, kVersion2},   {3, kVersion3},  {4, kVersion4}, {5, kVersion5},
      {6, kVersion6},   {7, kVersion7},   {8, kVersion8},  {9, kVersion9}, {10, kVersion10},
      {11, kVersion11}, {12, kVersion12}, {13, kVersion13}};
  return migrations;
}

absl::Status Migrate(SQLite::Database& db, const std::vector<Migration>& migrations) {
  if (absl::Status fits = CheckFile(db, migrations.back().version); !fits.ok()) return fits;
  const int version = Number(db, "PRAGMA user_version");
  for (const Migration& migration : migrations) {
    if (migration.version <= version) continue;
    SQLite::Transaction transaction(db);
    db.exec(migration.sql);
    db.exec(absl::StrCat("PRAGMA application_id = ", kApplicationId));
    db.exec(absl::StrCat("PRAGMA user_version = ", migration.version));
    transaction.commit();
  }
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<SQLite::Database>> OpenForWriting(const std::string& path,
                                                                 bool sandbox,
                                                                 std::int64_t max_pages) {
  try {
    auto db = std::make_unique<SQLite::Database>(
        path, SQLite::OPEN_READWRITE | SQLite::OPEN_NOMUTEX, kBusyTimeoutMs);
    NeverFoldOnClose(*db);
    // The file is checked before anything changes it: it may be somebody else's.
    if (absl::Status fits = CheckFile(*db, Migrations().back().version); !fits.ok()) return fits;
    const std::string mode = db->execAndGet("PRAGMA journal_mode = WAL").getString();
    if (mode != "wal") {
      return absl::FailedPreconditionError(
          absl::StrCat(path, " cannot use a write-ahead log (it is in mode ", mode,
                       "); the state directory must be on a local file system"));
    }
    Configure(*db);
    if (max_pages > 0) db->execAndGet(absl::StrCat("PRAGMA max_page_count = ", max_pages));
    if (absl::Status migrated = Migrate(*db, Migrations()); !migrated.ok()) return migrated;
    if (absl::Status claimed = ClaimFor(*db, sandbox); !claimed.ok()) return claimed;
    NameFeed(*db);
    return db;
  } catch (const SQLite::Exception& error) {
    return OpenError(error, path);
  }
}

absl::StatusOr<std::unique_ptr<SQLite::Database>> OpenForReading(const std::string& path,
                                                                 int cache_kib) {
  try {
    auto db = std::make_unique<SQLite::Database>(path, SQLite::OPEN_READONLY | SQLite::OPEN_NOMUTEX,
                                                 kBusyTimeoutMs);
    db->exec(absl::StrCat("PRAGMA cache_size = ", -cache_kib));
    return db;
  } catch (const SQLite::Exception& error) {
    return OpenError(error, path);
  }
}

void NumberEpochs(SQLite::Database& db) {
  const std::int64_t last = db.execAndGet("SELECT epoch + 2 FROM store").getInt64();
  db.exec(absl::StrCat("PRAGMA schema_version = ", kCookieBase + last));
}

std::int64_t BeginEpoch(SQLite::Database& db) {
  const std::int64_t epoch = db.execAndGet("SELECT epoch + 1 FROM store").getInt64();
  db.exec(absl::StrCat("UPDATE store SET epoch = ", epoch));
  return epoch;
}

void RaiseEpoch(SQLite::Database& db, std::int64_t epoch) {
  if (epoch <= db.execAndGet("SELECT epoch FROM store").getInt64()) return;
  // The number is on the first page, which is moved into jobs.db before the others.
  db.exec(absl::StrCat("PRAGMA schema_version = ", kCookieBase + epoch + 2));
  db.exec(absl::StrCat("UPDATE store SET epoch = ", epoch));
}

std::optional<FileTime> TimeWithoutLog(const std::string& path) {
  try {
    // An immutable file has no log, and needs no locks.
    SQLite::Database db(UriOf(path) + "?immutable=1", SQLite::OPEN_READONLY | SQLite::OPEN_URI);
    return FileTime{.epoch = db.execAndGet("SELECT epoch FROM store").getInt64(),
                    .copied = IsCopy(db)};
  } catch (const SQLite::Exception&) {
    return std::nullopt;
  }
}

}  // namespace gateway::store
