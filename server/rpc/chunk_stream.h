// A ChunkStream sends something large in chunks, and reads them one at a time as the caller takes
// them: a part of a result (rpc/result_stream.h), or an archived file (rpc/archive_stream.h).
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "jobs/snapshot.h"
#include "jobs/store.h"
#include "rpc/backend.h"
#include "rpc/caller.h"
#include "rpc/handlers.h"
#include "watch/stream.h"

namespace gateway::rpc {

class ChunkStream : public watch::Stream {
 public:
  using watch::Stream::Stream;

  // Ends the stream before anything was read.
  void Fail(absl::Status status);

 protected:
  using Chunk = absl::StatusOr<jobs::PartChunk>;

  // Begins to send from this byte on. It is called once, or else Fail is.
  void SendFrom(std::int64_t offset);
  // Reads at most limits::kChunkMaxBytes from `offset` on. Called under no lock.
  virtual void Read(std::int64_t offset, std::function<void(Chunk)> done) = 0;
  // The bytes of the response that carries a chunk.
  virtual std::string Carry(std::int64_t offset, jobs::PartChunk chunk) const = 0;
  // The error if there is nothing to read (NOT_FOUND).
  virtual absl::Status Nothing() const = 0;

 private:
  Step Next(const std::optional<absl::Status>& ending) override REQUIRES(mutex_);
  void OnChunk(std::int64_t offset, Chunk chunk);

  jobs::Frame ready_ GUARDED_BY(mutex_);
  std::optional<absl::Status> outcome_ GUARDED_BY(mutex_);  // once there is nothing left to read
  std::int64_t next_ GUARDED_BY(mutex_) = 0;
  bool begun_ GUARDED_BY(mutex_) = false;
  bool reading_ GUARDED_BY(mutex_) = false;
};

// Has a stream of one of those kinds begin with the job that the request names.
template <class ChunkStreamKind, class Request>
void BeginOfJob(const std::shared_ptr<ChunkStreamKind>& stream, const Caller& caller,
                const Request& request, const Domain& domain) {
  domain.backend.Load(caller.owner, request.job_id(),
                      [stream, request, &domain](absl::StatusOr<jobs::SnapshotPtr> found) {
                        if (!found.ok()) return stream->Fail(found.status());
                        domain.backend.Name((**found).key());
                        stream->Begin(**found, request);
                      });
}

}  // namespace gateway::rpc
