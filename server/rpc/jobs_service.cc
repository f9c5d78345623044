#include "rpc/jobs_service.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "base/errors.h"
#include "jobs/watch_stream.h"
#include "rpc/caller.h"
#include "rpc/job_calls.h"
#include "rpc/result_stream.h"
#include "rpc/stream_call.h"
#include "rpc/submit_calls.h"
#include "rpc/unary_call.h"
#include "rpc/upload_call.h"

namespace gateway::rpc {
namespace {

// Identify and parse, for streams, whose refusal needs a reactor of its own.
template <class Request>
absl::StatusOr<std::shared_ptr<Request>> Open(const grpc::CallbackServerContext& context,
                                              const grpc::ByteBuffer& bytes, const Domain& domain,
                                              Caller& caller) {
  absl::StatusOr<Caller> identified = Identify(context, domain);
  if (!identified.ok()) return identified.status();
  caller = *std::move(identified);
  absl::StatusOr<std::shared_ptr<Request>> request = Parse<Request>(bytes);
  Free(bytes);
  return request;
}

absl::Status CheckWatch(const v1::WatchJobRequest& request) {
  if (absl::Status named = CheckJobName(request.job_id()); !named.ok()) return named;
  return CheckView(request.view());
}

// Followed wherever the job is found: in memory inside the call, in the store later.
void BeginWatch(const std::shared_ptr<jobs::WatchStream>& stream, const std::string& tenant,
                const std::string& name, std::uint64_t connection, const Domain& domain) {
  domain.hub.Load(tenant, name, [=, &domain](absl::StatusOr<jobs::SnapshotPtr> found) {
    if (!found.ok()) return stream->Fail(found.status());
    domain.backend.Name((**found).key());
    jobs::Hub::Subscribed subscribed =
        domain.hub.Subscribe(tenant, std::string((*found)->job_id()), stream, connection);
    // Deleted, or pushed out of memory, in this very moment; what was found is still good.
    if (subscribed.present == nullptr) {
      if (!(*found)->final()) return stream->Fail(errors::JobNotFound(name));
      subscribed.present = *std::move(found);
    }
    stream->Begin(std::move(subscribed));
  });
}

// A call about one job, by the backend: `call` is one of its methods.
template <class Request, class Response>
void ServeNamed(void (Backend::*call)(const std::string&, std::shared_ptr<const Request>,
                                      Backend::Done<Response>),
                const Caller& caller, std::shared_ptr<Request> request, const Reply& reply,
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
}

}  // namespace

JobsService::JobsService(WatchLimits watch_limits, std::size_t submit_max_bytes, Intake& intake,
                         Admission& admission, const Domain& domain)
    : RawService(intake, domain),
      watch_limits_(watch_limits),
      admission_(admission),
      reader_(intake, admission),
      domain_(domain) {
  const auto unary = [this](const char* path, std::size_t max_bytes, auto method) {
    Add(path, max_bytes,
        UnaryMethod([this, method](Context* context, const Bytes* request, Bytes* response) {
          return (this->*method)(context, request, response);
        }));
  };
  const auto stream = [this](const char* path, auto method) {
    Add(path, limits::kSmallRequestMaxBytes,
        StreamMethod([this, method](Context* context, const Bytes* request) {
          return (this->*method)(context, request);
        }));
  };
  using S = JobsService;
  constexpr std::size_t kSmall = limits::kSmallRequestMaxBytes;
  unary("/pictory.jobs.v1.PictoryJobs/CreatePreview", submit_max_bytes, &S::CreatePreview);
  unary("/pictory.jobs.v1.PictoryJobs/Render", submit_max_bytes, &S::Render);
  unary("/pictory.jobs.v1.PictoryJobs/Transcribe", submit_max_bytes, &S::Transcribe);
  unary("/pictory.jobs.v1.PictoryJobs/Summarize", submit_max_bytes, &S::Summarize);
  unary("/pictory.jobs.v1.PictoryJobs/GetJob", kSmall, &S::GetJob);
  unary("/pictory.jobs.v1.PictoryJobs/ListJobs", kSmall, &S::ListJobs);
  stream("/pictory.jobs.v1.PictoryJobs/WatchJob", &S::WatchJob);
  stream("/pictory.jobs.v1.PictoryJobs/ReadJobResult", &S::ReadJobResult);
  unary("/pictory.jobs.v1.PictoryJobs/ResolveJob", kSmall, &S::ResolveJob);
  unary("/pictory.jobs.v1.PictoryJobs/DeleteJob", kSmall, &S::DeleteJob);
  unary("/pictory.jobs.v1.PictoryJobs/CreateUpload", kSmall, &S::CreateUpload);
}

template <class Request>
JobsService::Unary* JobsService::ServeSubmit(const char* method, v1::JobKind kind, Context* context,
                                             const Bytes* request, Bytes* response) {
  return ServeUnary<Request>(
      method, context, request, response, admission_, reader_, domain_,
      [this, method, kind](const Caller& caller, std::shared_ptr<Request> message,
                           const Reply& reply) {
        Submit(method, kind, caller, std::move(message), reply, admission_, domain_);
      },
      Admission::Kind::kSubmit);
}

JobsService::Unary* JobsService::CreatePreview(Context* context, const Bytes* request,
                                               Bytes* response) {
  return ServeSubmit<v1::CreatePreviewRequest>("CreatePreview", v1::JOB_KIND_PREVIEW, context,
                                               request, response);
}

JobsService::Unary* JobsService::Render(Context* context, const Bytes* request, Bytes* response) {
  return ServeSubmit<v1::RenderRequest>("Render", v1::JOB_KIND_RENDER, context, request, response);
}

JobsService::Unary* JobsService::Transcribe(Context* context, const Bytes* request,
                                            Bytes* response) {
  return ServeSubmit<v1::TranscribeRequest>("Transcribe", v1::JOB_KIND_TRANSCRIPTION, context,
                                            request, response);
}

JobsService::Unary* JobsService::Summarize(Context* context, const Bytes* request,
                                           Bytes* response) {
  return ServeSubmit<v1::SummarizeRequest>("Summarize", v1::JOB_KIND_SUMMARY, context, request,
                                           response);
}

JobsService::Unary* JobsService::GetJob(Context* context, const Bytes* request, Bytes* response) {
  return ServeUnary<v1::GetJobRequest>(
      "GetJob", context, request, response, admission_, reader_, domain_,
      [this](const Caller& caller, std::shared_ptr<v1::GetJobRequest> message, const Reply& reply) {
        rpc::GetJob(caller, std::move(message), reply, domain_);
      });
}

JobsService::Unary* JobsService::ListJobs(Context* context, const Bytes* request, Bytes* response) {
  return ServeUnary<v1::ListJobsRequest>(
      "ListJobs", context, request, response, admission_, reader_, domain_,
      [this](const Caller& caller, std::shared_ptr<v1::ListJobsRequest> message,
             const Reply& reply) { rpc::ListJobs(caller, std::move(message), reply, domain_); });
}

JobsService::Stream* JobsService::WatchJob(Context* context, const Bytes* request) {
  const auto refuse = [&](const grpc::Status& refusal) {
    return RefuseStream("WatchJob", *context, refusal, domain_);
  };
  Admission::Ticket ticket = admission_.Enter(Admission::Kind::kWatch);
  if (!ticket) return refuse(ticket.refusal());
  if (admission_.draining()) return refuse(ToGrpc(admission_.DrainStatus()));
  Caller caller;
  const auto message = Open<v1::WatchJobRequest>(*context, *request, domain_, caller);
  if (!message.ok()) return refuse(ToGrpc(message.status()));
  if (absl::Status bad = CheckWatch(**message); !bad.ok()) return refuse(ToGrpc(bad));

  jobs::WatchOptions options;
  options.after_revision = (*message)->after_revision();
  options.heartbeat = watch_limits_.heartbeat;
  options.stuck = watch_limits_.stuck;
  // Spread, so that those who began together do not end together.
  options.max_life = std::chrono::duration_cast<Duration>(watch_limits_.max_life *
                                                          (0.9 + 0.1 * domain_.random.Uniform()));
  if ((*message)->view() == v1::JOB_VIEW_FULL) {
    options.load_final = [this, peer = caller.peer](
                             jobs::SnapshotPtr snapshot,
                             std::function<void(absl::StatusOr<jobs::Frame>)> done) {
      LoadFull(domain_, std::move(snapshot), peer, nullptr, std::move(done));
    };
  }
  options.degraded = [this, tenant = caller.tenant] { return domain_.backend.IsDegraded(tenant); };
  auto* call = new StreamCall<jobs::WatchStream>(
      "WatchJob", context, std::move(ticket), domain_, [&](jobs::WatchSink& sink) {
        return std::make_shared<jobs::WatchStream>(std::move(options), domain_.clock, sink);
      });
  const std::shared_ptr<jobs::WatchStream> stream = call->stream();
  domain_.wheel.Add(stream, stream->FirstTick());
  const std::uint64_t connection = std::hash<std::string>()(context->peer());
  BeginWatch(stream, caller.tenant, (*message)->job_id(), connection, domain_);
  return call;
}

JobsService::Stream* JobsService::ReadJobResult(Context* context, const Bytes* request) {
  const auto refuse = [&](const grpc::Status& refusal) {
    return RefuseStream("ReadJobResult", *context, refusal, domain_);
  };
  Admission::Ticket ticket = admission_.Enter(Admission::Kind::kResult, context->peer());
  if (!ticket) return refuse(ticket.refusal());
  if (admission_.draining()) return refuse(ToGrpc(admission_.DrainStatus()));
  Caller caller;
  const auto message = Open<v1::ReadJobResultRequest>(*context, *request, domain_, caller);
  if (!message.ok()) return refuse(ToGrpc(message.status()));
  if (absl::Status bad = CheckRead(**message); !bad.ok()) return refuse(ToGrpc(bad));

  auto* call = new StreamCall<ResultStream>(
      "ReadJobResult", context, std::move(ticket), domain_,
      [&](jobs::WatchSink& sink) { return std::make_shared<ResultStream>(domain_, sink); });
  const std::shared_ptr<ResultStream> stream = call->stream();
  domain_.wheel.Add(stream, domain_.clock.Now() + limits::kWriteStuckAfter);
  domain_.hub.Load(caller.tenant, (*message)->job_id(),
                   [this, stream, read = *message](absl::StatusOr<jobs::SnapshotPtr> found) {
                     if (!found.ok()) return stream->Fail(found.status());
                     domain_.backend.Name((**found).key());
                     stream->Begin(**found, *read);
                   });
  return call;
}

JobsService::Unary* JobsService::ResolveJob(Context* context, const Bytes* request,
                                            Bytes* response) {
  return ServeUnary<v1::ResolveJobRequest>(
      "ResolveJob", context, request, response, admission_, reader_, domain_,
      [this](const Caller& caller, std::shared_ptr<v1::ResolveJobRequest> message,
             const Reply& reply) {
        ServeNamed(&Backend::Resolve, caller, std::move(message), reply, domain_);
      });
}

JobsService::Unary* JobsService::DeleteJob(Context* context, const Bytes* request,
                                           Bytes* response) {
  return ServeUnary<v1::DeleteJobRequest>(
      "DeleteJob", context, request, response, admission_, reader_, domain_,
      [this](const Caller& caller, std::shared_ptr<v1::DeleteJobRequest> message,
             const Reply& reply) {
        ServeNamed(&Backend::Delete, caller, std::move(message), reply, domain_);
      });
}

JobsService::Unary* JobsService::CreateUpload(Context* context, const Bytes* request,
                                              Bytes* response) {
  return ServeUnary<v1::CreateUploadRequest>(
      "CreateUpload", context, request, response, admission_, reader_, domain_,
      [this](const Caller& caller, std::shared_ptr<v1::CreateUploadRequest> message,
             const Reply& reply) {
        rpc::CreateUpload(caller, std::move(message), reply, admission_, domain_);
      });
}

}  // namespace gateway::rpc
