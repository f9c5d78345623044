// The service itself: every method on raw bytes, each one line to where its work is done.
#pragma once

#include <cstddef>

#include "pictory/jobs/v1/job.pb.h"
#include "rpc/admission.h"
#include "rpc/handlers.h"
#include "rpc/intake.h"
#include "rpc/raw_service.h"
#include "rpc/request_reader.h"

namespace gateway::rpc {

struct WatchLimits {
  Duration heartbeat = limits::kHeartbeatInterval;
  Duration stuck = limits::kWriteStuckAfter;
  // Before the library would end an old connection's streams without a word.
  Duration max_life = std::chrono::minutes(30);
};

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
  Unary* GetJob(Context* context, const Bytes* request, Bytes* response);
  Unary* ListJobs(Context* context, const Bytes* request, Bytes* response);
  Stream* WatchJob(Context* context, const Bytes* request);
  Stream* ReadJobResult(Context* context, const Bytes* request);
  Unary* ResolveJob(Context* context, const Bytes* request, Bytes* response);
  Unary* DeleteJob(Context* context, const Bytes* request, Bytes* response);
  Unary* CreateUpload(Context* context, const Bytes* request, Bytes* response);

  template <class Request>
  Unary* ServeSubmit(const char* method, v1::JobKind kind, Context* context, const Bytes* request,
                     Bytes* response);

  const WatchLimits watch_limits_;
  Admission& admission_;
  RequestReader reader_;
  const Domain& domain_;
};

}  // namespace gateway::rpc
