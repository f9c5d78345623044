#include "pictory_jobs/client.h"

#include <utility>

#include "backoff.h"
#include "call.h"
#include "core.h"

namespace pictory_jobs {
namespace {

// The request_id is fixed before the first attempt: that is what makes the others harmless.
template <class Response, class Request, class Method>
absl::StatusOr<Job> Submit(Core& core, Method method, Request request, const CallOptions& call) {
  if (request.request_id().empty()) request.set_request_id(MintRequestId());
  absl::StatusOr<Response> response =
      Call<Response>(core, method, request, call, Repeatable::kAlways);
  if (!response.ok()) return response.status();
  return std::move(*response->mutable_job());
}

}  // namespace

absl::StatusOr<Client> Client::Connect(std::string_view target, ClientOptions options) {
  absl::StatusOr<Target> parsed = ParseTarget(target);
  if (!parsed.ok()) return parsed.status();
  return Client(std::make_shared<Core>(*std::move(parsed), std::move(options)));
}

absl::StatusOr<Job> Client::CreatePreview(CreatePreviewRequest request,
                                          const CallOptions& call) const {
  return Submit<v1::CreatePreviewResponse>(*core_, &Core::Stub::CreatePreview, std::move(request),
                                           call);
}

absl::StatusOr<Job> Client::Render(RenderRequest request, const CallOptions& call) const {
  return Submit<v1::RenderResponse>(*core_, &Core::Stub::Render, std::move(request), call);
}

absl::StatusOr<Job> Client::Transcribe(TranscribeRequest request, const CallOptions& call) const {
  return Submit<v1::TranscribeResponse>(*core_, &Core::Stub::Transcribe, std::move(request), call);
}

absl::StatusOr<Job> Client::Summarize(SummarizeRequest request, const CallOptions& call) const {
  return Submit<v1::SummarizeResponse>(*core_, &Core::Stub::Summarize, std::move(request), call);
}

absl::StatusOr<Job> Client::Get(const std::string& job_id, JobView view,
                                const CallOptions& call) const {
  v1::GetJobRequest request;
  request.set_job_id(job_id);
  request.set_view(view);
  auto response =
      Call<v1::GetJobResponse>(*core_, &Core::Stub::GetJob, request, call, Repeatable::kAlways);
  if (!response.ok()) return response.status();
  return std::move(*response->mutable_job());
}

JobList Client::List(ListJobsRequest filter, const CallOptions& call) const {
  return JobList(std::move(filter), [core = core_, call](const ListJobsRequest& request) {
    return Call<v1::ListJobsResponse>(*core, &Core::Stub::ListJobs, request, call,
                                      Repeatable::kAlways);
  });
}

absl::StatusOr<CreateUploadResponse> Client::CreateUpload(const CreateUploadRequest& request,
                                                          const CallOptions& call) const {
  return Call<CreateUploadResponse>(*core_, &Core::Stub::CreateUpload, request, call,
                                    Repeatable::kAlways);
}

absl::StatusOr<ResolveJobResponse> Client::Resolve(const ResolveJobRequest& request,
                                                   const CallOptions& call) const {
  // Repeating a decision that was carried out would be answered with an error.
  return Call<ResolveJobResponse>(*core_, &Core::Stub::ResolveJob, request, call,
                                  Repeatable::kIfNotDone);
}

absl::StatusOr<Job> Client::Delete(const std::string& job_id, const CallOptions& call) const {
  v1::DeleteJobRequest request;
  request.set_job_id(job_id);
  auto response = Call<v1::DeleteJobResponse>(*core_, &Core::Stub::DeleteJob, request, call,
                                              Repeatable::kIfNotDone);
  if (!response.ok()) return response.status();
  return std::move(*response->mutable_job());
}

Watch Client::WatchJob(std::string job_id, WatchOptions options) const {
  return Watch(core_, std::move(job_id), std::move(options));
}

absl::StatusOr<Job> Client::WatchJob(std::string job_id,
                                     const std::function<bool(const Job&)>& each,
                                     WatchOptions options) const {
  const JobView view = options.view;
  Watch watch(core_, job_id, std::move(options));
  std::optional<Job> last;
  while (std::optional<Job> job = watch.Next()) {
    last = std::move(job);
    if (!each(*last)) return *std::move(last);
  }
  if (!watch.status().ok()) return watch.status();
  // Nothing came because the caller had seen the final state before.
  if (!last) return Get(job_id, view);
  return *std::move(last);
}

absl::StatusOr<Job> Client::WaitUntilDone(std::string job_id, WatchOptions options) const {
  return WatchJob(std::move(job_id), [](const Job&) { return true; }, std::move(options));
}

// ---- Lists ----

JobList::JobList(ListJobsRequest request, Fetch fetch)
    : request_(std::move(request)), fetch_(std::move(fetch)) {}

bool JobList::Advance() {
  while (next_ >= page_.jobs_size()) {
    if (last_page_) return false;
    absl::StatusOr<v1::ListJobsResponse> page = fetch_(request_);
    next_ = 0;
    if (!page.ok()) {
      last_page_ = true;
      page_.Clear();
      current_ = page.status();
      return true;
    }
    page_ = *std::move(page);
    last_page_ = page_.next_page_token().empty();
    request_.set_page_token(page_.next_page_token());
  }
  current_ = std::move(*page_.mutable_jobs(next_++));
  return true;
}

}  // namespace pictory_jobs
