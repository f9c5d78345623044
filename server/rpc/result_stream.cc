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
  SendFrom(request.offset());
}

void ResultStream::Read(std::int64_t offset, std::function<void(Chunk)> done) {
  store_.ReadPart(tenant_, job_id_, part_, offset,
                  static_cast<std::int64_t>(limits::kChunkMaxBytes), std::move(done));
}

std::string ResultStream::Carry(std::int64_t offset, jobs::PartChunk chunk) const {
  v1::ReadJobResultResponse response;
  response.set_offset(static_cast<std::int32_t>(offset));
  response.set_total_bytes(static_cast<std::int32_t>(chunk.total_bytes));
  response.set_data(std::move(chunk.data));
  return response.SerializeAsString();
}

absl::Status ResultStream::Nothing() const {
  return none_.ok() ? errors::PartNotFound(job_id_, jobs::PartName(part_)) : none_;
}

void BeginRead(const std::shared_ptr<ResultStream>& stream, const Caller& caller,
               const v1::ReadJobResultRequest& request, const Domain& domain) {
  BeginOfJob(stream, caller, request, domain);
}

}  // namespace gateway::rpc
