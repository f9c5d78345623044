// A PictoryJobs gateway whose every answer the test gives, in this process, on a free port.
//
// Handlers run on the server's threads, several at once; set them before the first call. One that
// is not set answers UNIMPLEMENTED. The payloads of a returned status become error details, as
// those of the real gateway do.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "pictory/jobs/v1/pictory_jobs.pb.h"

namespace pictory_jobs::fake {

namespace v1 = ::pictory::jobs::v1;

// What a handler knows of its call and may do to it.
struct CallInfo {
  int number = 0;    // of calls to this method, from 1
  std::string peer;  // the client's connection
  std::function<std::string(const std::string& key)> metadata;
  // Blocks until the client cancels, or the server stops.
  std::function<void()> wait_cancelled;
};

template <class Response>
using Writer = std::function<bool(const Response&)>;

template <class Request, class Response>
using Unary = std::function<absl::StatusOr<Response>(const Request&, const CallInfo&)>;
template <class Request, class Response>
using Streaming =
    std::function<absl::Status(const Request&, const CallInfo&, const Writer<Response>&)>;

struct Handlers {
  Unary<v1::CreatePreviewRequest, v1::CreatePreviewResponse> create_preview;
  Unary<v1::RenderRequest, v1::RenderResponse> render;
  Unary<v1::TranscribeRequest, v1::TranscribeResponse> transcribe;
  Unary<v1::SummarizeRequest, v1::SummarizeResponse> summarize;
  Unary<v1::GenerateImageRequest, v1::GenerateImageResponse> generate_image;
  Unary<v1::GenerateVideoRequest, v1::GenerateVideoResponse> generate_video;
  Unary<v1::GetJobRequest, v1::GetJobResponse> get;
  Unary<v1::BatchGetJobsRequest, v1::BatchGetJobsResponse> batch_get;
  Unary<v1::ListJobsRequest, v1::ListJobsResponse> list;
  Unary<v1::ResolveJobRequest, v1::ResolveJobResponse> resolve;
  Unary<v1::DeleteJobRequest, v1::DeleteJobResponse> remove;
  Unary<v1::CreateUploadRequest, v1::CreateUploadResponse> create_upload;
  Unary<v1::GetUsageRequest, v1::GetUsageResponse> get_usage;
  Unary<v1::GetServerInfoRequest, v1::GetServerInfoResponse> get_server_info;
  Unary<v1::ListNotificationsRequest, v1::ListNotificationsResponse> list_notifications;
  Unary<v1::ReplayNotificationRequest, v1::ReplayNotificationResponse> replay_notification;
  Unary<v1::UpdatePreviewRequest, v1::UpdatePreviewResponse> update_preview;
  Unary<v1::ListProjectsRequest, v1::ListProjectsResponse> list_projects;
  Unary<v1::GetProjectRequest, v1::GetProjectResponse> get_project;
  Unary<v1::GetAccountRequest, v1::GetAccountResponse> get_account;
  Unary<v1::ListTemplatesRequest, v1::ListTemplatesResponse> list_templates;
  Unary<v1::GetTemplateRequest, v1::GetTemplateResponse> get_template;
  Unary<v1::CreateTemplateRequest, v1::CreateTemplateResponse> create_template;
  Unary<v1::UpdateTemplateRequest, v1::UpdateTemplateResponse> update_template;
  Unary<v1::DeleteTemplateRequest, v1::DeleteTemplateResponse> delete_template;
  Streaming<v1::WatchJobRequest, v1::WatchJobResponse> watch;
  Streaming<v1::ReadJobResultRequest, v1::ReadJobResultResponse> read;
  Streaming<v1::ReadArchivedFileRequest, v1::ReadArchivedFileResponse> read_file;
};

class FakeServer {
 public:
  explicit FakeServer(Handlers handlers);
  ~FakeServer();

  std::string target() const;
  // Blocks until `method` (`WatchJob` …) has been called so often in all; false after 10 s.
  bool WaitForCalls(const std::string& method, int calls);
  int Calls(const std::string& method) const;

 private:
  class Service;
  std::unique_ptr<Service> service_;
};

// A job as the gateway would describe it.
v1::Job MakeJob(const std::string& job_id, v1::JobState state, int revision = 1);
v1::WatchJobResponse StateMessage(v1::Job job);
v1::WatchJobResponse HeartbeatMessage(int revision);

// A status as the gateway writes them, with a reason; or, with another domain, as others do.
absl::Status WithErrorInfo(absl::StatusCode code, const std::string& message,
                           const std::string& domain = "pictory-gateway");

// UNAVAILABLE or another code of the gateway's, with RetryInfo.
absl::Status WithRetryInfo(absl::StatusCode code, const std::string& message, double seconds);

}  // namespace pictory_jobs::fake
