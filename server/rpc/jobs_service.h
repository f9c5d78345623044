// JobsService is the service PictoryJobs: it serves every method on raw bytes, with one line to
// where the work is done. Its submits are those that the .proto declares.
#pragma once

#include <cstddef>
#include <list>

#include "google/protobuf/descriptor.h"
#include "rpc/admission.h"
#include "rpc/handlers.h"
#include "rpc/intake.h"
#include "rpc/raw_service.h"
#include "rpc/request_reader.h"
#include "rpc/submit_calls.h"
#include "rpc/watch_call.h"

namespace gateway::rpc {

class JobsService final : public RawService {
 public:
  // `submit_max_bytes` bounds the request of a submit. The arguments must outlive the service and
  // its calls.
  JobsService(WatchLimits watch_limits, std::size_t submit_max_bytes, Intake& intake,
              Admission& admission, const Domain& domain);

  // Serves all submits that a service declares; those of PictoryJobs are served already.
  void AddSubmits(const google::protobuf::ServiceDescriptor& service);

 private:
  // The methods about what is the account's and no job's.
  void AddAccountCalls();
  Unary* ServeSubmit(const SubmitMethod& method, Context* context, const Principal& principal,
                     const Bytes* request, Bytes* response);
  Stream* WatchJob(Context* context, const Principal& principal, const Bytes* request);
  Stream* WatchJobs(Context* context, const Principal& principal, const Bytes* request);
  // Serves a stream that has a watch's place.
  template <class Request, class Check, class Make, class Begin>
  Stream* ServeWatch(std::string_view method, Context* context, const Principal& principal,
                     const Bytes* request, const Check& check, const Make& make,
                     const Begin& begin);
  Admission::Ticket EnterResult(const Context& context, const tenants::Principal& principal);
  Stream* ReadJobResult(Context* context, const Principal& principal, const Bytes* request);
  Stream* ReadArchivedFile(Context* context, const Principal& principal, const Bytes* request);

  // Adds a method with one answer: `serve(caller, request, reply, domain)`.
  template <class Request, class Serve>
  void AddUnary(const char* path, tenants::Role role, Serve serve,
                std::size_t max_bytes = limits::kSmallRequestMaxBytes);
  void AddStream(const char* path, tenants::Role role,
                 Stream* (JobsService::*serve)(Context*, const Principal&, const Bytes*));

  const WatchLimits watch_limits_;
  const std::size_t submit_max_bytes_;
  std::list<SubmitMethod> submits_;
  Admission& admission_;
  RequestReader reader_;
  const Domain& domain_;
};

}  // namespace gateway::rpc
