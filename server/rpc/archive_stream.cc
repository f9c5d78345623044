#include "rpc/archive_stream.h"

#include <utility>

#include "base/errors.h"
#include "base/limits.h"
#include "jobs/archive_plan.h"

namespace gateway::rpc {

absl::Status CheckArchiveRead(const v1::ReadArchivedFileRequest& request) {
  if (absl::Status named = CheckJobName(request.job_id()); !named.ok()) return named;
  if (request.offset() >= 0) return absl::OkStatus();
  return errors::Invalid("offset",
                         "is " + std::to_string(request.offset()) + "; it must not be negative");
}

void ArchiveStream::Begin(const jobs::Snapshot& job, const v1::ReadArchivedFileRequest& request) {
  if (!job.final()) {
    return Fail(errors::JobNotFinished(job.job_id(), jobs::StateName(job.state)));
  }
  const v1::Job shown = jobs::ToProto(job);
  places_ = jobs::PlacesOf(job.tenant, std::string(job.job_id()), shown.archive());
  const v1::ArchivedFile* const file = jobs::FindFile(shown.archive(), request.name());
  if (file == nullptr) return Fail(errors::FileNotFound(job.job_id(), request.name()));
  if (file->state() != v1::ARCHIVE_STATE_ARCHIVED) {
    return Fail(errors::FileNotArchived(
        job.job_id(), file->name(), file->state() == v1::ARCHIVE_STATE_FAILED, file->problem()));
  }
  name_ = file->name();
  SendFrom(request.offset());
}

void ArchiveStream::Read(std::int64_t offset, std::function<void(Chunk)> done) {
  backend_.ReadArchived(places_, name_, offset, static_cast<std::int64_t>(limits::kChunkMaxBytes),
                        std::move(done));
}

std::string ArchiveStream::Carry(std::int64_t offset, jobs::PartChunk chunk) const {
  v1::ReadArchivedFileResponse response;
  response.set_offset(offset);
  response.set_total_bytes(chunk.total_bytes);
  response.set_data(std::move(chunk.data));
  response.set_name(name_);
  return response.SerializeAsString();
}

absl::Status ArchiveStream::Nothing() const {
  return errors::FileNotFound(places_.front().id, name_);
}

void BeginArchiveRead(const std::shared_ptr<ArchiveStream>& stream, const Caller& caller,
                      const v1::ReadArchivedFileRequest& request, const Domain& domain) {
  BeginOfJob(stream, caller, request, domain);
}

}  // namespace gateway::rpc
