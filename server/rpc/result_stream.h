// A ResultStream serves ReadJobResult: it sends one part of a finished job's result in chunks, and
// reads them from the store one at a time as the caller takes them.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "pictory/jobs/v1/pictory_jobs.pb.h"
#include "rpc/caller.h"
#include "rpc/handlers.h"
#include "watch/stream.h"

namespace gateway::rpc {

// What is wrong with a request; OK if nothing.
absl::Status CheckRead(const v1::ReadJobResultRequest& request);

class ResultStream final : public watch::Stream {
 public:
  ResultStream(const Domain& domain, watch::StreamSink& sink)
      : watch::Stream(domain.clock, sink), store_(domain.store) {}

  // Is called once, or else Fail is. `request` was checked, and `job` is the one it names.
  void Begin(const jobs::Snapshot& job, const v1::ReadJobResultRequest& request);
  void Fail(absl::Status status);

 private:
  Step Next(const std::optional<absl::Status>& ending) override REQUIRES(mutex_);
  void ReadNext(std::int64_t offset);
  void OnChunk(std::int64_t offset, absl::StatusOr<jobs::PartChunk> chunk);

  jobs::Jobs& store_;
  // Set by Begin, before anything is read.
  std::string tenant_;
  std::string job_id_;
  absl::Status none_;  // the refusal if the job turns out to have nothing
  v1::ResultPart part_ = v1::RESULT_PART_RESULT_JSON;

  jobs::Frame ready_ GUARDED_BY(mutex_);
  std::optional<absl::Status> outcome_ GUARDED_BY(mutex_);  // once there is nothing left to read
  std::int64_t next_ GUARDED_BY(mutex_) = 0;
  bool begun_ GUARDED_BY(mutex_) = false;
  bool reading_ GUARDED_BY(mutex_) = false;
};

// Gives the stream its job wherever that is found: in memory inside the call, in the store or at
// Pictory later.
void BeginRead(const std::shared_ptr<ResultStream>& stream, const Caller& caller,
               const v1::ReadJobResultRequest& request, const Domain& domain);

}  // namespace gateway::rpc
