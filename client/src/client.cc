#include "pictory_jobs/client.h"

#include <algorithm>
#include <deque>
#include <numeric>
#include <utility>

#include "absl/strings/str_cat.h"
#include "backoff.h"
#include "base/limits.h"
#include "call.h"
#include "core.h"

namespace pictory_jobs {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::MethodDescriptor;

// The submit that takes requests of this type; nullptr if none does.
const MethodDescriptor* SubmitOf(const Descriptor* request) {
  const auto* const service =
      v1::GetJobRequest::descriptor()->file()->FindServiceByName("PictoryJobs");
  for (int i = 0; i < service->method_count(); ++i) {
    const MethodDescriptor* const method = service->method(i);
    if (method->input_type() == request && method->options().HasExtension(v1::job_method)) {
      return method;
    }
  }
  return nullptr;
}

}  // namespace

absl::StatusOr<Client> Client::Connect(std::string_view target, ClientOptions options) {
  absl::StatusOr<Target> parsed = ParseTarget(target);
  if (!parsed.ok()) return parsed.status();
  if (parsed->plain && options.tls) {
    return absl::InvalidArgumentError(
        "http:// is without TLS, and files for TLS are given; write https://");
  }
  const bool tls = parsed->tls || options.tls.has_value();
  if (!options.pictory_key.empty() && !tls && !parsed->loopback) {
    return absl::InvalidArgumentError(
        "a Pictory key is not sent in plain text to another machine, where others could read it; "
        "write https://, or reach the gateway on this machine");
  }
  return Client(std::make_shared<Core>(*std::move(parsed), std::move(options)));
}

absl::StatusOr<Job> Client::Submit(Message& request, const CallOptions& call) const {
  const MethodDescriptor* const method = SubmitOf(request.GetDescriptor());
  if (method == nullptr) {
    return absl::InvalidArgumentError(
        absl::StrCat(request.GetTypeName(), " is the request of no submit"));
  }
  // The request_id is fixed before the first attempt, which makes the others harmless.
  const FieldDescriptor* const id = method->input_type()->FindFieldByName("request_id");
  const auto* const reflection = request.GetReflection();
  if (reflection->GetString(request, id).empty()) {
    reflection->SetString(&request, id, MintRequestId());
  }
  const std::unique_ptr<Message> response(google::protobuf::MessageFactory::generated_factory()
                                              ->GetPrototype(method->output_type())
                                              ->New());
  const absl::Status status =
      CallUntilOver(*core_, call, Repeatable::kAlways, [&](grpc::ClientContext& context) {
        return core_->CallMethod(*method, context, request, *response);
      });
  if (!status.ok()) return status;
  const FieldDescriptor* const job = method->output_type()->FindFieldByName("job");
  return std::move(static_cast<Job&>(*response->GetReflection()->MutableMessage(&*response, job)));
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

absl::StatusOr<std::vector<std::optional<Job>>> Client::BatchGet(
    std::span<const std::string> job_ids, const CallOptions& call) const {
  std::vector<std::optional<Job>> jobs(job_ids.size());
  // The places of the ids that have not been asked for, or had no place in an answer.
  std::deque<std::size_t> open(job_ids.size());
  std::iota(open.begin(), open.end(), std::size_t{0});
  while (!open.empty()) {
    v1::BatchGetJobsRequest request;
    const std::size_t count = std::min(open.size(), std::size_t{gateway::limits::kBatchJobsMax});
    const std::vector<std::size_t> asked(open.begin(), open.begin() + static_cast<long>(count));
    open.erase(open.begin(), open.begin() + static_cast<long>(count));
    for (const std::size_t place : asked) request.add_job_ids(job_ids[place]);
    auto response = Call<v1::BatchGetJobsResponse>(*core_, &Core::Stub::BatchGetJobs, request, call,
                                                   Repeatable::kAlways);
    if (!response.ok()) return response.status();
    if (response->jobs().empty() && !response->remaining_job_ids().empty()) {
      return absl::InternalError("The gateway has answered for none of the jobs");
    }
    // The three lists are in the order of the request.
    int found = 0;
    int missing = 0;
    int remaining = 0;
    const auto next_is = [](const auto& ids, int next, const std::string& id) {
      return next < ids.size() && ids[next] == id;
    };
    for (const std::size_t place : asked) {
      if (next_is(response->missing_job_ids(), missing, job_ids[place])) {
        ++missing;
      } else if (next_is(response->remaining_job_ids(), remaining, job_ids[place])) {
        ++remaining;
        open.push_back(place);
      } else if (found < response->jobs_size()) {
        jobs[place] = std::move(*response->mutable_jobs(found++));
      }
    }
  }
  return jobs;
}

JobList Client::List(ListJobsRequest filter, const CallOptions& call) const {
  return JobList(std::move(filter), [core = core_, call](const ListJobsRequest& request) {
    return Call<v1::ListJobsResponse>(*core, &Core::Stub::ListJobs, request, call,
                                      Repeatable::kAlways);
  });
}

absl::StatusOr<v1::ListJobsResponse> Client::ListPage(const ListJobsRequest& request,
                                                      const CallOptions& call) const {
  return Call<v1::ListJobsResponse>(*core_, &Core::Stub::ListJobs, request, call,
                                    Repeatable::kAlways);
}

absl::StatusOr<CreateUploadResponse> Client::CreateUpload(const CreateUploadRequest& request,
                                                          const CallOptions& call) const {
  return Call<CreateUploadResponse>(*core_, &Core::Stub::CreateUpload, request, call,
                                    Repeatable::kAlways);
}

absl::StatusOr<Job> Client::UpdatePreview(const UpdatePreviewRequest& request,
                                          const CallOptions& call) const {
  auto response = Call<v1::UpdatePreviewResponse>(*core_, &Core::Stub::UpdatePreview, request, call,
                                                  Repeatable::kAlways);
  if (!response.ok()) return response.status();
  return std::move(*response->mutable_job());
}

absl::StatusOr<GetUsageResponse> Client::Usage(const CallOptions& call) const {
  return Usage(GetUsageRequest(), call);
}

absl::StatusOr<GetUsageResponse> Client::Usage(const GetUsageRequest& request,
                                               const CallOptions& call) const {
  return Call<GetUsageResponse>(*core_, &Core::Stub::GetUsage, request, call, Repeatable::kAlways);
}

absl::StatusOr<GetServerInfoResponse> Client::ServerInfo(const CallOptions& call) const {
  return Call<GetServerInfoResponse>(*core_, &Core::Stub::GetServerInfo, v1::GetServerInfoRequest(),
                                     call, Repeatable::kAlways);
}

absl::StatusOr<ListNotificationsResponse> Client::Notifications(
    const ListNotificationsRequest& request, const CallOptions& call) const {
  return Call<ListNotificationsResponse>(*core_, &Core::Stub::ListNotifications, request, call,
                                         Repeatable::kAlways);
}

absl::StatusOr<Notification> Client::ReplayNotification(const std::string& job_id,
                                                        const CallOptions& call) const {
  v1::ReplayNotificationRequest request;
  request.set_job_id(job_id);
  auto response = Call<v1::ReplayNotificationResponse>(*core_, &Core::Stub::ReplayNotification,
                                                       request, call, Repeatable::kAlways);
  if (!response.ok()) return response.status();
  return std::move(*response->mutable_notification());
}

absl::Status Client::HoldStream(std::chrono::milliseconds time, std::stop_token stop) const {
  return core_->HoldStream(time, stop);
}

absl::StatusOr<ListProjectsResponse> Client::Projects(const ListProjectsRequest& request,
                                                      const CallOptions& call) const {
  return Call<ListProjectsResponse>(*core_, &Core::Stub::ListProjects, request, call,
                                    Repeatable::kAlways);
}

absl::StatusOr<GetProjectResponse> Client::Project(const std::string& project_id,
                                                   const CallOptions& call) const {
  v1::GetProjectRequest request;
  request.set_project_id(project_id);
  return Call<GetProjectResponse>(*core_, &Core::Stub::GetProject, request, call,
                                  Repeatable::kAlways);
}

absl::StatusOr<GetAccountResponse> Client::Account(const GetAccountRequest& request,
                                                   const CallOptions& call) const {
  return Call<GetAccountResponse>(*core_, &Core::Stub::GetAccount, request, call,
                                  Repeatable::kAlways);
}

absl::StatusOr<ListTemplatesResponse> Client::Templates(const CallOptions& call) const {
  return Call<ListTemplatesResponse>(*core_, &Core::Stub::ListTemplates, v1::ListTemplatesRequest(),
                                     call, Repeatable::kAlways);
}

absl::StatusOr<GetTemplateResponse> Client::Template(const std::string& template_id,
                                                     const CallOptions& call) const {
  v1::GetTemplateRequest request;
  request.set_template_id(template_id);
  return Call<GetTemplateResponse>(*core_, &Core::Stub::GetTemplate, request, call,
                                   Repeatable::kAlways);
}

// A repetition would make another one.
absl::StatusOr<CreateTemplateResponse> Client::CreateTemplate(const CreateTemplateRequest& request,
                                                              const CallOptions& call) const {
  return Call<CreateTemplateResponse>(*core_, &Core::Stub::CreateTemplate, request, call,
                                      Repeatable::kIfNotDone);
}

absl::Status Client::UpdateTemplate(const UpdateTemplateRequest& request,
                                    const CallOptions& call) const {
  return Call<v1::UpdateTemplateResponse>(*core_, &Core::Stub::UpdateTemplate, request, call,
                                          Repeatable::kAlways)
      .status();
}

absl::Status Client::DeleteTemplate(const std::string& template_id, const CallOptions& call) const {
  v1::DeleteTemplateRequest request;
  request.set_template_id(template_id);
  return Call<v1::DeleteTemplateResponse>(*core_, &Core::Stub::DeleteTemplate, request, call,
                                          Repeatable::kIfNotDone)
      .status();
}

absl::StatusOr<ResolveJobResponse> Client::Resolve(const ResolveJobRequest& request,
                                                   const CallOptions& call) const {
  // A decision is repeated only where nothing was done. The gateway answers a decision that was
  // carried out in the same way again, so this is more careful than it need be.
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

absl::StatusOr<Job> Client::Cancel(const std::string& job_id, const CallOptions& call) const {
  v1::DeleteJobRequest request;
  request.set_job_id(job_id);
  request.set_cancel_only(true);
  auto response = Call<v1::DeleteJobResponse>(*core_, &Core::Stub::DeleteJob, request, call,
                                              Repeatable::kAlways);
  if (!response.ok()) return response.status();
  return std::move(*response->mutable_job());
}

Watch Client::WatchJob(std::string job_id, WatchOptions options) const {
  return Watch(core_, std::move(job_id), std::move(options));
}

JobsWatch Client::WatchJobs(WatchJobsRequest request, WatchOptions options) const {
  return JobsWatch(core_, std::move(request), std::move(options));
}

AsyncWatch Client::WatchJobAsync(std::string job_id, AsyncWatch::OnState each,
                                 AsyncWatch::OnEnd end, WatchOptions options) const {
  return AsyncWatch(WatchJob(std::move(job_id), std::move(options)), std::move(each),
                    std::move(end));
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
  // Nothing came, because the caller had seen the final state before.
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
