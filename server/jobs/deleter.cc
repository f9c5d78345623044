#include "jobs/deleter.h"

#include <utility>

#include "base/errors.h"
#include "jobs/archive_plan.h"
#include "jobs/outcome.h"
#include "jobs/snapshot.h"
#include "jobs/spending.h"

namespace gateway::jobs {
namespace {

absl::Status WhyNot(const Job& job) {
  if (IsFinal(job.state)) return absl::OkStatus();
  if (job.state == v1::JOB_STATE_UNCONFIRMED) {
    return errors::JobNotDeletable(job.job_id,
                                   "it is UNCONFIRMED; resolve it with ResolveJob first");
  }
  if (job.state == v1::JOB_STATE_WAITING) {
    return errors::JobNotDeletable(job.job_id,
                                   "it has waited, and is being sent to Pictory at this moment");
  }
  return errors::JobNotDeletable(job.job_id, "it is " + StateName(job.state) +
                                                 ", and Pictory has no way to stop a job; wait "
                                                 "until it has ended");
}

// Of a job that does not wait.
absl::StatusOr<v1::Job> NotCancelled(const JobRecord& record) {
  const Job& job = record.job;
  if (!IsVisible(record)) return errors::JobNotFound(job.job_id);
  if (job.state == v1::JOB_STATE_CANCELLED) return ToProto(job);
  if (job.state == v1::JOB_STATE_WAITING) {
    return errors::JobNotWaiting(job.job_id,
                                 "it has waited, and is being sent to Pictory at this moment");
  }
  return errors::JobNotWaiting(job.job_id, "it is " + StateName(job.state) +
                                               ", and only a job that is WAITING can be; nothing "
                                               "was deleted");
}

// Whether Pictory may hold outputs of the job. It keeps those of jobs that have ended there. It is
// not known whether an EXPIRED job has ended there, nor a job that was given up before Pictory said
// that it had accepted it.
bool MayHaveOutputs(const Job& job) {
  return !job.pictory_job_id.empty() &&
         (job.state == v1::JOB_STATE_SUCCEEDED || job.state == v1::JOB_STATE_FAILED ||
          job.state == v1::JOB_STATE_EXPIRED || job.state == v1::JOB_STATE_OUTCOME_UNKNOWN);
}

}  // namespace

void Deleter::Delete(const std::string& tenant, const std::string& name, Done done) {
  Find(tenant, name, Otherwise::kDelete, /*again=*/false, std::move(done));
}

void Deleter::Cancel(const std::string& tenant, const std::string& name, Done done) {
  Find(tenant, name, Otherwise::kRefuse, /*again=*/false, std::move(done));
}

void Deleter::Find(const std::string& tenant, const std::string& name, Otherwise otherwise,
                   bool again, Done done) {
  // A job that was adopted may be taken over by the one that was submitted, which has its name
  // then.
  Done ended = [this, tenant, name, otherwise, again, done](absl::StatusOr<v1::Job> job) {
    if (!again && absl::IsNotFound(job.status())) {
      return Find(tenant, name, otherwise, /*again=*/true, done);
    }
    done(std::move(job));
  };
  jobs_.Find(tenant, name,
             [this, name, otherwise, done = std::move(done),
              ended = std::move(ended)](absl::StatusOr<std::optional<JobRecord>> found) {
               if (!found.ok()) return done(found.status());
               if (!found->has_value()) return done(errors::JobNotFound(name));
               End(**std::move(found), otherwise, ended);
             });
}

// Ends a job that waits, and deletes one that has ended.
void Deleter::End(JobRecord record, Otherwise otherwise, Done done) {
  if (record.submission == SubmissionState::kWaiting) {
    return EndWait(record, otherwise, std::move(done));
  }
  if (otherwise == Otherwise::kRefuse) return done(NotCancelled(record));
  if (absl::Status why = WhyNot(record.job); !why.ok()) return done(why);
  MayHaveOutputs(record.job) ? Clean(std::move(record), std::move(done))
                             : DeleteFiles(std::move(record), std::move(done));
}

void Deleter::EndWait(const JobRecord& waiting, Otherwise otherwise, Done done) {
  ledger_.Update({.record = Cancelled(waiting, clock_.WallNow())},
                 [this, otherwise, done = std::move(done)](const Ledger::Outcome& stored) {
                   const Job& job = stored.record.job;
                   if (stored.status.ok()) return done(ToProto(job));
                   if (!absl::IsAborted(stored.status)) return done(stored.status);
                   // Another has cancelled it, which is what was asked for. Else it waits still,
                   // and tells another reason; or it is sent, or has ended.
                   job.state == v1::JOB_STATE_CANCELLED ? done(ToProto(job))
                                                        : End(stored.record, otherwise, done);
                 });
}

void Deleter::Clean(JobRecord record, Done done) {
  const UpstreamPtr upstream = upstreams_.Of(record.job.account);
  std::optional<Upstream::Turn> turn = upstream->TryTake(Purpose::kLook);
  if (!turn.has_value()) return done(upstream->Refusal(Purpose::kLook));
  const std::string id = record.job.pictory_job_id;
  upstream->CleanJob(*std::move(turn), id,
                     [this, record = std::move(record),
                      done = std::move(done)](const absl::Status& cleaned) mutable {
                       // A refusal is final: Pictory would refuse again, and the job could never be
                       // deleted.
                       const bool refused = absl::IsFailedPrecondition(cleaned) &&
                                            errors::Reason(cleaned) != errors::kUpstreamCredentials;
                       if (!cleaned.ok() && !refused) return done(cleaned);
                       DeleteFiles(std::move(record), std::move(done));
                     });
}

// The record goes last: as long as it is there, somebody can ask for the rest again.
void Deleter::DeleteFiles(JobRecord record, Done done) {
  if (!remove_files_ || record.job.archive_wire.empty()) {
    return Delete(std::move(record), std::move(done));
  }
  std::vector<JobKey> places =
      PlacesOf(record.job.tenant, record.job.job_id, ArchiveOf(record.job));
  RemoveFrom(std::move(places), std::move(record), std::move(done));
}

// The job's own name is the first, so that nothing is brought from one place to another any more
// while they are removed.
void Deleter::RemoveFrom(std::vector<JobKey> places, JobRecord record, Done done) {
  if (places.empty()) return Delete(std::move(record), std::move(done));
  const JobKey place = std::move(places.front());
  places.erase(places.begin());
  remove_files_(place, [this, places = std::move(places), record = std::move(record),
                        done = std::move(done)](const absl::Status& removed) mutable {
    if (!removed.ok()) return done(removed);
    RemoveFrom(std::move(places), std::move(record), std::move(done));
  });
}

void Deleter::Delete(JobRecord record, Done done) {
  record.submission = SubmissionState::kDeleted;
  record.credits_reserved =
      CreditsOf(record.job.state, record.job.credits_used, record.credits_reserved);
  record.job.state = v1::JOB_STATE_CLEANED;
  record.job.result_wire.clear();
  if (remove_files_) record.job.archive_wire.clear();
  record.notify_wire.clear();
  record.job.update_time = clock_.WallNow();
  ++record.job.revision;
  v1::Job answer = ToProto(record.job);
  answer.clear_archive();
  record.job.labels.clear();
  record.job.name.clear();
  ledger_.Delete(std::move(record),
                 [this, answer, done = std::move(done)](Ledger::Outcome outcome) {
                   // The job has ended, so whatever changed meanwhile can be deleted as well; or it
                   // is gone already.
                   const bool again = absl::IsAborted(outcome.status) && IsVisible(outcome.record);
                   if (again) return Delete(std::move(outcome.record), done);
                   if (absl::IsAborted(outcome.status))
                     return done(errors::JobNotFound(outcome.record.job.job_id));
                   if (!outcome.status.ok()) return done(outcome.status);
                   done(answer);
                 });
}

}  // namespace gateway::jobs
