// A Client is a connection to a Pictory jobs gateway.
//
//   auto client = pictory_jobs::Client::Connect("127.0.0.1:50051");
//   CreatePreviewRequest request;
//   request.set_storyboard_json(R"({"videoName":"demo","scenes":[{"story":"Hello."}]})");
//   auto job = client->CreatePreview(request);
//   auto done = client->WaitUntilDone(job->job_id());   // SUCCEEDED, FAILED, …
//
// Its calls block. A failed job is a Job in the state FAILED, and its call is OK; a failed call is
// a status (see status.h). A Client is thread-safe, and cheap to copy: copies share connections.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "google/protobuf/message.h"
#include "pictory_jobs/async_watch.h"
#include "pictory_jobs/job.h"
#include "pictory_jobs/jobs_watch.h"
#include "pictory_jobs/list.h"
#include "pictory_jobs/options.h"
#include "pictory_jobs/status.h"
#include "pictory_jobs/watch.h"

namespace pictory_jobs {

class Client {
 public:
  // `host:port` (an IPv6 address in brackets), `https://host[:port]` for TLS, or a name of gRPC's
  // own (`dns:///host:port`, `unix:/path`). The client connects with the first call, so Connect
  // fails only for a target that cannot be one, or to which the options' pictory_key cannot be
  // sent: INVALID_ARGUMENT says why.
  static absl::StatusOr<Client> Connect(std::string_view target, ClientOptions options = {});

  // These calls submit. If the request_id is empty, one is minted once, before the first attempt.
  // The job may come back UNCONFIRMED: Pictory may be at work on it. Never submit it again; watch
  // it, or resolve it. One that is to wait for another job comes back WAITING.
  absl::StatusOr<Job> CreatePreview(CreatePreviewRequest request,
                                    const CallOptions& call = {}) const {
    return Submit(request, call);
  }
  absl::StatusOr<Job> Render(RenderRequest request, const CallOptions& call = {}) const {
    return Submit(request, call);
  }
  absl::StatusOr<Job> Transcribe(TranscribeRequest request, const CallOptions& call = {}) const {
    return Submit(request, call);
  }
  absl::StatusOr<Job> Summarize(SummarizeRequest request, const CallOptions& call = {}) const {
    return Submit(request, call);
  }
  absl::StatusOr<Job> GenerateImage(GenerateImageRequest request,
                                    const CallOptions& call = {}) const {
    return Submit(request, call);
  }
  absl::StatusOr<Job> GenerateVideo(GenerateVideoRequest request,
                                    const CallOptions& call = {}) const {
    return Submit(request, call);
  }
  // Submits any of the requests above; INVALID_ARGUMENT for another message. A request_id that is
  // minted stands in the request afterwards.
  absl::StatusOr<Job> Submit(google::protobuf::Message& request,
                             const CallOptions& call = {}) const;

  // Wherever a job is named, Pictory's own id serves too.
  absl::StatusOr<Job> Get(const std::string& job_id, JobView view = JobView::JOB_VIEW_BASIC,
                          const CallOptions& call = {}) const;
  // The jobs in the order of their ids, in the BASIC view; unset where the gateway knows none. Asks
  // for a hundred at a time. Unlike Get it adopts no job of Pictory's.
  absl::StatusOr<std::vector<std::optional<Job>>> BatchGet(std::span<const std::string> job_ids,
                                                           const CallOptions& call = {}) const;
  JobList List(ListJobsRequest filter = {}, const CallOptions& call = {}) const;
  // One page of it, with what names the next.
  absl::StatusOr<v1::ListJobsResponse> ListPage(const ListJobsRequest& request,
                                                const CallOptions& call = {}) const;

  Watch WatchJob(std::string job_id, WatchOptions options = {}) const;
  // Calls `each` with each new state. The final state is returned as well. If `each` returns false,
  // the watch ends and the state that it was given is returned.
  absl::StatusOr<Job> WatchJob(std::string job_id, const std::function<bool(const Job&)>& each,
                               WatchOptions options = {}) const;
  // All jobs that fit a filter, in one stream.
  JobsWatch WatchJobs(WatchJobsRequest request, WatchOptions options = {}) const;
  // Calls `each` with each new state, on a thread of its own, and `end` once; returns at once.
  AsyncWatch WatchJobAsync(std::string job_id, AsyncWatch::OnState each, AsyncWatch::OnEnd end,
                           WatchOptions options = {}) const;
  // Returns the job in its final state, whatever that is.
  absl::StatusOr<Job> WaitUntilDone(std::string job_id, WatchOptions options = {}) const;

  // Reads a part of a finished job's result from `offset` on, in pieces of up to 256 KiB and in
  // order; a broken connection is resumed where it was. A sink that returns false ends it with
  // CANCELLED. Returns the size of the whole part in bytes.
  using Sink = std::function<bool(std::string_view piece, std::int32_t total_bytes)>;
  absl::StatusOr<std::int32_t> ReadResult(const std::string& job_id, ResultPart part,
                                          const Sink& sink, std::int32_t offset = 0,
                                          const CallOptions& call = {}) const;
  // Returns the whole part at once.
  absl::StatusOr<std::string> ReadResult(const std::string& job_id, ResultPart part,
                                         const CallOptions& call = {}) const;

  // Reads a file of a finished job from the gateway's archive, in the same way. `name` is one of
  // `Job::archive`; empty: the mp4 or picture.
  using FileSink = std::function<bool(std::string_view piece, std::int64_t total_bytes)>;
  absl::StatusOr<std::int64_t> ReadArchivedFile(const std::string& job_id, const std::string& name,
                                                const FileSink& sink, std::int64_t offset = 0,
                                                const CallOptions& call = {}) const;

  // Gives a place at Pictory for a file of the caller's own; it is free. The caller sends the file:
  // one HTTP PUT of its bytes to `signed_url`, with the Content-Type of the answer and without
  // Authorization. Its `file_url` goes into submits afterwards. Keep `signed_url` out of logs.
  absl::StatusOr<CreateUploadResponse> CreateUpload(const CreateUploadRequest& request,
                                                    const CallOptions& call = {}) const;

  // Changes elements of a finished preview at Pictory, before it is rendered; free, and harmless to
  // repeat. Returns the preview as it is kept here, which has none of the changes.
  absl::StatusOr<Job> UpdatePreview(const UpdatePreviewRequest& request,
                                    const CallOptions& call = {}) const;

  // A page of the notifications that were given up, or that are still tried; and one that is tried
  // again at once, with the same id, whatever became of it.
  absl::StatusOr<ListNotificationsResponse> Notifications(
      const ListNotificationsRequest& request = {}, const CallOptions& call = {}) const;
  absl::StatusOr<Notification> ReplayNotification(const std::string& job_id,
                                                  const CallOptions& call = {}) const;

  // Tells what the gateway is and what stands in the caller's way at present.
  absl::StatusOr<GetServerInfoResponse> ServerInfo(const CallOptions& call = {}) const;
  // Holds a stream open that says nothing, and shows so whether a proxy on the way cuts streams: OK
  // after that time, or why it ended before.
  absl::Status HoldStream(std::chrono::milliseconds time, std::stop_token stop = {}) const;
  // Tells how much of its limits the caller's tenant has used and, with a `label_key`, what its
  // jobs have used by the values of that label.
  absl::StatusOr<GetUsageResponse> Usage(const CallOptions& call = {}) const;
  absl::StatusOr<GetUsageResponse> Usage(const GetUsageRequest& request,
                                         const CallOptions& call = {}) const;

  // What is the account's and no job's. A page of its projects, as Pictory pages them; one of them;
  // its quota and a month's charges; its templates, and what is done with one.
  absl::StatusOr<ListProjectsResponse> Projects(const ListProjectsRequest& request = {},
                                                const CallOptions& call = {}) const;
  absl::StatusOr<GetProjectResponse> Project(const std::string& project_id,
                                             const CallOptions& call = {}) const;
  absl::StatusOr<GetAccountResponse> Account(const GetAccountRequest& request = {},
                                             const CallOptions& call = {}) const;
  absl::StatusOr<ListTemplatesResponse> Templates(const CallOptions& call = {}) const;
  absl::StatusOr<GetTemplateResponse> Template(const std::string& template_id,
                                               const CallOptions& call = {}) const;
  absl::StatusOr<CreateTemplateResponse> CreateTemplate(const CreateTemplateRequest& request,
                                                        const CallOptions& call = {}) const;
  absl::Status UpdateTemplate(const UpdateTemplateRequest& request,
                              const CallOptions& call = {}) const;
  absl::Status DeleteTemplate(const std::string& template_id, const CallOptions& call = {}) const;

  // Resolves an UNCONFIRMED job, or lists what it could be.
  absl::StatusOr<ResolveJobResponse> Resolve(const ResolveJobRequest& request,
                                             const CallOptions& call = {}) const;
  // Deletes a job that has ended, or cancels one that is WAITING. Returns it as it was, CLEANED or
  // CANCELLED.
  absl::StatusOr<Job> Delete(const std::string& job_id, const CallOptions& call = {}) const;
  // Cancels a job that is WAITING, and deletes none: FAILED_PRECONDITION (`JOB_NOT_WAITING`) if it
  // does not wait. It is repeated like a read, because one that is CANCELLED is answered as it is.
  absl::StatusOr<Job> Cancel(const std::string& job_id, const CallOptions& call = {}) const;

 private:
  explicit Client(std::shared_ptr<Core> core) : core_(std::move(core)) {}

  std::shared_ptr<Core> core_;
};

}  // namespace pictory_jobs
