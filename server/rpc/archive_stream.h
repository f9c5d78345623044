// An ArchiveStream serves ReadArchivedFile: it sends one file of a finished job from the archive.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "jobs/job_key.h"
#include "pictory/jobs/v1/pictory_jobs.pb.h"
#include "rpc/caller.h"
#include "rpc/chunk_stream.h"
#include "rpc/handlers.h"

namespace gateway::rpc {

// What is wrong with a request; OK if nothing.
absl::Status CheckArchiveRead(const v1::ReadArchivedFileRequest& request);

class ArchiveStream final : public ChunkStream {
 public:
  ArchiveStream(const Domain& domain, watch::StreamSink& sink)
      : ChunkStream(domain.clock, sink), backend_(domain.backend) {}

  // As ResultStream::Begin.
  void Begin(const jobs::Snapshot& job, const v1::ReadArchivedFileRequest& request);

 private:
  void Read(std::int64_t offset, std::function<void(Chunk)> done) override;
  std::string Carry(std::int64_t offset, jobs::PartChunk chunk) const override;
  absl::Status Nothing() const override;

  Backend& backend_;
  // Both are set by Begin, before anything is read. The name is one of the job's record, never the
  // caller's text.
  std::vector<jobs::JobKey> places_;
  std::string name_;
};

void BeginArchiveRead(const std::shared_ptr<ArchiveStream>& stream, const Caller& caller,
                      const v1::ReadArchivedFileRequest& request, const Domain& domain);

}  // namespace gateway::rpc
