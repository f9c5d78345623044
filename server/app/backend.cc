#include "app/backend.h"

#include <utility>

#include "pictory/job_result.h"

namespace gateway::app {

namespace v1 = rpc::v1;

std::vector<errors::Violation> CoreBackend::Validate(const google::protobuf::Message& request) {
  return pictory::Validate(request, translate_);
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
  core_.deleter.Delete(tenant, request->job_id(),
                       [done = std::move(done)](absl::StatusOr<v1::Job> job) {
                         if (!job.ok()) return done(job.status());
                         v1::DeleteJobResponse response;
                         *response.mutable_job() = *std::move(job);
                         done(std::move(response));
                       });
}

void CoreBackend::CreateUpload(const std::string&,
                               std::shared_ptr<const v1::CreateUploadRequest> request,
                               Done<v1::CreateUploadResponse> done) {
  core_.uploads.Create(std::move(request), std::move(done));
}

void CoreBackend::Load(const std::string& tenant, const std::string& name,
                       Done<jobs::SnapshotPtr> done) {
  core_.adopter.Load(tenant, name, std::move(done));
}

void CoreBackend::Name(const jobs::JobKeyView& job) { core_.owed.Named(job); }

// Every tenant gets the answer for the one account that there is.
bool CoreBackend::IsDegraded(const std::string&) { return core_.upstream.degraded(); }

}  // namespace gateway::app
