#include "jobs/ledger.h"

#include <memory>
#include <optional>
#include <utility>

#include "jobs/outcome.h"

namespace gateway::jobs {

void Ledger::Begin(JobRecord record, StoreCallback<BeginResult> done) {
  submissions_.Begin(std::move(record), std::move(done));
}

void Ledger::Update(Change change, Done done) {
  auto outcome = std::make_shared<Outcome>();
  outcome->record = change.record;
  submissions_.Update(
      std::move(change.record), std::move(change.parts),
      [this, outcome, hidden = change.hidden, stored = std::move(change.stored),
       done = std::move(done)](absl::Status status) {
        outcome->status = std::move(status);
        if (absl::IsAborted(outcome->status)) return ReadPresent(std::move(*outcome), done);
        if (absl::IsAlreadyExists(outcome->status) && !IsFinal(outcome->record.job.state))
          return TakeOver(std::move(*outcome), stored, done);
        if (outcome->status.ok()) {
          ++outcome->record.version;
          if (stored) stored(outcome->record);
          if (!hidden && IsVisible(outcome->record)) Show(*outcome);
        }
        done(std::move(*outcome));
      });
}

void Ledger::Adopt(JobRecord record, Done done) {
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

// Handles an update whose Pictory id has a job already. That is a contradiction, unless that job is
// an adopted one.
void Ledger::TakeOver(Outcome outcome, Stored stored, Done done) {
  const std::string tenant = outcome.record.job.tenant;
  const std::string pictory_job_id = outcome.record.job.pictory_job_id;
  jobs_.Find(tenant, pictory_job_id,
             [this, outcome = std::move(outcome), stored = std::move(stored),
              done = std::move(done)](const absl::StatusOr<std::optional<JobRecord>>& holder) {
               if (!holder.ok() || !holder->has_value() || !WasAdopted(**holder)) {
                 return done(outcome);
               }
               StoreTakeOver(outcome, **holder, stored, done);
             });
}

void Ledger::StoreTakeOver(Outcome outcome, JobRecord adopted, Stored stored, Done done) {
  outcome.record = TakingOver(outcome.record, adopted);
  JobRecord record = outcome.record;
  submissions_.TakeOver(
      std::move(record),
      [this, outcome = std::move(outcome), adopted = std::move(adopted), stored = std::move(stored),
       done = std::move(done)](const absl::StatusOr<std::string>& gone) mutable {
        outcome.status = gone.status();
        if (absl::IsAborted(outcome.status)) return ReadPresent(std::move(outcome), done);
        if (outcome.status.ok()) {
          ++outcome.record.version;
          if (stored) stored(outcome.record);
          if (!gone->empty()) {
            hub_.Forget(adopted.job.tenant, *gone);
            for (const Observer& observer : observers_) observer(adopted, nullptr);
          }
          Show(outcome);
        }
        done(std::move(outcome));
      });
}

void Ledger::Show(Outcome& outcome) {
  outcome.seen = hub_.Publish(outcome.record);
  for (const Observer& observer : observers_) observer(outcome.record, outcome.seen);
}

// Reads the present record: by its request_id, because callers need not see the job. An adopted job
// has no request_id, but callers see it, so it is read by its job_id.
void Ledger::ReadPresent(Outcome outcome, Done done) {
  const Job& job = outcome.record.job;
  const std::string tenant = job.tenant, request_id = job.request_id, job_id = job.job_id;
  const auto take = [outcome = std::make_shared<Outcome>(std::move(outcome)),
                     done = std::move(done)](absl::StatusOr<std::optional<JobRecord>> found) {
    if (!found.ok()) {
      outcome->status = found.status();
    } else if (!found->has_value()) {
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
                for (const JobKey& key : *pruned) hub_.Forget(key.tenant, key.id);
                done(pruned->size());
              });
}

}  // namespace gateway::jobs
