#include "rpc/jobs_service.h"

#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "rpc/caller.h"
#include "rpc/job_calls.h"
#include "rpc/result_stream.h"
#include "rpc/stream_call.h"
#include "rpc/submit_calls.h"
#include "rpc/unary_call.h"
#include "rpc/upload_call.h"
#include "rpc/watch_call.h"

namespace gateway::rpc {
namespace {

// The method's name in /package.Service/Method.
std::string_view MethodOf(std::string_view path) { return path.substr(path.rfind('/') + 1); }

// A method about one job that the backend serves: `call` is its own.
template <class Request, class Response>
auto ServedBy(void (Backend::*call)(const std::string&, std::shared_ptr<const Request>,
                                    Backend::Done<Response>)) {
  return [call](const Caller& caller, std::shared_ptr<Request> request, const Reply& reply,
                const Domain& domain) {
    if (absl::Status named = CheckJobName(request->job_id()); !named.ok()) {
      return reply(std::move(named));
    }
    const std::string tenant = caller.tenant;
    (domain.backend.*call)(tenant, std::move(request),
                           [reply, tenant, &domain](absl::StatusOr<Response> response) {
                             if (!response.ok()) return reply(response.status());
                             domain.backend.Name({tenant, response->job().job_id()});
                             reply(*response);
                           });
  };
}

}  // namespace

JobsService::JobsService(WatchLimits watch_limits, std::size_t submit_max_bytes, Intake& intake,
                         Admission& admission, const Domain& domain)
    : RawService(intake, domain),
      watch_limits_(watch_limits),
      submit_max_bytes_(submit_max_bytes),
      admission_(admission),
      reader_(intake, admission),
      domain_(domain) {
  AddSubmits(*pictory::JobsService());

  AddUnary<v1::GetJobRequest>("/pictory.jobs.v1.PictoryJobs/GetJob", rpc::GetJob);
  AddUnary<v1::ListJobsRequest>("/pictory.jobs.v1.PictoryJobs/ListJobs", rpc::ListJobs);
  AddUnary<v1::ResolveJobRequest>("/pictory.jobs.v1.PictoryJobs/ResolveJob",
                                  ServedBy(&Backend::Resolve));
  AddUnary<v1::DeleteJobRequest>("/pictory.jobs.v1.PictoryJobs/DeleteJob",
                                 ServedBy(&Backend::Delete));
  AddUnary<v1::CreateUploadRequest>(
      "/pictory.jobs.v1.PictoryJobs/CreateUpload",
      [this](const Caller& caller, std::shared_ptr<v1::CreateUploadRequest> request,
             const Reply& reply, const Domain&) {
        CreateUpload(caller, std::move(request), reply, admission_, domain_);
      });
  AddUnary<v1::GetUsageRequest>(
      "/pictory.jobs.v1.PictoryJobs/GetUsage",
      [](const Caller& caller, const std::shared_ptr<v1::GetUsageRequest>&, const Reply& reply,
         const Domain& d) { reply(d.backend.GetUsage(caller.owner)); });
  AddStream("/pictory.jobs.v1.PictoryJobs/WatchJob", &JobsService::WatchJob);
  AddStream("/pictory.jobs.v1.PictoryJobs/ReadJobResult", &JobsService::ReadJobResult);
}

template <class Request, class Serve>
void JobsService::AddUnary(const char* path, Serve serve) {
  Add(path, limits::kSmallRequestMaxBytes,
      UnaryMethod([this, method = MethodOf(path), serve](Context* context, const Bytes* request,
                                                         Bytes* response) {
        return ServeUnary<Request>(
            method, context, request, response, admission_, reader_, domain_,
            [this, serve](const Caller& caller, std::shared_ptr<Request> message,
                          const Reply& reply) {
              serve(caller, std::move(message), reply, domain_);
            });
      }));
}

void JobsService::AddStream(const char* path,
                            Stream* (JobsService::*serve)(Context*, const Bytes*)) {
  Add(path, limits::kSmallRequestMaxBytes,
      StreamMethod([this, serve](Context* context, const Bytes* request) {
        return (this->*serve)(context, request);
      }));
}

void JobsService::AddSubmits(const google::protobuf::ServiceDescriptor& service) {
  for (const auto* const submit : pictory::SubmitsOf(&service)) {
    const SubmitMethod& method = submits_.emplace_back(*submit);
    Add(method.path.c_str(), submit_max_bytes_,
        UnaryMethod([this, &method](Context* context, const Bytes* request, Bytes* response) {
          return ServeSubmit(method, context, request, response);
        }));
  }
}

JobsService::Unary* JobsService::ServeSubmit(const SubmitMethod& method, Context* context,
                                             const Bytes* request, Bytes* response) {
  using google::protobuf::Message;
  return ServeUnary<Message>(
      method.name, context, request, response, admission_, reader_, domain_,
      [this, &method](const Caller& caller, std::shared_ptr<Message> message, const Reply& reply) {
        Submit(method, caller, std::move(message), reply, admission_, domain_);
      },
      Admission::Kind::kSubmit, method.prototype);
}

JobsService::Stream* JobsService::WatchJob(Context* context, const Bytes* request) {
  return ServeStream<v1::WatchJobRequest>(
      "WatchJob", context, request, admission_.Enter(Admission::Kind::kWatch), admission_, domain_,
      CheckWatch,
      [this](const Caller& caller, const v1::WatchJobRequest& message, watch::StreamSink& sink) {
        return MakeWatch(watch_limits_, caller, message, sink, domain_);
      },
      BeginWatch);
}

JobsService::Stream* JobsService::ReadJobResult(Context* context, const Bytes* request) {
  return ServeStream<v1::ReadJobResultRequest>(
      "ReadJobResult", context, request,
      admission_.Enter(Admission::Kind::kResult, context->peer()), admission_, domain_, CheckRead,
      [this](const Caller&, const v1::ReadJobResultRequest&, watch::StreamSink& sink) {
        return std::make_shared<ResultStream>(domain_, sink);
      },
      BeginRead);
}

}  // namespace gateway::rpc
