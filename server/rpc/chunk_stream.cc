#include "rpc/chunk_stream.h"

#include <memory>
#include <utility>

#include "base/errors.h"

namespace gateway::rpc {

void ChunkStream::Fail(absl::Status status) {
  {
    MutexLock lock(mutex_);
    outcome_ = std::move(status);
  }
  Advance();
}

void ChunkStream::SendFrom(std::int64_t offset) {
  {
    MutexLock lock(mutex_);
    begun_ = true;
    next_ = offset;
  }
  Advance();
}

watch::Stream::Step ChunkStream::Next(const std::optional<absl::Status>& ending) {
  Step step;
  if (ready_ != nullptr) {
    step.write = std::move(ready_);
  } else if (outcome_.has_value()) {
    step.finish = *std::move(outcome_);
  } else if (ending.has_value()) {
    step.finish = *ending;  // the caller goes on elsewhere, from its offset
  } else if (begun_ && !reading_) {
    reading_ = true;
    step.run = [this, offset = next_] {
      Read(offset, [self = std::static_pointer_cast<ChunkStream>(shared_from_this()),
                    offset](Chunk chunk) { self->OnChunk(offset, std::move(chunk)); });
    };
  }
  return step;
}

void ChunkStream::OnChunk(std::int64_t offset, Chunk chunk) {
  std::optional<absl::Status> outcome;
  jobs::Frame ready;
  std::int64_t next = offset;
  if (!chunk.ok()) {
    outcome = absl::IsNotFound(chunk.status()) ? Nothing() : chunk.status();
  } else if (offset > chunk->total_bytes) {
    outcome =
        errors::Invalid("offset", "is " + std::to_string(offset) + ", past the end: there are " +
                                      std::to_string(chunk->total_bytes) + " bytes");
  } else {
    next += static_cast<std::int64_t>(chunk->data.size());
    // An empty chunk that is not the end would be read for ever.
    if (chunk->data.empty() || next >= chunk->total_bytes) outcome = absl::OkStatus();
    if (chunk->data.empty() && offset < chunk->total_bytes) {
      outcome = errors::Internal("What is stored is shorter than it was");
    }
    ready = std::make_shared<const std::string>(Carry(offset, *std::move(chunk)));
  }
  {
    MutexLock lock(mutex_);
    reading_ = false;
    ready_ = std::move(ready);
    next_ = next;
    if (outcome.has_value()) outcome_ = std::move(outcome);
  }
  Advance();
}

}  // namespace gateway::rpc
