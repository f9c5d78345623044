#include "rpc/result_stream.h"

#include <utility>

#include "base/errors.h"
#include "base/limits.h"

namespace gateway::rpc {
absl::Status CheckRead(const v1::ReadJobResultRequest& request) {
  if (absl::Status named = CheckJobName(request.job_id()); !named.ok()) return named;
  std::vector<errors::Violation> violations;
  if (!v1::ResultPart_IsValid(request.part())) {
    violations.push_back(
        {"part", "is " + std::to_string(request.part()) + ", which is no part of a result"});
  }
  if (request.offset() < 0) {
    violations.push_back(
        {"offset", "is " + std::to_string(request.offset()) + "; it must not be negative"});
  }
  return violations.empty() ? absl::OkStatus() : errors::Invalid(std::move(violations));
}

namespace {

absl::Status HasNone(const jobs::Snapshot& job) {
  return errors::JobNotUsable(job.job_id(),
                              "has ended as " + jobs::StateName(job.state) + " and has no result");
}

}  // namespace

void ResultStream::Begin(const jobs::Snapshot& job, const v1::ReadJobResultRequest& request) {
  if (!job.final()) {
    return Fail(errors::JobNotFinished(job.job_id(), jobs::StateName(job.state)));
  }
  if (job.state == v1::JOB_STATE_CLEANED) return Fail(HasNone(job));
  // A job that did not succeed may have what Pictory said of it.
  if (job.state != v1::JOB_STATE_SUCCEEDED) none_ = HasNone(job);
  tenant_ = job.tenant;
  job_id_ = job.job_id();
  if (request.part() != v1::RESULT_PART_UNSPECIFIED) part_ = request.part();
  {
    MutexLock lock(mutex_);
    begun_ = true;
    next_ = request.offset();
  }
  Advance();
}

void ResultStream::Fail(absl::Status status) {
  {
    MutexLock lock(mutex_);
    outcome_ = std::move(status);
  }
  Advance();
}

watch::Stream::Step ResultStream::Next(const std::optional<absl::Status>& ending) {
  Step step;
  if (ready_ != nullptr) {
    step.write = std::move(ready_);
  } else if (outcome_.has_value()) {
    step.finish = *std::move(outcome_);
  } else if (ending.has_value()) {
    step.finish = *ending;  // the caller goes on elsewhere, from its offset
  } else if (begun_ && !reading_) {
    reading_ = true;
    step.run = [this, offset = next_] { ReadNext(offset); };
  }
  return step;
}

void ResultStream::ReadNext(std::int64_t offset) {
  store_.ReadPart(
      tenant_, job_id_, part_, offset, static_cast<std::int64_t>(limits::kChunkMaxBytes),
      [self = std::static_pointer_cast<ResultStream>(shared_from_this()),
       offset](absl::StatusOr<jobs::PartChunk> chunk) { self->OnChunk(offset, std::move(chunk)); });
}

void ResultStream::OnChunk(std::int64_t offset, absl::StatusOr<jobs::PartChunk> chunk) {
  std::optional<absl::Status> outcome;
  jobs::Frame ready;
  std::int64_t next = offset;
  if (!chunk.ok()) {
    outcome = !absl::IsNotFound(chunk.status()) ? chunk.status()
              : !none_.ok()                     ? none_
                            : errors::PartNotFound(job_id_, jobs::PartName(part_));
  } else if (offset > chunk->total_bytes) {
    outcome =
        errors::Invalid("offset", "is " + std::to_string(offset) + ", past the end: the part has " +
                                      std::to_string(chunk->total_bytes) + " bytes");
  } else {
    v1::ReadJobResultResponse response;
    next += static_cast<std::int64_t>(chunk->data.size());
    response.set_offset(static_cast<std::int32_t>(offset));
    response.set_total_bytes(static_cast<std::int32_t>(chunk->total_bytes));
    // An empty chunk that is not the end would be read for ever.
    if (chunk->data.empty() || next >= chunk->total_bytes) outcome = absl::OkStatus();
    if (chunk->data.empty() && offset < chunk->total_bytes) {
      outcome = errors::Internal("The stored result is shorter than it was");
    }
    response.set_data(std::move(chunk->data));
    ready = std::make_shared<const std::string>(response.SerializeAsString());
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

void BeginRead(const std::shared_ptr<ResultStream>& stream, const Caller& caller,
               const v1::ReadJobResultRequest& request, const Domain& domain) {
  domain.backend.Load(caller.owner, request.job_id(),
                      [stream, request, &domain](absl::StatusOr<jobs::SnapshotPtr> found) {
                        if (!found.ok()) return stream->Fail(found.status());
                        domain.backend.Name((**found).key());
                        stream->Begin(**found, request);
                      });
}

}  // namespace gateway::rpc
