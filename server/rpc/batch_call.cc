#include "rpc/batch_call.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "base/errors.h"
#include "base/limits.h"
#include "base/mutex.h"
#include "jobs/snapshot.h"
#include "rpc/job_calls.h"
#include "rpc/large_answers.h"

namespace gateway::rpc {
namespace {

// All that is wrong with the ids, each under its own place.
absl::Status CheckJobNames(const v1::BatchGetJobsRequest& request) {
  if (request.job_ids().empty()) return errors::Invalid("job_ids", "is required");
  std::vector<errors::Violation> violations;
  for (int i = 0; i < request.job_ids_size(); ++i) {
    for (errors::Violation& wrong : errors::Violations(CheckJobName(request.job_ids(i)))) {
      violations.push_back({"job_ids[" + std::to_string(i) + "]", std::move(wrong.description)});
    }
  }
  return violations.empty() ? absl::OkStatus() : errors::Invalid(std::move(violations));
}

// How long the answer will be, about: each job's bytes are there already.
std::size_t LengthOf(const std::vector<jobs::SnapshotPtr>& found) {
  std::size_t length = 0;
  for (const jobs::SnapshotPtr& job : found) length += job == nullptr ? 0 : job->frame.size();
  return std::min(length, limits::kFullViewMaxBytes);
}

// Every job's frame is a whole answer with the one job in its field 1, so the frames in a row are
// an answer with all of them.
jobs::Frame MakeAnswer(const v1::BatchGetJobsRequest& request,
                       const std::vector<jobs::SnapshotPtr>& found, const Domain& domain) {
  auto frame = std::make_shared<std::string>();
  v1::BatchGetJobsResponse rest;
  for (int i = 0; i < request.job_ids_size(); ++i) {
    const jobs::SnapshotPtr& job = found[static_cast<std::size_t>(i)];
    if (job == nullptr) {
      rest.add_missing_job_ids(request.job_ids(i));
      continue;
    }
    const jobs::Frame one =
        jobs::FrameOf(domain.estimates, job, domain.backend.IsDegraded(job->account));
    if (!frame->empty() && frame->size() + one->size() > limits::kFullViewMaxBytes) {
      rest.add_remaining_job_ids(request.job_ids(i));
      continue;
    }
    frame->append(*one);
    domain.backend.Name(job->key());
  }
  frame->append(rest.SerializeAsString());
  return frame;
}

// A Batch is one call whose jobs are being loaded. The last of them answers it.
class Batch {
 public:
  Batch(std::shared_ptr<v1::BatchGetJobsRequest> request, Reply reply, LargeAnswers::Holder holder,
        const Domain& domain)
      : request_(std::move(request)),
        reply_(std::move(reply)),
        holder_(std::move(holder)),
        domain_(domain),
        found_(static_cast<std::size_t>(request_->job_ids_size())),
        loading_(found_.size()) {}

  void OnLoaded(std::size_t place, absl::StatusOr<jobs::SnapshotPtr> loaded) {
    std::vector<jobs::SnapshotPtr> found;
    absl::Status failure;
    {
      MutexLock lock(mutex_);
      if (loaded.ok()) {
        found_[place] = *std::move(loaded);
      } else if (!absl::IsNotFound(loaded.status())) {
        failure_.Update(loaded.status());
      }
      if (--loading_ > 0) return;
      found.swap(found_);
      failure = failure_;
    }
    if (!failure.ok()) return reply_(std::move(failure));
    Answer(found);
  }

 private:
  void Answer(const std::vector<jobs::SnapshotPtr>& found) const {
    absl::StatusOr<LargeAnswers::HeldPtr> held =
        domain_.large_answers->Hold(LengthOf(found), holder_);
    if (!held.ok()) return reply_(held.status());
    reply_(Keep(MakeAnswer(*request_, found, domain_), *std::move(held)));
  }

  const std::shared_ptr<v1::BatchGetJobsRequest> request_;
  const Reply reply_;
  const LargeAnswers::Holder holder_;
  const Domain& domain_;
  Mutex mutex_;
  std::vector<jobs::SnapshotPtr> found_ GUARDED_BY(mutex_);  // in the request's order
  std::size_t loading_ GUARDED_BY(mutex_);
  absl::Status failure_ GUARDED_BY(mutex_);  // the first, but for jobs that there are not
};

}  // namespace

void BatchGetJobs(const Caller& caller, std::shared_ptr<v1::BatchGetJobsRequest> request,
                  const Reply& reply, const Domain& domain) {
  if (absl::Status named = CheckJobNames(*request); !named.ok()) return reply(std::move(named));
  for (const std::string& name : request->job_ids()) {
    if (absl::Status may = MayLoad(domain, caller.tenant, name); !may.ok()) {
      return reply(std::move(may));
    }
  }
  // The call itself is counted already.
  if (absl::Status rate = domain.gates->CountMore(*caller.principal, request->job_ids_size() - 1);
      !rate.ok()) {
    return reply(std::move(rate));
  }
  const auto batch =
      std::make_shared<Batch>(request, reply, LargeAnswers::HolderOf(caller), domain);
  std::size_t place = 0;
  for (const std::string& name : request->job_ids()) {
    domain.hub.Load(caller.tenant, name, [batch, place](absl::StatusOr<jobs::SnapshotPtr> loaded) {
      batch->OnLoaded(place, std::move(loaded));
    });
    ++place;
  }
}

}  // namespace gateway::rpc
