#include "rpc/health_service.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/cord.h"
#include "absl/strings/str_cat.h"
#include "rpc/status.h"
#include "rpc/stream_call.h"
#include "rpc/wire.h"
#include "watch/stream.h"

namespace gateway::rpc {

using grpc::health::v1::HealthCheckRequest;
using grpc::health::v1::HealthCheckResponse;

// A HealthStream sends the newest status, whenever it is another one than the last sent.
class HealthStream final : public watch::Stream {
 public:
  HealthStream(std::string service, const Clock& clock, watch::StreamSink& sink)
      : watch::Stream(clock, sink), service_(std::move(service)) {}

  const std::string& service() const { return service_; }

  void Tell(HealthService::Status status) {
    {
      MutexLock lock(mutex_);
      newest_ = status;
    }
    Advance();
  }

 private:
  Step Next(const std::optional<absl::Status>& ending) override REQUIRES(mutex_) {
    Step step;
    if (newest_ != sent_) {
      sent_ = newest_;
      HealthCheckResponse response;
      response.set_status(*newest_);
      step.write = std::make_shared<const std::string>(response.SerializeAsString());
    } else if (ending.has_value()) {
      step.finish = *ending;
    }
    return step;
  }

  const std::string service_;
  std::optional<HealthService::Status> newest_ GUARDED_BY(mutex_);
  std::optional<HealthService::Status> sent_ GUARDED_BY(mutex_);
};

HealthService::HealthService(const std::vector<std::string>& services, Intake& intake,
                             Admission& admission, const Domain& domain)
    : RawService(intake, domain), admission_(admission), domain_(domain) {
  Add("/grpc.health.v1.Health/Check", limits::kSmallRequestMaxBytes, std::nullopt,
      UnaryMethod([this](Context* context, const Principal&, const Bytes* request,
                         Bytes* response) { return Check(context, request, response); }));
  Add("/grpc.health.v1.Health/Watch", limits::kSmallRequestMaxBytes, std::nullopt,
      StreamMethod([this](Context* context, const Principal&, const Bytes* request) {
        return Watch(context, request);
      }));
  statuses_[""] = HealthCheckResponse::NOT_SERVING;
  for (const std::string& service : services) statuses_[service] = HealthCheckResponse::NOT_SERVING;
}

HealthService::~HealthService() = default;

void HealthService::Set(const std::string& service, bool serving) {
  const Status status = serving ? HealthCheckResponse::SERVING : HealthCheckResponse::NOT_SERVING;
  std::vector<std::shared_ptr<HealthStream>> told;
  {
    MutexLock lock(mutex_);
    statuses_[service] = status;
    for (const auto& weak : streams_) {
      auto stream = weak.lock();
      if (stream && stream->service() == service) told.push_back(std::move(stream));
    }
  }
  for (const auto& stream : told) stream->Tell(status);
}

void HealthService::SetAll(bool serving, bool usable) {
  std::vector<std::string> services;
  {
    MutexLock lock(mutex_);
    for (const auto& [service, status] : statuses_) services.push_back(service);
  }
  for (const std::string& service : services) {
    Set(service, serving && (usable || service.empty()));
  }
}

HealthService::Unary* HealthService::Check(Context* context, const Bytes* request,
                                           Bytes* response) {
  Unary* reactor = context->DefaultReactor();
  const auto message = Parse<HealthCheckRequest>(*request);
  if (!message.ok()) {
    domain_.Ended({.method = "Health.Check", .status = message.status(), .peer = context->peer()});
    reactor->Finish(ToGrpc(message.status()));
    return reactor;
  }
  HealthCheckResponse answer;
  {
    MutexLock lock(mutex_);
    const auto found = statuses_.find((*message)->service());
    if (found != statuses_.end()) answer.set_status(found->second);
  }
  if (answer.status() == HealthCheckResponse::UNKNOWN) {
    reactor->Finish(grpc::Status(grpc::StatusCode::NOT_FOUND, "No such service on this server"));
    return reactor;
  }
  *response = ToBuffer(answer);
  reactor->Finish(grpc::Status::OK);
  return reactor;
}

namespace {

// gRPC's clients take UNIMPLEMENTED for a server without health checks, and call it. Any other
// status would be taken for a server that is not well: all calls of that client would wait or fail,
// though the gateway only has no room for one more watch of its health.
grpc::Status Unchecked(const grpc::Status& refusal) {
  const absl::Status why = FromGrpc(refusal);
  absl::Status status = absl::UnimplementedError(
      absl::StrCat(why.message(), "; go on without it, or ask with Check"));
  why.ForEachPayload([&status](absl::string_view type, const absl::Cord& payload) {
    status.SetPayload(type, payload);
  });
  return ToGrpc(status);
}

}  // namespace

HealthService::Stream* HealthService::Watch(Context* context, const Bytes* request) {
  const std::string peer = context->peer();
  Admission::Ticket ticket = admission_.Enter(Admission::Kind::kHealthWatch, {.peer = peer});
  const auto refuse = [&](const grpc::Status& refusal) {
    return RefuseStream("Health.Watch", *context, refusal, domain_);
  };
  if (!ticket) return refuse(Unchecked(ticket.refusal()));
  const auto message = Parse<HealthCheckRequest>(*request);
  if (!message.ok()) return refuse(ToGrpc(message.status()));
  const std::size_t received_bytes = LengthOf(*request);
  Free(*request);
  auto* call = new StreamCall<HealthStream>(
      "Health.Watch", context, received_bytes, TraceContext(), std::move(ticket), domain_,
      [&](watch::StreamSink& sink) {
        return std::make_shared<HealthStream>((*message)->service(), domain_.clock, sink);
      });
  const std::shared_ptr<HealthStream> stream = call->stream();
  Status status = HealthCheckResponse::SERVICE_UNKNOWN;
  {
    MutexLock lock(mutex_);
    streams_.erase(std::remove_if(streams_.begin(), streams_.end(),
                                  [](const auto& weak) { return weak.expired(); }),
                   streams_.end());
    streams_.push_back(stream);
    const auto found = statuses_.find(stream->service());
    if (found != statuses_.end()) status = found->second;
  }
  stream->Tell(status);
  return call;
}

}  // namespace gateway::rpc
