#include "rpc/watch_jobs_call.h"

#include <string>
#include <utility>
#include <vector>

#include "base/errors.h"
#include "base/limits.h"
#include "base/sha256.h"
#include "rpc/canonical.h"
#include "rpc/job_calls.h"
#include "rpc/large_answers.h"
#include "rpc/open_watches.h"

namespace gateway::rpc {
namespace {

// A hash of what must stay the same from a stream to the one that goes on behind it.
std::string FilterHash(const std::string& tenant, v1::WatchJobsRequest request) {
  request.clear_view();
  request.clear_resume_token();
  Sha256Stream digest;
  AppendCanonical(tenant, digest);
  AppendCanonical(request, digest);
  return digest.Finish().substr(0, watch::kFilterHashBytes);
}

absl::Status CheckToken(const std::string& filter_hash, const v1::WatchJobsRequest& request) {
  if (request.resume_token().empty()) return absl::OkStatus();
  const auto token = watch::ReadResumeToken(request.resume_token());
  if (!token.has_value()) {
    return errors::Invalid("resume_token",
                           "is no token of a gateway; use one as a message of WatchJobs gave it");
  }
  if (token->filter_hash == filter_hash) return absl::OkStatus();
  return errors::Invalid("resume_token",
                         "belongs to a watch with other filters; leave it out to begin with the "
                         "list");
}

}  // namespace

absl::Status CheckWatchJobs(const v1::WatchJobsRequest& request) {
  std::vector<errors::Violation> violations = ViolationsOfFilter(request);
  const auto add = [&violations](const std::string& field, const absl::Status& wrong) {
    for (errors::Violation& one : errors::Violations(wrong)) {
      violations.push_back({field, std::move(one.description)});
    }
  };
  for (int i = 0; i < request.job_ids_size(); ++i) {
    add("job_ids[" + std::to_string(i) + "]", CheckJobName(request.job_ids(i)));
  }
  add("view", CheckView(request.view()));
  return violations.empty() ? absl::OkStatus() : errors::Invalid(std::move(violations));
}

int MorePlacesOf(const v1::WatchJobsRequest& request) {
  return static_cast<int>(static_cast<std::size_t>(request.job_ids_size()) *
                          limits::kWatchedIdBytes / limits::kWatchBytes);
}

std::shared_ptr<watch::JobsStream> MakeWatchJobs(const WatchLimits& limits, const Caller& caller,
                                                 const v1::WatchJobsRequest& request,
                                                 watch::StreamSink& sink, const Domain& domain) {
  watch::JobsStreamOptions options;
  watch::JobFilter& filter = options.filter;
  filter.tenant = caller.tenant;
  for (const int state : request.states()) filter.states.push_back(jobs::JobState(state));
  for (const int kind : request.kinds()) filter.kinds.push_back(jobs::JobKind(kind));
  filter.labels = {request.labels().begin(), request.labels().end()};
  filter.by_id = request.job_ids_size() > 0;
  options.names = {request.job_ids().begin(), request.job_ids().end()};
  options.filter_hash = FilterHash(caller.tenant, request);
  options.resume = watch::ReadResumeToken(request.resume_token());
  options.account = caller.owner.account;
  if (request.view() == v1::JOB_VIEW_FULL) {
    options.load_full = [&domain, holder = LargeAnswers::HolderOf(caller)](
                            jobs::SnapshotPtr snapshot,
                            std::function<void(absl::StatusOr<jobs::Frame>)> done) {
      LoadFull(domain, std::move(snapshot), holder, nullptr, std::move(done));
    };
  }
  options.degraded = [&domain](const std::string& account) {
    return domain.backend.IsDegraded(account);
  };
  options.store_away = [&domain] { return domain.backend.IsStoreAway(); };
  options.named = [&domain](const jobs::JobKeyView& job) { domain.backend.Name(job); };
  options.heartbeat = limits.heartbeat;
  options.stuck = limits.stuck;
  options.max_life = LifeOf(limits, caller, domain);
  return std::make_shared<watch::JobsStream>(std::move(options),
                                             watch::JobsStreamGround{.jobs = domain.store,
                                                                     .feed = domain.feed,
                                                                     .hub = domain.hub,
                                                                     .follower = domain.follower,
                                                                     .clock = domain.clock,
                                                                     .estimates = domain.estimates},
                                             sink);
}

void BeginWatchJobs(const std::shared_ptr<watch::JobsStream>& stream, const Caller& caller,
                    const v1::WatchJobsRequest& request, const Domain& domain) {
  absl::Status wrong = CheckToken(FilterHash(caller.tenant, request), request);
  if (!wrong.ok()) return stream->End(std::move(wrong));
  domain.open_watches->Add("WatchJobs", caller.principal, stream);
  stream->Begin();
}

}  // namespace gateway::rpc
