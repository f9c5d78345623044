#include "jobs/ledger.h"

#include <memory>
#include <optional>
#include <utility>

#include "base/errors.h"
#include "base/limits.h"
#include "jobs/outcome.h"
#include "pictory/job_result.h"

namespace gateway::jobs {
namespace {

// Whether the result of an adopted job was read as that of another kind than it is of, or of none.
bool WasReadAsAnother(const JobRecord& submitted, const JobRecord& adopted) {
  return adopted.job.state == v1::JOB_STATE_SUCCEEDED && adopted.job.kind != submitted.job.kind;
}

// What a change says whose record could not be read. Only a failed write ends the store: this
// change may be stored a moment later.
absl::Status NotNow(const absl::Status& read) {
  return errors::Reason(read) == errors::kStoreFailed
             ? errors::Overloaded("changes of jobs", limits::kLateWriteFirst)
             : read;
}

// The result as one of this kind; where it cannot be read, only where it stands is told.
std::string ReadAs(JobKind kind, bool sandbox, const PartChunk& json) {
  if (static_cast<std::int64_t>(json.data.size()) == json.total_bytes) {
    absl::StatusOr<std::string> read = pictory::ReadBasicResult(json.data, kind, sandbox);
    if (read.ok()) return *std::move(read);
  }
  v1::Job job;
  job.add_omitted_parts(v1::RESULT_PART_RESULT_JSON);
  return job.SerializeAsString();
}

}  // namespace

void Ledger::Begin(JobRecord record, StoreCallback<BeginResult> done) {
  submissions_.Begin(
      std::move(record), [this, done = std::move(done)](absl::StatusOr<BeginResult> begun) {
        if (begun.ok() && begun->begun && begun->record.submission == SubmissionState::kWaiting) {
          Outcome outcome{.status = absl::OkStatus(), .record = begun->record};
          Show(outcome);
        } else if (begun.ok() && begun->begun) {
          Hide(begun->record);
        }
        done(std::move(begun));
      });
}

void Ledger::CompleteRecord(JobRecord& record) const {
  for (const Complete& complete : completions_) complete(record);
}

void Ledger::Update(Change change, Done done) {
  CompleteRecord(change.record);
  Store(std::make_shared<Change>(std::move(change)), /*again=*/false, std::move(done));
}

void Ledger::Store(const ChangePtr& change, bool again, Done done) {
  submissions_.Update(
      change->record, change->parts,
      [this, change, again, done = std::move(done)](absl::Status status) {
        if (absl::IsAlreadyExists(status) && !IsFinal(change->record.job.state)) {
          return FindHolder(change, again, done);
        }
        Finish(*change, {.status = std::move(status), .record = std::move(change->record)}, done);
      });
}

void Ledger::Finish(const Change& change, Outcome outcome, const Done& done, bool known) {
  if (absl::IsAborted(outcome.status)) return ReadPresent(std::move(outcome), done);
  if (outcome.status.ok()) {
    ++outcome.record.version;
    if (change.stored) change.stored(outcome.record);
    if (!change.hidden && IsVisible(outcome.record)) {
      Show(outcome);
      const bool ends = IsFinal(outcome.record.job.state) && !change.ended;
      for (const Ended& ended : ended_) {
        if (ends) ended(outcome.record, known);
      }
    } else if (!change.hidden || !IsVisible(outcome.record) || WasShown(outcome.record)) {
      Hide(outcome.record);
    }
  }
  done(std::move(outcome));
}

// Whether callers here were shown the record as it is. If not, another process has changed it just
// before, and who reads the feed must not take the version for one that is known here.
bool Ledger::WasShown(const JobRecord& record) const {
  const SnapshotPtr seen = hub_.Find(record.job.tenant, record.job.job_id);
  return seen != nullptr && seen->revision >= record.job.revision;
}

void Ledger::Adopt(JobRecord record, Done done) {
  CompleteRecord(record);
  auto outcome = std::make_shared<Outcome>();
  outcome->record = record;
  submissions_.Adopt(std::move(record),
                     [this, outcome, done = std::move(done)](absl::Status status) {
                       outcome->status = std::move(status);
                       if (outcome->status.ok()) {
                         outcome->record.version = 1;
                         Show(*outcome);
                       }
                       done(std::move(*outcome));
                     });
}

// The Pictory id has a job already. That is a contradiction, unless that job is an adopted one.
void Ledger::FindHolder(const ChangePtr& change, bool again, Done done) {
  const Job& job = change->record.job;
  jobs_.Find(job.tenant, job.pictory_job_id,
             [this, change, again,
              done = std::move(done)](const absl::StatusOr<std::optional<JobRecord>>& holder) {
               if (!holder.ok())
                 return done({.status = NotNow(holder.status()), .record = change->record});
               // It went while it was looked for, or callers of this tenant do not see it.
               if (!holder->has_value() && !again) return Store(change, /*again=*/true, done);
               if (!holder->has_value() || !WasAdopted(**holder)) {
                 return done({.status = absl::AlreadyExistsError("The Pictory id is another job's"),
                              .record = change->record});
               }
               WasReadAsAnother(change->record, **holder) ? ReadAgain(change, **holder, done)
                                                          : TakeOver(change, **holder, done);
             });
}

// The job has SUCCEEDED, and callers have seen it; so it does not go back for its result, which is
// there to be read once more.
void Ledger::ReadAgain(const ChangePtr& change, const JobRecord& adopted, Done done) {
  jobs_.ReadPart(
      adopted.job.tenant, adopted.job.job_id, v1::RESULT_PART_RESULT_JSON, 0,
      static_cast<std::int64_t>(limits::kFullViewReadMaxBytes),
      [this, change, adopted, done = std::move(done)](const absl::StatusOr<PartChunk>& json) {
        if (!json.ok() && !absl::IsNotFound(json.status())) {
          return done({.status = NotNow(json.status()), .record = change->record});
        }
        JobRecord read = adopted;
        read.job.kind = change->record.job.kind;
        if (json.ok()) read.job.result_wire = ReadAs(read.job.kind, read.job.sandbox, *json);
        TakeOver(change, read, done);
      });
}

void Ledger::TakeOver(const ChangePtr& change, const JobRecord& adopted, Done done) {
  auto outcome = std::make_shared<Outcome>();
  outcome->record = TakingOver(change->record, adopted);
  CompleteRecord(outcome->record);
  submissions_.TakeOver(outcome->record, adopted.version,
                        [this, change, outcome, adopted,
                         done = std::move(done)](const absl::StatusOr<std::string>& gone) {
                          outcome->status = gone.status();
                          if (gone.ok()) Dismiss(adopted);
                          // Of one that has changed meanwhile the present record says so.
                          if (absl::IsAborted(gone.status())) outcome->record = change->record;
                          Finish(*change, std::move(*outcome), done,
                                 /*known=*/IsFinal(adopted.job.state));
                        });
}

// It is no more under its own name.
void Ledger::Dismiss(const JobRecord& adopted) {
  hub_.Forget(adopted.job.tenant, adopted.job.job_id);
  Tell(adopted, nullptr, Of::kThisProcess);
}

void Ledger::Show(Outcome& outcome) {
  outcome.seen = hub_.Publish(outcome.record);
  Tell(outcome.record, outcome.seen, Of::kThisProcess);
}

void Ledger::Tell(const JobRecord& record, const SnapshotPtr& seen, Of of) const {
  for (const Listener& listener : observers_) {
    if (listener.of == of || listener.of == Of::kAnyProcess) listener.observer(record, seen);
  }
}

void Ledger::Hide(const JobRecord& record) const {
  for (const auto& hidden : hidden_) hidden(record);
}

void Ledger::TakeIn(const JobRecord& record) {
  const SnapshotPtr seen = hub_.Publish(record);
  if (seen->revision > record.job.revision) return;  // it was read before a later change
  Tell(record, seen, Of::kOtherProcesses);
}

void Ledger::TakeGone(const JobKey& job) {
  hub_.Forget(job.tenant, job.id);
  JobRecord gone;
  gone.job.tenant = job.tenant;
  gone.job.job_id = job.id;
  Tell(gone, nullptr, Of::kOtherProcesses);
}

// Reads the present record: by its request_id, because callers need not see the job. An adopted job
// has no request_id, but callers see it, so it is read by its job_id.
void Ledger::ReadPresent(Outcome outcome, Done done) {
  const Job& job = outcome.record.job;
  const std::string tenant = job.tenant, request_id = job.request_id, job_id = job.job_id;
  const auto take = [outcome = std::make_shared<Outcome>(std::move(outcome)),
                     done = std::move(done)](absl::StatusOr<std::optional<JobRecord>> found) {
    if (!found.ok()) {
      outcome->status = NotNow(found.status());
    } else if (!found->has_value() || (*found)->job.job_id != outcome->record.job.job_id) {
      outcome->status = absl::NotFoundError("The job is gone");
    } else {
      outcome->record = **std::move(found);
    }
    done(std::move(*outcome));
  };
  request_id.empty() ? jobs_.Find(tenant, job_id, take)
                     : submissions_.FindRequest(tenant, request_id, take);
}

void Ledger::Delete(JobRecord record, Done done) {
  auto outcome = std::make_shared<Outcome>();
  outcome->record = record;
  jobs_.Delete(std::move(record), [this, outcome, done = std::move(done)](absl::Status status) {
    outcome->status = std::move(status);
    if (absl::IsAborted(outcome->status)) return ReadPresent(std::move(*outcome), done);
    if (outcome->status.ok()) {
      ++outcome->record.version;
      hub_.Forget(outcome->record.job.tenant, outcome->record.job.job_id);
    }
    done(std::move(*outcome));
  });
}

void Ledger::Prune(const PruneQuery& query, StoreCallback<std::size_t> done) {
  jobs_.Prune(query,
              [this, done = std::move(done)](const absl::StatusOr<std::vector<JobKey>>& pruned) {
                if (!pruned.ok()) return done(pruned.status());
                for (const JobKey& key : *pruned) {
                  hub_.Forget(key.tenant, key.id);
                  if (forgotten_) forgotten_(key);
                }
                done(pruned->size());
              });
}

}  // namespace gateway::jobs
