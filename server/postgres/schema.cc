#include "postgres/schema.h"

#include "absl/strings/str_cat.h"
#include "base/limits.h"
#include "jobs/job.h"
#include "postgres/spending.h"

namespace gateway::postgres {
namespace {

constexpr std::int64_t kServerVersionMin = 150'000;

// All times are microseconds since 1970. The columns up to `delivery` are those of a record, one a
// field; texts are bytea (record_columns.h).
//
// An update of a row costs least if no indexed column changes, so neither of what changes often is
// in an index, nor any state that jobs only pass through: an index of such a state is full of rows
// that have left it. What indexes need stands in columns of its own, which change when a job is
// accepted and when it ends.
constexpr char kVersion1[] = R"sql(
CREATE TABLE pictory.jobs (
  tenant bytea NOT NULL,
  job_id bytea NOT NULL,
  pictory_job_id bytea NOT NULL,
  request_id bytea NOT NULL,
  kind integer NOT NULL,
  state integer NOT NULL,
  revision integer NOT NULL,
  progress_percent double precision,
  message bytea NOT NULL,
  create_time bigint NOT NULL,
  update_time bigint NOT NULL,
  finish_time bigint,
  labels bytea NOT NULL,              -- a v1.Job with only its labels
  credits_used double precision,
  error_code bytea NOT NULL,
  error_message bytea NOT NULL,
  stale boolean NOT NULL,
  upstream_missing boolean NOT NULL,
  sandbox boolean NOT NULL,
  submission integer NOT NULL,
  fingerprint bytea NOT NULL,
  attempt integer NOT NULL,
  owner_epoch bigint NOT NULL,
  correlation_token bytea NOT NULL,
  refusal bytea NOT NULL,
  accepted_at bigint NOT NULL,
  next_poll_at bigint NOT NULL,
  not_found_since bigint,
  not_found_count integer NOT NULL,
  incomplete_since bigint,
  incomplete_count integer NOT NULL,
  failure_seen boolean NOT NULL,
  notice integer NOT NULL,
  result_wire bytea NOT NULL,
  sent_at bigint NOT NULL,
  minted_request_id boolean NOT NULL,
  mesh_request_id bytea NOT NULL,
  account bytea NOT NULL,
  shard integer NOT NULL,
  credits_reserved double precision NOT NULL,
  waiting_request bytea NOT NULL,
  archive_wire bytea NOT NULL,
  trace bytea NOT NULL,
  version bigint NOT NULL,
  delivery integer NOT NULL,
  claims integer NOT NULL DEFAULT 0,  -- changed by Claim alone
  visible boolean NOT NULL,           -- jobs::IsVisible of the record
  unended boolean NOT NULL,           -- under way, or visible and not final
  archiving boolean NOT NULL,         -- jobs::IsArchiving of the record
  end_state integer NOT NULL,         -- the state once it is final, else 0
  spent_at bigint,                    -- sent_at, once the submit has ended, if it counts as spent
  forget_from bigint,                 -- from when on the record grows old
  PRIMARY KEY (tenant, job_id)
) WITH (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0);
ALTER TABLE pictory.jobs ALTER COLUMN result_wire SET COMPRESSION lz4;
-- Begin, FindRequest
CREATE UNIQUE INDEX jobs_by_request ON pictory.jobs (tenant, request_id) WHERE request_id <> '';
-- Find, FindOwner, TakeOver
CREATE UNIQUE INDEX jobs_by_pictory_id ON pictory.jobs (pictory_job_id, account)
  WHERE pictory_job_id <> '';
-- FindToken
CREATE INDEX jobs_by_token ON pictory.jobs (correlation_token)
  WHERE finish_time IS NULL AND correlation_token <> '';
-- FindWithoutRequestId
CREATE INDEX jobs_unkeyed ON pictory.jobs (tenant, fingerprint, create_time)
  WHERE minted_request_id;
-- List with states or kinds; without, the primary key serves
CREATE INDEX jobs_filtered ON pictory.jobs (tenant, end_state, kind, job_id) WHERE visible;
-- Recover, ReadUnfinished; a shard's jobs
CREATE INDEX jobs_unended ON pictory.jobs (shard) WHERE unended;
-- Recover
CREATE INDEX jobs_spent ON pictory.jobs (spent_at) WHERE spent_at IS NOT NULL;
-- Prune
CREATE INDEX jobs_forgettable ON pictory.jobs (visible, forget_from)
  WHERE forget_from IS NOT NULL;
-- ReadArchiving
CREATE INDEX jobs_archiving ON pictory.jobs (finish_time) WHERE archiving;

CREATE TABLE pictory.labels (
  tenant bytea NOT NULL,
  key bytea NOT NULL,
  value bytea NOT NULL,
  job_id bytea NOT NULL,
  PRIMARY KEY (tenant, key, value, job_id)
);

CREATE TABLE pictory.parts (
  tenant bytea NOT NULL,
  job_id bytea NOT NULL,
  part integer NOT NULL,
  slice integer NOT NULL,             -- from 0; all but the last have 256 KiB
  total_bytes bigint NOT NULL,        -- of the whole part
  bytes bytea NOT NULL,
  PRIMARY KEY (tenant, job_id, part, slice)
);
ALTER TABLE pictory.parts ALTER COLUMN bytes SET COMPRESSION lz4;

CREATE TABLE pictory.aliases (        -- other names of jobs
  tenant bytea NOT NULL,
  alias bytea NOT NULL,               -- the job_id of an adopted job that is no more
  job_id bytea NOT NULL,
  PRIMARY KEY (tenant, alias)
);
CREATE INDEX aliases_of ON pictory.aliases (tenant, job_id);

CREATE TABLE pictory.hints (          -- few; those about resolved jobs go at the next Recover
  tenant bytea NOT NULL,
  job_id bytea NOT NULL,
  place integer NOT NULL,             -- of the hint among those of its job
  kept_at bigint NOT NULL,
  pictory_job_id bytea NOT NULL,
  PRIMARY KEY (tenant, job_id, place),
  UNIQUE (tenant, job_id, pictory_job_id)
);

CREATE TABLE pictory.accounts (       -- how long Pictory could be asked
  account bytea PRIMARY KEY,
  answered_at bigint NOT NULL,
  asked_since bigint NOT NULL
);

-- A gateway's lease on the store, by the database's clock.
CREATE TABLE pictory.gateways (
  gateway bytea PRIMARY KEY,
  epoch bigint NOT NULL,              -- rises with each start of it
  lease_until bigint NOT NULL,
  address bytea NOT NULL,             -- where it runs, for people
  jobs_epoch bigint NOT NULL DEFAULT 0  -- jobs.owner_epoch of the attempts that are its own
) WITH (fillfactor = 50);

-- Who polls the jobs of a shard. A gateway that is alone with its store writes none of these rows.
CREATE TABLE pictory.shards (
  shard integer PRIMARY KEY,
  owner bytea NOT NULL,
  epoch bigint NOT NULL,
  lease_until bigint NOT NULL
) WITH (fillfactor = 50);

-- A connection that writes. Each transaction raises `batch`, by which one whose COMMIT was cut off
-- is told from one that was not done.
CREATE TABLE pictory.writers (
  writer bigint PRIMARY KEY,
  gateway bytea NOT NULL,
  batch bigint NOT NULL DEFAULT 0,
  forgotten bigint NOT NULL DEFAULT 0,  -- its feed up to here is gone
  ended_at bigint
) WITH (fillfactor = 50);

-- What has changed, numbered by each writer in the transaction of the change.
CREATE TABLE pictory.feed (
  writer bigint NOT NULL,
  n bigint NOT NULL,
  tenant bytea NOT NULL,
  job_id bytea NOT NULL,
  shard integer NOT NULL,
  version bigint NOT NULL,
  gone boolean NOT NULL,
  PRIMARY KEY (writer, n)
);

-- For people: SELECT * FROM pictory.jobs_in_words ORDER BY created DESC LIMIT 20
CREATE VIEW pictory.jobs_in_words AS
  SELECT encode(tenant, 'escape') AS tenant, encode(job_id, 'escape') AS job_id,
         encode(pictory_job_id, 'escape') AS pictory_job_id,
         encode(request_id, 'escape') AS request_id, encode(account, 'escape') AS account,
         kind, state, submission, revision, version, progress_percent,
         encode(message, 'escape') AS message,
         to_timestamp(create_time / 1e6) AS created, to_timestamp(update_time / 1e6) AS updated,
         to_timestamp(finish_time / 1e6) AS finished
    FROM pictory.jobs;
)sql";
static_assert(limits::kPartSliceBytes == 262'144, "the tables hold slices of this size");

// Several gateways use one store. A program that knows one step takes itself to be alone.
constexpr char kVersion2[] = R"sql(
ALTER TABLE pictory.gateways
  ADD COLUMN shares boolean NOT NULL DEFAULT false,  -- it takes its share of the shards
  ADD COLUMN gone_at bigint;          -- when others gave it up, because its lease was long over
ALTER TABLE pictory.feed
  ADD COLUMN hint boolean NOT NULL DEFAULT false;  -- nothing changed; somebody has news of the job
-- A shard is held by its owner for as long as that has a lease; lease_until is not used.
ALTER TABLE pictory.shards ALTER COLUMN lease_until SET DEFAULT 0;
INSERT INTO pictory.shards (shard, owner, epoch) SELECT n, '', 0 FROM generate_series(0, 1023) AS n
  ON CONFLICT (shard) DO NOTHING;
-- Former values of gateways.jobs_epoch, later than store.clean_epoch, of which nothing is owed but
-- what the records name: few, for each is the end of a process.
CREATE TABLE pictory.clean_epochs (
  epoch bigint PRIMARY KEY
);
CREATE TABLE pictory.stops (          -- of submits, by the file of a gateway
  gateway bytea PRIMARY KEY,
  address bytea NOT NULL,
  said_at bigint NOT NULL
);
CREATE TABLE pictory.secrets (        -- that all gateways have
  name bytea PRIMARY KEY,
  value bytea NOT NULL
);
)sql";
static_assert(limits::kShards == 1024, "the table has a row for each shard");

// Version 3 has what is told to receivers of the tenants' own.
constexpr char kVersion3[] = R"sql(
ALTER TABLE pictory.jobs ADD COLUMN notify_wire bytea NOT NULL DEFAULT '',
  ADD COLUMN notifying integer NOT NULL DEFAULT 0;  -- jobs::NotifyingOf the record
-- ReadNotifying, List of one notification state
CREATE INDEX jobs_notifying ON pictory.jobs (notifying, tenant, job_id) WHERE notifying > 0;
)sql";

// Version 4 counts what all gateways submit. A table of `spenders` has rows to lock, and nothing
// else.
constexpr char kVersion4[] = R"sql(
CREATE TABLE pictory.spending (
  tenant bytea NOT NULL,              -- empty: all of them
  span integer NOT NULL,              -- of the step, in seconds
  begins bigint NOT NULL,
  slot integer NOT NULL,              -- writers have different ones, and add up
  submits bigint NOT NULL,
  credits double precision NOT NULL,
  reserved double precision NOT NULL, -- of the credits, those that Pictory has not told of
  PRIMARY KEY (tenant, span, begins, slot)
) WITH (fillfactor = 50);
CREATE TABLE pictory.spenders (
  tenant bytea PRIMARY KEY
);
-- What of the job is in pictory.spending, and when; NULL: nothing.
ALTER TABLE pictory.jobs ADD COLUMN counted_at bigint,
  ADD COLUMN counted_credits double precision NOT NULL DEFAULT 0,
  ADD COLUMN counted_reserved double precision NOT NULL DEFAULT 0;
-- The limit of active jobs
CREATE INDEX jobs_active ON pictory.jobs (tenant) WHERE unended;
-- What is reserved for jobs that wait
CREATE INDEX jobs_waiting ON pictory.jobs (tenant) WHERE waiting_request <> '';
)sql";

constexpr char kStoreTable[] = R"sql(
CREATE SCHEMA IF NOT EXISTS pictory;
CREATE TABLE IF NOT EXISTS pictory.store (
  id integer PRIMARY KEY CHECK (id = 1),
  version integer NOT NULL,
  oldest_program integer NOT NULL,    -- a program that knows fewer steps must not go on
  sandbox boolean NOT NULL,
  epoch bigint NOT NULL,
  clean_epoch bigint NOT NULL,        -- the last one that ended in order
  last_writer bigint NOT NULL,
  feed bigint NOT NULL DEFAULT floor(random() * 9e15)::bigint  -- its name, in positions
) WITH (fillfactor = 50);
)sql";

absl::Status Refuse(const std::string& setting, const std::string& is, const char* way_out) {
  return absl::FailedPreconditionError(absl::StrCat(
      "PostgreSQL has ", setting, " = ", is, ", with which paid jobs could be lost; ", way_out));
}

std::string Setting(Connection& connection, const std::string& name) {
  return std::string(
      connection.Run(absl::StrCat("SELECT current_setting('", name, "')::text").c_str())
          .Bytes(0, 0));
}

}  // namespace

const std::vector<Migration>& Migrations() {
  static const std::string version4 = absl::StrCat(kVersion4, kCountJobsSql);
  static const std::vector<Migration> migrations = {
      {1, 1, kVersion1}, {2, 2, kVersion2}, {3, 2, kVersion3}, {4, 2, version4.c_str()}};
  return migrations;
}

absl::Status Migrate(Connection& connection, const std::vector<Migration>& migrations, bool sandbox,
                     bool& created) {
  // Asked first, because a role that may use the tables need not be one that may create them.
  if (connection.Run("SELECT 1 WHERE to_regclass('pictory.store') IS NULL").size() > 0) {
    connection.Script(kStoreTable);
  }
  connection.Script(
      "BEGIN ISOLATION LEVEL READ COMMITTED; SET LOCAL client_min_messages = warning");
  Statement first(
      "INSERT INTO pictory.store VALUES (1, 0, 0, $1, 0, 0, 0) ON CONFLICT (id) DO NOTHING");
  connection.Run(first.Bool(sandbox));
  const Rows row = connection.Run(
      "SELECT version, oldest_program, sandbox FROM pictory.store WHERE id = 1 FOR UPDATE");
  const std::int64_t version = row.Int(0, 0);
  if (absl::Status fit = CheckStore(
          {.version = version, .oldest_program = row.Int(0, 1), .sandbox = row.Bool(0, 2)},
          migrations.back().version, sandbox);
      !fit.ok()) {
    connection.Rollback();
    return fit;
  }
  created = version == 0;
  for (const Migration& step : migrations) {
    if (step.version <= version) continue;
    connection.Script(step.sql);
    connection.Run(Statement("UPDATE pictory.store SET version = $1, oldest_program = $2")
                       .Int(step.version)
                       .Int(step.oldest_program));
  }
  connection.Commit();
  return absl::OkStatus();
}

absl::Status CheckStore(const StoreKind& store, int known, bool sandbox) {
  if (store.oldest_program > known) {
    return absl::FailedPreconditionError(
        absl::StrCat("The store has been brought to version ", store.version,
                     " by a newer program, and asks for one that knows version ",
                     store.oldest_program, "; this one knows ", known, ". Install the newer one"));
  }
  if (store.sandbox != sandbox) {
    return absl::FailedPreconditionError(absl::StrCat(
        "The store holds ", sandbox ? "real" : "sandbox", " jobs, and this gateway runs ",
        sandbox ? "with the sandbox" : "for real", "; give it a database of its own"));
  }
  return absl::OkStatus();
}

absl::Status CheckServer(Connection& connection) {
  const Rows server = connection.Run(
      "SELECT pg_is_in_recovery(), current_setting('server_version_num')::bigint,"
      " current_setting('transaction_read_only')::boolean");
  if (server.Int(0, 1) < kServerVersionMin) {
    return absl::FailedPreconditionError(absl::StrCat(
        "The store needs PostgreSQL 15 or newer; this is ", Setting(connection, "server_version")));
  }
  if (server.Bool(0, 0)) {
    return absl::FailedPreconditionError(
        "The PostgreSQL of --store is in recovery mode: it is a standby and takes no writes; name "
        "the primary, or all hosts");
  }
  if (server.Bool(0, 2)) {
    return absl::FailedPreconditionError(
        "The PostgreSQL of --store has default_transaction_read_only = on; turn it off for this "
        "role and database");
  }
  for (const char* name : {"fsync", "full_page_writes"}) {
    if (Setting(connection, name) == "off") {
      return Refuse(name, "off", "turn it on in postgresql.conf");
    }
  }
  if (const std::string commit = Setting(connection, "synchronous_commit"); commit == "off") {
    return Refuse("synchronous_commit", commit,
                  "turn it on for the server, this role and this database");
  }
  return absl::OkStatus();
}

bool HasSynchronousStandby(Connection& connection) {
  return !Setting(connection, "synchronous_standby_names").empty() &&
         Setting(connection, "synchronous_commit") != "local";
}

}  // namespace gateway::postgres
