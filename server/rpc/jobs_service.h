// The service itself: every method on raw bytes, each one line to where its work is done.
#pragma once

#include <cstddef>

#include "pictory/jobs/v1/job.pb.h"
#include "rpc/admission.h"
#include "rpc/handlers.h"
#include "rpc/intake.h"
#include "rpc/raw_service.h"
#include "rpc/request_reader.h"
#include "rpc/watch_call.h"

namespace gateway::rpc {

class JobsService final : public RawService {
 public:
  // A submit may have so many bytes. What is given must outlive the service and its calls.
  JobsService(WatchLimits watch_limits, std::size_t submit_max_bytes, Intake& intake,
              Admission& admission, const Domain& domain);

 private:
  Unary* CreatePreview(Context* context, const Bytes* request, Bytes* response);
  Unary* Render(Context* context, const Bytes* request, Bytes* response);
  Unary* Transcribe(Context* context, const Bytes* request, Bytes* response);
  Unary* Summarize(Context* context, const Bytes* request, Bytes* response);
  Stream* WatchJob(Context* context, const Bytes* request);
  Stream* ReadJobResult(Context* context, const Bytes* request);

  // A method with one answer and a small request: `serve(caller, request, reply, domain)`.
  template <class Request, class Serve>
  void AddUnary(const char* path, Serve serve);
  void AddStream(const char* path, Stream* (JobsService::*serve)(Context*, const Bytes*));
  template <class Request>
  Unary* ServeSubmit(const char* method, v1::JobKind kind, Context* context, const Bytes* request,
                     Bytes* response);

  const WatchLimits watch_limits_;
  Admission& admission_;
  RequestReader reader_;
  const Domain& domain_;
};

}  // namespace gateway::rpc
