// A ResultStream serves ReadJobResult: it sends one part of a finished job's result.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "pictory/jobs/v1/pictory_jobs.pb.h"
#include "rpc/caller.h"
#include "rpc/chunk_stream.h"
#include "rpc/handlers.h"

namespace gateway::rpc {

// What is wrong with a request; OK if nothing.
absl::Status CheckRead(const v1::ReadJobResultRequest& request);

class ResultStream final : public ChunkStream {
 public:
  ResultStream(const Domain& domain, watch::StreamSink& sink)
      : ChunkStream(domain.clock, sink), store_(domain.store) {}

  // Is called once, or else Fail is. `request` was checked, and `job` is the one it names.
  void Begin(const jobs::Snapshot& job, const v1::ReadJobResultRequest& request);

 private:
  void Read(std::int64_t offset, std::function<void(Chunk)> done) override;
  std::string Carry(std::int64_t offset, jobs::PartChunk chunk) const override;
  absl::Status Nothing() const override;

  jobs::Jobs& store_;
  // Set by Begin, before anything is read.
  std::string tenant_;
  std::string job_id_;
  absl::Status none_;  // the refusal if the job turns out to have nothing
  v1::ResultPart part_ = v1::RESULT_PART_RESULT_JSON;
};

// Gives the stream its job wherever that is found: in memory inside the call, in the store or at
// Pictory later.
void BeginRead(const std::shared_ptr<ResultStream>& stream, const Caller& caller,
               const v1::ReadJobResultRequest& request, const Domain& domain);

}  // namespace gateway::rpc
