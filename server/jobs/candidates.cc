#include "jobs/candidates.h"

#include <memory>
#include <optional>
#include <utility>

#include "base/limits.h"

namespace gateway::jobs {
namespace {

struct Search : std::enable_shared_from_this<Search> {
  Search(const JobRecord& unconfirmed, UpstreamPtr the_upstream, Jobs& the_jobs,
         CandidatesDone when_done)
      : account(unconfirmed.job.account),
        tenant(unconfirmed.job.tenant),
        sent_at(unconfirmed.sent_at),
        upstream(std::move(the_upstream)),
        jobs(the_jobs),
        done(std::move(when_done)) {}

  void ReadPage(const std::string& page_key) {
    std::optional<Upstream::Turn> turn = upstream->TryTake(Purpose::kLook);
    if (!turn.has_value()) return done(upstream->Refusal(Purpose::kLook));
    ++pages;
    upstream->ListJobs(*std::move(turn), page_key,
                       [self = shared_from_this()](absl::StatusOr<pictory::JobList> listed) {
                         if (!listed.ok()) return self->done(listed.status());
                         self->page = *std::move(listed);
                         self->next = 0;
                         self->CheckNext();
                       });
  }

  void CheckNext() {
    if (next == page.jobs.size()) {
      const bool last = page.next_page_key.empty() || pages == limits::kCandidatePagesMax;
      return last ? done(std::move(found)) : ReadPage(page.next_page_key);
    }
    const std::string& id = page.jobs[next].pictory_job_id;
    jobs.FindOwner(account, id,
                   [self = shared_from_this()](absl::StatusOr<std::optional<std::string>> owner) {
                     if (!owner.ok()) return self->done(owner.status());
                     owner->has_value() ? self->CheckAge(**owner) : self->Take();
                   });
  }

  void Take() {
    const pictory::ListedJob& job = page.jobs[next++];
    v1::ResolveCandidate candidate;
    candidate.set_pictory_job_id(job.pictory_job_id);
    candidate.set_status(job.status);
    candidate.set_kind(job.shown_kind);
    found.push_back(std::move(candidate));
    CheckNext();
  }

  void CheckAge(const std::string& owner) {
    jobs.Find(owner, page.jobs[next].pictory_job_id,
              [self = shared_from_this()](absl::StatusOr<std::optional<JobRecord>> record) {
                if (!record.ok()) return self->done(record.status());
                const bool older = record->has_value() &&
                                   (*record)->accepted_at < self->sent_at - limits::kClockSlack;
                if (older) return self->done(std::move(self->found));
                // A job that was adopted meanwhile may be the one; the unconfirmed job would take
                // it over.
                const bool free = record->has_value() && WasAdopted(**record) &&
                                  (*record)->job.tenant == self->tenant;
                if (free) return self->Take();
                ++self->next;
                self->CheckNext();
              });
  }

  const std::string account;
  const std::string tenant;
  const WallTime sent_at;
  const UpstreamPtr upstream;
  Jobs& jobs;
  const CandidatesDone done;
  int pages = 0;
  pictory::JobList page;
  std::size_t next = 0;
  std::vector<v1::ResolveCandidate> found;
};

}  // namespace

void FindCandidates(const JobRecord& unconfirmed, UpstreamPtr upstream, Jobs& jobs,
                    CandidatesDone done) {
  std::make_shared<Search>(unconfirmed, std::move(upstream), jobs, std::move(done))->ReadPage("");
}

}  // namespace gateway::jobs
