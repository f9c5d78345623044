#include "app/backend.h"

#include <utility>

#include "app/version.h"
#include "pictory/bindings.h"
#include "pictory/job_result.h"

namespace gateway::app {

namespace v1 = rpc::v1;

std::vector<errors::Violation> CoreBackend::Validate(const jobs::Owner& owner,
                                                     const google::protobuf::Message& request) {
  std::vector<errors::Violation> violations =
      pictory::Validate(request, core_.upstreams.Of(owner.account)->translate());
  const std::string url = pictory::NotifyUrlOf(request);
  if (url.empty()) return violations;
  if (std::string problem = notifications_.ProblemOf(owner.tenant, url); !problem.empty()) {
    violations.push_back({"notify_url", std::move(problem)});
  }
  return violations;
}

void CoreBackend::Submit(jobs::SubmitRequest request, jobs::Submitter::Done done) {
  core_.submitter.Submit(std::move(request), std::move(done));
}

absl::StatusOr<std::string> CoreBackend::ReadFull(std::string_view result_json, v1::JobKind kind) {
  return pictory::ReadFullResult(result_json, kind, loopback_links_);
}

void CoreBackend::Resolve(const std::string& tenant,
                          std::shared_ptr<const v1::ResolveJobRequest> request,
                          Done<v1::ResolveJobResponse> done) {
  core_.resolver.Resolve(tenant, *request, std::move(done));
}

void CoreBackend::Delete(const std::string& tenant,
                         std::shared_ptr<const v1::DeleteJobRequest> request,
                         Done<v1::DeleteJobResponse> done) {
  jobs::Deleter::Done ended = [done = std::move(done)](absl::StatusOr<v1::Job> job) {
    if (!job.ok()) return done(job.status());
    v1::DeleteJobResponse response;
    *response.mutable_job() = *std::move(job);
    done(std::move(response));
  };
  if (request->cancel_only()) {
    core_.deleter.Cancel(tenant, request->job_id(), std::move(ended));
  } else {
    core_.deleter.Delete(tenant, request->job_id(), std::move(ended));
  }
}

void CoreBackend::CreateUpload(const jobs::Owner& owner,
                               std::shared_ptr<const v1::CreateUploadRequest> request,
                               Done<v1::CreateUploadResponse> done) {
  core_.uploads.Create(owner, std::move(request), std::move(done));
}

void CoreBackend::UpdatePreview(const jobs::SnapshotPtr& preview,
                                std::shared_ptr<const v1::UpdatePreviewRequest> request,
                                jobs::PreviewEditor::Cancelled cancelled,
                                std::function<void(absl::Status)> done) {
  core_.previews.Update(preview, request, std::move(cancelled), std::move(done));
}

void CoreBackend::Ask(const jobs::Owner& owner, jobs::Purpose purpose, pictory::FreeCall call,
                      jobs::AccountDesk::Done done) {
  core_.accounts.Ask(owner, purpose, std::move(call), std::move(done));
}

void CoreBackend::LookTwice(const jobs::Owner& owner, pictory::FreeCall first,
                            pictory::FreeCall second, jobs::AccountDesk::BothDone done) {
  core_.accounts.LookTwice(owner, std::move(first), std::move(second), std::move(done));
}

void CoreBackend::Load(const jobs::Owner& owner, const std::string& name,
                       Done<jobs::SnapshotPtr> done) {
  core_.adopter.Load(owner, name, std::move(done));
}

void CoreBackend::ReadArchived(const std::vector<jobs::JobKey>& places, const std::string& name,
                               std::int64_t offset, std::int64_t max_bytes,
                               Done<jobs::PartChunk> done) {
  if (archive_ == nullptr) return done(errors::FileNotFound(places.front().id, name));
  archive_->Read(places, name, offset, max_bytes, std::move(done));
}

void CoreBackend::Replay(const std::string& tenant, const std::string& job,
                         Done<v1::Notification> done) {
  notifications_.Replay(tenant, job, std::move(done));
}

absl::StatusOr<std::string> CoreBackend::OpenAccount(const Secret& key) {
  return core_.callers.Show(key);
}

void CoreBackend::GetUsage(const jobs::Owner& owner, Done<v1::GetUsageResponse> done) {
  core_.FindUse(owner.tenant, [this, owner, done = std::move(done)](const jobs::Core::Use& use) {
    const tenants::TenantLimits limits = core_.spending.LimitsFor(owner.tenant);
    v1::GetUsageResponse usage;
    usage.set_tenant(owner.tenant);
    usage.set_account(owner.account);
    const auto set = [](v1::GetUsageResponse::Count& count, double used, double limit) {
      count.set_used(used);
      count.set_limit(limit);
    };
    set(*usage.mutable_submits_today(), static_cast<double>(use.spent.submits),
        limits.submits_per_day);
    set(*usage.mutable_credits_today(), use.spent.credits,
        static_cast<double>(limits.credits_per_day));
    usage.set_credits_reserved(use.spent.reserved);
    usage.set_repeated_today(static_cast<std::int64_t>(use.spent.repeated));
    set(*usage.mutable_active_jobs(), static_cast<double>(use.active_jobs), limits.active_jobs);
    usage.set_submits_stopped(core_.spending.stopped());
    done(std::move(usage));
  });
}

v1::GetServerInfoResponse CoreBackend::GetServerInfo() {
  v1::GetServerInfoResponse info;
  info.set_version(Version());
  info.set_sandbox(sandbox_);
  return info;
}

absl::Status CoreBackend::PictoryObstacle(const std::string& account) {
  const jobs::UpstreamPtr upstream = core_.upstreams.Of(account);
  return upstream->resting() ? upstream->Refusal(jobs::Purpose::kLook) : absl::OkStatus();
}

void CoreBackend::Name(const jobs::JobKeyView& job) { core_.owed.Named(job); }

bool CoreBackend::IsDegraded(const std::string& account) {
  return core_.upstreams.IsDegraded(account);
}

}  // namespace gateway::app
