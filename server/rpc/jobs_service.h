// The service itself: every method on raw bytes, each one line to where its work is done.
#pragma once

#include "pictory/jobs/v1/pictory_jobs.grpc.pb.h"
#include "rpc/admission.h"
#include "rpc/handlers.h"

namespace gateway::rpc {

struct WatchLimits {
  Duration heartbeat = limits::kHeartbeatInterval;
  Duration stuck = limits::kWriteStuckAfter;
  // Before the library would end an old connection's streams without a word.
  Duration max_life = std::chrono::minutes(30);
};

namespace raw {
using S = v1::PictoryJobs;
using Base1 = S::WithRawCallbackMethod_CreatePreview<S::Service>;
using Base2 = S::WithRawCallbackMethod_Render<Base1>;
using Base3 = S::WithRawCallbackMethod_Transcribe<Base2>;
using Base4 = S::WithRawCallbackMethod_Summarize<Base3>;
using Base5 = S::WithRawCallbackMethod_GetJob<Base4>;
using Base6 = S::WithRawCallbackMethod_ListJobs<Base5>;
using Base7 = S::WithRawCallbackMethod_WatchJob<Base6>;
using Base8 = S::WithRawCallbackMethod_ReadJobResult<Base7>;
using Base9 = S::WithRawCallbackMethod_ResolveJob<Base8>;
using Base10 = S::WithRawCallbackMethod_DeleteJob<Base9>;
using Base = S::WithRawCallbackMethod_CreateUpload<Base10>;
}  // namespace raw

class JobsService final : public raw::Base {
 public:
  // Both must outlive the service and its calls.
  JobsService(WatchLimits watch_limits, Admission& admission, const Domain& domain)
      : watch_limits_(watch_limits), admission_(admission), domain_(domain) {}

  using Context = grpc::CallbackServerContext;
  using Bytes = grpc::ByteBuffer;
  using Unary = grpc::ServerUnaryReactor;
  using Stream = grpc::ServerWriteReactor<grpc::ByteBuffer>;

  Unary* CreatePreview(Context* context, const Bytes* request, Bytes* response) override;
  Unary* Render(Context* context, const Bytes* request, Bytes* response) override;
  Unary* Transcribe(Context* context, const Bytes* request, Bytes* response) override;
  Unary* Summarize(Context* context, const Bytes* request, Bytes* response) override;
  Unary* GetJob(Context* context, const Bytes* request, Bytes* response) override;
  Unary* ListJobs(Context* context, const Bytes* request, Bytes* response) override;
  Stream* WatchJob(Context* context, const Bytes* request) override;
  Stream* ReadJobResult(Context* context, const Bytes* request) override;
  Unary* ResolveJob(Context* context, const Bytes* request, Bytes* response) override;
  Unary* DeleteJob(Context* context, const Bytes* request, Bytes* response) override;
  Unary* CreateUpload(Context* context, const Bytes* request, Bytes* response) override;

 private:
  template <class Request>
  Unary* ServeSubmit(const char* method, v1::JobKind kind, Context* context, const Bytes* request,
                     Bytes* response);

  const WatchLimits watch_limits_;
  Admission& admission_;
  const Domain& domain_;
};

}  // namespace gateway::rpc
