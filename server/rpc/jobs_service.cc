#include "rpc/jobs_service.h"

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "rpc/account_calls.h"
#include "rpc/archive_stream.h"
#include "rpc/batch_call.h"
#include "rpc/caller.h"
#include "rpc/info_call.h"
#include "rpc/job_calls.h"
#include "rpc/notification_calls.h"
#include "rpc/operate_calls.h"
#include "rpc/peer.h"
#include "rpc/preview_call.h"
#include "rpc/result_stream.h"
#include "rpc/stream_call.h"
#include "rpc/submit_calls.h"
#include "rpc/tenant_gates.h"
#include "rpc/unary_call.h"
#include "rpc/upload_call.h"
#include "rpc/usage_call.h"
#include "rpc/watch_call.h"
#include "rpc/watch_jobs_call.h"

namespace gateway::rpc {
namespace {

// The method's name in /package.Service/Method.
std::string_view MethodOf(std::string_view path) { return path.substr(path.rfind('/') + 1); }

int MorePlacesOf(const v1::WatchJobRequest&) { return 0; }

}  // namespace

JobsService::JobsService(WatchLimits watch_limits, std::size_t submit_max_bytes, Intake& intake,
                         Admission& admission, const Domain& domain)
    : RawService(intake, domain),
      watch_limits_(watch_limits),
      submit_max_bytes_(submit_max_bytes),
      admission_(admission),
      reader_(intake, admission),
      domain_(domain) {
  using tenants::Role;
  AddSubmits(*pictory::JobsService());

  AddUnary<v1::GetJobRequest>("/pictory.jobs.v1.PictoryJobs/GetJob", Role::kRead, rpc::GetJob);
  AddUnary<v1::BatchGetJobsRequest>("/pictory.jobs.v1.PictoryJobs/BatchGetJobs", Role::kRead,
                                    rpc::BatchGetJobs);
  AddUnary<v1::ListJobsRequest>("/pictory.jobs.v1.PictoryJobs/ListJobs", Role::kRead,
                                rpc::ListJobs);
  AddUnary<v1::ResolveJobRequest>("/pictory.jobs.v1.PictoryJobs/ResolveJob", Role::kOperate,
                                  ResolveJob);
  AddUnary<v1::DeleteJobRequest>("/pictory.jobs.v1.PictoryJobs/DeleteJob", Role::kOperate,
                                 DeleteJob);
  AddUnary<v1::CreateUploadRequest>(
      "/pictory.jobs.v1.PictoryJobs/CreateUpload", Role::kSubmit,
      [this](const Caller& caller, std::shared_ptr<v1::CreateUploadRequest> request,
             const Reply& reply, const Domain&) {
        CreateUpload(caller, std::move(request), reply, admission_, domain_);
      });
  AddUnary<v1::GetUsageRequest>("/pictory.jobs.v1.PictoryJobs/GetUsage", Role::kRead,
                                rpc::GetUsage);
  AddUnary<v1::GetServerInfoRequest>("/pictory.jobs.v1.PictoryJobs/GetServerInfo", Role::kRead,
                                     rpc::GetServerInfo);
  AddUnary<v1::ListNotificationsRequest>("/pictory.jobs.v1.PictoryJobs/ListNotifications",
                                         Role::kRead, rpc::ListNotifications);
  AddUnary<v1::ReplayNotificationRequest>("/pictory.jobs.v1.PictoryJobs/ReplayNotification",
                                          Role::kSubmit, rpc::ReplayNotification);
  AddUnary<v1::UpdatePreviewRequest>(
      "/pictory.jobs.v1.PictoryJobs/UpdatePreview", Role::kSubmit,
      [this](const Caller& caller, std::shared_ptr<v1::UpdatePreviewRequest> request,
             const Reply& reply, const Domain&) {
        UpdatePreview(caller, std::move(request), reply, admission_, domain_);
      },
      submit_max_bytes_);
  AddAccountCalls();
  AddStream("/pictory.jobs.v1.PictoryJobs/WatchJob", Role::kRead, &JobsService::WatchJob);
  AddStream("/pictory.jobs.v1.PictoryJobs/WatchJobs", Role::kRead, &JobsService::WatchJobs);
  AddStream("/pictory.jobs.v1.PictoryJobs/ReadJobResult", Role::kRead, &JobsService::ReadJobResult);
  AddStream("/pictory.jobs.v1.PictoryJobs/ReadArchivedFile", Role::kRead,
            &JobsService::ReadArchivedFile);
}

void JobsService::AddAccountCalls() {
  using tenants::Role;
  AddUnary<v1::ListProjectsRequest>("/pictory.jobs.v1.PictoryJobs/ListProjects", Role::kRead,
                                    rpc::ListProjects);
  AddUnary<v1::GetProjectRequest>("/pictory.jobs.v1.PictoryJobs/GetProject", Role::kRead,
                                  rpc::GetProject);
  AddUnary<v1::GetAccountRequest>("/pictory.jobs.v1.PictoryJobs/GetAccount", Role::kOperate,
                                  rpc::GetAccount);
  AddUnary<v1::ListTemplatesRequest>("/pictory.jobs.v1.PictoryJobs/ListTemplates", Role::kRead,
                                     rpc::ListTemplates);
  AddUnary<v1::GetTemplateRequest>("/pictory.jobs.v1.PictoryJobs/GetTemplate", Role::kRead,
                                   rpc::GetTemplate);
  AddUnary<v1::CreateTemplateRequest>(
      "/pictory.jobs.v1.PictoryJobs/CreateTemplate", Role::kSubmit,
      [this](const Caller& caller, std::shared_ptr<v1::CreateTemplateRequest> request,
             const Reply& reply, const Domain&) {
        CreateTemplate(caller, std::move(request), reply, admission_, domain_);
      },
      submit_max_bytes_);
  AddUnary<v1::UpdateTemplateRequest>(
      "/pictory.jobs.v1.PictoryJobs/UpdateTemplate", Role::kOperate,
      [this](const Caller& caller, std::shared_ptr<v1::UpdateTemplateRequest> request,
             const Reply& reply, const Domain&) {
        UpdateTemplate(caller, std::move(request), reply, admission_, domain_);
      },
      submit_max_bytes_);
  AddUnary<v1::DeleteTemplateRequest>(
      "/pictory.jobs.v1.PictoryJobs/DeleteTemplate", Role::kOperate,
      [this](const Caller& caller, std::shared_ptr<v1::DeleteTemplateRequest> request,
             const Reply& reply, const Domain&) {
        DeleteTemplate(caller, std::move(request), reply, admission_, domain_);
      });
}

template <class Request, class Serve>
void JobsService::AddUnary(const char* path, tenants::Role role, Serve serve,
                           std::size_t max_bytes) {
  Add(path, max_bytes, role,
      UnaryMethod([this, method = MethodOf(path), serve](Context* context,
                                                         const Principal& principal,
                                                         const Bytes* request, Bytes* response) {
        return ServeUnary<Request>(
            method, context, principal, request, response, admission_, reader_, domain_,
            [this, serve](const Caller& caller, std::shared_ptr<Request> message,
                          const Reply& reply) {
              serve(caller, std::move(message), reply, domain_);
            });
      }));
}

void JobsService::AddStream(const char* path, tenants::Role role,
                            Stream* (JobsService::*serve)(Context*, const Principal&,
                                                          const Bytes*)) {
  Add(path, limits::kSmallRequestMaxBytes, role,
      StreamMethod(
          [this, serve](Context* context, const Principal& principal, const Bytes* request) {
            return (this->*serve)(context, principal, request);
          }));
}

void JobsService::AddSubmits(const google::protobuf::ServiceDescriptor& service) {
  for (const auto* const submit : pictory::SubmitsOf(&service)) {
    const SubmitMethod& method = submits_.emplace_back(*submit);
    Add(method.path.c_str(), submit_max_bytes_, tenants::Role::kSubmit,
        UnaryMethod([this, &method](Context* context, const Principal& principal,
                                    const Bytes* request, Bytes* response) {
          return ServeSubmit(method, context, principal, request, response);
        }));
  }
}

JobsService::Unary* JobsService::ServeSubmit(const SubmitMethod& method, Context* context,
                                             const Principal& principal, const Bytes* request,
                                             Bytes* response) {
  using google::protobuf::Message;
  return ServeUnary<Message>(
      method.name, context, principal, request, response, admission_, reader_, domain_,
      [this, &method](const Caller& caller, std::shared_ptr<Message> message, const Reply& reply) {
        Submit(method, caller, std::move(message), reply, admission_, domain_);
      },
      Admission::Kind::kSubmit, method.prototype);
}

template <class Request, class Check, class Make, class Begin>
JobsService::Stream* JobsService::ServeWatch(std::string_view method, Context* context,
                                             const Principal& principal, const Bytes* request,
                                             const Check& check, const Make& make,
                                             const Begin& begin) {
  // What a watch holds, beside its ticket.
  struct Held {
    TenantGates::Place of_tenant;
    std::optional<Admission::Ticket> more;
  };
  const auto held = std::make_shared<Held>();
  Admission::Ticket ticket =
      admission_.Enter(Admission::Kind::kWatch, Admission::WhoIs(*principal));
  if (ticket) {
    absl::StatusOr<TenantGates::Place> place = domain_.gates->EnterWatch(*principal);
    if (!place.ok()) {
      Free(*request);
      return RefuseStream(method, *context, ToGrpc(place.status()), domain_);
    }
    held->of_tenant = *std::move(place);
    ticket.Keep(held);
  }
  const auto check_and_enter = [&](const Request& message) {
    absl::Status bad = check(message);
    const int places = bad.ok() ? MorePlacesOf(message) : 0;
    if (places == 0) return bad;
    Admission::Ticket more =
        admission_.Enter(Admission::Kind::kWatch, Admission::WhoIs(*principal), places);
    if (!more) return FromGrpc(more.refusal());
    held->more.emplace(std::move(more));
    return absl::OkStatus();
  };
  return ServeStream<Request>(
      method, context, principal, request, std::move(ticket), admission_, domain_, check_and_enter,
      [this, &make](const Caller& caller, const Request& message, watch::StreamSink& sink) {
        return make(watch_limits_, caller, message, sink, domain_);
      },
      begin);
}

JobsService::Stream* JobsService::WatchJob(Context* context, const Principal& principal,
                                           const Bytes* request) {
  return ServeWatch<v1::WatchJobRequest>("WatchJob", context, principal, request, CheckWatch,
                                         MakeWatch, BeginWatch);
}

JobsService::Stream* JobsService::WatchJobs(Context* context, const Principal& principal,
                                            const Bytes* request) {
  return ServeWatch<v1::WatchJobsRequest>("WatchJobs", context, principal, request, CheckWatchJobs,
                                          MakeWatchJobs, BeginWatchJobs);
}

Admission::Ticket JobsService::EnterResult(const Context& context,
                                           const tenants::Principal& principal) {
  const std::string peer = PeerName(context, domain_);
  return admission_.Enter(Admission::Kind::kResult, Admission::WhoIs(principal, peer));
}

JobsService::Stream* JobsService::ReadJobResult(Context* context, const Principal& principal,
                                                const Bytes* request) {
  return ServeStream<v1::ReadJobResultRequest>(
      "ReadJobResult", context, principal, request, EnterResult(*context, *principal), admission_,
      domain_, CheckRead,
      [this](const Caller&, const v1::ReadJobResultRequest&, watch::StreamSink& sink) {
        return std::make_shared<ResultStream>(domain_, sink);
      },
      BeginRead);
}

JobsService::Stream* JobsService::ReadArchivedFile(Context* context, const Principal& principal,
                                                   const Bytes* request) {
  return ServeStream<v1::ReadArchivedFileRequest>(
      "ReadArchivedFile", context, principal, request, EnterResult(*context, *principal),
      admission_, domain_, CheckArchiveRead,
      [this](const Caller&, const v1::ReadArchivedFileRequest&, watch::StreamSink& sink) {
        return std::make_shared<ArchiveStream>(domain_, sink);
      },
      BeginArchiveRead);
}

}  // namespace gateway::rpc
