// What the calls need of the rest of the gateway. The app wires it; tests put in what they like.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "base/clock.h"
#include "base/errors.h"
#include "base/random.h"
#include "google/protobuf/message.h"
#include "grpcpp/server_context.h"
#include "jobs/hub.h"
#include "jobs/store.h"
#include "jobs/stream_wheel.h"
#include "jobs/submitter.h"
#include "pictory/jobs/v1/pictory_jobs.pb.h"

namespace gateway::rpc {

class LargeAnswers;
class Unread;

namespace v1 = ::pictory::jobs::v1;

// How a call ended, for as long as somebody is told of it.
struct CallEnd {
  std::string_view method;
  const absl::Status& status;
  Duration took{};
  std::string_view peer{};        // as the library names it; of calls that ended well mostly not asked for
  std::string_view request_id{};  // of a submit, once it was read
  bool served = false;            // a stream that had brought something
};

// Everything here must outlive the server. Functions are called from gRPC's threads and must not
// block; an answer may come on any thread, inside the call too, and comes exactly once.
struct Domain {
  jobs::Hub& hub;
  jobs::JobStore& store;
  jobs::StreamWheel& wheel;
  const Clock& clock;
  Timers& timers;
  Random& random;

  // jobs::Submitter::Submit.
  std::function<void(jobs::SubmitRequest, jobs::Submitter::Done)> submit{};
  // pictory::Validate, with the server's options.
  std::function<std::vector<errors::Violation>(const google::protobuf::Message&)> validate{};
  // pictory::ReadFullResult. Runs on a thread of the store.
  std::function<absl::StatusOr<std::string>(std::string_view, v1::JobKind)> read_full{};

  // Null: UNIMPLEMENTED.
  template <class Request, class Response>
  using Call = std::function<void(const std::string& tenant, std::shared_ptr<const Request>,
                                  std::function<void(absl::StatusOr<Response>)>)>;
  Call<v1::ResolveJobRequest, v1::ResolveJobResponse> resolve{};
  Call<v1::DeleteJobRequest, v1::DeleteJobResponse> remove{};
  Call<v1::CreateUploadRequest, v1::CreateUploadResponse> create_upload{};

  // A caller has shown that it knows the job; null: nobody wants to know.
  std::function<void(const jobs::JobKeyView& job)> named{};
  void Name(const jobs::Snapshot& job) const {
    if (named) named(job.key());
  }
  // Submits without a request_id are refused.
  bool require_request_id = false;

  // Whether what a tenant's watchers see may lag, because Pictory cannot be asked; null: never.
  std::function<bool(const std::string& tenant)> degraded{};
  // The tenant of a call, or why it is refused; null: everybody is `default`.
  std::function<absl::StatusOr<std::string>(const grpc::CallbackServerContext&)> identify{};
  // Where answers that are ready wait for their callers, put here by the server; null: nobody looks.
  Unread* unread = nullptr;
  // What large answers are counted by, put here by the server as well.
  std::shared_ptr<LargeAnswers> large_answers{};
  // Counts bytes of a submit beyond those of its request, put here by the server, too.
  std::function<absl::StatusOr<std::shared_ptr<void>>(std::size_t bytes)> hold{};
  // A call ended; for metrics and the log. Null: nobody wants to know. Of reflection, and of a look at the
  // health, only refusals are told.
  std::function<void(const CallEnd& end)> ended{};
  void Ended(const CallEnd& end) const {
    if (ended) ended(end);
  }
};

}  // namespace gateway::rpc
