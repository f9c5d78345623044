#include "client/fake_server.h"

#include <grpcpp/grpcpp.h>

#include <chrono>
#include <condition_variable>
#include <map>
#include <mutex>
#include <utility>

#include "pictory/jobs/internal/v1/error_details.pb.h"
#include "pictory/jobs/v1/pictory_jobs.grpc.pb.h"

namespace pictory_jobs::fake {
namespace {

namespace details = ::pictory::jobs::internal::v1;

grpc::Status ToGrpc(const absl::Status& status) {
  if (status.ok()) return grpc::Status::OK;
  details::Status wire;
  wire.set_code(static_cast<int>(status.code()));
  wire.set_message(std::string(status.message()));
  status.ForEachPayload([&wire](absl::string_view url, const absl::Cord& value) {
    auto* detail = wire.add_details();
    detail->set_type_url(std::string(url));
    detail->set_value(std::string(value));
  });
  return grpc::Status(static_cast<grpc::StatusCode>(status.code()), std::string(status.message()),
                      wire.details().empty() ? "" : wire.SerializeAsString());
}

}  // namespace

class FakeServer::Service final : public v1::PictoryJobs::Service {
 public:
  explicit Service(Handlers handlers) : handlers_(std::move(handlers)) {
    grpc::ServerBuilder builder;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port_);
    builder.RegisterService(this);
    builder.SetMaxReceiveMessageSize(32 << 20);
    builder.SetMaxSendMessageSize(-1);
    server_ = builder.BuildAndStart();
  }

  ~Service() override {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    changed_.notify_all();
    server_->Shutdown(std::chrono::system_clock::now() + std::chrono::milliseconds(100));
    // The library waits for handlers too, but in a way the thread sanitizer cannot see.
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return running_ == 0; });
  }

  int port() const { return port_; }

  bool WaitForCalls(const std::string& method, int calls) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds(10),
                             [&] { return calls_[method] >= calls; });
  }

  int Calls(const std::string& method) {
    const std::lock_guard lock(mutex_);
    return calls_[method];
  }

 private:
  using Context = grpc::ServerContext;

  struct Running {
    Service* service;
    ~Running() {
      const std::lock_guard lock(service->mutex_);
      --service->running_;
      service->changed_.notify_all();
    }
  };

  CallInfo Begin(const char* method, Context* context) {
    CallInfo info;
    {
      const std::lock_guard lock(mutex_);
      info.number = ++calls_[method];
      ++running_;
    }
    changed_.notify_all();
    info.peer = context->peer();
    info.metadata = [context](const std::string& key) {
      const auto found = context->client_metadata().find(key);
      return found == context->client_metadata().end()
                 ? std::string()
                 : std::string(found->second.data(), found->second.size());
    };
    info.wait_cancelled = [this, context] {
      // The synchronous API tells of a cancellation only when asked.
      std::unique_lock lock(mutex_);
      while (!stopping_ && !context->IsCancelled()) {
        changed_.wait_for(lock, std::chrono::milliseconds(2));
      }
    };
    return info;
  }

  template <class Request, class Response>
  grpc::Status Answer(const char* method, const Unary<Request, Response>& handler, Context* context,
                      const Request* request, Response* response) {
    const CallInfo info = Begin(method, context);
    const Running running{this};
    if (!handler) return {grpc::StatusCode::UNIMPLEMENTED, "The test does not expect this call"};
    absl::StatusOr<Response> answer = handler(*request, info);
    if (!answer.ok()) return ToGrpc(answer.status());
    *response = *std::move(answer);
    return grpc::Status::OK;
  }

  template <class Request, class Response>
  grpc::Status Stream(const char* method, const Streaming<Request, Response>& handler,
                      Context* context, const Request* request,
                      grpc::ServerWriter<Response>* writer) {
    const CallInfo info = Begin(method, context);
    const Running running{this};
    if (!handler) return {grpc::StatusCode::UNIMPLEMENTED, "The test does not expect this call"};
    return ToGrpc(
        handler(*request, info, [writer](const Response& r) { return writer->Write(r); }));
  }

#define PICTORY_UNARY(Method, handler)                                      \
  grpc::Status Method(Context* context, const v1::Method##Request* request, \
                      v1::Method##Response* response) override {            \
    return Answer(#Method, handlers_.handler, context, request, response);  \
  }
#define PICTORY_STREAM(Method, handler)                                            \
  grpc::Status Method(Context* context, const v1::Method##Request* request,        \
                      grpc::ServerWriter<v1::Method##Response>* writer) override { \
    return Stream(#Method, handlers_.handler, context, request, writer);           \
  }
  PICTORY_UNARY(CreatePreview, create_preview)
  PICTORY_UNARY(Render, render)
  PICTORY_UNARY(Transcribe, transcribe)
  PICTORY_UNARY(Summarize, summarize)
  PICTORY_UNARY(GenerateImage, generate_image)
  PICTORY_UNARY(GenerateVideo, generate_video)
  PICTORY_UNARY(GetJob, get)
  PICTORY_UNARY(BatchGetJobs, batch_get)
  PICTORY_UNARY(ListJobs, list)
  PICTORY_UNARY(ResolveJob, resolve)
  PICTORY_UNARY(DeleteJob, remove)
  PICTORY_UNARY(CreateUpload, create_upload)
  PICTORY_UNARY(GetUsage, get_usage)
  PICTORY_UNARY(GetServerInfo, get_server_info)
  PICTORY_UNARY(ListNotifications, list_notifications)
  PICTORY_UNARY(ReplayNotification, replay_notification)
  PICTORY_UNARY(UpdatePreview, update_preview)
  PICTORY_UNARY(ListProjects, list_projects)
  PICTORY_UNARY(GetProject, get_project)
  PICTORY_UNARY(GetAccount, get_account)
  PICTORY_UNARY(ListTemplates, list_templates)
  PICTORY_UNARY(GetTemplate, get_template)
  PICTORY_UNARY(CreateTemplate, create_template)
  PICTORY_UNARY(UpdateTemplate, update_template)
  PICTORY_UNARY(DeleteTemplate, delete_template)
  PICTORY_STREAM(WatchJob, watch)
  PICTORY_STREAM(ReadJobResult, read)
  PICTORY_STREAM(ReadArchivedFile, read_file)
#undef PICTORY_UNARY
#undef PICTORY_STREAM

  const Handlers handlers_;
  int port_ = 0;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<std::string, int> calls_;
  int running_ = 0;  // handlers
  bool stopping_ = false;
  std::unique_ptr<grpc::Server> server_;
};

FakeServer::FakeServer(Handlers handlers)
    : service_(std::make_unique<Service>(std::move(handlers))) {}
FakeServer::~FakeServer() = default;

std::string FakeServer::target() const { return "127.0.0.1:" + std::to_string(service_->port()); }
bool FakeServer::WaitForCalls(const std::string& method, int calls) {
  return service_->WaitForCalls(method, calls);
}
int FakeServer::Calls(const std::string& method) const { return service_->Calls(method); }

v1::Job MakeJob(const std::string& job_id, v1::JobState state, int revision) {
  v1::Job job;
  job.set_job_id(job_id);
  job.set_kind(v1::JOB_KIND_RENDER);
  job.set_state(state);
  job.set_revision(revision);
  return job;
}

v1::WatchJobResponse StateMessage(v1::Job job) {
  v1::WatchJobResponse message;
  *message.mutable_job() = std::move(job);
  return message;
}

v1::WatchJobResponse HeartbeatMessage(int revision) {
  v1::WatchJobResponse message;
  message.mutable_heartbeat()->set_revision(revision);
  return message;
}

absl::Status WithErrorInfo(absl::StatusCode code, const std::string& message,
                           const std::string& domain) {
  absl::Status status(code, message);
  details::ErrorInfo info;
  info.set_reason("TEST");
  info.set_domain(domain);
  status.SetPayload("type.googleapis.com/google.rpc.ErrorInfo",
                    absl::Cord(info.SerializeAsString()));
  return status;
}

absl::Status WithRetryInfo(absl::StatusCode code, const std::string& message, double seconds) {
  absl::Status status = WithErrorInfo(code, message);
  details::RetryInfo retry;
  retry.mutable_retry_delay()->set_seconds(static_cast<std::int64_t>(seconds));
  retry.mutable_retry_delay()->set_nanos(static_cast<std::int32_t>(
      (seconds - static_cast<double>(static_cast<std::int64_t>(seconds))) * 1e9));
  status.SetPayload("type.googleapis.com/google.rpc.RetryInfo",
                    absl::Cord(retry.SerializeAsString()));
  return status;
}

}  // namespace pictory_jobs::fake
